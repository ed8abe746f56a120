package expect_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// An Expect that a Release overtakes goes on behind what it lost.
func TestExpectSurvivesARelease(t *testing.T) {
	for range 20 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		b := bridge.New(nil, bridge.NewStream(r, 4096, 0), nil, bridge.NewInput(bridge.NewSink(io.Discard), nil), r.Close)
		c := expect.Attach(b)
		go func() {
			line := []byte(strings.Repeat("0123456789\n", 1000))
			for {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		done := make(chan error)
		go func() {
			_, err := c.Expect(ctx, expect.Text("never"))
			done <- err
		}()
		b.Release()
		if err := <-done; err == nil {
			t.Error("a match of what never came")
		}
		cancel()
		c.Close()
		w.Close()
	}
}

// A send is bounded by its own Timeout also while another one waits.
func TestASendIsBoundedWhileAnotherSends(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"sh", "-c", "stty raw -echo; echo ready.; exec sleep 1000"}, Grace: -1})
	d.expect(expect.Text("ready."))
	first := make(chan error, 1)
	go func() { first <- d.With(expect.Options{Timeout: -1}).Send(strings.Repeat("x", 1<<20)) }()
	second := d.With(expect.Options{Timeout: 20 * time.Millisecond})
	for { // until the first is under way
		if err := second.Send("y"); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			break
		}
	}
	d.Close()
	if err := <-first; err == nil {
		t.Error("the first has sent all to a program that reads nothing")
	}
}
