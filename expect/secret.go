package expect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/ptyio"
)

// A Secret is where a secret comes from: a function, so that it cannot be
// printed, and may ask, compute or fetch. The bytes it returns are the
// conversation's: they are overwritten once they were typed.
type Secret func(ctx context.Context) ([]byte, error)

// SecretRef returns the Secret that a reference names: env:NAME, file:PATH,
// fd:N, cmd:COMMAND (no shell) or ask:PROMPT (at the person's terminal). It is
// read when it is needed; a reference that cannot be understood fails then.
func SecretRef(ref string) Secret {
	return func(ctx context.Context) ([]byte, error) {
		r, err := secret.Parse(ref)
		if err != nil {
			return nil, err
		}
		v, err := r.Read(ctx)
		if err != nil {
			return nil, err
		}
		return v.Bytes(), nil
	}
}

// SendSecret types a secret and presses Enter, once it is safe: the terminal
// has its echo off and reads by lines, as it does at a password prompt. It
// waits for that, as a prompt may be printed before the echo is off. The
// secret appears in no transcript and no error from then on.
//
// Where this proves nothing (raw mode, in which line editors echo themselves;
// relays; pipes and sockets; a terminal that was started with echo off) it
// is refused unless Options.UnprovedSecrets says otherwise. On a terminal that
// was started with echo off it is enough that the program provably waits.
//
// A secret that holds a line end, or a byte that the terminal would take as a
// key, is refused: it would arrive as something else.
func (c *Console) SendSecret(ctx context.Context, s Secret) error {
	began := time.Now()
	if err := c.silent(ctx); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		e := c.newError("sendsecret", err, time.Since(began))
		e.what = err.Error()
		if errors.Is(err, context.DeadlineExceeded) {
			e.what = fmt.Sprintf("the terminal still shows what is typed after %s; nothing was sent", round(e.Elapsed))
		}
		if errors.Is(err, ErrUnproved) {
			e.hint = "Options.UnprovedSecrets types it all the same"
		}
		return e
	}
	value, err := s(ctx)
	if err != nil {
		return &Error{Op: "sendsecret", Err: err, what: "no secret: " + err.Error()}
	}
	c.log.hide(value)
	mode := c.echoing()
	if i := bytes.IndexFunc(value, func(r rune) bool { return r == '\n' || r == '\r' || r < 0x80 && mode.Interprets(byte(r)) != "" }); i >= 0 {
		clear(value)
		return &Error{Op: "sendsecret", Err: ErrRefused, what: "the secret holds a line end, or a byte that the terminal would take as a key; nothing was sent"}
	}
	if mode.Canonical && len(value) > ptyio.MaxCanonical {
		clear(value)
		return &Error{Op: "sendsecret", Err: ErrRefused, what: fmt.Sprintf("the secret has more than %d bytes, and the terminal, which reads by lines, would cut it; nothing was sent", ptyio.MaxCanonical)}
	}
	typed := append(value[:len(value):len(value)], c.opts.Enter...)
	defer clear(typed)
	defer clear(value)
	return c.sendBytes("sendsecret", typed, mode, "[secret] <enter>", "")
}

// ErrUnproved: it is not proved that a secret would not be shown.
var ErrUnproved = errors.New("it is not proved that a secret would not be shown")

// How often silent looks at the terminal's mode, whose changes nobody reports.
const modePoll = 2 * time.Millisecond

// silent waits until the terminal shows nothing of what is typed.
func (c *Console) silent(ctx context.Context) error {
	if c.opts.UnprovedSecrets {
		return nil
	}
	mode, err := c.inputMode()
	if errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%w: there is no terminal whose echo could be off", ErrUnproved)
	}
	never := ""
	ready := func() bool {
		if mode.Echo || !mode.Canonical {
			return false
		}
		if !c.text.bornSilent {
			return true
		}
		_, end := c.b.Output().Offsets()
		ev := c.waiting(end)
		if ev.Never {
			never = ev.Why
		}
		return ev.Proved()
	}
	if until := c.deadline(); !until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	var exited <-chan struct{} // the terminal keeps its mode when nobody is left to change it
	if p := c.b.Process(); p != nil {
		exited = p.Exited()
	}
	tick := time.NewTicker(modePoll)
	defer tick.Stop()
	for ; err == nil && !ready(); mode, err = c.inputMode() {
		if never != "" {
			return fmt.Errorf("%w: the terminal was started with echo off, and it cannot be seen when the program waits: %s", ErrUnproved, never)
		}
		select {
		case <-tick.C:
		case <-exited:
			return errors.New("the program has ended; nothing was sent")
		case <-ctx.Done():
			if !mode.Canonical && !mode.Echo {
				return fmt.Errorf("%w: the terminal is in raw mode", ErrUnproved)
			}
			return context.Cause(ctx)
		}
	}
	return err
}
