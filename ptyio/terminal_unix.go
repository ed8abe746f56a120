//go:build unix

package ptyio

import (
	"os"

	"golang.org/x/sys/unix"
)

// control calls do with a descriptor of the terminal: the slave, whose
// settings these are, or once it is released our own end, which on Linux gives
// the same answers.
func (t *Terminal) control(do func(fd int) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slave != nil {
		return withFd(t.slave, do)
	}
	return t.master.lend(do)
}

// Resize gives the terminal another size; the foreground group is told by
// SIGWINCH if it differs. Zero rows or columns mean 24 and 80.
func (t *Terminal) Resize(size Size) error {
	if err := size.check(); err != nil {
		return err
	}
	size = size.OrDefault()
	ws := &unix.Winsize{Row: uint16(size.Rows), Col: uint16(size.Cols)}
	return t.control(func(fd int) error {
		return os.NewSyscallError("ioctl", unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, ws))
	})
}

// Size is the terminal's present size.
func (t *Terminal) Size() (size Size, err error) {
	err = t.control(func(fd int) (err error) {
		size, err = getSize(fd)
		return os.NewSyscallError("ioctl", err)
	})
	return size, err
}

func getSize(fd int) (Size, error) {
	ws, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return Size{}, err
	}
	return Size{int(ws.Row), int(ws.Col)}, nil
}

// Foreground is the process group that the terminal's keys reach; 0 when
// there is none.
func (t *Terminal) Foreground() (pgid int, err error) {
	// Asked of our end: of the slave only those may ask whose controlling
	// terminal it is (ENOTTY).
	err = t.master.lend(func(fd int) (err error) {
		pgid, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return os.NewSyscallError("ioctl", err)
	})
	return pgid, err
}

// Mode is what the terminal does at the moment; programs change it at will.
func (t *Terminal) Mode() (mode Mode, err error) {
	err = t.control(func(fd int) error {
		termios, err := unix.IoctlGetTermios(fd, getTermios)
		if err == nil {
			mode = modeOf(termios)
		}
		return os.NewSyscallError("ioctl", err)
	})
	return mode, err
}

// SetMode changes what Mode holds and leaves the rest as it is. A program that
// changes its terminal at the same moment may win.
func (t *Terminal) SetMode(mode Mode) error {
	return t.control(func(fd int) error {
		termios, err := unix.IoctlGetTermios(fd, getTermios)
		if err == nil {
			mode.apply(termios)
			err = unix.IoctlSetTermios(fd, setTermios, termios)
		}
		return os.NewSyscallError("ioctl", err)
	})
}

// Taken reports whether the program has taken all the input that it could. It
// asks by poll on the slave, which, other than FIONREAD, also pushes on what
// is still on its way through the kernel (n_tty_poll). A line that was begun
// and not ended is not there yet for a program that reads by lines. It is
// false once the slave was released.
func (t *Terminal) Taken() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slave == nil {
		return false
	}
	taken := false
	err := withFd(t.slave, func(fd int) error {
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			if err != unix.EINTR { // the runtime's own signals do that, also to a poll that does not wait
				taken = n == 0
				return err
			}
		}
	})
	return err == nil && taken
}
