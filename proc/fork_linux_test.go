package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a child is given and what it inherits, in each way that it is made.
func TestWhatAChildBeginsWith(t *testing.T) {
	forkWays(t, func(t *testing.T, way string) {
		dir := t.TempDir()
		for _, c := range []struct {
			name, script, want string
			change             func(s *Spec)
		}{
			{"session", `read -r _ _ _ _ pgrp sid _ </proc/$$/stat; [ "$pgrp $sid" = "$$ $$" ] && echo leads`, "leads\n", nil},
			{"terminal", `test -t 0 && test -t 2 && test "$(ps -o tty= -p $$)" = "$(tty | cut -c6-)" && echo its own`, "its own\n",
				func(s *Spec) { s.Stdio = PTY }},
			{"folder", "pwd -P", must(filepath.EvalSymlinks(dir)) + "\n", func(s *Spec) { s.Dir = dir }},
			{"environment", `echo "$A"`, "b c\n", func(s *Spec) { s.Env = append(os.Environ(), "A=b c") }},
			{"user", "id -u; id -g; id -G", "65534\n65533\n65533 7 8\n", func(s *Spec) {
				s.Credential = &Credential{UID: 65534, GID: 65533, Groups: []uint32{7, 8}}
			}},
		} {
			if c.name == "user" && os.Geteuid() != 0 {
				continue
			}
			s := sh(Pipes, c.script)
			if c.change != nil {
				c.change(&s)
			}
			if got := mustOutput(t, s); got != c.want {
				t.Errorf("%s: %q; want %q", c.name, got, c.want)
			}
		}
	})
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

// Files that lie where others are to lie, and one file at several places.
func TestFilesInEachOthersPlaces(t *testing.T) {
	forkWays(t, func(t *testing.T, way string) {
		var pipes [4]struct{ r, w *os.File }
		for i := range pipes {
			var err error
			if pipes[i].r, pipes[i].w, err = os.Pipe(); err != nil {
				t.Fatal(err)
			}
			defer pipes[i].r.Close()
			defer pipes[i].w.Close()
		}
		files := []*os.File{pipes[2].w, pipes[0].w, pipes[3].w, pipes[1].w, pipes[0].w}
		p := start(t, sh(Pipes, "for n in 3 4 5 6 7; do echo $n >&$n; done; ls /proc/self/fd | tr '\\n' ' '"), files...)
		out, err := io.ReadAll(p.Stdio().Out)
		if err != nil {
			t.Fatal(err)
		}
		if want := "0 1 2 3 4 5 6 7 8 "; string(out) != want { // 8 is the folder that ls reads
			t.Errorf("the child has %q; want %q", out, want)
		}
		for i, want := range []string{"4\n7\n", "6\n", "3\n", "5\n"} {
			_ = pipes[i].w.Close()
			if got, err := io.ReadAll(pipes[i].r); string(got) != want || err != nil {
				t.Errorf("pipe %d: %q, %v; want %q", i, got, err, want)
			}
		}
	})
}

// A child that cannot become its program is an error of Start, and leaves nothing.
func TestChildrenThatBecomeNoProgram(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "binary", "\x7fELF nonsense", 0o755)
	forkWays(t, func(t *testing.T, way string) {
		fds, children := len(descriptorsHere(t)), childrenHere(t)
		for _, c := range []struct {
			s    Spec
			want error
		}{
			{Spec{Args: []string{dir + "/binary"}}, syscall.ENOEXEC},
			{Spec{Args: []string{"true", strings.Repeat("x", 1<<17)}}, syscall.E2BIG},
			{Spec{Args: []string{"true"}, Credential: &Credential{UID: 1<<32 - 1}}, syscall.EINVAL},
		} {
			c.s.Stdio = Pipes
			if p, err := Start(context.Background(), c.s); err == nil || !errors.Is(err, c.want) && os.Geteuid() == 0 {
				t.Errorf("%.30q: %v, %v; want %v", c.s.Args, p, err, c.want)
			}
		}
		if now := childrenHere(t); now != children {
			t.Errorf("the children are %q and were %q", now, children)
		}
		if now := len(descriptorsHere(t)); now > fds {
			t.Errorf("%d descriptors are left of %d", now, fds)
		}
	})
}

func descriptorsHere(t *testing.T) []os.DirEntry {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// childrenHere are those of all our threads, unreaped ones, too.
func childrenHere(t *testing.T) (all string) {
	threads, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range threads {
		text, _ := os.ReadFile(name) // a thread may end meanwhile
		all += string(text)
	}
	return all
}

// A program has the limit of open files that we were started with, not what Go made of it, or what we have chosen since.
func TestLimitOfOpenFiles(t *testing.T) {
	forkWays(t, func(t *testing.T, way string) {
		for _, c := range []struct{ host, want string }{
			{"report-limit", "1024 4096\n"},
			{"choose-limit", "512 2048\n"},
		} {
			args := append([]string{"prlimit", "--nofile=1024:4096"}, host(t, c.host)...)
			if got := mustOutput(t, Spec{Args: args, Env: append(hostEnv(), "TEST_FORK="+way), Stdio: Pipes}); got != c.want {
				t.Errorf("%s: %q; want %q", c.host, got, c.want)
			}
		}
	})
}

func reportLimit([]string) error {
	out, err := output(context.Background(), Spec{Args: []string{"bash", "-c", "echo $(ulimit -Sn) $(ulimit -Hn)"}, Stdio: Pipes})
	fmt.Print(out)
	return err
}

func chooseLimit([]string) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 512, Max: 2048}); err != nil {
		return err
	}
	return reportLimit(nil)
}

// Nobody is made while somebody holds the lock who has a descriptor yet to mark, and many forks at once do not keep him
// from it for ever.
func TestForksAtOnce(t *testing.T) {
	forkWays(t, func(t *testing.T, way string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for ctx.Err() == nil {
					s := Spec{Args: []string{"ls", "/proc/self/fd"}, Stdio: Pipes}
					if out, err := output(context.Background(), s); out != "0\n1\n2\n3\n" || err != nil {
						t.Errorf("%q, %v", out, err)
						return
					}
				}
			})
		}
		for range 50 {
			syscall.ForkLock.RLock()
			var p [2]int
			if err := unix.Pipe2(p[:], 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond) // for a fork that must not begin
			unix.CloseOnExec(p[0])
			unix.CloseOnExec(p[1])
			syscall.ForkLock.RUnlock()
			_, _ = unix.Close(p[0]), unix.Close(p[1])
		}
		cancel()
		all.Wait()
	})
}
