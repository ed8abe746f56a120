//go:build linux

package diag

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A rig is a program on a terminal or on pipes, held as bridge holds it.
type rig struct {
	t       testing.TB
	cmd     *exec.Cmd
	in, out *os.File // on a terminal both are the master
	slave   *os.File // nil on pipes
	tty     string
	inPipe  uint64
	outPipe uint64
	seen    strings.Builder
}

// onTerminal starts a program on a terminal of its own.
func onTerminal(t testing.TB, args ...string) *rig {
	t.Helper()
	master, slave, err := pty.Open()
	check(t, err)
	check(t, pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}))
	r := &rig{t: t, slave: slave, tty: slave.Name()}
	r.in = nonblocking(t, master)
	r.out = r.in
	r.cmd = exec.Command(args[0], args[1:]...)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = slave, slave, slave
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	r.start()
	return r
}

// onPipes starts a program on pipes, errors included in the output.
func onPipes(t testing.TB, args ...string) *rig {
	t.Helper()
	return pipesOfCommand(t, exec.Command(args[0], args[1:]...))
}

func pipesOfCommand(t testing.TB, cmd *exec.Cmd) *rig {
	t.Helper()
	theirIn, in, err := os.Pipe()
	check(t, err)
	out, theirOut, err := os.Pipe()
	check(t, err)
	r := &rig{t: t, cmd: cmd, in: in, inPipe: inode(t, in), outPipe: inode(t, out)}
	r.out = nonblocking(t, out)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = theirIn, theirOut, theirOut
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r.start()
	check(t, errors.Join(theirIn.Close(), theirOut.Close()))
	return r
}

// nonblocking makes a descriptor that the runtime did not set to blocking.
func nonblocking(t testing.TB, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	check(t, err)
	check(t, errors.Join(unix.SetNonblock(fd, true), f.Close()))
	return os.NewFile(uintptr(fd), f.Name())
}

func inode(t testing.TB, f *os.File) uint64 {
	t.Helper()
	info, err := f.Stat()
	check(t, err)
	return info.Sys().(*syscall.Stat_t).Ino
}

func (r *rig) start() {
	r.t.Helper()
	if r.cmd.Env == nil {
		r.cmd.Env = environment(r.t)
	}
	check(r.t, r.cmd.Start())
	r.t.Cleanup(r.end)
}

// environment is the same on every machine: PYTHONUNBUFFERED, say, would change what is tested.
func environment(t testing.TB) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "PS1=$ ",
		"HISTFILE=/dev/null", "LESSHISTFILE=-", "NODE_REPL_HISTORY=", "PYTHONDONTWRITEBYTECODE=1",
	}
}

// end kills the whole session.
func (r *rig) end() {
	for _, pid := range treeOf(r.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone
	}
	_ = r.cmd.Wait() // killed
	_ = r.in.Close()
	if r.out != r.in {
		_ = r.out.Close()
	}
	if r.slave != nil {
		_ = r.slave.Close()
	}
}

// lanes is what bridge would say.
func (r *rig) lanes() Lanes {
	r.t.Helper()
	l := Lanes{PID: r.cmd.Process.Pid, TTY: r.tty, InputPipe: r.inPipe, OutputPipe: r.outPipe, Unread: -1, Untaken: -1}
	if r.slave != nil {
		termios, err := unix.IoctlGetTermios(int(r.slave.Fd()), unix.TCGETS)
		check(r.t, err)
		l.ModeKnown, l.Echo, l.Canonical = true, termios.Lflag&unix.ECHO != 0, termios.Lflag&unix.ICANON != 0
		l.Timed = !l.Canonical && (termios.Cc[unix.VTIME] != 0 || termios.Cc[unix.VMIN] == 0)
		l.Foreground, err = r.control(r.in, unix.TIOCGPGRP)
		check(r.t, err)
	}
	if n, err := r.control(r.out, unix.TIOCINQ); err == nil {
		l.Unread = n
	}
	if r.slave == nil {
		if n, err := r.control(r.in, unix.TIOCINQ); err == nil {
			l.Untaken = n
		}
	}
	return l
}

func (r *rig) control(f *os.File, request uint) (n int, err error) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	err2 := c.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), request) })
	return n, errors.Join(err, err2)
}

// taken says whether no input waits for the program.
func (r *rig) taken() bool {
	if r.slave == nil {
		n, err := r.control(r.in, unix.TIOCINQ)
		return err == nil && n == 0
	}
	p := []unix.PollFd{{Fd: int32(r.slave.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 0
}

// flush reads what there is.
func (r *rig) flush() (got bool, err error) {
	c, err := r.out.SyscallConn()
	if err != nil {
		return false, err
	}
	buf := make([]byte, 65536)
	err2 := c.Read(func(fd uintptr) bool {
		for {
			n, e := unix.Read(int(fd), buf)
			switch {
			case e == unix.EINTR:
				continue
			case e == unix.EAGAIN:
				return true
			case e != nil || n == 0:
				err = io.EOF
				return true
			}
			got = true
			r.seen.Write(buf[:n])
		}
	})
	return got, errors.Join(err, err2)
}

func (r *rig) waiting() Evidence { return Waiting(r.lanes(), r.taken, r.flush) }

func (r *rig) send(s string) {
	r.t.Helper()
	_, err := io.WriteString(r.in, s)
	check(r.t, err)
}

// until polls for a condition; the test ends when it does not come.
func until[T any](t testing.TB, what string, look func() (T, bool)) T {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for try := 0; ; try++ {
		v, ok := look()
		if ok {
			return v
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20s; last %+v", what, v)
		}
		if try > 100 {
			time.Sleep(time.Millisecond) // the interval of polling, no wait for a state
		}
	}
}

// proved waits until the program is proved to wait.
func (r *rig) proved() Evidence {
	r.t.Helper()
	return until(r.t, "proof", func() (Evidence, bool) {
		ev := r.waiting()
		return ev, ev.Proved()
	})
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
