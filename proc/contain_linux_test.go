package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// keeperPID is the number of our keeper, 0 while there is none.
func keeperPID() int {
	keepers.mu.Lock()
	defer keepers.mu.Unlock()
	if keepers.keeper == nil || keepers.dead.Err() != nil {
		return 0
	}
	return keepers.child.pid
}

// newKeeper ends the keeper that is there.
func newKeeper(t *testing.T) {
	t.Helper()
	keepers.mu.Lock()
	k := keepers.keeper
	keepers.mu.Unlock()
	if k != nil {
		_ = k.child.signal(syscall.SIGKILL) // it may be gone
		<-k.dead.Done()
		eventually(t, "its cgroup is removed", func() bool {
			_, err := os.Stat(k.group)
			return k.group == "" || os.IsNotExist(err)
		})
	}
}

// adopter is the number of who is the parent of contained programs, and of what they leave behind.
func adopter() int {
	if adopts.Load() {
		return os.Getpid()
	}
	return keeperPID()
}

// eachContainment runs a test with every containment that is to be had here.
func eachContainment(t *testing.T, test func(t *testing.T)) {
	if *contain != "" {
		return // these tests see to it themselves
	}
	for way, want := range map[string]Containment{"keeper": ByKeeper, "cgroup": ByCgroup, "here": ByCgroup} {
		t.Run(way, func(t *testing.T) {
			before := withoutCgroup.Load()
			newKeeper(t)
			t.Cleanup(func() {
				newKeeper(t)
				withoutCgroup.Store(before)
				adopts.Store(false)
				if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); err != nil {
					t.Error(err)
				}
			})
			withoutCgroup.Store(want == ByKeeper)
			if way == "here" {
				if err := AdoptOrphans(); err != nil {
					t.Fatal(err)
				}
			}
			got, err := CheckContainment()
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Logf("no cgroup is to be had here: as with the keeper alone")
				return
			}
			test(t)
		})
	}
}

func contained(s Spec) Spec {
	s.Contain = true
	return s
}

// All that other tests say holds for contained programs too.
func TestContainedProgramsAreAsOthers(t *testing.T) {
	if *contain != "" {
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ways := []string{"keeper"}
	if *heavy {
		ways = append(ways, "cgroup", "here")
	}
	for _, way := range ways {
		cmd := exec.Command(exe, "-contain="+way, "-test.timeout=5m", // without 20 MB of arguments, and what has nothing to do with who forks
			"-test.skip=ManyPrograms|TestParse|TestRestart|Fuzz|Example|TestScans|TestStrangers|TestEnvironment|TestForbiddenFolder|/many_arguments|/fallback")
		cmd.Env = append(hostEnv(), "SPAWNX_TEST_CYCLES=50")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("by %s: %v\n%s", way, err, out)
		}
	}
}

func TestWhatIsSaidOfContainment(t *testing.T) {
	if *contain == "" && start(t, sh(Pipes, "read x")).Containment() != NotContained {
		t.Error("a program that is not contained says it is")
	}
	eachContainment(t, func(t *testing.T) {
		how, _ := CheckContainment()
		p := start(t, contained(sh(Pipes, "read x")))
		if got := p.Containment(); got != how || got == NotContained {
			t.Errorf("%v; the check says %v", got, how)
		}
		if task, err := readTask(p.PID()); err != nil || task.parent != adopter() {
			t.Errorf("its parent is %d, %v; want %d", task.parent, err, adopter())
		}
	})
	if got := Containment(9).String(); got != "Containment(9)" {
		t.Error(got)
	}
}

// The program's folder and file mode mask are ours as they are at its start, not those of the keeper's start.
func TestAContainedProgramStartsFromWhereWeAre(t *testing.T) {
	how, err := CheckContainment() // from here on there is a keeper
	if err != nil {
		t.Fatal(how, err)
	}
	dir := t.TempDir()
	write(t, dir, "here", "#!/bin/sh\npwd; umask\n", 0o755)
	t.Chdir(dir)
	defer syscall.Umask(syscall.Umask(0o031))
	want := dir + "\n0031\n"
	for name, s := range map[string]Spec{
		"in our folder": {Args: []string{"./here"}},
		"by Dir":        {Args: []string{"./here"}, Dir: "."},
	} {
		s.Stdio = Pipes
		if got := mustOutput(t, contained(s)); got != want {
			t.Errorf("%s: %q; want %q", name, got, want)
		}
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", keeperPID())); cwd != "/" {
		t.Errorf("the keeper stays in %s, %v", cwd, err)
	}
}

func TestNamesNeedNotBeText(t *testing.T) {
	dir := t.TempDir() + "/\xff\xfe"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "p\xf0", "#!/bin/sh\npwd\n", 0o755)
	mask := uint32(0o22)
	for _, s := range []Spec{{}, {Umask: &mask}, {Contain: true}, {Contain: true, Umask: &mask}} {
		s.Args, s.Dir, s.Stdio = []string{"./p\xf0"}, dir, Pipes
		if got := mustOutput(t, s); got != dir+"\n" {
			t.Errorf("%+v: %q; want %q", s, got, dir)
		}
	}
}

func TestTooManyDescriptorsForTheKeeper(t *testing.T) {
	if adopts.Load() {
		return // it gets none
	}
	files := slices.Repeat([]*os.File{os.Stdin}, 249)
	if _, err := output(t.Context(), contained(sh(Pipes, "true")), files...); err != nil {
		t.Errorf("252 descriptors: %v", err)
	}
	p, err := Start(t.Context(), contained(sh(Pipes, "true")), append(files, os.Stdin)...)
	var se *StartError
	if err == nil {
		end(t, p)
	}
	if !errors.As(err, &se) || se.Stage != "exec" || !strings.Contains(err.Error(), "252 descriptors") {
		t.Errorf("253 descriptors: %v", err)
	}
}

// daemon leaves a process in a session of its own that has no living parent, and says its number.
const daemon = `(setsid sh -c 'trap "" TERM HUP; echo $$; while :; do sleep 600; done' &)`

func TestStopFindsDaemonsOfContainedPrograms(t *testing.T) {
	eachContainment(t, func(t *testing.T) {
		for _, script := range []string{daemon + "; read x", daemon + "; sleep 0.1"} {
			s := contained(sh(Pipes, script))
			s.Grace = 100 * time.Millisecond
			p, other := start(t, s), start(t, s)
			pid, others := number(t, lines(p)(t)), number(t, lines(other)(t))
			eventually(t, "it has left", func() bool {
				task, err := readTask(pid)
				return err == nil && task.parent == adopter() && task.session != p.PID()
			})
			if strings.HasSuffix(script, "0.1") { // Stop after the program's own end
				if _, err := p.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if _, err := p.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if alive(pid) {
				t.Error("the daemon lives")
			}
			if !alive(others) {
				t.Error("the other program's daemon is dead")
			}
			if _, err := other.Stop(t.Context()); err != nil || alive(others) {
				t.Error("the other program's daemon lives on: ", err)
			}
		}
	})
}

// A hopper is always another process: it forks, leads a new session and ends, again and again. It says its name once.
const hopper = `import os, time
os.write(1, b"hop\n")
end = time.time() + 60 # it is left to nobody
while time.time() < end:
    if os.fork(): os._exit(0)
    os.setsid()
`

func TestStopEndsAHopper(t *testing.T) {
	eachContainment(t, func(t *testing.T) {
		s := contained(Spec{Args: []string{"python3", "-c", hopper}, Stdio: Pipes, Grace: -1})
		p := start(t, s)
		lines(p)(t)
		if _, err := p.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		first, err := lastNumber()
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "it has hopped", func() bool {
			now, err := lastNumber()
			return err != nil || now < first || now > first+20
		})
		if _, err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadAll(p.Stdio().Out); err != nil { // until nobody holds it any more
			t.Error(err)
		}
	})
}

// unusual is an environment variable that marks what a test starts.
func unusual(t *testing.T) string {
	return "SPAWNX_TEST_MARK=" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatUint(rand.Uint64(), 36)
}

// runsWith reports whether a process has the variable.
func runsWith(variable string) bool { return howManyWith(variable) > 0 }

// howManyWith counts the processes that have the variable.
func howManyWith(variable string) (n int) {
	for _, t := range readTasks() {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", t.pid))
		if err == nil && !t.zombie && slices.Contains(strings.Split(string(env), "\x00"), variable) {
			n++
		}
	}
	return n
}

// supervisor starts contained programs without an end, each one like the eight processes, and one that hopped away.
func supervisor(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	fmt.Println("begins")
	for i := range n {
		s := contained(sh(Stdio(i%4), eightProcesses+daemon))
		p, reap, err := StartHeld(context.Background(), s)
		if err != nil {
			return err
		}
		_ = reap // the later, the better
		go func() { _, _ = io.Copy(io.Discard, p.Stdio().Out) }()
	}
	fmt.Println("all")
	select {}
}

func TestNothingSurvivesTheSupervisor(t *testing.T) {
	if *contain != "" {
		return
	}
	rounds, programs := 8, 3
	if *heavy {
		rounds, programs = 100, 200
	}
	for _, way := range []string{"keeper", "cgroup", "here"} {
		t.Run(way, func(t *testing.T) {
			var longest time.Duration
			for round := range rounds {
				marker := unusual(t)
				cmd := exec.Command(host(t, "supervisor")[0], host(t, "supervisor", strconv.Itoa(programs))[1:]...)
				cmd.Env = append(hostEnv(), marker, "TEST_CONTAIN="+way)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				buf := make([]byte, 64)
				if n, err := out.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "begins") {
					t.Fatalf("%q, %v", buf[:n], err)
				}
				if round%4 == 0 { // when all are there
					for !bytes.Contains(buf, []byte("all")) {
						if n, err := out.Read(buf[32:]); err != nil {
							t.Fatal(n, err)
						}
					}
				} else {
					time.Sleep(rand.N(time.Duration(programs) * 5 * time.Millisecond)) // any moment
				}
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				killed := time.Now()
				_ = cmd.Wait() // killed
				eventually(t, "nothing is left", func() bool { return !runsWith(marker) })
				longest = max(longest, time.Since(killed))
			}
			if *heavy {
				t.Logf("%d supervisors with %d programs: nothing left after %v", rounds, programs, longest)
				if longest > 2*time.Second {
					t.Errorf("%v; want at most 2 s", longest)
				}
			}
		})
	}
}

func TestTheDeathOfTheKeeper(t *testing.T) {
	eachContainment(t, func(t *testing.T) {
		marker := unusual(t)
		s := contained(sh(Pipes, daemon+`; echo $$; trap 'exit 3' TERM; while :; do sleep 0.01; done`))
		s.Env, s.Grace = append(os.Environ(), marker), 100*time.Millisecond
		p := start(t, s)
		line := lines(p)
		line(t)
		line(t)
		ended := start(t, contained(sh(Pipes, "exit 4")))
		_, _ = ended.Wait(t.Context())
		keeper := keeperPID()
		if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		e, err := p.Wait(t.Context())
		status := ErrStatusUnknown // only its parent knows it
		if adopts.Load() {
			status = &ExitError{Exit{Code: 3}}
		}
		var ee *ExitError
		if lost := errors.Is(err, ErrStatusUnknown); lost == adopts.Load() || lost != (e.Code == -1) || !strings.Contains(err.Error(), "keeper") || !lost && (!errors.As(err, &ee) || ee.Code != 3) {
			t.Errorf("the program: %+v, %v; want %v", e, err, status)
		}
		if e, err := ended.Wait(t.Context()); e.Code != 4 {
			t.Errorf("one that had ended before: %+v, %v", e, err)
		}
		eventually(t, "nothing is left", func() bool { return !runsWith(marker) })
		if p.Containment() != NotContained {
			t.Error("the program is still contained")
		}
		if err := p.Signal(syscall.SIGTERM); err != os.ErrProcessDone {
			t.Errorf("a signal: %v", err)
		}
		// The next one gets a new keeper.
		if got := mustOutput(t, contained(sh(Pipes, "echo again"))); got != "again\n" {
			t.Errorf("%q", got)
		}
		if now := keeperPID(); now == keeper || now == 0 {
			t.Errorf("the keeper was %d and is %d", keeper, now)
		}
	})
}

// cgroups begins with a new keeper, and reports whether it has cgroups.
func cgroups(t *testing.T) bool {
	newKeeper(t)
	how, err := CheckContainment()
	if err != nil || how != ByCgroup {
		t.Logf("no cgroup is to be had here: %v, %v", how, err)
		return false
	}
	return true
}

// The cgroup of a program that left nobody serves the next one; one that left somebody keeps it. Nobody takes the one for
// the other.
func TestACgroupIsUsedAgain(t *testing.T) {
	if *contain != "" || !cgroups(t) {
		return
	}
	isReaped := func(p *Process) bool {
		p.child.mu.Lock()
		defer p.child.mu.Unlock()
		return p.child.reaped
	}
	again := func(late bool) (used bool) {
		p, reap, err := StartHeld(t.Context(), contained(sh(Pipes, "true")))
		if err != nil {
			t.Fatal(err)
		}
		group := p.child.group
		if _, err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		leaves := func() {
			if p.Left() {
				t.Error("it left something")
			}
		}
		if !late {
			leaves()
		}
		reap()
		eventually(t, "it is reaped", func() bool { return isReaped(p) })
		if late {
			leaves()
		}
		spec := contained(sh(Pipes, daemon+"; exit"))
		spec.Grace = 100 * time.Millisecond
		next := start(t, spec)
		daemon := number(t, lines(next)(t))
		used = next.child.group == group
		if _, err := p.Stop(t.Context()); err != nil || p.Left() {
			t.Error("there is something left: ", err)
		}
		if _, err := next.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		eventually(t, "it is reaped", func() bool { return isReaped(next) })
		if !next.Left() || !alive(daemon) {
			t.Error("it left nobody")
		}
		third := start(t, contained(sh(Pipes, "read x")))
		if third.child.group == group {
			t.Error("another has the cgroup of a daemon")
		}
		if _, err := next.Stop(t.Context()); err != nil || alive(daemon) || !alive(third.PID()) {
			t.Errorf("%v; the daemon lives: %v; the third lives: %v", err, alive(daemon), alive(third.PID()))
		}
		if err := p.Stdio().Close(); err != nil {
			t.Error(err)
		}
		return used
	}
	for _, late := range []bool{false, true} { // asked before and after it was reaped
		// The keeper gives a new one where the kernel has not told it yet that the old one is empty.
		eventually(t, "a cgroup is used again", func() bool { return again(late) })
	}
}

// A cell that cannot be used again is given up.
func TestACellThatIsSpoilt(t *testing.T) {
	if *contain != "" {
		return
	}
	eachContainment(t, func(t *testing.T) {
		if !adopts.Load() {
			return
		}
		cells := &keepers.cells
		for range 3 {
			if got := mustOutput(t, contained(sh(Pipes, "echo one"))); got != "one\n" {
				t.Errorf("%q", got)
			}
			var gone []string
			eventually(t, "a cell is spare", func() bool {
				cells.mu.Lock()
				defer cells.mu.Unlock()
				cells.tidy()
				for _, c := range cells.spare {
					gone = append(gone, c.Dir())
				}
				return len(gone) > 0
			})
			for _, dir := range gone { // as one does who may
				if err := os.Remove(dir); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func TestTheKeeperIsNotDisturbed(t *testing.T) {
	how, err := CheckContainment()
	if err != nil {
		t.Fatal(how, err)
	}
	pid := keeperPID()
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGTSTP, unix.SIGPIPE} {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Error(err)
		}
	}
	if got := mustOutput(t, contained(sh(Pipes, "grep ^Sig[BI] /proc/self/status"))); got != "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n" {
		t.Errorf("a program's signals: %q", got)
	}
	if now := keeperPID(); now != pid {
		t.Errorf("the keeper was %d and is %d", pid, now)
	}
	if task, err := readTask(pid); err != nil || task.session != pid || task.parent != os.Getpid() {
		t.Errorf("%+v, %v: not in a session of its own, or not our child", task, err)
	}
}

func TestAKeeperThatIsStopped(t *testing.T) {
	if !*heavy { // it takes the 10 s that it may take
		return
	}
	newKeeper(t)
	p := start(t, contained(sh(Pipes, "read x")))
	if err := syscall.Kill(keeperPID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := p.Wait(t.Context()); !errors.Is(err, ErrStatusUnknown) {
		t.Error(err)
	}
	if got := mustOutput(t, contained(sh(Pipes, "echo again"))); got != "again\n" {
		t.Errorf("%q", got)
	}
}

func TestNothingIsLeftOfManyContainedPrograms(t *testing.T) {
	n := 100
	if *heavy {
		n = 1000
	}
	eachContainment(t, func(t *testing.T) {
		run := func(i int) {
			// Each leaves an orphan that ends by itself, and some cannot be started.
			out, err := output(t.Context(), contained(Spec{Args: []string{"sh", "-c", "(setsid true &) ; echo hello; exit 7"}, Stdio: Stdio(i % 4)}))
			var ee *ExitError
			if out != "hello\n" || !errors.As(err, &ee) || ee.Code != 7 {
				t.Fatalf("%v, number %d: %q, %v", Stdio(i%4), i, out, err)
			}
			if i%10 == 0 {
				if _, err := Start(t.Context(), contained(Spec{Args: []string{"true", strings.Repeat("x", 1<<17)}})); !errors.Is(err, syscall.E2BIG) {
					t.Fatal(err)
				}
			}
		}
		run(0)
		keeper, group, cells := keeperPID(), keepers.group, &keepers.cells
		parent := adopter()
		keepers := func() int {
			names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", keeper))
			if err != nil {
				t.Fatal(err)
			}
			return len(names)
		}
		ours, its := openDescriptors(t), keepers()
		for i := range n {
			run(i)
		}
		eventually(t, "who adopts has no children but the keeper, which has no more descriptors than before", func() bool {
			zombies := 0
			for _, task := range readTasks() {
				if task.parent == parent && task.pid != keeper {
					zombies++
				}
			}
			if zombies > 0 && adopts.Load() { // it reaps behind each program
				_, _ = output(t.Context(), contained(sh(Pipes, "true")))
			}
			return zombies == 0 && keepers() <= its
		})
		eventually(t, "we have no more descriptors than before", func() bool {
			runtime.GC() // the handle of one that nobody stopped, whose orphan was still in its group
			cells.mu.Lock()
			defer cells.mu.Unlock()
			return openDescriptors(t) <= ours+2*(len(cells.spare)+len(cells.left)) && len(cells.spare)+len(cells.left) < 10
		})
		if group != "" {
			eventually(t, "no cgroup is left", func() bool {
				// The last ones are removed when the next program comes.
				_, _ = output(t.Context(), contained(sh(Pipes, "true")))
				dirs, _ := filepath.Glob(group + "/*/")
				return len(dirs) <= 1 || adopts.Load() && len(dirs) <= mostSpare
			})
		}
	})
}

func TestTheKeeperReapsOrphans(t *testing.T) {
	p := start(t, contained(sh(Pipes, "(setsid sh -c 'echo $$' &); read x")))
	orphan := number(t, lines(p)(t))
	eventually(t, "no zombie is left", func() bool {
		_, err := readTask(orphan)
		return err != nil
	})
	if _, ended := p.Exit(); ended {
		t.Error("the program itself is gone")
	}
}

// The umask of a program, or ours, is no bar to our own cgroups: for root it never is, so their modes are looked at.
func TestTheUmaskIsNoBarToCgroups(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o377))
	if *contain != "" || !cgroups(t) {
		return
	}
	for range 2 { // the second is made behind the mask of the first
		p := start(t, contained(sh(Pipes, "read x")))
		for _, dir := range []string{p.child.group, filepath.Dir(p.child.group)} {
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%v, %v", info, err)
			}
		}
	}
}

// What a supervisor and its keeper leave when they die at the same moment is ended by the next keeper, where there are
// cgroups; and nobody touches what belongs to a keeper that lives.
func TestTheNextKeeperSweeps(t *testing.T) {
	if *contain != "" || !cgroups(t) {
		return
	}
	other := start(t, contained(sh(Pipes, "read x")))
	marker := unusual(t)
	words := host(t, "supervisor", "2")
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(hostEnv(), marker)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for said := ""; !strings.Contains(said, "all"); {
		buf := make([]byte, 64)
		n, err := out.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		said += string(buf[:n])
	}
	eventually(t, "the processes of its two programs are there", func() bool { return howManyWith(marker) >= 16 })
	helpers := childrenOf(cmd.Process.Pid)
	if len(helpers) != 1 {
		t.Fatalf("the supervisor's children: %v; want its keeper", helpers)
	}
	for _, kill := range []error{
		syscall.Kill(helpers[0], syscall.SIGSTOP), cmd.Process.Kill(), syscall.Kill(helpers[0], syscall.SIGKILL),
	} {
		if kill != nil {
			t.Fatal(kill)
		}
	}
	_ = cmd.Wait() // killed
	eventually(t, "their keeper is dead", func() bool { return !alive(helpers[0]) })
	if !runsWith(marker) {
		t.Fatal("nothing is left, so there is nothing to sweep")
	}
	eventually(t, "it was swept", func() bool { // one sweep is bounded in time
		k, err := startKeeper()
		if err != nil {
			t.Fatal(err)
		}
		_ = k.child.signal(syscall.SIGKILL)
		<-k.dead.Done()
		k.hooks.Wait()
		return !runsWith(marker)
	})
	if _, ended := other.Exit(); ended {
		t.Error("a program of a living keeper was swept, too")
	}
}
