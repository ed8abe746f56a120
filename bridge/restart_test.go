//go:build unix

package bridge_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

func TestRestartGoesOnInTheSameStream(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		s := sh(kind, "stty -echo 2>&-; printf 'got '; read x; printf \"$x.\"; exit 4")
		s.Restart = proc.Restart{When: proc.OnFailure, Delay: 1, Tries: 2}
		b := start(t, s)
		r := b.Output().Reader("test", bridge.Block)
		var all string
		var pids []int
		for _, word := range []string{"one", "two", "three"} {
			all += readUntil(t, r, "got ")
			pids = append(pids, b.Process().PID())
			if _, err := io.WriteString(b.Input(), word+"\n"); err != nil {
				t.Fatal(err)
			}
			all += readUntil(t, r, word+".") // never io.EOF between
		}
		if _, end := b.Output().Offsets(); end != int64(len(all)) || r.Offset() != end {
			t.Errorf("%v: the offset is %d after %d bytes", kind, end, len(all))
		}
		if want := "got one.got two.got three."; all != want {
			t.Errorf("%v: %q", kind, all)
		}
		if n, err := r.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%v: after the last run: %d, %v", kind, n, err)
		}
		e, err := b.Wait(t.Context())
		var exit *proc.ExitError
		if e.Code != 4 || e.Restarts != 2 || !errors.As(err, &exit) || exit.Restarts != 2 {
			t.Errorf("%v: %+v, %v", kind, e, err)
		}
		if pids[0] == pids[1] || pids[1] == pids[2] {
			t.Errorf("%v: process numbers %v", kind, pids)
		}
	}
}

func TestOnFailureEndsWithASuccess(t *testing.T) {
	leavesNothing(t)
	s := sh(proc.Pipes, `echo run; [ -e "$1" ] || { touch "$1"; exit 1; }`, filepath.Join(t.TempDir(), "once"))
	s.Restart = proc.Restart{When: proc.OnFailure, Delay: 1}
	b := start(t, s)
	e, err := b.Wait(t.Context())
	if err != nil || e.Restarts != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	got, err := io.ReadAll(b.Output().Reader("late", bridge.Block))
	if string(got) != "run\nrun\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestStopEndsThePauseBeforeARestart(t *testing.T) {
	leavesNothing(t)
	s := sh(proc.Pipes, "echo $$.; exit 6")
	s.Restart = proc.Restart{When: proc.Always, Delay: time.Hour}
	b := start(t, s)
	readUntil(t, b.Output().Reader("test", bridge.Block), ".")
	<-b.Process().Exited()
	if e, err := b.Stop(t.Context()); e.Code != 6 || err != nil {
		t.Errorf("stop: %+v, %v", e, err)
	}
	if e, err := b.Wait(t.Context()); e.Code != 6 || e.Restarts != 0 || status(err) != 6 {
		t.Errorf("wait: %+v, %v", e, err)
	}
	<-b.Output().Ended()
	if err := b.Output().Err(); err != io.EOF {
		t.Error(err)
	}
}

// Close and Stop come at any moment of a program that is started again and
// again: nothing runs after them.
func TestCloseWhileItIsStartedAgain(t *testing.T) {
	leavesNothing(t)
	for i := range 40 {
		s := sh(proc.Stdio(i%2), "echo run.; exit 1")
		s.Restart = proc.Restart{When: proc.Always, Delay: 1, MaxDelay: 1, Tries: -1}
		b := start(t, s)
		r := b.Output().Reader("test", bridge.Block)
		for range 1 + i%3 {
			readUntil(t, r, "run.")
		}
		if i%4 < 2 {
			if _, err := b.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadAll(r); err != nil {
				t.Error(err)
			}
			if _, err := b.Wait(t.Context()); status(err) <= 0 {
				t.Errorf("wait: %v", err)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		for _, pid := range children(t) {
			if alive(pid) { // else it is about to be reaped
				t.Fatalf("process %s lives after Close", pid)
			}
		}
		if _, err := b.Input().Write([]byte("x")); !errors.Is(err, bridge.ErrNoInput) {
			t.Errorf("write after Close: %v", err)
		}
	}
}

// What a run left behind does not live beside the next.
func TestARunLeavesNothingToTheNext(t *testing.T) {
	leavesNothing(t)
	s := sh(proc.Pipes, "sleep 1000 & echo $!.; exit 1")
	s.Linger = -1
	s.Restart = proc.Restart{When: proc.Always, Delay: 1, Tries: 2}
	b := start(t, s)
	r := b.Output().Reader("test", bridge.Block)
	var pids []string
	for range 3 {
		pids = append(pids, strings.TrimSuffix(strings.TrimSpace(readUntil(t, r, ".")), "."))
	}
	for _, pid := range pids[:2] {
		if alive(pid) {
			t.Errorf("process %s of an earlier run still lives", pid)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if alive(pids[2]) {
		t.Error("the last one's orphan lives after Close")
	}
}
