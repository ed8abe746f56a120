//go:build unix

package ptyio

import (
	"os"

	"golang.org/x/sys/unix"
)

func newTerminal(master *File, slave *os.File) (*Terminal, error) {
	return &Terminal{master: master, slave: slave, name: slave.Name()}, nil
}

// control calls f with a descriptor of the terminal: the slave, whose
// settings these are, or on Linux, where it gives the same answers, our own
// end once the slave is released.
func (t *Terminal) control(f func(fd int) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	conn := t.master.conn
	if t.slave != nil {
		c, err := t.slave.SyscallConn()
		if err != nil {
			return err
		}
		conn = c
	}
	var err error
	if cerr := conn.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return os.NewSyscallError("ioctl", err)
}

// Resize gives the terminal another size; the foreground group is told by
// SIGWINCH. Zero rows or columns mean 24 and 80.
func (t *Terminal) Resize(size Size) error {
	size = size.OrDefault()
	if err := size.check(); err != nil {
		return err
	}
	ws := &unix.Winsize{Row: uint16(size.Rows), Col: uint16(size.Cols)}
	return t.control(func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, ws) })
}

// Size is the terminal's present size.
func (t *Terminal) Size() (size Size, err error) {
	err = t.control(func(fd int) (err error) {
		size, err = getSize(fd)
		return err
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

// Foreground is the process group that the terminal's keys reach.
func (t *Terminal) Foreground() (pgid int, err error) {
	err = t.control(func(fd int) (err error) {
		pgid, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
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
		return err
	})
	return mode, err
}

// SetMode changes what Mode holds and leaves the rest as it is.
func (t *Terminal) SetMode(mode Mode) error {
	return t.control(func(fd int) error {
		termios, err := unix.IoctlGetTermios(fd, getTermios)
		if err != nil {
			return err
		}
		mode.apply(termios)
		return unix.IoctlSetTermios(fd, setTermios, termios)
	})
}
