//go:build linux

package expect_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// What an idle session may cost. It is measured: 15 to 25 KiB, and a thread
// for every processor and a few of the runtime.
const (
	idleBytes   = 40 << 10
	idleThreads = 32
)

// A thousand programs at once, half of them waited for and half left alone,
// share the threads of the runtime and cost little memory each.
func TestIdleSessionsCostLittle(t *testing.T) {
	noGoroutineLeft(t)
	const sessions = 1000
	allowFiles(t, 4*sessions+1000)
	before, threadsBefore := memory(), threads(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	consoles := make([]*expect.Console, sessions)
	var waits sync.WaitGroup
	for i := range consoles {
		c, err := expect.Spawn(context.Background(), proc.Spec{Args: []string{"cat"}, Grace: -1})
		if err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
		consoles[i] = c.With(expect.Options{Timeout: -1})
	}
	defer func() {
		atOnceClose(t, consoles)
		waits.Wait()
	}()
	for i, c := range consoles { // all have talked once
		if err := c.SendLine("hello"); err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
		if _, err := c.Expect(ctx, expect.Text("hello\n")); err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
	}
	for _, c := range consoles[:sessions/2] {
		waits.Add(1)
		go func() {
			defer waits.Done()
			if _, err := c.Expect(ctx, expect.Text("never")); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		}()
	}
	for _, c := range consoles[:sessions/2] {
		for !waiting(c) {
			runtime.Gosched()
		}
	}
	each := (memory() - before) / sessions
	now := threads(t)
	t.Logf("%d sessions: %d bytes each, %d threads, %d before", sessions, each, now, threadsBefore)
	if each > idleBytes && !raceDetector() {
		t.Errorf("a session costs %d bytes", each)
	}
	if now-threadsBefore > idleThreads { // those of earlier tests stay
		t.Errorf("%d threads, %d before", now, threadsBefore)
	}
	cancel()
}

// waiting reports whether an Expect waits on c.
func waiting(c *expect.Console) bool {
	for _, r := range c.Bridge().Output().Stats().Readers {
		if r.Waiting {
			return true
		}
	}
	return false
}

func atOnceClose(t *testing.T, consoles []*expect.Console) {
	var all sync.WaitGroup
	for _, c := range consoles {
		if c == nil {
			continue
		}
		all.Add(1)
		go func() {
			defer all.Done()
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	all.Wait()
}

// threads is how many threads this process has.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// memory is what is in use: the heap and the stacks.
func memory() int64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// allowFiles raises the limit of open descriptors, where it is lower and may be.
func allowFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur >= n {
		return
	}
	old := limit
	limit.Cur, limit.Max = n, max(n, limit.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(fmt.Errorf("this test needs %d open files (ulimit -n): %w", n, err))
	}
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) }) // the other tests do with either
}

// raceDetector reports whether the test was built with -race, under which
// stacks and allocations are larger.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
