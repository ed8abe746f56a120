//go:build unix

package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

func spec(kind proc.Stdio, script string, args ...string) *proc.Spec {
	s := sh(kind, script, args...)
	s.Grace = 0
	return &s
}

// overPipes is a far side that is two pipes, and what is at their other ends:
// what is written to say it says, what it is told is read from hear.
func overPipes(t *testing.T) (far *bridge.Bridge, say, hear *os.File) {
	t.Helper()
	in, say, err := os.Pipe()
	check(t, err)
	hear, out, err := os.Pipe()
	check(t, err)
	far, err = bridge.OverFiles(in, out)
	check(t, err)
	t.Cleanup(func() {
		if err := far.Close(); err != nil {
			t.Error(err)
		}
		say.Close()
		hear.Close()
	})
	return far, say, hear
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// collect reads all that comes, in the background.
func collect(r io.Reader) (all func() string) {
	done := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(r)
		done <- string(b)
	}()
	return sync.OnceValue(func() string { return <-done })
}

// wrap is one way to join ends: in the kernel or past us.
var wrap = map[string]bridge.LinkOptions{
	"direct":  {},
	"watched": {Tee: io.Discard},
}

// The dialog of two programs: the question goes one way, the answer the other.
func TestLinkTwoInADialog(t *testing.T) {
	for name, o := range wrap {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			file := filepath.Join(t.TempDir(), "heard")
			exits, err := bridge.Link(t.Context(), o,
				bridge.End{Spec: spec(proc.Pipes, `for i in 1 2 3; do echo question $i; read -r a; echo "$a" >>$1; done; exit 0`, file)},
				bridge.End{Spec: spec(proc.Pipes, `while read -r q; do echo "answer to $q"; done`)})
			if err != nil || len(exits) != 2 || exits[0].Status() != 0 || exits[1].Status() != 0 {
				t.Fatalf("%v, %v", exits, err)
			}
			got, err := os.ReadFile(file)
			if want := "answer to question 1\nanswer to question 2\nanswer to question 3\n"; string(got) != want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		})
	}
}

// What goes in at one end of a chain comes out at the other, whatever joins its
// members, and its end too.
func TestLinkChain(t *testing.T) {
	for _, kinds := range [][2]proc.Stdio{{proc.Pipes, proc.Pipes}, {proc.PTY, proc.Pipes}, {proc.Pipes, proc.PTY}, {proc.PTYStdout, proc.PTYStderr}} {
		for name, o := range wrap {
			t.Run(fmt.Sprint(kinds, name), func(t *testing.T) {
				leavesNothing(t)
				far, say, hear := overPipes(t)
				all := collect(hear)
				o.Chain = true
				go func() {
					for i := range 5000 {
						fmt.Fprintf(say, "line %d\n", i)
					}
					say.Close()
				}()
				_, err := bridge.Link(t.Context(), o, bridge.End{Bridge: far},
					bridge.End{Spec: spec(kinds[0], `cat; echo late`)},
					bridge.End{Spec: spec(kinds[1], `cat; sleep 0.1; echo later`)},
					bridge.End{Bridge: far})
				check(t, err)
				var want strings.Builder
				for i := range 5000 {
					fmt.Fprintf(&want, "line %d\n", i)
				}
				if got := all(); got != want.String()+"late\nlater\n" {
					t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-40):])
				}
			})
		}
	}
}

// Every byte value passes through pipes and out of terminals as it is.
func TestLinkChangesNothing(t *testing.T) {
	want := make([]byte, 0, 256*256)
	for i := range 256 {
		for j := range 256 {
			want = append(want, byte(i^j))
		}
	}
	file := filepath.Join(t.TempDir(), "bytes")
	check(t, os.WriteFile(file, want, 0o600))
	for _, kind := range []proc.Stdio{proc.Pipes, proc.PTY} {
		var got bytes.Buffer
		_, err := bridge.Link(t.Context(), bridge.LinkOptions{Chain: true, Tee: &got},
			bridge.End{Spec: spec(kind, `exec cat "$1"`, file)}, bridge.End{Spec: spec(proc.Pipes, `exec cat >/dev/null`)})
		check(t, err)
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%v: %d bytes came that are not as they were", kind, got.Len())
		}
	}
}

func TestLinkStatus(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b string
		want string
	}{
		{"all is well", `exit 0`, `cat >/dev/null`, "0 0 <nil>"},
		{"the first that failed", `exit 3`, `cat >/dev/null; exit 4`, "3 4 exit status 3"},
		{"the only one", `exit 0`, `cat >/dev/null; exit 4`, "0 4 exit status 4"},
		{"a signal", `kill -9 $$`, `cat >/dev/null`, "137 0 signal: killed"},
		{"who writes to one that has ended has not failed", `while echo x; do :; done 2>/dev/null; kill -PIPE $$`, `exit 0`, "141 0 <nil>"},
		{"nor who is stopped because of that", `exec sleep 1000`, `exit 0`, "143 0 <nil>"},
	} {
		for name, o := range wrap {
			o.Chain = true
			a := spec(proc.Pipes, tt.a)
			if strings.Contains(tt.want, "143") {
				a.Grace = 10 * time.Millisecond
			}
			exits, err := bridge.Link(t.Context(), o, bridge.End{Spec: a}, bridge.End{Spec: spec(proc.Pipes, tt.b)})
			got := fmt.Sprint(err)
			if len(exits) == 2 {
				got = fmt.Sprintf("%d %d %v", exits[0].Status(), exits[1].Status(), err)
			}
			if got != tt.want {
				t.Errorf("%s, %s: %s, want %s", tt.name, name, got, tt.want)
			}
		}
	}
}

// Nobody is left when one cannot be started.
func TestLinkAllOrNothing(t *testing.T) {
	leavesNothing(t)
	_, err := bridge.Link(t.Context(), bridge.LinkOptions{},
		bridge.End{Spec: spec(proc.Pipes, `exec cat`)}, bridge.End{Spec: &proc.Spec{Args: []string{"/no/such/program"}, Stdio: proc.Pipes}})
	var start *proc.StartError
	if !errors.As(err, &start) || start.Stage != "lookup" {
		t.Error(err)
	}
}

func TestLinkRefuses(t *testing.T) {
	a := bridge.End{Spec: spec(proc.Pipes, "exit")}
	for _, ends := range [][]bridge.End{nil, {a}, {a, {}}, {a, {Spec: a.Spec, Bridge: bridge.New(nil, nil, nil, nil, nil)}}, {a, {Spec: a.Spec, EOF: 7}}} {
		if _, err := bridge.Link(t.Context(), bridge.LinkOptions{}, ends...); err == nil {
			t.Errorf("%v: no error", ends)
		}
	}
}

// A context that ends stops all.
func TestLinkContext(t *testing.T) {
	leavesNothing(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	_, err := bridge.Link(ctx, bridge.LinkOptions{Started: func([]*bridge.Bridge) { cancel(why) }},
		bridge.End{Spec: spec(proc.Pipes, `exec cat`)}, bridge.End{Spec: spec(proc.Pipes, `exec cat`)})
	if err != why {
		t.Error(err)
	}
}

// Who watches sees no answer before its question.
func TestLinkWatch(t *testing.T) {
	var got strings.Builder
	_, err := bridge.Link(t.Context(), bridge.LinkOptions{Watch: func(from int, p []byte) { fmt.Fprintf(&got, "%d%s", from, p) }},
		bridge.End{Spec: spec(proc.Pipes, `for i in 1 2 3; do echo $i?; read -r a; done`)},
		bridge.End{Spec: spec(proc.Pipes, `while read -r q; do echo $q!; done`)})
	check(t, err)
	if want := "01?\n11?!\n02?\n12?!\n03?\n13?!\n"; got.String() != want {
		t.Errorf("%q, want %q", got.String(), want)
	}
}

// Started's Bridges tell of errors, and who feeds whom.
func TestLinkStarted(t *testing.T) {
	var errs func() string
	var fed bool
	_, err := bridge.Link(t.Context(), bridge.LinkOptions{Tee: io.Discard, Started: func(ends []*bridge.Bridge) {
		errs = collect(ends[0].Stderr().Reader("errors", bridge.Block))
		fed = ends[0].Stats().Output.Readers[0].Feeds == ends[1].Process().PID()
	}}, bridge.End{Spec: spec(proc.Pipes, `echo oops >&2`)}, bridge.End{Spec: spec(proc.Pipes, `cat`)})
	check(t, err)
	if got := errs(); got != "oops\n" || !fed {
		t.Errorf("errors %q, fed %v", got, fed)
	}
}

// A peer that says no more may still listen: what is late arrives.
func TestLinkHalfClosedSocket(t *testing.T) {
	here, there := socketPair(t)
	far := bridge.New(nil, bridge.NewStream(here, 0, 0), nil, bridge.NewInput(here, nil), here.Close)
	defer far.Close()
	if _, err := io.WriteString(there, "question\n"); err != nil {
		t.Fatal(err)
	}
	check(t, there.CloseWrite())
	all := collect(there)
	s := spec(proc.Pipes, `cat; sleep 0.3; echo late`)
	s.Grace = time.Millisecond
	_, err := bridge.Link(t.Context(), bridge.LinkOptions{}, bridge.End{Bridge: far}, bridge.End{Spec: s})
	check(t, err)
	if got := all(); got != "question\nlate\n" {
		t.Errorf("%q", got)
	}
}

func socketPair(t *testing.T) (here, there *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	check(t, err)
	var conns [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		c, err := net.FileConn(f)
		check(t, err)
		check(t, f.Close())
		t.Cleanup(func() { c.Close() })
		conns[i] = c.(*net.UnixConn)
	}
	return conns[0], conns[1]
}
