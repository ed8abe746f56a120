//go:build linux

package debugger_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// A gdb that reads nothing for a while, as it was stopped, holds up neither who gives up a command nor the end of the
// doors; and when it goes on, all that was said comes to it.
func TestAStoppedDebugger(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	d := start(t, "gdb", proc.Command(compiled(t, "int main(void) { return 0; }\n")))
	name, err := session.Reserve("stuck")
	if err != nil {
		t.Fatal(err)
	}
	defer name.Release()
	stop := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(d.Console().Stats().Peer.PID, s); err != nil {
			t.Fatal(err)
		}
	}
	soon := func(what string, do func() error) {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- do() }()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(60 * time.Second):
			t.Fatalf("%s: it does not end", what)
		}
	}
	p, err := d.Publish(name, "")
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, p.Doors(), debugger.ChannelMI)
	const many = 3000
	stop(syscall.SIGSTOP)
	go func() {
		for i := range many { // more than anybody on the way takes
			fmt.Fprintf(conn, "%d-data-evaluate-expression %d+%d\n", i, i, i)
		}
	}()
	given := 0
	soon("a command that is given up", func() error {
		for ; given < 200; given++ { // more than the terminal takes
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := d.Do(ctx, "print "+strings.Repeat("1+", 50)+"1")
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
		return nil
	})
	stop(syscall.SIGCONT)
	soon("the answers", func() error {
		in := bufio.NewReader(conn)
		for next := 0; next < many; {
			line, err := in.ReadString('\n')
			if err != nil {
				return err
			}
			if strings.Contains(line, "^") {
				if want := fmt.Sprintf("%d^done,value=\"%d\"\n", next, 2*next); line != want {
					return fmt.Errorf("%q, want %q", line, want)
				}
				next++
			}
		}
		return nil
	})
	if r := do(t, d, "print 6*7"); !strings.HasSuffix(r.Text, "= 42\n") {
		t.Errorf("%+v", r)
	}
	stop(syscall.SIGSTOP)
	defer stop(syscall.SIGCONT)
	late := dial(t, p.Doors(), debugger.ChannelMI)
	go func() {
		for range many {
			fmt.Fprintln(late, "-data-evaluate-expression 1")
		}
	}()
	soon("a command more", func() error {
		for range 200 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, _ = d.Do(ctx, "print "+strings.Repeat("1+", 50)+"1")
			cancel()
		}
		return nil
	})
	soon("the doors", p.Close)
}
