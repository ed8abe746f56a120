package expect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/keys"
	"github.com/spawnx/spawnx/ptyio"
)

// said is what was sent last, for errors, and for the echo of a line editor.
type said struct {
	shown  string
	at     time.Time
	line   string // of SendLine
	edited bool   // the terminal reads key by key and does not echo: a line editor may
	raw    int64  // where the output stood
	open   int    // bytes of a line that was begun and not ended
}

// Send sends exactly s, no Enter. It is refused before anything is sent when
// the terminal would not pass it on as it is: a byte that it takes as a key
// (ctrl-c and the like: use SendKey), or a line that is longer than the
// kernel keeps (4,095 bytes on Linux, where the terminal reads by lines).
// It is bounded by Options.Timeout; the error says how many bytes were
// accepted.
func (c *Console) Send(s string) error { return c.send("send", s, escape.Quote(s), "") }

// SendLine sends s and presses Enter.
func (c *Console) SendLine(s string) error {
	return c.send("sendline", s+c.opts.Enter, escape.Quote(s)+" <enter>", s)
}

// Write sends p as Send does: a Console is an io.Writer.
func (c *Console) Write(p []byte) (int, error) {
	if err := c.Send(string(p)); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return e.accepted, err
		}
		return 0, err
	}
	return len(p), nil
}

// SendKey presses keys by their names: "enter", "ctrl-c", "up", "f1", "alt-x".
// All names are looked up before the first is sent. Cursor keys are those that
// the program has asked for in what it has written so far; an Options.Screen
// with a method AppCursor() bool knows better.
func (c *Console) SendKey(names ...string) error {
	modes := keys.Modes{Enter: c.opts.Enter}
	if s, ok := c.opts.Screen.(interface{ AppCursor() bool }); ok {
		modes.AppCursor = s.AppCursor()
	} else {
		modes.AppCursor = c.appCursor()
	}
	var b strings.Builder
	for _, name := range names {
		key, err := keys.Encode(name, modes)
		if err != nil {
			return &Error{Op: "sendkey", Err: err, what: err.Error()}
		}
		b.Write(key)
	}
	return c.sendBytes("sendkey", []byte(b.String()), c.echoing(), "<"+strings.Join(names, "><")+">", "")
}

// appCursor reports whether the program has asked for application cursor keys,
// also where nobody has read that yet.
func (c *Console) appCursor() bool {
	_, _ = c.b.Output().Flush() // what cannot be known now comes later
	c.mu.Lock()
	defer c.mu.Unlock()
	_, end := c.b.Output().Offsets()
	ahead := c.log.queries // a copy: who reads it finds the questions, too
	a, b := c.r.View(c.text.seen, end)
	ahead.Feed(a, func(escape.Query) {})
	ahead.Feed(b, func(escape.Query) {})
	return ahead.AppCursor
}

// SendEOF ends the program's input: on a terminal with its end-of-file key,
// twice where a line has been begun; elsewhere by closing.
func (c *Console) SendEOF() error {
	began := time.Now()
	if err := c.takeSend("sendeof", began, 0); err != nil {
		return err
	}
	defer c.sending.give()
	c.note("<eof>", "", false)
	if err := c.b.SendEOF(c.deadline()); err != nil {
		return c.sendError("sendeof", began, 0, 0, err)
	}
	c.log.sent("<eof>")
	return nil
}

func (c *Console) send(op, s, shown, line string) error {
	mode := c.echoing()
	if mode != (ptyio.Mode{}) {
		if err := c.refuse(op, s, mode); err != nil {
			return err
		}
	}
	return c.sendBytes(op, []byte(s), mode, shown, line)
}

// echoing is what the terminal does with what is sent; zero where none stands
// between, or where it is gone.
func (c *Console) echoing() ptyio.Mode {
	mode, err := c.inputMode()
	if err != nil {
		return ptyio.Mode{}
	}
	return mode
}

// refuse says why the terminal would not pass s on as it is.
func (c *Console) refuse(op, s string, mode ptyio.Mode) error {
	for i := range len(s) {
		if what := mode.Interprets(s[i]); what != "" {
			return &Error{
				Op: op, Err: ErrRefused,
				what: fmt.Sprintf("byte %d (%s) would be taken by the terminal as the key %s; nothing was sent", i+1, escape.Quote(s[i:i+1]), what),
				hint: fmt.Sprintf("SendKey(%q)", keyName(s[i])),
			}
		}
	}
	if !mode.Canonical {
		return nil
	}
	c.mu.Lock()
	n := c.said.open
	c.mu.Unlock()
	for i := range len(s) {
		n++
		if s[i] == '\n' || s[i] == '\r' && mode.CRToNL {
			n = 0
		}
		if n > ptyio.MaxCanonical {
			return &Error{
				Op: op, Err: ErrRefused,
				what: fmt.Sprintf("a line of more than %d bytes; the terminal, which reads by lines, would cut it; nothing was sent", ptyio.MaxCanonical),
				hint: "send shorter lines, or run the program on pipes",
			}
		}
	}
	return nil
}

func keyName(b byte) string {
	name, _ := keys.Parse([]byte{b})
	return name
}

// ErrRefused: what was to be sent would not have reached the program as it is.
var ErrRefused = errors.New("refused")

// sendBytes sends p whole, to a terminal in this mode.
func (c *Console) sendBytes(op string, p []byte, mode ptyio.Mode, shown, line string) error {
	began := time.Now()
	if err := c.takeSend(op, began, len(p)); err != nil {
		return err
	}
	defer c.sending.give()
	if mode.Echo {
		c.expectEcho(echoOf(p, mode))
	}
	c.note(shown, line, mode != (ptyio.Mode{}) && !mode.Echo && !mode.Canonical)
	n, err := c.paced(p)
	c.count(p[:n])
	if err != nil {
		return c.sendError(op, began, n, len(p), err)
	}
	c.log.sent(shown)
	return nil
}

// takeSend waits for this send's turn.
func (c *Console) takeSend(op string, began time.Time, all int) error {
	err := c.sending.take(context.Background(), c.deadline())
	if err == nil {
		return nil
	}
	return c.sendError(op, began, 0, all, fmt.Errorf("another send does not end: %w", err))
}

// expectEcho notes what the terminal will show of what is being sent.
func (c *Console) expectEcho(echo []byte) {
	_, _ = c.b.Output().Flush() // what the program wrote before comes before the echo
	c.mu.Lock()
	defer c.mu.Unlock()
	_, end := c.b.Output().Offsets()
	c.text.expectEcho(echo, end)
}

// note remembers what is being sent.
func (c *Console) note(shown, line string, edited bool) {
	_, end := c.b.Output().Offsets()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said.shown, c.said.at, c.said.line, c.said.edited, c.said.raw = shown, time.Now(), line, edited, end
}

// count keeps how long the line is that was begun.
func (c *Console) count(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p {
		c.said.open++
		if b == '\n' || b == '\r' {
			c.said.open = 0
		}
	}
}

// paced writes p, as slowly as Options.Pace asks for.
func (c *Console) paced(p []byte) (n int, err error) {
	until := c.deadline()
	pace := c.opts.Pace
	for n < len(p) {
		step := len(p) - n
		if pace.Line > 0 {
			if i := strings.IndexAny(string(p[n:]), "\r\n"); i >= 0 {
				step = i + 1
			}
		}
		if pace.Byte > 0 {
			step = 1
		}
		k, err := c.b.Input().WriteContext(context.Background(), p[n:n+step], until)
		n += k
		if err != nil {
			return n, err
		}
		switch b := p[n-1]; {
		case n == len(p):
		case pace.Line > 0 && (b == '\n' || b == '\r'):
			time.Sleep(pace.Line)
		case pace.Byte > 0:
			time.Sleep(pace.Byte)
		}
	}
	return n, nil
}

// sendError makes the error of a send.
func (c *Console) sendError(op string, began time.Time, n, all int, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("%w (%w)", context.DeadlineExceeded, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.newError(op, err, time.Since(began))
	e.accepted = n
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.what = fmt.Sprintf("the program took %d of %d bytes in %s", n, all, round(e.Elapsed))
	case errors.Is(err, bridge.ErrNoInput) || errors.Is(err, os.ErrClosed):
		e.what = "the program's input is closed"
	case e.Exit != nil:
		e.what = "the program has ended"
	default:
		e.what = err.Error()
	}
	return e
}

// inEcho reports whether the match lies inside the program's own echo of the
// line that was sent last. Called with mu held, before the match is consumed.
func (c *conversation) inEcho(m Match) bool {
	if c.said.line == "" || !c.said.edited || c.said.raw > m.Offset || c.text.start.raw > c.said.raw {
		return false
	}
	text := m.Before + m.Text
	skip := 0
	if at := strings.Index(text, c.said.line); at >= 0 {
		skip = at
	}
	n, _ := editorEcho(text[skip:], c.said.line)
	return n > 0 && len(text) == skip+n
}
