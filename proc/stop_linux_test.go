package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// eightProcesses prints the number of each of its processes, the program itself among them, in some order.
const eightProcesses = `
echo $$
sleep 600 & echo $!
nohup sleep 600 >/dev/null 2>&1 & echo $!
setsid sleep 600 & echo $!
sh -c 'trap "" TERM HUP; echo $$; while :; do sleep 600; done' &
sh -c 'echo $$; kill -STOP $$; sleep 600' &
(sleep 600 & echo $!)
setsid sh -c 'sleep 600 & echo $!; wait' &
wait
`

func TestStopEndsTheWholeTree(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		for _, kind := range []Stdio{PTY, Pipes} {
			s := sh(kind, eightProcesses)
			s.Grace = 200 * time.Millisecond // one of them ignores TERM
			p := start(t, s)
			pids := numbers(t, p, 8)
			eventually(t, "one of them is stopped", func() bool {
				return slices.ContainsFunc(pids, func(pid int) bool { return strings.HasPrefix(status(pid, "State"), "T") })
			})
			for _, pid := range pids {
				if !alive(pid) {
					t.Errorf("%v: %d is gone before Stop", kind, pid)
				}
			}
			if _, err := p.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			for i, pid := range pids {
				if alive(pid) {
					t.Errorf("%v: process %d, the one of line %d, is left", kind, pid, i+1)
				}
			}
		}
	})
}

// numbers reads n lines that are numbers of processes.
func numbers(t *testing.T, p *Process, n int) (pids []int) {
	t.Helper()
	line := lines(p)
	for range n {
		pids = append(pids, number(t, line(t)))
	}
	return pids
}

func TestTermComesFirst(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		p := start(t, sh(Pipes, `trap 'echo saved; exit 3' TERM; echo ready; while :; do sleep 0.01; done`))
		line := lines(p)
		line(t)
		if e, err := p.Stop(t.Context()); e.Code != 3 || err != nil {
			t.Errorf("Stop: %+v, %v", e, err)
		}
		if got := line(t); got != "saved" {
			t.Errorf("the program says %q", got)
		}
	})
}

func TestAStoppedProgramHearsTerm(t *testing.T) {
	p := start(t, sh(Pipes, `trap 'exit 3' TERM; echo ready; kill -STOP $$; while :; do sleep 0.01; done`))
	lines(p)(t)
	eventually(t, "the program is stopped", func() bool { return strings.Contains(status(p.PID(), "State"), "T") })
	if e, err := p.Stop(t.Context()); e.Code != 3 || err != nil {
		t.Errorf("Stop: %+v, %v", e, err)
	}
}

func status(pid int, name string) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(data), name+":\t")
	value, _, _ := strings.Cut(after, "\n")
	return value
}

func TestWhatIgnoresTermIsKilled(t *testing.T) {
	for name, s := range map[string]Spec{
		"after Grace":   {Grace: 50 * time.Millisecond},
		"without Grace": {Grace: -1},
	} {
		ignorant := sh(Pipes, `trap '' TERM; echo ready; while :; do sleep 0.01; done`)
		ignorant.Grace = s.Grace
		p := start(t, ignorant)
		lines(p)(t)
		if e, err := p.Stop(t.Context()); e.Signal != syscall.SIGKILL || err != nil {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	t.Run("when the context ends", func(t *testing.T) {
		p := start(t, sh(Pipes, `trap 'echo heard' TERM; echo ready; while :; do sleep 0.01; done`)) // Grace 5 s
		line := lines(p)
		line(t)
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() {
			_, err := p.Stop(ctx)
			stopped <- err
		}()
		if got := line(t); got != "heard" {
			t.Errorf("the program says %q", got)
		}
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if e, _ := p.Exit(); e.Signal != syscall.SIGKILL {
			t.Errorf("%+v", e)
		}
	})
}

func TestAnInteractiveShellIsHungUp(t *testing.T) {
	s := Command("bash", "--norc", "-i")
	s.Env = append(os.Environ(), "PS1=ready\n")
	p := start(t, s)
	line := lines(p)
	for !strings.Contains(line(t), "ready") {
	}
	if e, err := p.Stop(t.Context()); e.Signal != syscall.SIGHUP || err != nil {
		t.Errorf("Stop: %+v, %v; want SIGHUP, not SIGKILL after Grace", e, err)
	}
}

// A shell that has only noted the first one.
func TestHungUpAgain(t *testing.T) {
	p := start(t, sh(PTY, `trap '' TERM; n=0; trap 'n=$((n+1)); [ $n -gt 1 ] && exit 7' HUP; echo ready; while :; do sleep 0.01; done`))
	lines(p)(t)
	if e, err := p.Stop(t.Context()); e.Code != 7 || err != nil {
		t.Errorf("Stop: %+v, %v; want status 7, not SIGKILL after Grace", e, err)
	}
}

func TestStopByManyAtOnce(t *testing.T) {
	p := start(t, sh(Pipes, `n=0; trap 'n=$((n+1)); echo TERM; [ $n -gt 1 ] && exit 9' TERM; echo ready; i=0
		while [ $i -lt 30 ]; do sleep 0.01; i=$((i+1)); done; exit 3`))
	lines(p)(t)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if e, err := p.Stop(t.Context()); e.Code != 3 || err != nil {
				t.Errorf("Stop: %+v, %v; want code 3, TERM sent once", e, err)
			}
		})
	}
	wg.Wait()
}

func TestStopAfterTheEndFindsWhatIsLeft(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		for _, held := range []bool{false, true} {
			p, reap, err := StartHeld(t.Context(), sh(Pipes, `sleep 600 & echo $!; nohup sleep 600 >&- 2>&- & echo $!`))
			if err != nil {
				t.Fatal(err)
			}
			defer end(t, p)
			pids := numbers(t, p, 2)
			if _, err := p.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			if !held {
				reap()
				eventually(t, "the program is reaped", func() bool { _, err := readTask(p.PID()); return err != nil })
			}
			if e, err := p.Stop(t.Context()); e != (Exit{CPU: e.CPU, MaxRSS: e.MaxRSS}) || err != nil {
				t.Errorf("Stop: %+v, %v", e, err)
			}
			for _, pid := range pids {
				if alive(pid) {
					t.Errorf("held %v: %d is left", held, pid)
				}
			}
			reap()
		}
	})
}

// After the leader was reaped its number may be a stranger's. These are the tasks that a scan may then show.
func TestStrangersAreNoMembers(t *testing.T) {
	const pid, reapedAt = 4711, 1000
	for _, tt := range []struct {
		name   string
		reaped bool
		task   task
		want   bool
	}{
		{"a member while the leader is there", false, task{pid: 5000, session: pid, group: pid, start: 2000}, true},
		{"a member in a group of its own", false, task{pid: 5000, session: pid, group: 5000, start: 2000}, true},
		{"another session", false, task{pid: 5000, session: 99, group: 98, start: 500}, false},
		{"a member from before the reaping", true, task{pid: 5000, session: pid, group: 5000, start: 900}, true},
		{"a member of the last moment", true, task{pid: 5000, session: pid, group: pid, start: reapedAt}, true},
		{"a stranger with the number", true, task{pid: pid, session: pid, group: pid, start: 1001}, false},
		{"a stranger's child", true, task{pid: 5000, session: pid, group: pid, start: 1500}, false},
	} {
		c := &child{pid: pid, reaped: tt.reaped, reapedAt: reapedAt}
		if got := c.ownsSession()(tt.task); got != tt.want {
			t.Errorf("%s: %v; want %v", tt.name, got, tt.want)
		}
	}
	t.Run("nobody is signalled by a number that is free", func(t *testing.T) {
		victim := start(t, Spec{Args: []string{"sleep", "600"}, Stdio: Pipes})
		c := &child{pid: victim.PID(), reaped: true}
		if err := errors.Join(c.signal(syscall.SIGKILL), c.signalGroup(syscall.SIGKILL)); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%v; want os.ErrProcessDone", err)
		}
		for _, pid := range []int{-1, 0, 1} {
			c := &child{pid: pid}
			if err := c.signal(0); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("signal to %d: %v", pid, err)
			}
			if err := c.signalGroup(0); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("signal to the group %d: %v", pid, err)
			}
		}
		// A task whose number now is another's is left alone.
		now, err := readTask(victim.PID())
		if err != nil {
			t.Fatal(err)
		}
		now.start--
		now.signal(syscall.SIGKILL)
		if e, ended := victim.Exit(); ended || !alive(victim.PID()) {
			t.Errorf("a stranger was hit: %+v", e)
		}
	})
}

func TestSignal(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		p := start(t, sh(Pipes, `trap 'echo usr1' USR1; echo ready; while :; do sleep 0.01; done`))
		line := lines(p)
		line(t)
		if err := p.Signal(syscall.SIGUSR1); err != nil {
			t.Error(err)
		}
		if got := line(t); got != "usr1" {
			t.Errorf("the program says %q", got)
		}
		if err := p.Signal(os.Kill); err != nil {
			t.Error(err)
		}
		if e, _ := p.Wait(t.Context()); e.Signal != syscall.SIGKILL {
			t.Errorf("%+v", e)
		}
		if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A signal to the group reaches what the program has started, and nobody once it is over.
func TestSignalGroup(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		p := start(t, sh(Pipes, `sleep 1000 & echo $!; wait`))
		child := number(t, lines(p)(t))
		if err := p.SignalGroup(syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		if e, _ := p.Wait(t.Context()); e.Signal != syscall.SIGKILL {
			t.Errorf("%+v", e)
		}
		eventually(t, "the child is gone", func() bool { return !alive(child) })
		if err := p.SignalGroup(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestParseSignal(t *testing.T) {
	for in, want := range map[string]syscall.Signal{
		"INT": syscall.SIGINT, "SIGINT": syscall.SIGINT, "int": syscall.SIGINT, "sigterm": syscall.SIGTERM,
		"2": syscall.SIGINT, "9": syscall.SIGKILL, "HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "64": 64,
	} {
		if got, err := ParseSignal(in); got != want || err != nil {
			t.Errorf("ParseSignal(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0", "-1", "65", "SIG", "FOO", "SIGSIGINT", "INT "} {
		if got, err := ParseSignal(in); err == nil {
			t.Errorf("ParseSignal(%q) = %v; want an error", in, got)
		}
	}
}

func TestParseStat(t *testing.T) {
	rest := " 7 11 12 34816 11 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12345 2813952 224\n"
	for _, tt := range []struct {
		line string
		want task
	}{
		{"42 (sh) S" + rest, task{42, 7, 11, 12, 12345, "sh", false}},
		{"42 (a b) Z" + rest, task{42, 7, 11, 12, 12345, "a b", true}},
		{"42 (:) R 1 1) X" + rest, task{42, 7, 11, 12, 12345, ":) R 1 1", true}},
		{"42 () S" + rest, task{42, 7, 11, 12, 12345, "", false}},
		{"42 (x\n(y) Z" + strings.Replace(rest, " 20 0 1 0 ", " 20 0 3 0 ", 1), task{42, 7, 11, 12, 12345, "x\n(y", false}},
	} {
		if got, err := parseStat([]byte(tt.line)); got != tt.want || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", tt.line, got, err, tt.want)
		}
	}
	for _, line := range []string{"", "42", "42 (sh) S 1 2", ")(", "x (sh) S" + rest} {
		if got, err := parseStat([]byte(line)); err == nil {
			t.Errorf("%q: %+v; want an error", line, got)
		}
	}
	self, err := readTask(os.Getpid())
	if err != nil || self.parent != os.Getppid() || self.start == 0 || self.start > ticksSinceBoot() {
		t.Errorf("ourselves: %+v, %v; now is %d", self, err, ticksSinceBoot())
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (sh) S 7 11 12 34816 11 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12345 2813952 224\n"))
	f.Add([]byte("1 (a) b) Z 1 1 1"))
	f.Add([]byte(")("))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := parseStat(line)
		if err == nil && !strings.Contains(string(line), "("+got.name+")") {
			t.Errorf("%q: the name %q is not in it", line, got.name)
		}
	})
}

func TestScansAreShared(t *testing.T) {
	s := scanner[*scan]{look: newScan}
	if first := s.take(); len(first.tasks) == 0 {
		t.Fatal("no processes")
	}
	// Each caller sees what was there before it asked, however many ask at once.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			p, err := Start(context.Background(), sh(Pipes, "read x"))
			if err != nil {
				t.Error(err)
				return
			}
			if _, found := s.take().tasks[p.PID()]; !found {
				t.Errorf("a scan that was asked for after %d started does not show it", p.PID())
			}
			end(t, p)
		})
	}
	wg.Wait()
}
