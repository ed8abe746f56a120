package proc

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/internal/shim"
	"github.com/spawnx/spawnx/ptyio"
)

// The test binary is also the host of processes in a state that the tests should not be in: argv[1] names one of these.
var hosts = map[string]func(args []string) error{
	"report-signals": reportSignals,
	"no-shim":        withoutShim,
	"autoreap":       autoreap,
	"borrow":         borrow,
	"borrow-release": borrowRelease,
	"supervisor":     supervisor,
	"report-limit":   reportLimit,
	"choose-limit":   chooseLimit,
}

const hostPrefix = "-host="

func TestMain(m *testing.M) {
	name, isHost := "", false
	if len(os.Args) > 1 {
		name, isHost = strings.CutPrefix(os.Args[1], hostPrefix)
	}
	if name != "no-shim" {
		MaybeShim()
	}
	if isHost {
		containAs(os.Getenv("TEST_CONTAIN"))
		forkAs(os.Getenv("TEST_FORK"))
		if err := hosts[name](os.Args[2:]); err != nil {
			fmt.Println("host:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	forkAs(*forkWay)
	containAll.Store(*contain != "")
	if *contain != "" {
		containAs(*contain)
		if _, err := CheckContainment(); err != nil { // from here on there is a keeper
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// containAs makes contained programs be contained by "keeper", by "cgroup", or by the latter and "here": started by this process.
func containAs(way string) {
	withoutCgroup.Store(way == "keeper")
	if way == "here" {
		if err := AdoptOrphans(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}

// forkAs makes programs be forked as where clone3(2) is not known ("old") or where package vfork cannot ("go").
func forkAs(way string) {
	noClone3.Store(way == "old")
	withGoFork.Store(way == "go")
}

// forkWays runs a test in each way that programs are forked.
func forkWays(t *testing.T, test func(t *testing.T, way string)) {
	for _, way := range []string{"own", "old", "go"} {
		t.Run(way, func(t *testing.T) {
			forkAs(way)
			defer forkAs(*forkWay)
			test(t, way)
		})
	}
}

var (
	// The whole of the tests can be run with all programs contained.
	contain = flag.String("contain", "", "contain all programs: by keeper, by cgroup, or by cgroup and started here")
	forkWay = flag.String("fork", "own", "how programs are forked: own, old, go")
	heavy   = flag.Bool("heavy", false, "more of everything")
)

// host returns the words that start one of hosts.
func host(t *testing.T, name string, args ...string) []string {
	t.Helper()
	if hosts[name] == nil {
		t.Fatalf("there is no host %q", name)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{exe, hostPrefix + name}, args...)
}

// hostEnv is ours; under the race detector a process would else sleep for a second at its end.
func hostEnv() []string { return append(os.Environ(), "GORACE=atexit_sleep_ms=0") }

// reportSignals starts the program args as a child, sends itself USR1 before, and reports its own signals after.
func reportSignals(args []string) error {
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		return err
	}
	out, err := output(context.Background(), Spec{Args: args, Stdio: Pipes})
	if err != nil {
		return err
	}
	own, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return err
	}
	fmt.Printf("%s--\n%s", out, own)
	return nil
}

// withoutShim is a main that never calls MaybeShim.
func withoutShim([]string) error {
	umask := uint32(0o22)
	for _, s := range []Spec{
		{Umask: &umask}, {NoNewPrivs: true},
		{Limits: Limits{CPU: time.Second}}, {Limits: Limits{AddressSpace: 1 << 30}}, {Limits: Limits{FileSize: 1}},
		{Limits: Limits{Core: -1}}, {Limits: Limits{Files: 10}}, {Limits: Limits{Processes: 10}}, {Contain: true},
	} {
		s.Args, s.Stdio = []string{"true"}, Pipes
		_, err := Start(context.Background(), s)
		fmt.Println(err)
	}
	_, err := GuardTerminal(nil)
	fmt.Println(err)
	fmt.Println("ready:", shim.Ready())
	return nil
}

// autoreap ignores SIGCHLD, so that the kernel reaps each child by itself.
func autoreap([]string) error {
	signal.Ignore(syscall.SIGCHLD)
	for _, without := range []bool{false, true} {
		withoutPidfd.Store(without)
		p, err := Start(context.Background(), Spec{Args: []string{"sh", "-c", "exit 3"}, Stdio: Pipes})
		if err != nil {
			return err
		}
		e, err := p.Wait(context.Background())
		fmt.Println(e.Code, e.Status(), err == ErrStatusUnknown, p.Signal(syscall.SIGTERM))
	}
	return nil
}

// borrow takes the terminal on stdin, guards it and waits.
func borrow([]string) error {
	b, err := ptyio.Borrow(os.Stdin)
	if err != nil {
		return err
	}
	if _, err := GuardTerminal(b); err != nil {
		return err
	}
	runtime.GC() // whoever drops release is guarded all the same
	fmt.Printf("borrowed %d\r\n", os.Getpid())
	time.Sleep(time.Hour)
	return nil
}

// borrowRelease guards the terminal and gives it back itself.
func borrowRelease([]string) error {
	b, err := ptyio.Borrow(os.Stdin)
	if err != nil {
		return err
	}
	release, err := GuardTerminal(b)
	if err != nil {
		return err
	}
	if err := b.Restore(); err != nil {
		return err
	}
	release()
	release()
	children, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	fmt.Printf("left: %q %v\n", children, err)
	return nil
}

// ---- small things that the tests share

// bothWays runs a test with pidfds and without.
func bothWays(t *testing.T, test func(t *testing.T)) {
	for name, without := range map[string]bool{"pidfd": false, "fallback": true} {
		t.Run(name, func(t *testing.T) {
			withoutPidfd.Store(without)
			defer withoutPidfd.Store(false)
			test(t)
		})
	}
}

// start starts a program; at the end of the test its tree is gone and its streams are closed.
func start(t *testing.T, s Spec, files ...*os.File) *Process {
	t.Helper()
	p, err := Start(context.Background(), s, files...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end(t, p)
	})
	return p
}

func end(t *testing.T, p *Process) {
	t.Helper()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Stop(now); err != nil {
		t.Error(err)
	}
	if err := p.Stdio().Close(); err != nil {
		t.Error(err)
	}
}

func sh(kind Stdio, script string, args ...string) Spec {
	return Spec{Args: append([]string{"sh", "-c", script, "sh"}, args...), Stdio: kind}
}

// output runs a program to its end and returns what it wrote to its output.
func output(ctx context.Context, s Spec, files ...*os.File) (string, error) {
	p, err := Start(ctx, s, files...)
	if err != nil {
		return "", err
	}
	defer p.Stdio().Close()
	out, err := io.ReadAll(p.Stdio().Out)
	if err != nil {
		return string(out), err
	}
	_, err = p.Wait(ctx)
	return strings.ReplaceAll(string(out), "\r\n", "\n"), err
}

func mustOutput(t *testing.T, s Spec, files ...*os.File) string {
	t.Helper()
	out, err := output(t.Context(), s, files...)
	if err != nil {
		t.Fatalf("%q: %v; output %q", s.Args, err, out)
	}
	return out
}

// lines reads lines of a program's output as they come.
func lines(p *Process) func(t *testing.T) string {
	r := bufio.NewReader(p.Stdio().Out)
	return func(t *testing.T) string {
		t.Helper()
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("reading a line: %v after %q", err, line)
		}
		return strings.TrimRight(line, "\r\n")
	}
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// alive reports whether a process runs: a zombie that nobody reaped does not.
func alive(pid int) bool {
	task, err := readTask(pid)
	return err == nil && !task.zombie
}

// eventually waits for a condition that nothing tells of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in 30 s it did not come to this: %s", what)
		}
	}
}
