//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/procfs"
	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
)

// spec is a program of ours on these streams, marked.
func (t *T) spec(kind proc.Stdio, args ...string) proc.Spec {
	return proc.Spec{Args: args, Stdio: kind, Env: testprog.Env(t.Mark)}
}

func (t *T) sh(kind proc.Stdio, script string) proc.Spec { return t.spec(kind, "sh", "-c", script) }

// command is the same without spawnx.
func (t *T) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t, args[0], args[1:]...)
	cmd.Env = testprog.Env(t.Mark)
	return cmd
}

// start starts a program; end ends it.
func (t *T) start(s proc.Spec) (b *bridge.Bridge, end func()) {
	b, err := bridge.Start(t, s)
	t.Must(err)
	return b, func() { _ = b.Close() }
}

// lines reads a reader by lines.
func (t *T) lines(r io.Reader) func() string {
	in := bufio.NewReader(r)
	return func() string {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("reading a line: %v after %.100q", err, line)
		}
		return strings.TrimRight(line, "\r\n")
	}
}

// eventually waits for a condition that nothing tells of, and reports whether it came within the time.
func (t *T) eventually(within time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(within); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) || t.Err() != nil {
			return holds()
		}
	}
	return true
}

// marked returns the living processes that have the mark in their environment.
func marked(mark string) (pids []int) {
	all, _ := procfs.PIDs()
	for _, pid := range all {
		env, err := procfs.Environ(pid)
		if err != nil || pid == os.Getpid() || !slices.Contains(env, mark) {
			continue
		}
		if st, err := procfs.ReadStat(pid); err == nil && st.State != procfs.Zombie {
			pids = append(pids, pid)
		}
	}
	return pids
}

func killMarked(mark string) {
	for range 100 {
		pids := marked(mark)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(time.Millisecond)
	}
}

// names says who these are.
func names(pids []int) string {
	var all []string
	for _, pid := range pids {
		args, _ := procfs.Args(pid)
		all = append(all, fmt.Sprintf("%d %.60q", pid, args))
	}
	return strings.Join(all, ", ")
}

func alive(pid int) bool {
	st, err := procfs.ReadStat(pid)
	return err == nil && st.State != procfs.Zombie
}

// descriptors counts those of a process.
func descriptors(pid int) int {
	names, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	return len(names)
}

// zombies counts the children of a process that nobody collects.
func zombies(parent int) (n int) {
	pids, _ := procfs.PIDs()
	for _, pid := range pids {
		if st, err := procfs.ReadStat(pid); err == nil && st.Parent == parent && st.State == procfs.Zombie {
			n++
		}
	}
	return n
}

// status is how a command ended, as a shell counts.
func status(err error) int {
	var ee *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ee):
		if ws := ee.Sys().(syscall.WaitStatus); ws.Signaled() {
			return 128 + int(ws.Signal())
		}
		return ee.ExitCode()
	}
	return -1
}

// grep returns the files below dir that hold one of these.
func grep(dir string, needles ...string) (found []string) {
	_ = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		for _, needle := range needles {
			if err == nil && bytes.Contains(data, []byte(needle)) {
				found = append(found, path)
				break
			}
		}
		return nil
	})
	return found
}

// tree says the numbers of eight processes, each of which is hard to end in another way.
const tree = `
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

// daemon has left its session and its parent, and ignores what can be ignored.
const daemon = `(setsid sh -c 'trap "" TERM HUP; while :; do sleep 600; done' &)`

// command is the command line of a process.
func command(pid int) string {
	args, _ := procfs.Args(pid)
	return strings.Join(args, " ")
}

// reachable is a command line of ours with a copy of our binary, which may lie where another user cannot reach it.
func (t *T) reachable(args []string) []string {
	t.Must(os.Chmod(t.Dir, 0o755))
	data, err := os.ReadFile("/proc/self/exe")
	t.Must(err)
	exe := filepath.Join(t.Dir, "copy")
	t.Must(os.WriteFile(exe, data, 0o755))
	return append([]string{exe}, args[1:]...)
}

// namespaces is the command that does nothing in new namespaces, of which an ordinary user may have its own.
func namespaces(flags ...string) func() []string {
	return func() []string {
		words := append([]string{"unshare"}, flags...)
		if os.Geteuid() != 0 {
			words = append(words, "-r")
		}
		return append(words, "true")
	}
}
