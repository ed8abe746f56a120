package proc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, text string, mode fs.FileMode) string {
	t.Helper()
	file := filepath.Join(dir, name)
	// No fork of this process while the file is open for writing, or its execve would say "text file busy".
	syscall.ForkLock.RLock()
	err := os.WriteFile(file, []byte(text), mode)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestStartErrorsNameTheStage(t *testing.T) {
	dir := t.TempDir()
	tool := write(t, dir, "tool", "#!/bin/sh\n", 0o755)
	write(t, dir, "plain", "#!/bin/sh\n", 0o644)
	write(t, dir, "typo", "#!/usr/bin/pyton3 -u\nprint(1)\n", 0o755)
	write(t, dir, "crlf", "#!/bin/sh\r\necho\r\n", 0o755)
	write(t, dir, "unnamed", "echo hello\n", 0o755)
	write(t, dir, "empty", "", 0o755)
	write(t, dir, "binary", "\x00\x01\x02\x03", 0o755)
	write(t, dir, "folder-interpreter", "#!/usr\n", 0o755)
	write(t, dir, "loop", "#!"+dir+"/loop\n", 0o755)
	foreign := "\x7fELF\x02\x01\x01\x00" + strings.Repeat("\x00", 8) + "\x02\x00\xff\x00" + strings.Repeat("\x00", 100)
	write(t, dir, "foreign", foreign, 0o755)
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o755); err != nil {
		t.Fatal(err)
	}
	env := func(list ...string) []string { return append([]string{}, list...) } // never nil

	for _, tt := range []struct {
		name  string
		spec  Spec
		stage string
		is    error
		text  string // of Error, DIR for the folder; a part where it begins or ends with …
	}{
		{"no words", Spec{}, "lookup", nil, "start: no program is named"},
		{"an empty word", Spec{Args: []string{""}}, "lookup", nil, "start: no program is named"},
		{"missing folder", Spec{Args: []string{"true"}, Dir: "/no/such"}, "dir", fs.ErrNotExist, "start true: folder /no/such not found"},
		{"a file as folder", Spec{Args: []string{"true"}, Dir: tool}, "dir", syscall.ENOTDIR, "start true: DIR/tool is no folder"},
		{"missing in PATH", Command("no-such-program"), "lookup", fs.ErrNotExist, "start no-such-program: not found in PATH"},
		{"missing, and PATH too", Spec{Args: []string{"no-such-program"}, Env: env()}, "lookup", fs.ErrNotExist,
			"start no-such-program: not found in /usr/bin:/bin (the environment has no PATH)"},
		{"empty PATH", Spec{Args: []string{"true"}, Env: env("PATH=")}, "lookup", fs.ErrNotExist, "start true: not found: PATH is empty"},
		{"the current folder is not searched", Spec{Args: []string{"tool"}, Dir: dir, Env: env("PATH=:/no/such:")}, "lookup", fs.ErrNotExist,
			"start tool: not found in PATH\nhint: write ./tool"},
		{"missing file", Command(dir + "/none"), "lookup", fs.ErrNotExist, "start DIR/none: not found"},
		{"missing file in the folder", Spec{Args: []string{"./none"}, Dir: dir}, "lookup", fs.ErrNotExist, "start ./none: not found in DIR"},
		{"a file as part of the path", Command(tool + "/x"), "lookup", fs.ErrNotExist, "start DIR/tool/x: not found"},
		{"link to nowhere", Command(dir + "/link"), "lookup", fs.ErrNotExist, "start DIR/link: not found: it is a link to nowhere"},
		{"not executable", Command(dir + "/plain"), "permission", fs.ErrPermission, "start DIR/plain: is not executable\nhint: chmod +x DIR/plain"},
		{"not executable in PATH", Spec{Args: []string{"plain"}, Env: env("PATH=" + dir)}, "permission", fs.ErrPermission,
			"start plain: DIR/plain is not executable\nhint: chmod +x DIR/plain"},
		{"a folder", Command(dir), "permission", fs.ErrPermission, "start DIR: is a folder"},
		{"a fifo", Command(dir + "/fifo"), "permission", fs.ErrPermission, "start DIR/fifo: may not be run: permission denied"},
		{"misspelt interpreter", Spec{Args: []string{"./typo"}, Dir: dir}, "interpreter", fs.ErrNotExist,
			"start ./typo: interpreter /usr/bin/pyton3 not found (its first line names it)\nhint: correct the line, or run: python3 ./typo"},
		{"Windows lines", Spec{Args: []string{"./crlf"}, Dir: dir}, "interpreter", fs.ErrNotExist,
			`start ./crlf: interpreter "/bin/sh\r" not found: its first line ends in CR LF, as on Windows` +
				"\nhint: take the carriage returns out: sed -i 's/\\r$//' ./crlf"},
		{"no interpreter", Spec{Args: []string{"./unnamed"}, Dir: dir}, "interpreter", syscall.ENOEXEC,
			"start ./unnamed: its first line does not name an interpreter\nhint: begin it with #!/bin/sh, or run: sh ./unnamed"},
		{"empty file", Command(dir + "/empty"), "interpreter", syscall.ENOEXEC, "start DIR/empty: its first line does not name an interpreter…"},
		{"a folder as interpreter", Command(dir + "/folder-interpreter"), "permission", fs.ErrPermission,
			"start DIR/folder-interpreter: interpreter /usr is not executable (its first line names it)\nhint: correct the line"},
		{"a script as its own interpreter", Command(dir + "/loop"), "interpreter", syscall.ELOOP, "…too many of them"},
		{"binary", Command(dir + "/binary"), "exec", syscall.ENOEXEC, "start DIR/binary: is no program for this machine"},
		{"another machine", Command(dir + "/foreign"), "exec", syscall.ENOEXEC, "start DIR/foreign: is no program for this machine"},
		{"long argument", Command("true", strings.Repeat("x", 131072)), "exec", syscall.E2BIG,
			"start true: argument 1 is too long: 131072 bytes, at most 131071 are possible…"},
		{"long variable", Spec{Args: []string{"/bin/true"}, Env: env("LONG=" + strings.Repeat("x", 131072))}, "exec", syscall.E2BIG,
			"start /bin/true: the environment variable LONG is too long: 131077 bytes…"},
		{"many arguments", Command("true", slicesRepeat(strings.Repeat("x", 100_000), 200)...), "exec", syscall.E2BIG,
			"start true: arguments and environment are too long: …"},
		{"NUL in an argument", Command("true", "a", "b\x00c"), "exec", syscall.EINVAL, "start true: argument 2 contains a NUL byte"},
		{"NUL in a variable", Spec{Args: []string{"true"}, Env: env("A=\x00")}, "exec", syscall.EINVAL,
			`start true: the environment variable "A" contains a NUL byte`},
		{"no variable", Spec{Args: []string{"true"}, Env: env("A")}, "exec", syscall.EINVAL,
			`start true: the environment has "A", which is not name=value`},
		{"NUL in the folder", Spec{Args: []string{"true"}, Dir: "a\x00b"}, "dir", syscall.EINVAL, "start true: the folder's name contains a NUL byte"},
		{"control characters in a name", Command("./a\x1b[2J"), "lookup", fs.ErrNotExist, `start "./a\x1b[2J": not found`},
		{"a terminal of no size", Spec{Args: []string{"true"}, Size: Size{Rows: -1}}, "terminal", nil, "start true: …"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := openDescriptors(t)
			p, err := Start(t.Context(), tt.spec)
			if err == nil {
				end(t, p)
				t.Fatal("it was started")
			}
			var se *StartError
			if !errors.As(err, &se) || se.Stage != tt.stage {
				t.Errorf("%#v; want stage %q", err, tt.stage)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
			got := strings.ReplaceAll(err.Error(), dir, "DIR")
			if !fits(got, tt.text) {
				t.Errorf("got  %q\nwant %q", got, tt.text)
			}
			if after := openDescriptors(t); after > before {
				t.Errorf("%d descriptors before, %d after", before, after)
			}
		})
	}
}

// fits compares a text with one that may leave its begin or end open.
func fits(got, want string) bool {
	if rest, ok := strings.CutSuffix(want, "…"); ok {
		return strings.HasPrefix(got, rest)
	}
	if rest, ok := strings.CutPrefix(want, "…"); ok {
		return strings.HasSuffix(got, rest)
	}
	return got == want
}

func slicesRepeat(s string, n int) (list []string) {
	for range n {
		list = append(list, s)
	}
	return list
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

func TestAProgramThatIsBeingWrittenIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	src, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	prog := write(t, dir, "prog", string(src), 0o755)
	f, err := os.OpenFile(prog, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	_, err = Start(t.Context(), Command(prog))
	var se *StartError
	if !errors.As(err, &se) || se.Stage != "exec" || !errors.Is(err, syscall.ETXTBSY) || !strings.Contains(err.Error(), "has it open for writing") {
		t.Fatalf("while it is open: %v", err)
	}

	// The writer is done after the first attempt.
	attempts := 0
	c, err := retryBusy(func() (*child, error) {
		attempts++
		if attempts == 2 {
			f.Close()
		}
		l, err := prepare(Command(prog), nil)
		if err != nil {
			return nil, err
		}
		l.spec.Stdio = Pipes
		return l.fork([]*os.File{os.Stdin, os.Stdout, os.Stderr})
	})
	if err != nil || attempts < 2 {
		t.Fatalf("after %d attempts: %v", attempts, err)
	}
	if e := c.seeExit(); e.Code != 0 {
		t.Errorf("%+v", e)
	}
	c.reap()
}

func TestAnEndedContextStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Command("true")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v; want context.Canceled", err)
	}
}

func TestARelativeProgramIsLookedUpInItsFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "bin/tool", "#!/bin/sh\necho \"$0 in $(pwd)\"\n", 0o755)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Spec{
		{Args: []string{"bin/tool"}},
		{Args: []string{"./bin/tool"}},
		{Args: []string{"tool"}, Env: []string{"PATH=bin:/usr/bin:/bin"}},
	} {
		s.Dir, s.Stdio = dir, Pipes
		if got := mustOutput(t, s); !strings.HasSuffix(got, "bin/tool in "+real+"\n") {
			t.Errorf("%q: %q", s.Args, got)
		}
	}
}

func TestTheControllingTerminal(t *testing.T) {
	script := `tty; ps -o sid= -o pgid= -o tpgid= -p $$; echo $$; { echo direct >/dev/tty; } 2>/dev/null || echo none`
	for _, kind := range []Stdio{PTY, PTYStderr, PTYStdout, Pipes} {
		p := start(t, sh(kind, script))
		line := lines(p)
		tty, ids, pid, direct := line(t), strings.Fields(line(t)), line(t), line(t)
		group := pid
		switch kind {
		case PTY, PTYStderr:
			if tty != p.Stdio().Terminal.Name() {
				t.Errorf("%v: tty is %q; want %q", kind, tty, p.Stdio().Terminal.Name())
			}
		case Pipes:
			group = "-1"
		}
		if want := []string{pid, pid, group}; fmt.Sprint(ids) != fmt.Sprint(want) {
			t.Errorf("%v: session, group and foreground group %v; want %v", kind, ids, want)
		}
		if want := map[bool]string{true: "none", false: "direct"}[kind == Pipes]; direct != want {
			t.Errorf("%v: /dev/tty gives %q; want %q", kind, direct, want)
		}
		if pid != fmt.Sprint(p.PID()) {
			t.Errorf("%v: PID %d; the program says %s", kind, p.PID(), pid)
		}
	}
}

func TestResize(t *testing.T) {
	p := start(t, sh(PTY, `stty size; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done`))
	line := lines(p)
	if got := line(t); got != "24 80" {
		t.Errorf("size at the start %q; want 24 80", got)
	}
	line(t)
	if err := p.Resize(Size{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	if got := line(t); got != "30 100" {
		t.Errorf("size after Resize %q; want 30 100", got)
	}
	if err := start(t, sh(Pipes, "read x")).Resize(Size{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Resize with pipes: %v; want errors.ErrUnsupported", err)
	}
}

func TestAContextThatEndsStopsTheTree(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p, err := Start(ctx, sh(Pipes, "sleep 600 & echo $!; wait"))
		if err != nil {
			t.Fatal(err)
		}
		defer end(t, p)
		sleeper := number(t, lines(p)(t))
		cancel()
		if e, _ := p.Wait(t.Context()); e.Signal != syscall.SIGTERM {
			t.Errorf("%+v; want SIGTERM", e)
		}
		eventually(t, "the child of the program is gone too", func() bool { return !alive(sleeper) })
	})
}

func TestDescriptorsAndSignalsOfAChild(t *testing.T) {
	for _, tool := range []string{"env", "ls", "grep"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatal(err)
		}
	}
	inner := []string{"sh", "-c", "grep '^Sig[BI]' /proc/self/status; ls /proc/self/fd"}
	// The host of the child has descriptors 9 and 11 from its launcher, signals ignored, and USR1 and RTMAX blocked.
	launcher := []string{"bash", "-c", `exec 9</etc/passwd 11<>/dev/null "$@"`, "bash",
		"env", "--ignore-signal=HUP,INT,QUIT,TSTP,TTIN,TTOU,PIPE,USR2", "--block-signal=USR1,RTMAX"}
	forkWays(t, func(t *testing.T, way string) {
		s := Spec{Args: append(append(launcher, host(t, "report-signals")...), inner...), Env: append(hostEnv(), "TEST_FORK="+way), Stdio: Pipes}
		out := mustOutput(t, s)
		child, own, ok := strings.Cut(out, "--\n")
		if want := "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0\n1\n2\n3\n"; child != want { // 3 is ls's own
			t.Errorf("the child has %q; want %q", child, want)
		}
		if !ok {
			t.Fatalf("the host says %q", out)
		}
		// The host itself is as before. Go handles QUIT, PIPE and USR2 from its start, whatever it inherited.
		const usr1, rtmax = 1 << (syscall.SIGUSR1 - 1), 1 << 63
		if got := field(own, "SigBlk"); got != usr1|rtmax {
			t.Errorf("the host afterwards blocks %x; want %x", got, uint64(usr1|rtmax))
		}
		if got := field(own, "ShdPnd"); got&usr1 == 0 {
			t.Errorf("pending afterwards are %x; want USR1, which the host had sent itself, among them", got)
		}
		ignored := field(own, "SigIgn")
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU} {
			if ignored&(1<<(sig-1)) == 0 {
				t.Errorf("the host afterwards does not ignore %v: %x", sig, ignored)
			}
		}
	})
}

func field(status, name string) (mask uint64) {
	_, after, _ := strings.Cut(status, name+":\t")
	_, _ = fmt.Sscanf(after, "%x", &mask)
	return mask
}

func TestGivenFiles(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, s := range []Spec{sh(PTY, "echo given >&3; ls /proc/self/fd"), sh(Pipes, "echo given >&3; ls /proc/self/fd")} {
		if got, want := mustOutput(t, s, w, w), "0\n1\n2\n3\n4\n5\n"; strings.Join(strings.Fields(got), "\n")+"\n" != want {
			t.Errorf("%v: descriptors %q; want %q", s.Stdio, got, want)
		}
	}
	w.Close()
	buf := make([]byte, 100)
	if n, err := r.Read(buf); string(buf[:n]) != "given\ngiven\n" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

func TestManyStartsAtOnceLeakNoDescriptor(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 8 {
				out, err := output(t.Context(), Spec{Args: []string{"ls", "/proc/self/fd"}, Stdio: Pipes})
				if want := "0\n1\n2\n3\n"; out != want || err != nil {
					t.Errorf("%q, %v; want %q", out, err, want)
				}
			}
		})
	}
	wg.Wait()
}

// cycles is how many programs are started and ended in a row; SPAWNX_TEST_CYCLES changes it.
func cycles(t *testing.T) int {
	if s := os.Getenv("SPAWNX_TEST_CYCLES"); s != "" {
		return number(t, s)
	}
	return 300
}

func TestNothingIsLeftOfManyPrograms(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		mustOutput(t, sh(PTY, "exit 0")) // what is made once, as the poller, is there from now on
		descriptors, goroutines := openDescriptors(t), runtime.NumGoroutine()
		for i := range cycles(t) {
			kind := Stdio(i % 4)
			out, err := output(t.Context(), Spec{Args: []string{"sh", "-c", "echo hello; exit 7"}, Stdio: kind})
			var ee *ExitError
			if out != "hello\n" || !errors.As(err, &ee) || ee.Code != 7 {
				t.Fatalf("%v, number %d: %q, %v", kind, i, out, err)
			}
		}
		// The last one may still be on its way.
		eventually(t, "no more goroutines than before", func() bool { return runtime.NumGoroutine() <= goroutines })
		if now := openDescriptors(t); now > descriptors {
			t.Errorf("%d descriptors before, %d after", descriptors, now)
		}
		for _, task := range readTasks() {
			if task.parent == os.Getpid() && task.pid != keeperPID() {
				t.Errorf("a child is left: %+v", task)
			}
		}
	})
}

func TestManyProgramsNeedNoThreads(t *testing.T) {
	threads := func() int {
		names, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	before := threads()
	var all []*Process
	for range 50 {
		all = append(all, start(t, Spec{Args: []string{"sleep", "600"}, Stdio: Pipes}))
	}
	if n := threads() - before; n > 25 { // the runtime may add some of its own
		t.Errorf("%d more threads for %d programs", n, len(all))
	}
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() {
			if e, err := p.Stop(t.Context()); e.Signal != syscall.SIGTERM || err != nil {
				t.Errorf("Stop: %+v, %v", e, err)
			}
		})
	}
	wg.Wait()
}

// A folder that may not be entered is named, not the program.
func TestForbiddenFolder(t *testing.T) {
	dir := t.TempDir()
	for folder, mode := range map[string]fs.FileMode{filepath.Dir(dir): 0o755, dir: 0} {
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
	}
	umask := uint32(0o77)
	done := make(chan struct{})
	go func() {
		defer close(done)
		masks := []*uint32{nil, &umask} // without and with the shim
		if os.Getuid() == 0 {
			runtime.LockOSThread() // for good: this thread may less than the others, and what it starts until its execve
			_ = unix.Setfsuid(65534)
			masks = masks[:1]
		}
		for _, mask := range masks {
			_, err := Start(t.Context(), Spec{Args: []string{"true"}, Dir: dir, Stdio: Pipes, Umask: mask})
			var se *StartError
			if !errors.As(err, &se) || se.Stage != "dir" || !errors.Is(err, fs.ErrPermission) ||
				err.Error() != "start true: folder "+dir+" may not be entered" {
				t.Errorf("%v", err)
			}
		}
	}()
	<-done
}

func TestCredential(t *testing.T) {
	umask := uint32(0o77)
	if os.Getuid() != 0 {
		for _, mask := range []*uint32{nil, &umask} { // without and with the shim
			p, err := Start(t.Context(), Spec{Args: []string{"true"}, Stdio: Pipes, Umask: mask, Credential: &Credential{UID: 0}})
			var se *StartError
			if !errors.As(err, &se) || se.Stage != "permission" || !errors.Is(err, fs.ErrPermission) ||
				err.Error() != "start true: we may not become user 0, group 0" {
				t.Errorf("%v, %v; want stage permission", p, err)
			}
		}
		return
	}
	for _, mask := range []*uint32{nil, &umask} { // without and with the shim
		s := Spec{Args: []string{"sh", "-c", `id -u; id -g; id -G; echo hello >"$(tty)"`}, Dir: "/", Umask: mask,
			Credential: &Credential{UID: 65534, GID: 65533, Groups: []uint32{65532}}}
		if got, want := mustOutput(t, s), "65534\n65533\n65533 65532\nhello\n"; got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tool", "#!/bin/sh\n", 0o755)
	for _, mask := range []*uint32{nil, &umask} {
		for what, s := range map[string]Spec{
			"a program that the user cannot reach": {Args: []string{dir + "/tool"}},
			"a folder that the user may not enter": {Args: []string{"true"}, Dir: dir},
		} {
			s.Stdio, s.Umask, s.Credential = Pipes, mask, &Credential{UID: 65534, GID: 65534}
			p, err := Start(t.Context(), s)
			var se *StartError
			if err == nil {
				end(t, p)
			}
			if !errors.As(err, &se) || se.Stage != "permission" || !strings.Contains(err.Error(), "user 65534 may not run it, or not enter its folder") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

func TestTooFewDescriptors(t *testing.T) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	p, err := Start(t.Context(), sh(PTY, "exit 0")) // some stay open from the first program on
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	end(t, p)
	open := openDescriptors(t)
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
	}()
	started := false
	for free := range 16 {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(open + free), Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		p, err := Start(context.Background(), sh(Pipes, "exit 0"))
		if err == nil {
			started = true
			if _, err := p.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			end(t, p)
			continue
		}
		if !errors.Is(err, syscall.EMFILE) {
			t.Errorf("%d free: %v; want EMFILE", free, err)
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if !started {
		t.Error("16 free descriptors were not enough")
	}
	eventually(t, "no descriptor leaked", func() bool { return openDescriptors(t) <= open })
}

func TestGrace(t *testing.T) {
	for _, tt := range []struct{ in, want time.Duration }{{0, 5 * time.Second}, {-1, 0}, {time.Minute, time.Minute}} {
		if got := (Spec{Grace: tt.in}).grace(); got != tt.want {
			t.Errorf("Grace %v: %v; want %v", tt.in, got, tt.want)
		}
	}
}
