//go:build unix

package expect_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A person sits at a terminal of the test's: tty is what Interact gets, the
// dialog is the person's hands and eyes.
type person struct {
	dialog
	tty      *os.File
	terminal *ptyio.Terminal
}

func newPerson(t *testing.T) person {
	t.Helper()
	std, err := ptyio.Open(ptyio.PTY, ptyio.Size{Rows: 30, Cols: 100}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { std.Close() })
	c := expect.New(std.Out, std.In).With(expect.Options{Enter: "\r"})
	return person{dialog{t, c}, std.Child()[0], std.Terminal}
}

func (p person) mode() ptyio.Mode {
	p.t.Helper()
	m, err := p.terminal.Mode()
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// seated waits until the terminal is in raw mode: what is typed before is a
// line for whoever read it before.
func (p person) seated() {
	for p.mode().Canonical {
		runtime.Gosched()
	}
}

// A handOver is an Interact that goes on in a goroutine.
type handOver struct {
	t    *testing.T
	done chan struct{}
	m    expect.Match
	err  error
}

func (d dialog) handOver(ctx context.Context, in io.Reader, out io.Writer, cases ...expect.Pattern) *handOver {
	h := &handOver{t: d.t, done: make(chan struct{})}
	go func() {
		defer close(h.done)
		h.m, h.err = d.Interact(ctx, in, out, cases...)
	}()
	return h
}

func (h *handOver) over() expect.Match {
	h.t.Helper()
	<-h.done
	if h.err != nil {
		h.t.Fatal(h.err)
	}
	return h.m
}

func TestAPersonTalksToAProgramAndGivesItBack(t *testing.T) {
	me := newPerson(t)
	before := me.mode()
	d := drive(t, proc.Spec{Args: []string{"sh", "-c", `echo ready; while read line; do echo "got <$line>"; stty size; done`}})
	h := d.handOver(t.Context(), me.tty, me.tty)
	me.expect(expect.Text("ready\r\n"))
	me.line("hello")
	me.expect(expect.Text("got <hello>\r\n"))
	me.expect(expect.Text("30 100\r\n")) // the program's terminal has the size of mine
	if m := me.mode(); m.Canonical || m.Echo {
		t.Errorf("the terminal is not raw: %+v", m)
	}
	if err := me.terminal.Resize(ptyio.Size{Rows: 33, Cols: 99}); err != nil {
		t.Fatal(err)
	}
	// The kernel tells the terminal's foreground group, in which this process is not.
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	for { // the signal and the key come by different ways
		me.line("")
		if m := me.expect(expect.Regexp(`got <>\r\n(\d+ \d+)\r\n`)); m.Groups[1] == "33 99" {
			break
		}
	}
	me.keys("ctrl-]")
	if m := h.over(); m.Index != -1 || m.Pattern != expect.Key("ctrl-]") {
		t.Errorf("%+v", m)
	}
	if m := me.mode(); m != before {
		t.Errorf("the terminal was not given back: %+v", m)
	}
	d.line("again")
	d.expect(expect.Text("got <again>\n"))
	for _, kitty := range []string{"\x1b[93;5u", "\x1b[27;5;93~"} { // the same key as some programs want it written
		h = d.handOver(t.Context(), me.tty, me.tty)
		me.seated()
		if err := me.Send(kitty); err != nil {
			t.Fatal(err)
		}
		h.over()
	}
}

func TestInteractEndsByPatternKeyAndEnd(t *testing.T) {
	me := newPerson(t)
	d := drive(t, proc.Spec{Args: []string{"sh", "-c", `while read line; do echo "got <$line>"; done; echo bye`}})
	h := d.handOver(t.Context(), me.tty, me.tty, expect.Key("f5"), expect.Text("<stop>"), expect.On(expect.Text("<ping>"), expect.Line("pong")))
	me.seated()
	me.line("ping")
	me.expect(expect.Text("got <pong>"))
	me.line("stop")
	if m := h.over(); m.Index != 1 {
		t.Errorf("%+v", m)
	}
	h = d.handOver(t.Context(), me.tty, me.tty, expect.Key("f5"), expect.EOF)
	me.seated()
	if err := me.Send("xyz\x1b[15~"); err != nil { // f5, right behind other keys
		t.Fatal(err)
	}
	if m := h.over(); m.Index != 0 {
		t.Errorf("%+v", m)
	}
	d.keys("enter")
	d.expect(expect.Text("got <xyz>"))
	h = d.handOver(t.Context(), me.tty, me.tty, expect.EOF)
	me.seated()
	me.keys("ctrl-d")
	if m := h.over(); m.Pattern != expect.EOF {
		t.Errorf("%+v", m)
	}
	d.ends(0)
}

func TestInteractGivesTheTerminalBackAfterErrors(t *testing.T) {
	me := newPerson(t)
	before := me.mode()
	d := drive(t, proc.Command("cat"))
	ctx, cancel := context.WithCancel(t.Context())
	h := d.handOver(ctx, me.tty, me.tty)
	me.seated()
	me.line("x")
	me.expect(expect.Text("x\r\nx\r\n"))
	cancel()
	<-h.done
	if !errors.Is(h.err, context.Canceled) {
		t.Errorf("%v", h.err)
	}
	if m := me.mode(); m != before {
		t.Errorf("after cancel: %+v", m)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		d.line("y")
		_, _ = d.Interact(t.Context(), me.tty, panicker{})
	}()
	if m := me.mode(); m != before {
		t.Errorf("after panic: %+v", m)
	}
}

type panicker struct{}

func (panicker) Write([]byte) (int, error) { panic("out of ink") }

// A pipe stands for a person: its end is passed on, and all output comes.
func TestInteractWithoutATerminal(t *testing.T) {
	for _, stdio := range []proc.Stdio{proc.PTY, proc.Pipes} {
		d := drive(t, proc.Spec{Args: []string{"sort"}, Stdio: stdio})
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "b\na\nc")
		w.Close()
		var out strings.Builder
		if _, err := d.Interact(t.Context(), r, &out, expect.EOF); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if got := strings.ReplaceAll(out.String(), "\r", ""); !strings.HasSuffix(got, "a\nb\nc\n") {
			t.Errorf("%v: %q", stdio, got)
		}
		d.ends(0)
	}
}

// Nothing typed behind the key that ends the hand-over is eaten.
func TestInteractEatsNothingBehindItsEnd(t *testing.T) {
	d := drive(t, proc.Command("cat"))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	h := d.handOver(ctx, r, io.Discard)
	cancel()
	<-h.done
	io.WriteString(w, "mine")
	got := make([]byte, 4)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "mine" {
		t.Errorf("%q, %v", got, err)
	}
}
