//go:build unix

package rundir_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/internal/rundir"
)

var heavy = flag.Bool("heavy", false, "the long versions")

// The test binary also plays a server: it claims a name, says so, and holds it until its input ends.
func TestMain(m *testing.M) {
	if name := os.Getenv("RUNDIR_TEST_CLAIM"); name != "" {
		if _, err := rundir.Take(name); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadByte()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inRuntimeDir makes a folder as the system gives it to a user.
func inRuntimeDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	return dir
}

func take(t *testing.T, name string) *rundir.Claim {
	t.Helper()
	c, err := rundir.Take(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func names(t *testing.T) string {
	t.Helper()
	all, err := rundir.List()
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, e := range all {
		state := "runs"
		if e.Exit != nil {
			state = string(e.Exit)
		}
		s = append(s, e.Name+" "+state)
	}
	return strings.Join(s, ", ")
}

func TestANameIsTakenOnce(t *testing.T) {
	dir := inRuntimeDir(t)
	c := take(t, "web")
	if want := filepath.Join(dir, "spawnx", "web"); c.Dir() != want || c.Name() != "web" {
		t.Errorf("%s in %s, want %s", c.Name(), c.Dir(), want)
	}
	_, err := rundir.Take("web")
	var taken *rundir.TakenError
	if !errors.As(err, &taken) || taken.PID != os.Getpid() {
		t.Errorf("a second claim: %v, want a TakenError with pid %d", err, os.Getpid())
	}
	if got := names(t); got != "web runs" {
		t.Errorf("list: %s", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if got := names(t); got != "" {
		t.Errorf("after the end: %s", got)
	}
	if _, err := rundir.Find("web"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("find after the end: %v", err)
	}
	take(t, "web")
}

// One of many that want a name gets it, however often looks come between.
func TestOneOfManyGetsTheName(t *testing.T) {
	inRuntimeDir(t)
	rounds := 20
	if *heavy {
		rounds = 2000
	}
	for range rounds {
		var got, lost atomic.Int32
		var all sync.WaitGroup
		claims := make(chan *rundir.Claim, 8)
		for range 8 {
			all.Go(func() {
				c, err := rundir.Take("x")
				var taken *rundir.TakenError
				switch {
				case err == nil:
					got.Add(1)
					claims <- c
				case errors.As(err, &taken):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
			all.Go(func() {
				if _, err := rundir.List(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 || lost.Load() != 7 {
			t.Fatalf("%d got the name, %d did not", got.Load(), lost.Load())
		}
		if err := (<-claims).Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The folder of the session may go at any moment, and not come back: a name is then taken elsewhere.
func TestTheFolderVanishesMeanwhile(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for i := range 200 {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("XDG_RUNTIME_DIR", dir)
		taken := make(chan error, 1)
		go func() {
			c, err := rundir.Take("web")
			if err == nil {
				_ = c.Close() // where it was, nothing may be left
			}
			taken <- err
		}()
		for range i * 10 {
			runtime.Gosched()
		}
		if err := os.RemoveAll(dir); err != nil { // somebody makes something there just now
			_ = os.RemoveAll(dir)
		}
		select {
		case <-taken: // also with an error: it was there a moment ago
		case <-time.After(30 * time.Second):
			t.Fatal("it does not return")
		}
	}
}

func TestADeadServerIsNotInTheWay(t *testing.T) {
	inRuntimeDir(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RUNDIR_TEST_CLAIM=web")
	in, _ := cmd.StdinPipe()
	defer in.Close()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, err := rundir.Take("web")
	var taken *rundir.TakenError
	if !errors.As(err, &taken) || taken.PID != cmd.Process.Pid {
		t.Errorf("while it lives: %v, want a TakenError with pid %d", err, cmd.Process.Pid)
	}
	e, err := rundir.Find("web")
	if err != nil || e.PID != cmd.Process.Pid {
		t.Errorf("found %+v, %v", e, err)
	}
	left := filepath.Join(e.Dir, "control")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if _, err := rundir.Find("web"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("found after its death: %v", err)
	}
	c := take(t, "web")
	if _, err := os.Stat(filepath.Join(c.Dir(), "control")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a leftover is still there")
	}
}

func TestTheStatusIsKeptUntilCollected(t *testing.T) {
	inRuntimeDir(t)
	c := take(t, "job")
	if _, err := rundir.Collect("job"); err == nil {
		t.Error("a status was collected while it runs")
	}
	for _, end := range []error{c.Ended([]byte("3")), c.Close(), c.Close()} {
		if end != nil {
			t.Fatal(end)
		}
	}
	if got := names(t); got != "job 3" {
		t.Errorf("list: %s", got)
	}
	status, err := rundir.Collect("job")
	if err != nil || string(status) != "3" {
		t.Errorf("collected %q, %v", status, err)
	}
	if _, err := rundir.Collect("job"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("collected again: %v", err)
	}
	if got := names(t); got != "" {
		t.Errorf("list after that: %s", got)
	}
}

// A kept status never blocks its name, and who still serves what has ended
// takes nothing from the next.
func TestAKeptStatusDoesNotBlockTheName(t *testing.T) {
	inRuntimeDir(t)
	old := take(t, "job")
	if err := old.Ended([]byte("3")); err != nil {
		t.Fatal(err)
	}
	c := take(t, "job")
	socket := filepath.Join(c.Dir(), "control")
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := names(t); got != "job runs" {
		t.Errorf("list: %s", got)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(socket); err != nil {
		t.Errorf("the end of the old one: %v", err)
	}
	if err := c.Ended([]byte("4")); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if status, err := rundir.Collect("job"); string(status) != "4" || err != nil {
		t.Errorf("collected %q, %v", status, err)
	}
}

func TestWhatIsNotSafeIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, dir string)
		want string
	}{
		{"open to the group", func(t *testing.T, dir string) { mkdir(t, dir, 0o750) }, "others may use it (its mode is 0750)"},
		{"a link", func(t *testing.T, dir string) {
			other := t.TempDir()
			if err := os.Symlink(other, dir); err != nil {
				t.Fatal(err)
			}
		}, "it is a symbolic link"},
		{"a file", func(t *testing.T, dir string) {
			if err := os.WriteFile(dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "it is no folder"},
		{"another's", func(t *testing.T, dir string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a folder away")
			}
			mkdir(t, dir, 0o700)
			if err := os.Chown(dir, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}, "it belongs to user 65534"},
		{"in a place where others may replace it", func(t *testing.T, dir string) {
			mkdir(t, dir, 0o700)
			if err := os.Chmod(filepath.Dir(dir), 0o777); err != nil {
				t.Fatal(err)
			}
		}, "others may replace what lies in it (its mode is 0777)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(inRuntimeDir(t), "spawnx")
			tt.make(t, dir)
			_, err := rundir.Take("web")
			var unsafe *rundir.UnsafeError
			if !errors.As(err, &unsafe) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func mkdir(t *testing.T, dir string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
		t.Fatal(err)
	}
}

// Whatever the umask is, the folders are for the user alone, and usable.
func TestTheUmaskDoesNotMatter(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		dir := inRuntimeDir(t)
		old := syscall.Umask(mask)
		c, err := rundir.Take("web")
		syscall.Umask(old)
		if err != nil {
			t.Fatalf("umask %04o: %v", mask, err)
		}
		for _, dir := range []string{filepath.Join(dir, "spawnx"), c.Dir()} {
			if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
				t.Errorf("umask %04o: %v, %v", mask, fi, err)
			}
		}
		c.Close()
	}
}

func TestWhereTheFolderIs(t *testing.T) {
	home := t.TempDir()
	state := t.TempDir()
	for _, tt := range []struct{ name, runtime, state, home, want string }{
		{"no runtime folder", "", state, home, filepath.Join(state, "spawnx", "run")},
		{"one that is gone", "/nonexistent", state, home, filepath.Join(state, "spawnx", "run")},
		{"a relative one", "run", state, home, filepath.Join(state, "spawnx", "run")},
		{"no state folder", "", "", home, filepath.Join(home, ".local", "state", "spawnx", "run")},
		{"a home that is not there", "", "", filepath.Join(home, "none"), ""},
		{"no home", "", "", "", filepath.Join(os.TempDir(), fmt.Sprintf("spawnx-%d", os.Geteuid()), "run")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("XDG_RUNTIME_DIR", tt.runtime)
			t.Setenv("XDG_STATE_HOME", tt.state)
			t.Setenv("HOME", tt.home)
			if _, err := os.Stat(tt.home); err != nil {
				t.Setenv("TMPDIR", sticky(t))
				tt.want = filepath.Join(os.TempDir(), fmt.Sprintf("spawnx-%d", os.Geteuid()), "run")
			}
			if got, err := rundir.Root(); got != tt.want || err != nil {
				t.Errorf("%s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// sticky makes a folder as /tmp is.
func sticky(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"web": true, "Web_2-x": true, "7": true, strings.Repeat("x", 64): true,
		"": false, "a.b": false, "..": false, "a/b": false, "a b": false, "-x": false, "ä": false, "a\n": false,
		strings.Repeat("x", 65): false,
	} {
		if err := rundir.CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if !ok {
			if _, err := rundir.Take(name); err == nil {
				t.Errorf("%q could be claimed", name)
			}
		}
	}
}

func ExampleTake() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	os.Setenv("XDG_RUNTIME_DIR", dir)
	c, err := rundir.Take("web")
	fmt.Println(err)
	_, err = rundir.Take("web")
	fmt.Println(errors.As(err, new(*rundir.TakenError)))
	c.Ended([]byte("exit status 3"))
	c.Close()
	status, err := rundir.Collect("web")
	fmt.Printf("%s %v\n", status, err)
	// Output:
	// <nil>
	// true
	// exit status 3 <nil>
}
