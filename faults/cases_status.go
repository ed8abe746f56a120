//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/procfs"
	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/session"
)

// Status, scarcity and signals.
var statusCases = []fault{
	{ID: "F13", What: "exit codes 0 to 255, signals 1 to 31: told as code or signal, 128+n as a shell counts", Off: "only the code", Quick: 1, Full: 5, Run: everyStatus},
	{ID: "F14", What: "14 ways in which a program cannot be started: each named, with its status, nothing left", Off: "the system's error", Quick: 1, Full: 30, Run: startErrors},
	{ID: "F15", What: "programs written and started at once beside eight others that spawn: never \"text file busy\"", Off: "os/exec", Quick: 1, Full: 10, Tries: 5, Run: writtenAndStarted},
	{ID: "F16", What: "24 to 64 descriptors: errors name it, what runs goes on, nothing leaks, it works again later", Off: "keeping what a failed start opened", Quick: 1, Full: 3, Run: fewDescriptors},
	{ID: "F17", What: "no more processes: the start fails or the supervisor dies, no orphan after 2 s", Off: "not contained", Quick: 1, Full: 10, Tries: 3, Run: noMoreProcesses},
	{ID: "F18", What: "terminals up to a limit of 8: a named error, and after one was closed it works again", Off: "without closing one", Quick: 1, Full: 5, Needs: namespaces("-m"), Run: noMoreTerminals},
	{ID: "F19", What: "programs that are stopped, ignore TERM, or both: ended in Grace and a second", Off: "TERM alone", Quick: 1, Full: 30, Run: stubborn},
	{ID: "F20", What: "HUP INT QUIT USR1 USR2 TERM to `spawnx run` reach the program once each", Off: "a parent that passes nothing on", Quick: 1, Full: 20, Run: passedOn},
	{ID: "F21", What: "10,000 resizes by eight clients at once, each of another size in the end (1,000 in CI): that of the smallest counts", Off: "the last one is left out", Quick: 1, Full: 5, Run: manyResizes},
}

func everyStatus(t *T) {
	run := func(script string) (proc.Exit, error) {
		b, end := t.start(t.sh(proc.Pipes, "ulimit -c 0; "+script))
		defer end()
		return b.Wait(t)
	}
	step := pick(t, 1, 255)
	if t.Quick {
		step = 17
	}
	for code := 0; code < 256; code += step {
		e, err := run("exit " + strconv.Itoa(code))
		var ee *proc.ExitError
		if e.Code != code || e.Signal != 0 || e.Status() != code || (err == nil) != (code == 0) || err != nil && !errors.As(err, &ee) {
			t.Errorf("exit %d: %+v, %v", code, e, err)
		}
	}
	for s := syscall.Signal(1); s < 32; s++ {
		switch s {
		case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGURG, syscall.SIGWINCH:
			continue // they end nobody
		}
		e, _ := run(fmt.Sprintf("kill -%d $$", s))
		if !t.Defended {
			e = proc.Exit{Code: e.Code}
		}
		if e.Signal != s || e.Status() != 128+int(s) {
			t.Errorf("signal %d: %+v", s, e)
		}
	}
}

func startErrors(t *T) {
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(t.Dir, name)
		t.Must(os.WriteFile(path, []byte(text), mode))
		return path
	}
	busy := file("busy", "", 0o755)
	data, err := os.ReadFile("/bin/true")
	t.Must(err)
	w, err := os.OpenFile(busy, os.O_WRONLY, 0)
	t.Must(err)
	defer w.Close()
	_, err = w.Write(data)
	t.Must(err)
	before := descriptors(os.Getpid())
	for _, c := range []struct {
		name   string
		spec   proc.Spec
		status int
		text   string // what the message has to name
	}{
		{"missing", proc.Command(t.Dir + "/missing"), 127, "not found"},
		{"not in PATH", proc.Command("no-such-program"), 127, "not found in PATH"},
		{"not executable", proc.Command(file("plain", "x", 0o644)), 126, "not executable"},
		{"a folder", proc.Command(t.Dir), 126, "is a folder"},
		{"no program", proc.Command(file("binary", "\x00\x01", 0o755)), 126, "no program for this machine"},
		{"no first line", proc.Command(file("text", "echo hi\n", 0o755)), 126, "does not name an interpreter"},
		{"empty", proc.Command(file("empty", "", 0o755)), 126, "empty|interpreter"},
		{"bad interpreter", proc.Command(file("typo", "#!/usr/bin/pyton3\n", 0o755)), 127, "interpreter /usr/bin/pyton3 not found"},
		{"Windows lines", proc.Command(file("crlf", "#!/bin/sh\r\necho\r\n", 0o755)), 127, "CR LF"},
		{"interpreter is a folder", proc.Command(file("dir", "#!/tmp\n", 0o755)), 126, "interpreter /tmp is not executable"},
		{"all too long", proc.Command("true", many(40, 100_000)...), 126, "too long"},
		{"one too long", proc.Command("true", strings.Repeat("x", 1<<17)), 126, "argument 1 is too long"},
		{"NUL", proc.Command("true", "a\x00b"), 126, "NUL"},
		{"bad folder", proc.Spec{Args: []string{"true"}, Dir: "/no/such"}, 126, "folder /no/such not found"},
		{"busy", proc.Command(busy), 126, "open for writing"},
	} {
		text := ""
		if t.Defended {
			p, err := proc.Start(t, c.spec)
			var se *proc.StartError
			if err == nil {
				t.Errorf("%s: it was started", c.name)
				_, _ = p.Stop(t)
				_ = p.Stdio().Close()
				continue
			}
			if !errors.As(err, &se) {
				t.Errorf("%s: %T", c.name, err)
			}
			text = err.Error()
		} else {
			cmd := exec.CommandContext(t, c.spec.Args[0], c.spec.Args[1:]...)
			cmd.Dir = c.spec.Dir
			if err := cmd.Run(); err != nil {
				text = err.Error()
			}
		}
		if one, other, _ := strings.Cut(c.text, "|"); !strings.Contains(text, one) && (other == "" || !strings.Contains(text, other)) {
			t.Errorf("%s: %.200q does not name %q", c.name, text, c.text)
		}
	}
	if after := descriptors(os.Getpid()); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if n := zombies(os.Getpid()); n > 0 {
		t.Errorf("%d zombies", n)
	}
	for script, want := range map[string]int{"no-such-program": 127, t.Dir + "/plain": 126, t.Dir + "/typo": 126} {
		if t.Spawnx == "" {
			break
		}
		if got := status(t.command(t.Spawnx, "run", script).Run()); got != want && t.Defended {
			t.Errorf("spawnx run %s: status %d; want %d", script, got, want)
		}
	}
}

func many(n, size int) (words []string) {
	for range n {
		words = append(words, strings.Repeat("x", size))
	}
	return words
}

func writtenAndStarted(t *T) {
	n := pick(t, 100, 500)
	data, err := os.ReadFile("/bin/true")
	t.Must(err)
	ctx, stop := context.WithCancel(t)
	var spawning sync.WaitGroup
	for range 8 {
		spawning.Go(func() {
			for ctx.Err() == nil {
				_ = t.command("/bin/true").Run() // a fork that holds what is being written just now
			}
		})
	}
	defer func() { stop(); spawning.Wait() }()
	for i := range n {
		file := filepath.Join(t.Dir, "p"+strconv.Itoa(i))
		t.Must(os.WriteFile(file, data, 0o755))
		var err error
		if t.Defended {
			var p *proc.Process
			if p, err = proc.Start(t, t.spec(proc.Pipes, file)); err == nil {
				_, err = p.Wait(t)
				_ = p.Stdio().Close()
			}
		} else {
			err = t.command(file).Run()
		}
		if err != nil {
			t.Errorf("number %d: %v", i, err)
			return
		}
		_ = os.Remove(file)
	}
}

func init() {
	testprog.Register("few-descriptors", fewDescriptorsHost)
	testprog.Register("no-processes", noProcessesHost)
	testprog.Register("terminals", terminalsHost)
	testprog.Register("deaf", deafHost)
}

func fewDescriptors(t *T) {
	out, err := t.command(testprog.Args("few-descriptors", pick(t, "tidy", "leaky"), map[bool]string{true: "26", false: "4"}[t.Quick])...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, bytes.TrimSpace(out))
	}
}

// fewDescriptorsHost starts programs until descriptors run out, with every limit from 24 to 64.
func fewDescriptorsHost(args []string) int {
	ctx := context.Background()
	complain := func(format string, a ...any) int { fmt.Printf(format+"\n", a...); return 1 }
	start := func() (*bridge.Bridge, error) {
		b, err := bridge.Start(ctx, proc.Spec{Args: []string{"cat"}, Stdio: proc.PTY})
		if err != nil && args[0] == "leaky" {
			_, _ = unix.Dup(0)
		}
		return b, err
	}
	step, err := strconv.ParseUint(args[1], 10, 8)
	if err != nil {
		return complain("%v", err)
	}
	first, err := start()
	if err != nil {
		return complain("%v", err)
	}
	_ = first.Close()
	before := descriptors(os.Getpid())
	for limit := uint64(24); limit <= 64; limit += step {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: 1024}); err != nil {
			return complain("%v", err)
		}
		var running []*bridge.Bridge
		for {
			b, err := start()
			if err != nil {
				if !errors.Is(err, syscall.EMFILE) {
					return complain("with %d descriptors: %v", limit, err)
				}
				break
			}
			running = append(running, b)
		}
		for i, b := range running {
			if _, err := b.Input().Write([]byte("hello\n")); err != nil {
				return complain("number %d of %d: %v", i, len(running), err)
			}
			if got := make([]byte, 5); true {
				if _, err := io.ReadFull(b.Output().Reader("out", bridge.Block), got); err != nil {
					return complain("number %d of %d: %v", i, len(running), err)
				}
			}
		}
		for _, b := range running {
			_ = b.Close()
		}
		again, err := start()
		if err != nil {
			return complain("with %d descriptors, after all were closed: %v", limit, err)
		}
		_ = again.Close()
	}
	for deadline := time.Now().Add(map[bool]time.Duration{true: time.Second, false: 10 * time.Second}[args[0] == "leaky"]); descriptors(os.Getpid()) > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return complain("%d descriptors before, %d after", before, descriptors(os.Getpid()))
		}
	}
	return 0
}

// noMoreProcesses lets a supervisor start programs until it may not any more. Go cannot survive that it may not start a
// thread, so the supervisor may die; then the programs have to die with it.
func noMoreProcesses(t *T) {
	cmd := t.command(t.reachable(testprog.Args("no-processes", strconv.FormatBool(t.Defended)))...)
	if os.Geteuid() == 0 { // whom the limit does not hold
		uid := uint32(65000 + t.Round%100) // with none of the processes that the last one left
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	out, err := cmd.StdoutPipe()
	t.Must(err)
	t.Must(cmd.Start())
	line := make([]byte, 4096)
	n, _ := out.Read(line)
	if t.Defended && n > 0 && !bytes.Contains(line[:n], []byte("resource temporarily unavailable")) && !bytes.Contains(line[:n], []byte("no more processes")) {
		t.Errorf("the error is %q", line[:n])
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if !t.eventually(pick(t, 2*time.Second, 300*time.Millisecond), func() bool { return len(marked(t.Mark)) == 0 }) {
		t.Errorf("left: %s", names(marked(t.Mark)))
	}
}

func noProcessesHost(args []string) int {
	used := 0
	pids, _ := procfs.PIDs()
	for _, pid := range pids {
		if st, err := procfs.ReadStatus(pid, pid); err == nil && st.UID == os.Geteuid() {
			used += st.Threads
		}
	}
	s := proc.Spec{Args: []string{"sleep", "600"}, Stdio: proc.Pipes, Contain: args[0] == "true"}
	first, err := proc.Start(context.Background(), s)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_ = first
	n := uint64(used + 24)
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: n, Max: n}); err != nil {
		fmt.Println(err)
		return 1
	}
	if keeper := parentOf(first.PID()); keeper != os.Getpid() { // it has limits of its own
		if err := unix.Prlimit(keeper, unix.RLIMIT_NPROC, &unix.Rlimit{Cur: n, Max: n}, nil); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	for {
		if _, err := proc.Start(context.Background(), s); err != nil {
			fmt.Println(err)
			select {}
		}
	}
}

func parentOf(pid int) int {
	st, _ := procfs.ReadStat(pid)
	return st.Parent
}

func noMoreTerminals(t *T) {
	// Terminals of our own, in a namespace: eight of them.
	script := `mount -t devpts -o newinstance,max=8,ptmxmode=0666,mode=600 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx && exec "$@"`
	args := namespaces("-m")()
	args = append(args[:len(args)-1], "sh", "-c", script, "sh")
	cmd := t.command(append(args, testprog.Args("terminals", pick(t, "close", "keep"))...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, bytes.TrimSpace(out))
	}
}

func terminalsHost(args []string) int {
	var open []*ptyio.Stdio
	for len(open) < 20 {
		s, err := ptyio.Open(ptyio.PTY, ptyio.Size{}, false)
		if err != nil {
			if !strings.Contains(err.Error(), "no terminals are left") {
				fmt.Println(err)
				return 1
			}
			break
		}
		open = append(open, s)
	}
	if len(open) != 8 {
		fmt.Printf("%d terminals; want 8\n", len(open))
		return 1
	}
	if args[0] == "close" {
		_ = open[3].Close()
	}
	b, err := bridge.Start(context.Background(), proc.Command("true"))
	if err != nil {
		fmt.Println("again:", err)
		return 1
	}
	_ = b.Close()
	return 0
}

func stubborn(t *T) {
	for _, script := range []string{
		`echo ready; kill -STOP $$; sleep 600`,
		`trap "" TERM; echo ready; while :; do sleep 600; done`,
		`trap "" TERM HUP; echo ready; kill -STOP $$; while :; do sleep 600; done`,
	}[:pick(t, 3, 1)] {
		s := t.sh(proc.PTY, script)
		s.Grace = 200 * time.Millisecond
		p, err := proc.Start(t, s)
		t.Must(err)
		t.lines(p.Stdio().Out)()
		if strings.Contains(script, "STOP") {
			t.eventually(10*time.Second, func() bool {
				st, err := procfs.ReadStat(p.PID())
				return err == nil && st.State == procfs.Stopped
			})
		}
		begun := time.Now()
		if t.Defended {
			if _, err := p.Stop(t); err != nil {
				t.Errorf("%v", err)
			}
		} else {
			_ = p.Signal(syscall.SIGTERM)
		}
		if !t.eventually(1200*time.Millisecond-time.Since(begun), func() bool { return !alive(p.PID()) }) {
			t.Errorf("%q lives %v after it", script, time.Since(begun))
		}
		_, _ = p.Stop(t)
		_ = p.Stdio().Close()
	}
}

// deafHost has a child and passes nothing on.
func deafHost(args []string) int {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return max(status(cmd.Run()), 0)
}

func passedOn(t *T) {
	args := testprog.Args("signals")
	cmd := t.command(append(pick(t, []string{t.Spawnx, "run"}, testprog.Args("deaf")), args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	t.Must(err)
	t.Must(cmd.Start())
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		buf := make([]byte, 4096)
		rest := ""
		for {
			n, err := out.Read(buf)
			all := strings.Split(rest+string(buf[:n]), "\n")
			for _, l := range all[:len(all)-1] {
				lines <- l
			}
			rest = all[len(all)-1]
			if err != nil {
				return
			}
		}
	}()
	next := func() string {
		select {
		case l := <-lines:
			return l
		case <-time.After(pick(t, 20*time.Second, time.Second)):
			return "nothing"
		}
	}
	if got := next(); got != "ready" {
		t.Fatalf("%q", got)
	}
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM} {
		t.Must(cmd.Process.Signal(s))
		if got := next(); got != unix.SignalName(s) {
			t.Fatalf("after %v: %q", s, got)
		}
	}
	if l, more := <-lines; more {
		t.Errorf("once more: %q", l)
	}
}

// manyResizes has eight clients resize at once, each of another size in the end: that of the smallest counts.
func manyResizes(t *T) {
	t.Must(os.Chmod(t.Dir, 0o700))
	b, _, addr, end := t.serve(t.spec(proc.PTY, testprog.Args("winch")...), session.Options{Window: session.WindowSmallest})
	defer end()
	line := t.lines(b.Output().Reader("it", bridge.Block))
	line()
	turns := 10_000 / 8
	if t.Quick {
		turns = 1000 / 8
	}
	var resizing sync.WaitGroup
	for i := range 8 {
		c, err := session.Dialer{Size: proc.Size{Rows: 300, Cols: 300}}.Dial(t, addr)
		t.Must(err)
		defer c.Close()
		r := rand.New(rand.NewPCG(t.Rand.Uint64(), 0))
		resizing.Go(func() {
			for range turns {
				if err := c.Bridge().Resize(proc.Size{Rows: 1 + r.IntN(200), Cols: 1 + r.IntN(200)}); err != nil {
					t.Errorf("%v", err)
					return
				}
			}
			if t.Defended || i > 0 {
				if err := c.Bridge().Resize(proc.Size{Rows: 201 + i, Cols: 219 - i}); err != nil {
					t.Errorf("%v", err)
				}
			}
		})
	}
	resizing.Wait()
	p := b.Process()
	want := proc.Size{Rows: 201, Cols: 212}
	if !t.eventually(10*time.Second, func() bool { size, _ := p.Stdio().Terminal.Size(); return size == want || !t.Defended }) {
		size, _ := p.Stdio().Terminal.Size()
		t.Errorf("the terminal is %v; want %v", size, want)
	}
	_, err := p.Stdio().In.Write([]byte{4}) // ^D
	t.Must(err)
	if got := line(); !strings.HasSuffix(got, want.String()) {
		t.Errorf("the program says %q; want %v", got, want)
	}
}
