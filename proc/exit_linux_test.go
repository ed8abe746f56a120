package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestExitCodes(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		for _, code := range []int{0, 1, 2, 3, 7, 42, 126, 127, 128, 130, 137, 200, 254, 255} {
			p := start(t, sh(Pipes, "exit "+fmt.Sprint(code)))
			e, err := p.Wait(t.Context())
			if e.Code != code || e.Status() != code || e.Signal != 0 || e.Core {
				t.Errorf("exit %d: %+v", code, e)
			}
			var ee *ExitError
			switch {
			case code == 0 && err != nil:
				t.Errorf("exit 0: error %v", err)
			case code != 0 && (!errors.As(err, &ee) || ee.Exit != e || err.Error() != fmt.Sprintf("exit status %d", code)):
				t.Errorf("exit %d: error %v", code, err)
			}
		}
	})
}

func TestEverySignalIsReportedAsOne(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		// These stop or continue a process, or do nothing, by default.
		harmless := map[syscall.Signal]bool{syscall.SIGCHLD: true, syscall.SIGCONT: true, syscall.SIGSTOP: true, syscall.SIGTSTP: true,
			syscall.SIGTTIN: true, syscall.SIGTTOU: true, syscall.SIGURG: true, syscall.SIGWINCH: true}
		for sig := syscall.Signal(1); sig <= 31; sig++ {
			if harmless[sig] {
				continue
			}
			p := start(t, Spec{Args: []string{"sleep", "600"}, Stdio: Pipes, Dir: t.TempDir()})
			if err := p.Signal(sig); err != nil {
				t.Fatalf("%v: %v", sig, err)
			}
			e, err := p.Wait(t.Context())
			if e.Signal != sig || e.Status() != 128+int(sig) || e.Code != -1 {
				t.Errorf("%v: %+v", sig, e)
			}
			var ee *ExitError
			if !errors.As(err, &ee) || !strings.HasPrefix(err.Error(), "signal: "+sig.String()) {
				t.Errorf("%v: error %v", sig, err)
			}
			if err := p.Signal(sig); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("%v after the end: %v; want os.ErrProcessDone", sig, err)
			}
		}
	})
}

func TestACoreFileIsReported(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max == 0 && os.Getuid() != 0 {
		t.Skip("this user may not have core files")
	}
	for script, want := range map[string]bool{
		"ulimit -c 0; kill -ABRT $$": false,
		"ulimit -c unlimited || ulimit -c $(ulimit -Hc) || exit 1; kill -ABRT $$": true,
	} {
		s := sh(Pipes, script)
		s.Dir = t.TempDir()
		e, err := start(t, s).Wait(t.Context())
		if e.Core != want || e.Signal != syscall.SIGABRT {
			t.Errorf("%q: %+v; want core %v", script, e, want)
		}
		if got := strings.Contains(err.Error(), "(core dumped)"); got != want {
			t.Errorf("%q: error %v", script, err)
		}
	}
}

func TestTimeAndMemoryOfTheProgram(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		e, err := start(t, sh(Pipes, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")).Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.CPU <= 0 || e.CPU > time.Minute {
			t.Errorf("CPU time %v", e.CPU)
		}
		if e.MaxRSS < 100<<10 || e.MaxRSS > 10<<30 {
			t.Errorf("memory %d bytes", e.MaxRSS)
		}
	})
}

func TestTheExitIsSeenWhileOutputIsUnread(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		for _, kind := range []Stdio{PTY, Pipes} {
			p := start(t, sh(kind, "printf %1000d 7; exit 5"))
			if e, _ := p.Wait(t.Context()); e.Code != 5 {
				t.Errorf("%v: %+v", kind, e)
			}
			buf := make([]byte, 2000)
			if n, err := p.Stdio().Out.Read(buf); n != 1000 || err != nil {
				t.Errorf("%v: read %d bytes, %v after the exit; want 1000", kind, n, err)
			}
		}
	})
}

func TestTheExitIsSeenWhileAGrandchildHoldsTheOutput(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		for _, kind := range []Stdio{PTY, Pipes} {
			p := start(t, sh(kind, "trap '' HUP; sleep 600 & echo $!; exit 5"))
			sleeper := number(t, lines(p)(t))
			if e, _ := p.Wait(t.Context()); e.Code != 5 {
				t.Errorf("%v: %+v", kind, e)
			}
			if !alive(sleeper) {
				t.Errorf("%v: the grandchild is gone", kind)
			}
			if e, err := p.Stop(t.Context()); e.Code != 5 || err != nil {
				t.Errorf("%v: Stop after the exit: %+v, %v", kind, e, err)
			}
			if alive(sleeper) {
				t.Errorf("%v: Stop after the exit left the grandchild", kind)
			}
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	p := start(t, Spec{Args: []string{"sleep", "600"}, Stdio: Pipes})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v; want context.Canceled", err)
	}
	if _, ok := p.Exit(); ok {
		t.Error("a Wait that was given up ended the program")
	}
}

func TestManyMayWait(t *testing.T) {
	p := start(t, sh(Pipes, "read x; exit 9"))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if e, _ := p.Wait(t.Context()); e.Code != 9 {
				t.Errorf("%+v", e)
			}
		})
	}
	if err := p.Stdio().In.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func TestAProgramThatSomebodyElseReaped(t *testing.T) {
	// The kernel itself is the other reaper: nothing is left for us in any case.
	out := mustOutput(t, Spec{Args: host(t, "autoreap"), Env: hostEnv(), Stdio: Pipes})
	want := strings.Repeat("-1 -1 true os: process already finished\n", 2)
	if out != want {
		t.Errorf("got  %q\nwant %q", out, want)
	}
}

func TestAForeignWaitDoesNotHangOurs(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		p := start(t, sh(Pipes, "read x; exit 9"))
		foreign := make(chan error, 1)
		go func() {
			_, err := syscall.Wait4(p.PID(), nil, 0, nil)
			foreign <- err
		}()
		if err := p.Stdio().In.Close(); err != nil {
			t.Error(err)
		}
		// Who is first is not ours to say.
		if e, err := p.Wait(t.Context()); e.Code != 9 && !errors.Is(err, ErrStatusUnknown) {
			t.Errorf("Wait: %+v, %v", e, err)
		}
		<-foreign
	})
}

func TestAHeldProgramKeepsItsNumber(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		p, reap, err := StartHeld(t.Context(), sh(Pipes, "exit 4"))
		if err != nil {
			t.Fatal(err)
		}
		defer end(t, p)
		if e, _ := p.Wait(t.Context()); e.Code != 4 {
			t.Errorf("%+v", e)
		}
		if task, err := readTask(p.PID()); err != nil || !task.zombie {
			t.Errorf("before reap: %+v, %v; want a zombie", task, err)
		}
		reap()
		reap()
		eventually(t, "the program is reaped", func() bool { _, err := readTask(p.PID()); return err != nil })
	})
}

func TestStringsOfAnExit(t *testing.T) {
	for _, tt := range []struct {
		e      Exit
		text   string
		status int
	}{
		{Exit{}, "exit status 0", 0},
		{Exit{Code: 3}, "exit status 3", 3},
		{Exit{Code: -1, Signal: syscall.SIGKILL}, "signal: killed", 137},
		{Exit{Code: -1, Signal: syscall.SIGABRT, Core: true}, "signal: aborted (core dumped)", 134},
		{Exit{Code: -1}, "exit status unknown", -1},
	} {
		if tt.e.String() != tt.text || tt.e.Status() != tt.status {
			t.Errorf("%+v: %q, %d; want %q, %d", tt.e, tt.e, tt.e.Status(), tt.text, tt.status)
		}
	}
}
