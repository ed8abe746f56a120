package expect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
)

// An Error is a wait or a send that failed. Its text shows what was wanted,
// what is unread, what was sent last and how the program is, with everything
// the program wrote escaped and secrets masked.
//
//	errors.Is(err, context.DeadlineExceeded)  the time was up; Timeout() is true
//	errors.Is(err, io.EOF)                    the output ended first
//	errors.Is(err, ErrRepeated)               a secret was asked for again
//	errors.Is(err, context.Canceled)          the caller gave up
type Error struct {
	Op      string // "expect", "send", …
	Err     error
	Wanted  []Pattern
	Unread  string // the end of what was not consumed, secrets masked
	Screen  string // what the screen showed, where a case was OnScreen; secrets masked
	Sent    string // what was sent last, for people
	Elapsed time.Duration
	Exit    *proc.Exit // how the program ended; nil while it runs
	// Findings say what a program that runs is doing instead: see package diag.
	// The most telling comes first.
	Findings []diag.Finding

	accepted int           // bytes that a send got rid of
	what     string        // the first line behind "Op: "
	sentAgo  time.Duration // before the error
	program  string
	hint     string
}

// ErrRepeated: a secret, which is given once, was asked for again.
var ErrRepeated = errors.New("asked again")

func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the time was up.
func (e *Error) Timeout() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// Hint is what to do about it, or "".
func (e *Error) Hint() string { return e.hint }

// Error returns the whole text. Its first line alone says what and why.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Op, e.what)
	if len(e.Wanted) > 0 {
		b.WriteString("\n  wanted  ")
		for _, p := range e.Wanted {
			b.WriteString(" " + escape.Visible(p.String()))
		}
	}
	if e.Wanted != nil {
		b.WriteString("\n  unread   " + escape.Quote(escape.Tail(e.Unread, mostShown)))
	}
	if e.Screen != "" {
		for i, row := range strings.Split(e.Screen, "\n") {
			fmt.Fprintf(&b, "\n  %-8s |%s", [2]string{"screen"}[min(i, 1)], escape.Visible(row))
		}
	}
	if e.Sent != "" {
		fmt.Fprintf(&b, "\n  sent     %s, %s ago", e.Sent, round(e.sentAgo))
	}
	for i, line := range e.programLines() {
		b.WriteString("\n  " + [2]string{"program", "       "}[min(i, 1)] + "  " + line)
	}
	if e.hint != "" {
		b.WriteString("\nhint: " + e.hint)
	}
	return b.String()
}

// mostShown is how much of what is unread is read at a glance.
const mostShown = 600

// round makes a duration short enough to be read: three digits are enough.
func round(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(time.Millisecond)
	default:
		return d.Round(time.Microsecond)
	}
}

// describe says in a few words why a wait ended.
func describe(err error, elapsed, idle time.Duration) string {
	switch {
	case errors.Is(err, errIdle):
		return fmt.Sprintf("no output for %s, and nothing matched", round(idle))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("nothing matched in %s", round(elapsed))
	case errors.Is(err, io.EOF):
		return "the output ended before a match"
	case errors.Is(err, os.ErrClosed):
		return "the conversation is closed"
	case errors.Is(err, context.Canceled):
		return "given up: " + err.Error()
	}
	return err.Error()
}

// errIdle is a timeout too: that of IdleTimeout.
var errIdle error = idleError{}

type idleError struct{}

func (idleError) Error() string { return "idle: " + context.DeadlineExceeded.Error() }
func (idleError) Unwrap() error { return context.DeadlineExceeded }

// missHint tells of a pattern that did not match although its other reading
// stands in the unread text.
func missHint(cases []Pattern, unread string) string {
	for _, p := range cases {
		switch p := when(p).(type) {
		case Regexp:
			if s := string(p); len(s) > 1 && strings.Contains(unread, s) {
				return fmt.Sprintf("%s is there as text: it was given as a regular expression", escape.Quote(s))
			}
			if re, err := regexp.Compile(string(p)); err == nil && re.MatchString(strings.ReplaceAll(unread, "\r", "")) && !re.MatchString(unread) {
				return `a carriage return stands in the output where it would match: write \r? there`
			}
		case Text:
			if s := string(p); strings.ContainsAny(s, `\.*+?[]()|^$`) {
				if re, err := regexp.Compile(s); err == nil && re.MatchString(unread) {
					return fmt.Sprintf("%s matches as a regular expression: it was given as text", escape.Quote(s))
				}
			}
		}
	}
	return ""
}

// cure is what to do about the first finding that knows something.
func cure(findings []diag.Finding) string {
	for _, f := range findings {
		switch {
		case f.Kind == diag.KindPassword:
			return "answer it with a secret: a rule whose action is Password"
		case f.Cure != "":
			return f.Cure
		}
	}
	return ""
}

// when is the pattern itself, of a Rule its condition.
func when(p Pattern) Pattern {
	if r, ok := p.(Rule); ok {
		return r.When
	}
	return p
}

// newError begins the error of a call: what was sent last, and how the
// program is. Called with mu held.
func (c *Console) newError(op string, err error, elapsed time.Duration) *Error {
	e := &Error{Op: op, Err: err, Elapsed: elapsed}
	if c.said.shown != "" {
		e.Sent, e.sentAgo = c.log.mask(c.said.shown), time.Since(c.said.at)
	}
	st := c.b.Stats()
	name := c.name(st.Peer)
	if p := c.b.Process(); p == nil {
		if far, ok := c.b.Peer().(interface{ Why() []diag.Finding }); ok && st.Peer.Running && !errors.Is(err, os.ErrClosed) {
			e.Findings = far.Why() // a far side that stands beside its program looks for itself
			c.maskFindings(e)
		}
		return e
	} else if exit, over := p.Exit(); over {
		e.Exit = &exit
		e.program = fmt.Sprintf("%s (pid %d) ended after %s: %s", name, st.Peer.PID, round(st.Peer.Ran), exitText(exit))
		return e
	}
	e.program = fmt.Sprintf("%s (pid %d) runs", name, st.Peer.PID)
	if !errors.Is(err, os.ErrClosed) { // of use after a timeout, and for whoever gave up
		snapshot, _ := diag.Take(lanes(name, st, c.b)) // what could not be seen is said in it
		e.Findings = diag.Explain(snapshot)
		c.maskFindings(e)
	}
	return e
}

func (c *Console) maskFindings(e *Error) {
	for i := range e.Findings {
		f := &e.Findings[i]
		f.Held, f.Who = c.log.mask(f.Held), c.log.mask(f.Who)
	}
}

func exitText(e proc.Exit) string {
	if e.Status() == 0 {
		return "exit status 0"
	}
	return (&proc.ExitError{Exit: e}).Error()
}

// name is how errors call the program.
func (c *conversation) name(p bridge.PeerStats) string {
	return escape.Visible(c.log.mask(words(p.Args)))
}

// programLines say how the program is: more than a few findings are no help.
func (e *Error) programLines() []string {
	const most = 3
	if len(e.Findings) == 0 {
		if e.program == "" {
			return nil
		}
		return []string{e.program}
	}
	var lines []string
	for _, f := range e.Findings[:min(len(e.Findings), most)] {
		lines = append(lines, f.String())
	}
	return lines
}

// tail is the end of what is unread, as much as an error shows.
func tail(text []byte) []byte {
	const most = 2000
	if len(text) > most {
		return text[len(text)-most:]
	}
	return text
}

// words writes arguments for people.
func words(args []string) string {
	var b []byte
	for i, a := range args {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, quoteWord(a)...)
	}
	return string(b)
}

func quoteWord(s string) string {
	for _, r := range s {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			r == '-' || r == '_' || r == '.' || r == '/' || r == '=' || r == ':' || r == ',' || r == '@' || r == '+' || r == '%') {
			return escape.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}
