// Package expect holds conversations with programs: it waits for what they
// print, answers, and says why a wait failed.
//
//	c, err := expect.Spawn(ctx, proc.Command("python3", "-q"))
//	defer c.Close()
//	m, err := c.Expect(ctx, expect.Text(">>> "))
//	err = c.SendLine("6*7")
//	m, err = c.Expect(ctx, expect.Regexp(`(\d+)\n`))   // m.Groups[1] == "42"
//
// A match depends on what the program wrote alone, not on how the kernel cut
// it into reads: a pattern that might still match more, or from an earlier
// place, is undecided until a byte decides it, the output was quiet for
// Options.Settle, or it ended.
package expect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A Console is a conversation with a program. Any number of goroutines may
// use it: sends go out one after the other, also while an Expect waits; waits
// take turns.
type Console struct {
	*conversation
	opts   Options
	firing firing // of the Console that an Action gets
}

// firing says which firing of its rule an Action answers.
type firing struct{ count, max int }

// A conversation is what the Consoles made by With have in common.
type conversation struct {
	id   int64 // the order in which Select takes turns
	b    *bridge.Bridge
	r    *bridge.Reader
	text *text // of whoever holds the turn
	turn turn  // of the calls that wait
	log  *transcript

	sending turn // of the calls that send; taken before mu

	mu       sync.Mutex
	standing []*standingRule
	said     said
	screens  []*screen
	begun    time.Time
	closed   bool
}

var conversations atomic.Int64

// Options are the settings of a conversation; With sets them. A zero field
// keeps what the Console has.
type Options struct {
	// Timeout bounds each call as a whole, and each send; the earlier of it
	// and the context wins, as in http.Client. The default is 30 s, negative
	// is none.
	Timeout time.Duration
	// IdleTimeout ends a wait when nothing came for this long. The default is
	// none; negative sets that again.
	IdleTimeout time.Duration
	// Prompt is where the answer of Command ends.
	Prompt Pattern
	// View is what patterns see.
	View View
	// Screen is what OnScreen looks at, and what answers the program's
	// questions to its terminal. See Renderer.
	Screen Renderer
	// Enter is what SendLine and the key enter send: "\r" on a terminal, "\n"
	// elsewhere; "\r\n" for telnet.
	Enter string
	// UnprovedSecrets lets SendSecret type where it is not proved that the
	// secret will not be shown: over relays such as ssh to another prompt, on
	// pipes and sockets, in raw mode.
	UnprovedSecrets bool
	// Pace is a pause after each byte and each line sent, for serial lines and
	// slow devices.
	Pace Pace
	// Settle is how long the output must be quiet before a match that more
	// output could change is taken. The default is 20 ms; negative takes it at
	// once.
	Settle time.Duration
	// MaxDelay bounds how long such a match may be kept back while output goes
	// on. The default, and negative, is no bound in time (there is one of
	// 64 KiB).
	MaxDelay time.Duration
}

// Pace is a pause after each byte and after each line that is sent.
type Pace struct{ Byte, Line time.Duration }

const (
	defaultTimeout = 30 * time.Second
	defaultSettle  = 20 * time.Millisecond
)

// Spawn starts a program and begins a conversation with it: on a terminal of
// 24x80 unless its Spec says otherwise. Files are its descriptors 3 and up.
// When ctx ends, the program is stopped. The caller calls Close.
func Spawn(ctx context.Context, s proc.Spec, files ...*os.File) (*Console, error) {
	b, err := bridge.Start(ctx, s, files...)
	if err != nil {
		return nil, err
	}
	c := Attach(b)
	if s.NoEcho {
		c.text.bornSilent = true
	}
	return c, nil
}

// Attach begins a conversation with a program that a Bridge holds, from the
// oldest output that is kept. Close closes the Bridge.
func Attach(b *bridge.Bridge) *Console {
	view, enter := Raw, "\n"
	if _, err := b.Mode(); !errors.Is(err, errors.ErrUnsupported) {
		view = Plain
	}
	if b.Input().OnTerminal() {
		enter = "\r"
	}
	r := b.Output().Reader("expect", bridge.Block)
	conv := &conversation{
		id: conversations.Add(1), b: b, r: r, turn: make(turn, 1), sending: make(turn, 1), begun: time.Now(),
		text: newText(r), log: newTranscript(),
	}
	return &Console{conversation: conv, opts: Options{
		Timeout: defaultTimeout, View: view, Enter: enter, Settle: defaultSettle,
	}}
}

// New begins a conversation over a reader and a writer: a net.Conn, an ssh
// channel, a serial line. Deadlines are used where they have them; else a
// goroutine reads, which ends when r does. Close closes both when they can be
// closed.
func New(r io.Reader, w io.Writer) *Console {
	out := bridge.NewStream(bridge.NewSource(r), 0, 0)
	in := bridge.NewInput(bridge.NewSink(w), out)
	return Attach(bridge.New(nil, out, nil, in, func() error {
		return errors.Join(closeAny(r), closeAny(w))
	}))
}

func closeAny(v any) error {
	c, ok := v.(io.Closer)
	if !ok {
		return nil
	}
	if err := c.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil // reader and writer were the same
}

// With returns the same conversation with other settings, as slog's With
// does. The old Console keeps its own.
func (c *Console) With(o Options) *Console {
	n := &Console{conversation: c.conversation, opts: c.opts, firing: c.firing}
	set(&n.opts.Timeout, o.Timeout)
	set(&n.opts.IdleTimeout, o.IdleTimeout)
	set(&n.opts.Prompt, o.Prompt)
	set(&n.opts.View, o.View)
	if o.Screen != nil {
		n.opts.Screen = o.Screen
		n.showOn(o.Screen)
	}
	set(&n.opts.Enter, o.Enter)
	set(&n.opts.UnprovedSecrets, o.UnprovedSecrets)
	set(&n.opts.Pace.Byte, o.Pace.Byte)
	set(&n.opts.Pace.Line, o.Pace.Line)
	set(&n.opts.Settle, o.Settle)
	set(&n.opts.MaxDelay, o.MaxDelay)
	return n
}

func set[T comparable](field *T, v T) {
	var zero T
	if v != zero {
		*field = v
	}
}

// Bridge is the program and its bytes.
func (c *Console) Bridge() *bridge.Bridge { return c.b }

// Wait waits until the program has ended, reading and dropping what is unread
// meanwhile, so that it cannot be stopped by a full terminal. It has no
// timeout of its own. The error is a *proc.ExitError unless the status is 0,
// and an *Error that says what the program does instead when ctx ends first.
func (c *Console) Wait(ctx context.Context) (exit proc.Exit, err error) {
	start := time.Now()
	if err = c.turn.take(ctx, time.Time{}); err != nil {
		return proc.Exit{}, err
	}
	defer c.turn.give()
	if err = c.drop(ctx); err == nil {
		exit, err = c.b.Wait(ctx)
	}
	var status *proc.ExitError
	if ctx.Err() == nil || err == nil || errors.As(err, &status) {
		return exit, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.newError("wait", err, time.Since(start))
	if e.what = describe(err, e.Elapsed, 0); errors.Is(err, context.DeadlineExceeded) {
		e.what = fmt.Sprintf("did not end in %s", round(e.Elapsed))
	}
	e.hint = cure(e.Findings)
	return exit, e
}

// drop reads to the end of the output.
func (c *Console) drop(ctx context.Context) error {
	for {
		end, err := c.r.Await(ctx, c.text.start.raw, time.Time{})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if end > c.text.start.raw {
			c.mu.Lock()
			c.saw(c.text.start.raw, end)
			c.text.skipTo(end)
			c.mu.Unlock()
			c.r.Advance(end)
		}
		if err != nil && !bridge.IsLost(err) {
			return nil
		}
	}
}

// Close stops the program with its tree and ends the conversation. Calls that
// wait return. It may be called more than once.
func (c *Console) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.b.Release()
	err := c.b.Close()
	_ = c.r.Close()
	c.log.close()
	return err
}

// inputMode is what the terminal does with what is sent;
// errors.ErrUnsupported where none stands between.
func (c *conversation) inputMode() (ptyio.Mode, error) {
	if !c.b.Input().OnTerminal() {
		return ptyio.Mode{}, ptyio.ErrUnsupported
	}
	return c.b.Mode()
}

// A turn is one call's at a time; its channel holds a token meanwhile.
type turn chan struct{}

// take waits for the turn.
func (t turn) take(ctx context.Context, deadline time.Time) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	var timeout <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timeout:
		return context.DeadlineExceeded
	}
}

func (t turn) give() { <-t }

// deadline is when a call that begins now must have ended.
func (c *Console) deadline() time.Time {
	if c.opts.Timeout <= 0 {
		return time.Time{}
	}
	return time.Now().Add(scale.Duration(c.opts.Timeout))
}
