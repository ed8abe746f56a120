//go:build unix

package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"golang.org/x/sys/unix"
)

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// A pipe stands for the person: its end ends the program's input, on a
// terminal by the key, also behind a line that was begun.
func TestJoinPassesTheEndOn(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes, proc.PTYStderr, proc.PTYStdout} {
		for _, typed := range []string{"", "one\n", "one\nhalf a line"} {
			s := sh(kind, "cat; echo bad >&2; echo end; exit 2")
			s.NoEcho = true
			b := start(t, s)
			in, w := pipe(t)
			io.WriteString(w, typed)
			w.Close()
			var out, stderr bytes.Buffer
			ended := 0
			err := bridge.Join(t.Context(), b, bridge.Seat{In: in, Out: &out, Err: &stderr, Ended: func() { ended++ }})
			got := strings.ReplaceAll(out.String(), "\r\n", "\n")
			got, bad := strings.CutSuffix(got, "bad\nend\n")
			if !bad {
				got = strings.TrimSuffix(got, "end\n")
				bad = strings.TrimSpace(stderr.String()) == "bad"
			}
			if err != nil || got != typed || !bad || ended != 1 {
				t.Errorf("%v, typed %q: %v, out %q, stderr %q, ended %d times", kind, typed, err, out.String(), stderr.String(), ended)
			}
			if _, err := b.Wait(t.Context()); status(err) != 2 {
				t.Error(err)
			}
		}
	}
}

func TestPersonLeavesAndComesBack(t *testing.T) {
	leavesNothing(t)
	b := start(t, sh(proc.Pipes, "exec cat"))
	in, w := pipe(t)
	leave := func(p []byte) ([]byte, bool) {
		pass, _, leave := bytes.Cut(p, []byte("!"))
		return pass, leave
	}
	var shown bytes.Buffer
	io.WriteString(w, "first!")
	if err := bridge.Join(t.Context(), b, bridge.Seat{In: in, Out: &shown, Typed: leave}); err != bridge.ErrLeft {
		t.Fatal(err)
	}
	// Nothing is eaten of what comes after the end.
	io.WriteString(w, "second")
	gone, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if err := bridge.Join(gone, b, bridge.Seat{In: in, Out: io.Discard}); err != why {
		t.Error(err)
	}
	w.Close()
	if rest, err := io.ReadAll(in); string(rest) != "second" || err != nil {
		t.Errorf("%q is left of the input, %v", rest, err)
	}
	// Without outputs it ends with the input; the program's stays open where asked for.
	in, w = pipe(t)
	io.WriteString(w, "third")
	w.Close()
	if err := bridge.Join(t.Context(), b, bridge.Seat{In: in, KeepInput: true}); err != io.EOF {
		t.Error(err)
	}
	io.WriteString(b.Input(), ".")
	if got := readUntil(t, b.Output().Reader("test", bridge.Block), "."); got != "firstthird." {
		t.Errorf("the program got %q", got)
	}
}

// A reader that cannot be interrupted: what it brings after the end is for the
// next Join with it, whichever program that is with.
func TestPlainReaderKeepsItsChunkForTheNextJoin(t *testing.T) {
	leavesNothing(t)
	pr, w := io.Pipe()
	in := struct{ io.Reader }{pr}
	for _, word := range []string{"one", "two", "three"} {
		b := start(t, sh(proc.Pipes, "exec cat"))
		ctx, cancel := context.WithCancel(t.Context())
		var out watched
		out.seen = func(all string) {
			if strings.HasSuffix(all, ".") {
				cancel()
			}
		}
		done := make(chan error)
		go func() { done <- bridge.Join(ctx, b, bridge.Seat{In: in, Out: &out}) }()
		if word == "one" { // the others were read while nobody joined
			io.WriteString(w, word+".")
		}
		if err := <-done; err != context.Canceled {
			t.Error(err)
		}
		if got := out.String(); got != word+"." {
			t.Errorf("%q was typed, %q shown", word, got)
		}
		switch word {
		case "one":
			io.WriteString(w, "two.")
		case "two":
			io.WriteString(w, "three.")
		}
	}
	w.Close()
}

// A watched buffer tells what it holds.
type watched struct {
	mu   sync.Mutex
	all  []byte
	seen func(all string)
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, p...)
	if w.seen != nil {
		w.seen(string(w.all))
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.all)
}

func TestJoinEndsWithItsContextWhateverTheProgramDoes(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		b := start(t, sh(kind, "stty raw -echo 2>&-; echo ready.; exec sleep 1000")) // never reads
		readUntil(t, b.Output().Reader("test", bridge.Block), "ready.")
		in, w := pipe(t)
		go func() {
			w.Write(text(1 << 20)) // until in is closed
			w.Close()
		}()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- bridge.Join(ctx, b, bridge.Seat{In: in, Out: io.Discard}) }()
		eventually(t, "the program's input is full", func() bool { return b.Input().Written() >= 4<<10 }, func() string { return "" })
		cancel()
		if err := <-done; err != context.Canceled {
			t.Error(err)
		}
		in.Close()
	}
}

// A person at a terminal: raw while they sit, given back afterwards, and the
// program's terminal has its size, also when that changes.
func TestSit(t *testing.T) {
	leavesNothing(t)
	person, err := ptyio.Open(ptyio.PTY, ptyio.Size{Rows: 30, Cols: 100}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	tty := person.Child()[0]
	before, err := person.Terminal.Mode()
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, sh(proc.PTY, `trap 'stty size; echo .' WINCH; echo ready.; while :; do read x; done`))
	r := b.Output().Reader("test", bridge.Block)
	readUntil(t, r, "ready.")
	stand, err := b.Sit(tty)
	if err != nil {
		t.Fatal(err)
	}
	if mode, err := person.Terminal.Mode(); err != nil || mode.Echo || mode.Canonical || mode.Signals {
		t.Errorf("not raw: %+v, %v", mode, err)
	}
	if got := readUntil(t, r, "."); !strings.Contains(got, "30 100") {
		t.Errorf("the program's terminal: %q", got)
	}
	if err := person.Terminal.Resize(ptyio.Size{Rows: 40, Cols: 90}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	if got := readUntil(t, r, "."); !strings.Contains(got, "40 90") {
		t.Errorf("after a change of size: %q", got)
	}
	stand()
	stand()
	if mode, err := person.Terminal.Mode(); err != nil || mode != before {
		t.Errorf("not given back: %+v, %v", mode, err)
	}
	// What is no terminal is left alone.
	in, _ := pipe(t)
	if stand, err := b.Sit(in); err != nil {
		t.Error(err)
	} else {
		stand()
	}
}

// What the person types at a terminal reaches the program, and nothing of it
// is taken after Join has returned.
func TestJoinAtATerminal(t *testing.T) {
	leavesNothing(t)
	person, err := ptyio.Open(ptyio.PTY, ptyio.Size{}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	tty := person.Child()[0]
	s := sh(proc.PTY, "stty raw -echo; echo ready.; exec cat")
	b := start(t, s)
	readUntil(t, b.Output().Reader("test", bridge.Block), "ready.")
	stand, err := b.Sit(tty)
	if err != nil {
		t.Fatal(err)
	}
	defer stand()
	leave := func(p []byte) ([]byte, bool) {
		pass, _, leave := bytes.Cut(p, []byte("\x1d"))
		return pass, leave
	}
	io.WriteString(person.In, "keys\x1d")
	if err := bridge.Join(t.Context(), b, bridge.Seat{In: tty, Out: tty, Typed: leave, Terminal: true}); err != bridge.ErrLeft {
		t.Error(err)
	}
	if b.Attended() {
		t.Error("attended after the end")
	}
	r := b.Output().Reader("after", bridge.Block)
	readUntil(t, r, "keys")
	io.WriteString(person.In, "later")
	buf := make([]byte, 5)
	if _, err := io.ReadFull(tty, buf); string(buf) != "later" || err != nil {
		t.Errorf("%q is left, %v", buf, err)
	}
}
