//go:build unix

package main

import (
	"cmp"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// caughtAtOnce are the signals that are sent to end us. SIGTTIN and SIGTTOU are never caught: in the background we
// stop, as everybody does.
var caughtAtOnce = []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM}

// caughtAtTerminals are those that somebody may send by a key at once, or by what follows from it.
var caughtAtTerminals = []os.Signal{unix.SIGTSTP, unix.SIGCONT, unix.SIGWINCH}

// caughtLater are the others that do not simply happen to us; the real-time ones have a meaning that programs give
// them: docker stop sends systemd one.
func caughtLater() []os.Signal {
	all := []os.Signal{unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM}
	if runtime.GOOS == "linux" {
		for n := syscall.Signal(35); n <= 64; n++ { // 32 to 34 are the C library's and Go's
			all = append(all, n)
		}
	}
	return all
}

// ignoreBrokenPipe: a write to our stdout fails instead. Programs do not inherit it.
func ignoreBrokenPipe() { signal.Ignore(unix.SIGPIPE) }

func (f *foreground) handle(s os.Signal) {
	switch s {
	case unix.SIGWINCH:
		f.resize()
	case unix.SIGTSTP:
		f.suspend(false)
	case unix.SIGCONT:
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.resumed {
			f.resume()
		}
		f.resumed = false
	default:
		f.pass(s)
	}
}

// suspend stops the program, gives the terminal back and stops us, as the terminal's suspend key does to
// a job. It returns when somebody (fg, bg, kill -CONT) has continued us and the program goes on. By the
// key, when there is one to press it, the rest of our own job is stopped too: `spawnx run x | less`.
func (f *foreground) suspend(byKey bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signalGroup(unix.SIGSTOP)
	if f.terminal != nil {
		_ = f.terminal.Restore() // where it fails the terminal is gone
	}
	signal.Ignore(unix.SIGTSTP)
	if byKey {
		_ = unix.Kill(0, unix.SIGTSTP) // all but us
	}
	f.resumed = true
	stopUs()
	signal.Notify(f.signals, unix.SIGTSTP)
	f.resume()
}

// resume lets the program go on, with the terminal as it was. Called with mu held. A full-screen program
// does not know that the shell has written to the screen: SIGWINCH makes it paint.
func (f *foreground) resume() {
	if f.terminal != nil && inForeground() {
		_ = f.terminal.Raw() // where it fails the terminal is gone
	}
	f.resize()
	f.signalGroup(unix.SIGCONT)
	if f.terminal != nil {
		f.signalGroup(unix.SIGWINCH)
	}
}

// signalGroup signals the program's process group.
func (f *foreground) signalGroup(s syscall.Signal) {
	if p := f.program.Process(); p != nil {
		_ = p.SignalGroup(s) // it may have ended
	}
}

// inForeground reports whether our process group is the one that our terminal listens to. Another's
// setting of its modes would stop us.
func inForeground() bool {
	group, err := foregroundGroup()
	return err == nil && group == unix.Getpgrp()
}

// inBackground reports whether another process group of our session has the terminal: we are a job that a
// shell started with &.
func inBackground() bool {
	group, err := foregroundGroup()
	return err == nil && group != unix.Getpgrp()
}

func foregroundGroup() (group int, err error) {
	conn, err := os.Stdin.SyscallConn()
	if err != nil {
		return 0, err
	}
	cerr := conn.Control(func(fd uintptr) { group, err = unix.IoctlGetInt(int(fd), unix.TIOCGPGRP) })
	return group, cmp.Or(cerr, err)
}

// handedOver reports whether our launcher left us this descriptor. Those that this process opened itself are
// closed on exec. It must be asked before the first program is started, which marks all.
func handedOver(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}
