//go:build unix

package bridge_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

// Programs that print and end at once: every byte, the status and the exit
// arrive, every time, on a terminal and on pipes, half of the times while all
// processors are busy. SPAWNX_TEST_EXITS is how many programs are run.
func TestProgramsThatPrintAndEnd(t *testing.T) {
	leavesNothingAtAll(t)
	sizes := []int{1, 64, 2 << 10, 4095, 64 << 10, 1 << 20}
	kinds := []proc.Stdio{proc.PTY, proc.Pipes}
	want := text(sizes[len(sizes)-1])
	n := runs(t, "SPAWNX_TEST_EXITS", 240)
	one := func(i int) {
		size, kind := sizes[i%len(sizes)], kinds[i/len(sizes)%len(kinds)]
		readLater := i/len(sizes)/len(kinds)%2 == 1
		if err := printsAll(kind, want[:size], readLater); err != nil {
			t.Errorf("run %d: %d bytes on %v, read later: %v: %v", i, size, kind, readLater, err)
		}
	}
	atOnce(n/2, 4, one)
	stop := burden(t)
	defer stop()
	atOnce(n-n/2, 4, one)
}

// printsAll runs a program that prints want and ends with the status 7.
func printsAll(kind proc.Stdio, want []byte, readLater bool) error {
	ctx := context.Background()
	s := program(kind, "print", strconv.Itoa(len(want)), "7")
	if readLater {
		// A fork elsewhere holds copies of the program's pipes until its execve; on a busy machine that is longer
		// than the usual Linger, whose silence then is the end.
		s.Linger = time.Hour
	}
	b, err := bridge.Start(ctx, s)
	if err != nil {
		return err
	}
	defer b.Close()
	r := b.Output().Reader("test", bridge.Block)
	if readLater { // the Stream keeps it all
		if _, err := b.Wait(ctx); status(err) != 7 {
			return fmt.Errorf("wait: %v", err)
		}
	}
	got, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read: %v after %d bytes", err, len(got))
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%d bytes, not those that were printed", len(got))
	}
	e, err := b.Wait(ctx)
	if status(err) != 7 || e.Code != 7 {
		return fmt.Errorf("wait: %+v, %v", e, err)
	}
	if e, ok := b.Process().Exit(); !ok || e.Code != 7 {
		return fmt.Errorf("the exit is not reported: %+v, %v", e, ok)
	}
	if st := b.Output().Stats(); readLater && st.Cut {
		return fmt.Errorf("ended by silence: %+v", st)
	}
	return b.Close()
}

// However a program is started and ends, nothing of it stays: no descriptor,
// goroutine, process or terminal. SPAWNX_TEST_CYCLES is how many are run.
func TestNothingIsLeftBehind(t *testing.T) {
	leavesNothingAtAll(t)
	kinds := []proc.Stdio{proc.PTY, proc.Pipes, proc.PTYStderr, proc.PTYStdout}
	ways := []func(ctx context.Context, cancel func(), s proc.Spec) error{
		func(ctx context.Context, _ func(), s proc.Spec) error { // ends by itself
			s.Args = []string{"true"}
			b, err := bridge.Start(ctx, s)
			if err != nil {
				return err
			}
			_, err = b.Wait(ctx)
			return firstError(err, b.Close())
		},
		func(ctx context.Context, _ func(), s proc.Spec) error { // is closed while it runs, unread
			s.Args = []string{"sh", "-c", "(sleep 1000)& yes; exit"}
			b, err := bridge.Start(ctx, s)
			if err != nil {
				return err
			}
			r := b.Output().Reader("unread", bridge.Block)
			_, err = r.Await(ctx, 0, noDeadline)
			return firstError(err, b.Close())
		},
		func(ctx context.Context, cancel func(), s proc.Spec) error { // its context ends
			s.Args = []string{"cat"}
			b, err := bridge.Start(ctx, s)
			if err != nil {
				return err
			}
			cancel()
			if _, err := b.Wait(context.Background()); status(err) <= 128 {
				return fmt.Errorf("wait: %v", err)
			}
			return b.Close()
		},
		func(ctx context.Context, _ func(), s proc.Spec) error { // cannot be started
			s.Args = []string{"/nowhere"}
			if b, err := bridge.Start(ctx, s); err == nil {
				return fmt.Errorf("started: %v", b.Close())
			}
			return nil
		},
		func(ctx context.Context, _ func(), s proc.Spec) error { // its end is followed by another start
			s.Args = []string{"false"}
			s.Restart = proc.Restart{When: proc.OnFailure, Delay: 1, Tries: 1}
			b, err := bridge.Start(ctx, s)
			if err != nil {
				return err
			}
			if e, err := b.Wait(ctx); e.Restarts != 1 || status(err) != 1 {
				return fmt.Errorf("wait: %+v, %v", e, err)
			}
			return b.Close()
		},
	}
	n := runs(t, "SPAWNX_TEST_CYCLES", 300)
	atOnce(n, 4, func(i int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		way := i / len(kinds) % len(ways)
		s := proc.Spec{Stdio: kinds[i%len(kinds)], Grace: -1}
		if err := ways[way](ctx, cancel, s); err != nil {
			t.Errorf("run %d, way %d on %v: %v", i, way, s.Stdio, err)
		}
	})
}

func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
