//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
)

// No orphan is left, no stranger is hit.
var orphanCases = []fault{
	{ID: "F22", What: "Stop of eight processes: plain, nohup, setsid, TERM ignored, stopped, orphaned: none is left", Off: "killing the process group", Quick: 2, Full: 100, Run: stopTree},
	{ID: "F23", What: "a contained program that forks, leaves its session and ends, again and again: Stop ends it", Off: "killing the process group", Quick: 1, Full: 40, Tries: 20, Run: stopHopper},
	{ID: "F24", What: "SIGKILL of the supervisor of contained programs (3; in a whole run 200) at any moment: nothing is left after 2 s", Off: "not contained", Quick: 4, Full: 200, Tries: 3, Run: supervisorKilled},
	{ID: "F25", What: "`spawnx run … | head -1`, errors closed too: the program ends, the status is that of SIGPIPE or 1, nothing is left", Off: "a parent that dies of SIGPIPE", Quick: 1, Full: 20, Run: readerLeaves},
	{ID: "F26", What: "1,000 programs beside threads that end (200 in CI): none dies early", Off: "PDEATHSIG", Quick: 1, Full: 5, Run: threadsEnd},
	{ID: "F27", What: "contained programs that leave an orphan each (50; in a whole run 10,000): every status is right, no zombie is left", Off: "a subreaper that does not reap", Quick: 1, Full: 1, Run: manyOrphans},
	{ID: "F28", What: "a process number given out anew: the stranger is not hit", Off: "kill -PID", Quick: 1, Full: 20, Needs: namespaces("-pf", "--mount-proc"), Run: numberAgain},
	{ID: "F29", What: "Close and Stop while reads, writes and waits are under way: all return, no goroutine is left", Off: "a blocking descriptor", Quick: 5, Full: 300, Run: closeBeneath},
	{ID: "F30", What: "a program that ends at once, by a status, by a signal, or so that it cannot be started again: pauses that double, a second before the first, given up after Tries, nothing after Stop", Off: "no pauses and no end", Quick: 1, Full: 20, Run: restarts},
}

func init() {
	testprog.Register("supervisor", supervisorHost)
	testprog.Register("pipe-parent", pipeParentHost)
	testprog.Register("lazy-subreaper", lazySubreaperHost)
	testprog.Register("number-again", numberAgainHost)
}

func stopTree(t *T) {
	s := t.sh([]proc.Stdio{proc.PTY, proc.Pipes}[t.Round%2], tree)
	s.Grace = 200 * time.Millisecond
	s.Contain = t.Round%4 > 1
	p, err := proc.Start(t, s)
	t.Must(err)
	line := t.lines(p.Stdio().Out)
	for range 8 {
		line()
	}
	if t.Defended {
		if _, err := p.Stop(t); err != nil {
			t.Errorf("%v", err)
		}
	} else {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		time.Sleep(100 * time.Millisecond)
	}
	if left := marked(t.Mark); len(left) > 0 {
		t.Errorf("left: %s", names(left))
	}
	_ = p.Stdio().Close()
}

const hopper = `import os, time
os.write(1, b"hop\n")
end = time.time() + 60 # it is left to nobody
while time.time() < end:
    if os.fork(): os._exit(0)
    os.setsid()
`

func stopHopper(t *T) {
	s := t.spec(proc.Pipes, "python3", "-c", hopper)
	s.Contain, s.Grace = true, -1
	p, err := proc.Start(t, s)
	t.Must(err)
	line := t.lines(p.Stdio().Out)
	line()
	time.Sleep(time.Duration(t.Rand.IntN(50)) * time.Millisecond)
	if t.Defended {
		if _, err := p.Stop(t); err != nil {
			t.Errorf("%v", err)
		}
	} else {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	}
	// It holds its output; the end of that is its end.
	ended := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, p.Stdio().Out); close(ended) }()
	select {
	case <-ended:
	case <-time.After(pick(t, 2*time.Second, 300*time.Millisecond)):
		t.Errorf("it hops on")
	}
	_, _ = p.Stop(t)
	_ = p.Stdio().Close()
	<-ended
}

// supervisorHost starts programs and says how many.
func supervisorHost(args []string) int {
	n, _ := strconv.Atoi(args[1])
	script := daemon + tree
	if n > 20 { // of many not all have everything
		script = daemon + "; sleep 600 & wait"
	}
	for i := range n {
		s := proc.Spec{Args: []string{"sh", "-c", script}, Stdio: proc.Stdio(i % 4), Contain: args[0] == "true"}
		p, err := proc.Start(context.Background(), s)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		go func() { _, _ = io.Copy(io.Discard, p.Stdio().Out) }()
		if i == 0 {
			fmt.Println("begun")
		}
	}
	fmt.Println("all")
	select {}
}

func supervisorKilled(t *T) {
	n := 3
	if !t.Quick && t.Defended {
		n = 200
	}
	cmd := t.command(testprog.Args("supervisor", strconv.FormatBool(t.Defended), strconv.Itoa(n))...)
	out, err := cmd.StdoutPipe()
	t.Must(err)
	t.Must(cmd.Start())
	line := t.lines(out)
	line()
	if t.Round%4 == 3 {
		line() // all
	} else {
		time.Sleep(time.Duration(t.Rand.IntN(n*5)) * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if !t.eventually(pick(t, 2*time.Second, 300*time.Millisecond), func() bool { return len(marked(t.Mark)) == 0 }) {
		left := marked(t.Mark)
		t.Errorf("%d left: %.300s", len(left), names(left))
	}
}

// pipeParentHost passes on what its child writes, and dies of SIGPIPE as most programs do.
func pipeParentHost(args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 1
	}
	if err := cmd.Start(); err != nil {
		return 1
	}
	_, _ = io.Copy(os.Stdout, out)
	return 0
}

func readerLeaves(t *T) {
	script := `trap "" PIPE; echo one; while sleep 0.02; do echo more || :; done`
	var words []string
	if t.Defended {
		words = []string{t.Spawnx, "run", "--grace", "200ms", "sh", "-c", script}
	} else {
		words = append(testprog.Args("pipe-parent"), "sh", "-c", script)
	}
	cmd := t.command(append([]string{"bash", "-c", `"$@" 2>&- | head -1; exit ${PIPESTATUS[0]}`, "bash"}, words...)...)
	out, err := cmd.Output()
	if string(out) != "one\n" {
		t.Errorf("%q", out)
	}
	if st := status(err); t.Defended && st != 141 && st != 1 && st != 125 {
		t.Errorf("status %d", st)
	}
	if !t.eventually(pick(t, 2*time.Second, 300*time.Millisecond), func() bool { return len(marked(t.Mark)) == 0 }) {
		t.Errorf("left: %s", names(marked(t.Mark)))
	}
}

func threadsEnd(t *T) {
	n := 1000
	if t.Quick {
		n = 100
	}
	if !t.Defended {
		n = 20
	}
	var wg sync.WaitGroup
	early := make(chan error, n)
	for range 8 {
		wg.Go(func() {
			for range n / 8 {
				done := make(chan struct{})
				go func() { // its thread ends with it
					runtime.LockOSThread()
					defer close(done)
					if t.Defended {
						p, err := proc.Start(t, t.spec(proc.Pipes, "cat"))
						if err != nil {
							early <- err
							return
						}
						go func() {
							time.Sleep(5 * time.Millisecond)
							if e, ended := p.Exit(); ended {
								early <- &proc.ExitError{Exit: e}
							}
							_, _ = p.Stop(t)
							_ = p.Stdio().Close()
						}()
						return
					}
					cmd := t.command("sleep", "1")
					cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
					if cmd.Start() == nil {
						wg.Go(func() {
							if err := cmd.Wait(); err != nil {
								early <- err
							}
						})
					}
				}()
				<-done
			}
		})
	}
	wg.Wait()
	time.Sleep(20 * time.Millisecond)
	if len(early) > 0 {
		t.Errorf("%d ended early: %v", len(early), <-early)
	}
	t.eventually(5*time.Second, func() bool { return len(marked(t.Mark)) == 0 })
}

// lazySubreaperHost adopts orphans and reaps none; it says how many zombies that makes.
func lazySubreaperHost(args []string) int {
	if unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != nil {
		return 1
	}
	for range 10 {
		_ = exec.Command("sh", "-c", "(true &)").Run()
	}
	time.Sleep(200 * time.Millisecond)
	fmt.Println(zombies(os.Getpid()))
	return 0
}

func manyOrphans(t *T) {
	if !t.Defended {
		out, err := t.command(testprog.Args("lazy-subreaper")...).Output()
		t.Must(err)
		if n := strings.TrimSpace(string(out)); n != "0" {
			t.Errorf("%s zombies", n)
		}
		return
	}
	n := 10_000
	if t.Quick {
		n = 50
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	keeper := 0
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < n; i += 4 {
				s := t.sh(proc.Pipes, fmt.Sprintf("(setsid true &); exit %d", i%256))
				s.Contain = true
				p, reap, err := proc.StartHeld(t, s)
				if err != nil {
					mu.Lock()
					t.Errorf("%v", err)
					mu.Unlock()
					return
				}
				parent := parentOf(p.PID())
				if e, _ := p.Wait(t); e.Code != i%256 {
					mu.Lock()
					t.Errorf("number %d: %v", i, e)
					mu.Unlock()
				}
				_ = p.Stdio().Close()
				reap()
				mu.Lock()
				keeper = parent
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if keeper == 0 || keeper == os.Getpid() {
		t.Fatalf("the parent of the programs is %d", keeper)
	}
	if !t.eventually(10*time.Second, func() bool { return zombies(keeper) == 0 }) {
		t.Errorf("%d zombies", zombies(keeper))
	}
}

// numberAgain does it in a pid namespace, where the next number can be set.
func numberAgain(t *T) {
	args := namespaces("-pf", "--mount-proc")()
	out, err := t.command(append(args[:len(args)-1], testprog.Args("number-again", strconv.FormatBool(t.Defended))...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, bytes.TrimSpace(out))
	}
}

func numberAgainHost(args []string) int {
	complain := func(what string, err error) int { fmt.Println(what, err); return 1 }
	p, err := proc.Start(context.Background(), proc.Spec{Args: []string{"true"}, Stdio: proc.Pipes})
	if err != nil {
		return complain("start:", err)
	}
	if _, err := p.Wait(context.Background()); err != nil {
		return complain("wait:", err)
	}
	for alive(p.PID()) || zombies(os.Getpid()) > 0 {
		time.Sleep(time.Millisecond)
	}
	// Whoever comes next gets the number.
	var stranger *exec.Cmd
	for range 100 {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(p.PID()-1)), 0); err != nil {
			return complain("the next number:", err)
		}
		stranger = exec.Command("sleep", "600")
		stranger.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := stranger.Start(); err != nil {
			return complain("the stranger:", err)
		}
		if stranger.Process.Pid == p.PID() {
			break
		}
		_ = stranger.Process.Kill() // a thread of ours was quicker
		_ = stranger.Wait()
	}
	if stranger.Process.Pid != p.PID() {
		return complain("the number was not given out again", nil)
	}
	if args[0] == "true" {
		if err := p.Signal(syscall.SIGKILL); err != os.ErrProcessDone {
			return complain("signal:", err)
		}
		if _, err := p.Stop(context.Background()); err != nil {
			return complain("stop:", err)
		}
	} else {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	}
	for range map[bool]int{true: 5, false: 500}[args[0] == "true"] { // who is killed dies when there is a processor for it
		time.Sleep(10 * time.Millisecond)
		if !alive(stranger.Process.Pid) {
			break
		}
	}
	if !alive(stranger.Process.Pid) {
		return complain("the stranger was killed", nil)
	}
	return 0
}

func closeBeneath(t *T) {
	if !t.Defended {
		r, w, err := os.Pipe()
		t.Must(err)
		_ = r.Fd() // from now on it blocks
		done := make(chan struct{})
		go func() { _, _ = r.Read(make([]byte, 1)); close(done) }()
		time.Sleep(20 * time.Millisecond)
		go r.Close()
		select {
		case <-done:
		case <-time.After(time.Second):
			t.Errorf("the read goes on")
		}
		_ = w.Close()
		<-done
		return
	}
	before := runtime.NumGoroutine()
	kind := []proc.Stdio{proc.PTY, proc.Pipes}[t.Round%2]
	s := t.sh(kind, `trap "" TERM HUP; echo ready; while :; do sleep 600; done`)
	s.Grace, s.Contain = 10*time.Millisecond, t.Round%3 == 0
	b, err := bridge.Start(t, s)
	t.Must(err)
	out := b.Output().Reader("out", bridge.Block)
	t.lines(out)()
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(io.Discard, out) })
	wg.Go(func() { _, _ = io.Copy(io.Discard, b.Output().Reader("second", bridge.Skip)) })
	wg.Go(func() {
		for block := make([]byte, 1<<16); ; {
			if _, err := b.Input().Write(block); err != nil {
				return
			}
		}
	})
	wg.Go(func() { _, _ = b.Wait(t) })
	wg.Go(func() { _, _ = b.Stop(t) })
	time.Sleep(time.Duration(t.Rand.IntN(3000)) * time.Microsecond)
	wg.Go(func() { _ = b.Close() })
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("something is still under way after 20 s")
	}
	if !t.eventually(5*time.Second, func() bool { return runtime.NumGoroutine() <= before+2 }) { // + the keeper's
		t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
	}
}

func restarts(t *T) {
	ends := []string{"exit 1", "kill -KILL $$", "kill -SEGV $$", "rm -f \"$0\"; exit 1"} // the last one cannot be started again
	for i, end := range ends {
		if t.Quick && i != t.Round%len(ends) || !t.Defended && i > 0 {
			continue
		}
		t.endsAtOnce(end)
	}
	if !t.Defended {
		return
	}
	// What is said of the pauses holds for those that nobody has chosen, too: a second before the first.
	s := t.sh(proc.Pipes, "exit 1")
	s.Restart.When = proc.Always
	if t.Quick { // but that second costs a second
		s.Restart.Delay = time.Hour
	}
	begun := time.Now()
	b, end := t.start(s)
	defer end()
	<-b.Process().Exited()
	if !t.Quick {
		t.eventually(time.Minute, func() bool { return b.Stats().Peer.Restarts > 0 })
		if took := time.Since(begun); took < time.Second {
			t.Errorf("restarted after %v", took)
		}
	}
	n := b.Stats().Peer.Restarts
	_, _ = b.Stop(t)
	if e, _ := b.Wait(t); e.Restarts != n {
		t.Errorf("restarted after Stop: %+v; there were %d restarts", e, n)
	}
}

func (t *T) endsAtOnce(script string) {
	file := filepath.Join(t.Dir, "program")
	t.Must(os.WriteFile(file, []byte("#!/bin/sh\nulimit -c 0\n"+script+"\n"), 0o755))
	s := t.spec(proc.Pipes, file)
	s.Linger = -1
	s.Restart = proc.Restart{When: proc.OnFailure, Delay: 20 * time.Millisecond, MaxDelay: 80 * time.Millisecond, Tries: 4, Within: time.Minute}
	if !t.Defended {
		s.Restart.Delay, s.Restart.MaxDelay, s.Restart.Tries = 1, 1, -1
	}
	ctx, cancel := context.WithTimeout(t, pick(t, time.Minute, time.Second))
	defer cancel()
	begun := time.Now()
	b, end := t.start(s)
	e, err := b.Wait(ctx)
	took := time.Since(begun)
	if tries := map[bool]int{true: 0, false: 4}[strings.HasPrefix(script, "rm")]; e.Restarts != tries || err == nil {
		t.Errorf("%s: %+v, %v; want %d restarts", script, e, err, tries)
	}
	// 20, 40, 80 and 80 ms; but a program that takes its time on a crowded machine pays them back by it.
	if pauses := 4 * 20 * time.Millisecond; took < pauses {
		t.Errorf("it took %v; the pauses alone are %v", took, pauses)
	}
	end()
}
