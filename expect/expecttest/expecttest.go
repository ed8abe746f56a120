// Package expecttest drives programs in Go tests: package expect without
// contexts and errors. What fails ends the test and shows what a person would
// have seen, what was done, and what the program does instead.
//
//	func TestWizard(t *testing.T) {
//		c := expecttest.Spawn(t, proc.Command("./wizard"))
//		c.Expect(expect.Text("Project name: "))
//		c.SendLine("demo")
//		c.SendKey("down", "enter")
//		c.Screen("summary")
//		c.Wait(0)
//	}
//
// A test that fails leaves its transcript, the screen as text and picture, a
// recording and more in the folder that go test -artifacts names.
package expecttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/artifact"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
)

// A Console is a conversation in a test. Its methods end the test with t.Fatal
// where those of expect.Console return an error; so they are called by the
// test's own goroutine.
type Console struct {
	t     testing.TB
	c     *expect.Console
	watch *artifact.Watch
	*outcome
}

// An outcome is what the Consoles made by With have in common.
type outcome struct {
	saved   bool
	escaped bool // an esc was sent last
}

// Every wait is bounded, that for the end too.
const waitTimeout = 30 * time.Second

// Spawn starts a program on a terminal of 24x80, unless the Spec says
// otherwise, and with TERM=xterm-256color where that is missing. At the end of
// the test, whatever its outcome, the program's tree is stopped.
func Spawn(t testing.TB, s proc.Spec) *Console {
	t.Helper()
	c, err := expect.Spawn(context.WithoutCancel(t.Context()), s)
	if err != nil {
		t.Fatal(err)
	}
	return follow(t, c, s.Args)
}

// Attach is Spawn for a conversation that is there already, such as one over a
// socket (expect.New). It is closed at the end of the test.
func Attach(t testing.TB, c *expect.Console) *Console {
	t.Helper()
	return follow(t, c, c.Bridge().Stats().Peer.Args)
}

func follow(t testing.TB, inner *expect.Console, args []string) *Console {
	c := &Console{t: t, outcome: new(outcome)}
	c.c, c.watch = artifact.Follow(inner, artifact.Options{Command: args, Term: "xterm-256color"})
	t.Cleanup(func() {
		if t.Failed() && !c.saved { // by a check of the test's own
			c.save(nil)
		}
		if err := c.c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// Console is the conversation itself, for what has no method here.
func (c *Console) Console() *expect.Console { return c.c }

// With returns the same conversation with other settings. Its screen stays.
func (c *Console) With(o expect.Options) *Console {
	o.Screen = nil
	return &Console{t: c.t, c: c.c.With(o), watch: c.watch, outcome: c.outcome}
}

// Expect waits until one of the cases matches.
func (c *Console) Expect(cases ...expect.Pattern) expect.Match {
	c.t.Helper()
	c.watch.Waits("", cases...)
	ctx, cancel := c.context(0)
	defer cancel()
	m, err := c.c.Expect(ctx, cases...)
	c.must(err)
	return m
}

// Command sends a line and returns what came until the next prompt.
func (c *Console) Command(line string) string {
	c.t.Helper()
	c.watch.Waits("the answer to " + escape.Quote(line))
	ctx, cancel := c.context(0)
	defer cancel()
	out, err := c.c.Command(ctx, line)
	c.must(err)
	return out
}

// Always answers the rules whenever they match, until remove is called.
func (c *Console) Always(rules ...expect.Rule) (remove func()) { return c.c.Always(rules...) }

// Send sends exactly s, no Enter.
func (c *Console) Send(s string) {
	c.t.Helper()
	c.escaped = strings.HasSuffix(s, "\x1b")
	c.must(c.c.Send(s))
}

// SendLine sends s and presses Enter.
func (c *Console) SendLine(s string) {
	c.t.Helper()
	c.escaped = false
	c.must(c.c.SendLine(s))
}

// SendKey presses keys.
func (c *Console) SendKey(names ...string) {
	c.t.Helper()
	c.escaped = len(names) > 0 && names[len(names)-1] == "esc"
	c.must(c.c.SendKey(names...))
}

// SendSecret gives a secret, once the echo is off. It is masked in all that the
// test leaves.
func (c *Console) SendSecret(s expect.Secret) {
	c.t.Helper()
	ctx, cancel := c.context(0)
	defer cancel()
	c.must(c.c.SendSecret(ctx, s))
}

// SendEOF ends the program's input.
func (c *Console) SendEOF() {
	c.t.Helper()
	c.must(c.c.SendEOF())
}

// Resize gives the program's terminal another size.
func (c *Console) Resize(size proc.Size) {
	c.t.Helper()
	c.must(c.c.Bridge().Resize(size))
}

// Signal sends a signal to the program.
func (c *Console) Signal(sig os.Signal) {
	c.t.Helper()
	c.must(c.c.Bridge().Signal(sig))
}

// Wait waits up to 30 s for the end of the program and demands its status, as a
// shell counts: 128+n after signal n.
func (c *Console) Wait(status int) proc.Exit {
	c.t.Helper()
	c.watch.Waits(fmt.Sprintf("the end, with status %d", status))
	ctx, cancel := c.context(waitTimeout)
	defer cancel()
	exit, err := c.c.Wait(ctx)
	var ended *proc.ExitError
	if err != nil && !errors.As(err, &ended) {
		c.must(err)
	}
	if got := exit.Status(); got != status {
		how := fmt.Sprintf("exit status %d", got)
		if ended != nil {
			how = ended.Error()
		}
		c.must(fmt.Errorf("wait: %s, want %d", how, status))
	}
	return exit
}

// context bounds a wait so that the test can still say what it waited for: go
// test kills it at its own deadline without a word. It does not end with the
// test, as a Cleanup may want to talk too.
func (c *Console) context(most time.Duration) (context.Context, context.CancelFunc) {
	ctx := context.WithoutCancel(c.t.Context())
	var until time.Time
	if most > 0 {
		until = time.Now().Add(scale.Duration(most))
	}
	if t, ok := c.t.(interface{ Deadline() (time.Time, bool) }); ok {
		if end, ok := t.Deadline(); ok {
			end = end.Add(-time.Until(end) / 20) // the rest is for the ends of all
			if until.IsZero() || end.Before(until) {
				until = end
			}
		}
	}
	if until.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, until)
}

// must ends the test with an error, and shows how it came to that.
func (c *Console) must(err error) {
	if err == nil {
		return
	}
	c.t.Helper()
	c.t.Fatal(err.Error() + c.state() + c.save(err))
}

// What an error shows of the timeline.
const lastEvents = 12

// state is what a person would want to see of the conversation.
func (c *Console) state() string {
	var b strings.Builder
	events := c.watch.Events()
	b.WriteString("\ntranscript:\n")
	if skip := len(events) - lastEvents; skip > 0 {
		fmt.Fprintf(&b, "  (%d before)\n", skip)
		events = events[skip:]
	}
	var plain escape.Filter // the screen shows what the rest is for
	for _, e := range events {
		text := escape.Visible(e.Text)
		if e.Kind == artifact.Output {
			if text = string(plain.Plain(nil, []byte(e.Text))); text == "" {
				continue
			}
			text = escape.Quote(tail(text))
		}
		fmt.Fprintf(&b, "  %8.3f  %-7s %s\n", e.At.Seconds(), e.Kind, text)
	}
	b.WriteString("screen:\n")
	for row := range strings.Lines(c.watch.Shown()) {
		b.WriteString("  " + row)
	}
	return strings.TrimRight(b.String(), "\n")
}

// tail is the end of much output.
func tail(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("(%d bytes before) %s", len(text)-most, escape.Tail(text, most))
}

// save leaves the folder of the failure and says where it is, if it stays.
func (c *Console) save(failure error) string {
	c.saved = true
	dir := c.t.ArtifactDir()
	c.watch.Fail(failure)
	if _, err := c.watch.Save(dir); err != nil {
		return fmt.Sprintf("\nartifacts: %v", err)
	}
	if !flagSet("test.artifacts") {
		return "\nhint: go test -artifacts keeps the recording and the picture"
	}
	return "\nartifacts: " + dir
}
