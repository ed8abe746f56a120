package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

// The test binary is also the programs of these tests: argv[1] names one.
const programPrefix = "-program="

var programs = map[string]func(args []string) int{
	"print": printAndExit,
	"busy":  busy,
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if name, ok := strings.CutPrefix(os.Args[1], programPrefix); ok {
			os.Exit(programs[name](os.Args[2:]))
		}
	}
	// The goroutine of os/signal stays once it was needed: start it before any is counted.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	os.Exit(m.Run())
}

// program returns the Spec of one of programs.
func program(kind proc.Stdio, name string, args ...string) proc.Spec {
	exe, err := os.Executable()
	if err != nil || programs[name] == nil {
		panic(fmt.Sprint(name, err))
	}
	return proc.Spec{
		Args:  append([]string{exe, programPrefix + name}, args...),
		Env:   append(os.Environ(), "GORACE=atexit_sleep_ms=0"), // else a process under the race detector sleeps at its end
		Stdio: kind,
	}
}

// printAndExit prints text(N) and ends with a status.
func printAndExit(args []string) int {
	n, _ := strconv.Atoi(args[0])
	status, _ := strconv.Atoi(args[1])
	if _, err := os.Stdout.Write(text(n)); err != nil {
		return 99
	}
	return status
}

// busy computes for ever, and ends when its input does.
func busy([]string) int {
	go func() {
		for i := 0; ; i++ {
			_ = i
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

// text is n bytes that a terminal passes unchanged and of which no two places
// look alike.
func text(n int) []byte {
	rng := rand.New(rand.NewPCG(7, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = 'A' + byte(rng.Uint32()%26)
	}
	return b
}

var noDeadline time.Time

// ---- small things that the tests share

func sh(kind proc.Stdio, script string, args ...string) proc.Spec {
	return proc.Spec{Args: append([]string{"sh", "-c", script, "sh"}, args...), Stdio: kind, Grace: -1}
}

// start starts a program that is closed at the end of the test.
func start(t *testing.T, s proc.Spec) *bridge.Bridge {
	t.Helper()
	b, err := bridge.Start(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// readUntil reads until the text has come, and returns all up to its end.
func readUntil(t *testing.T, r *bridge.Reader, text string) string {
	t.Helper()
	var got []byte
	buf := make([]byte, 1)
	for !strings.HasSuffix(string(got), text) {
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			t.Fatalf("reading up to %q: %v after %q", text, err, got)
		}
	}
	return string(got)
}

// runs is how often a test repeats itself: as the environment variable says,
// else the given number.
func runs(t *testing.T, variable string, usual int) int {
	s := os.Getenv(variable)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// atOnce runs f(0) to f(n-1), some of them at the same time.
func atOnce(n, some int, f func(i int)) {
	var all sync.WaitGroup
	turns := make(chan int)
	for range some {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range turns {
				f(i)
			}
		}()
	}
	for i := range n {
		turns <- i
	}
	close(turns)
	all.Wait()
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// burden keeps all processors busy, from inside and outside, until stop.
func burden(t *testing.T) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	for range runtime.NumCPU() {
		all.Add(1)
		go func() {
			defer all.Done()
			for !closed(done) {
			}
		}()
	}
	b, err := bridge.Start(context.Background(), program(proc.Pipes, "busy"))
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		close(done)
		all.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// leavesNothing fails when more descriptors, goroutines or children are there
// at the end of the test than now. A pidfd may stay as long as its
// proc.Process: it names a group that outlived its leader.
func leavesNothing(t *testing.T) {
	t.Helper()
	leaves(t, func() []string {
		return slices.DeleteFunc(descriptors(t), func(to string) bool { return strings.Contains(to, "pidfd") })
	})
}

// leavesNothingAtAll also counts the pidfds of what the garbage collector has
// not freed.
func leavesNothingAtAll(t *testing.T) {
	t.Helper()
	leaves(t, func() []string {
		runtime.GC()
		return descriptors(t)
	})
}

func leaves(t *testing.T, descriptors func() []string) {
	t.Helper()
	settle := func() string {
		return fmt.Sprintf("%d goroutines, descriptors %v", runtime.NumGoroutine(), descriptors())
	}
	files, goroutines := descriptors(), runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "nothing is left behind", func() bool {
			return len(descriptors()) <= len(files) && runtime.NumGoroutine() <= goroutines && len(children(t)) == 0
		}, func() string {
			buf := make([]byte, 1<<20)
			return fmt.Sprintf("before: %d goroutines, descriptors %v\nnow: %s, children %v\n%s", goroutines, files, settle(), children(t), buf[:runtime.Stack(buf, true)])
		})
	})
}

// descriptors are what our open ones lead to, but for those of the runtime,
// which opens them once.
func descriptors(t *testing.T) (open []string) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		to, err := os.Readlink(name)
		if err == nil && !strings.HasPrefix(to, "anon_inode:[event") && !strings.HasPrefix(to, "/proc/") {
			open = append(open, to)
		}
	}
	return open
}

// children are our processes, dead ones too that nobody reaped.
func children(t *testing.T) (pids []string) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tasks {
		data, _ := os.ReadFile(name) // a thread that has ended has none
		pids = append(pids, strings.Fields(string(data))...)
	}
	return pids
}

// alive reports whether a process runs; one that waits to be reaped does not.
func alive(pid string) bool {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// eventually waits for a condition that nothing tells of.
func eventually(t *testing.T, what string, holds func() bool, now func() string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in 30 s it did not come to this: %s\n%s", what, now())
		}
	}
}

// status is the exit code that an error of Wait tells.
func status(err error) int {
	var e *proc.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.Status()
	}
	return -1
}
