//go:build unix && !linux

package ptyio

import (
	"errors"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// openPTY opens a terminal: our end, which never blocks, and the slave, which
// does, as programs expect.
func openPTY() (*File, *os.File, error) {
	master, slave, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) {
		return nil, nil, ErrUnsupported
	}
	if err != nil {
		return nil, nil, openError(err)
	}
	ours, err := nonblocking(master)
	if err != nil {
		slave.Close()
		return nil, nil, openError(err)
	}
	theirs, err := blocking(slave)
	if err != nil {
		ours.Close()
		return nil, nil, openError(err)
	}
	return ours, theirs, nil
}

// nonblocking makes a File out of f, which it closes.
func nonblocking(f *os.File) (*File, error) {
	dup, err := reopen(f, true)
	if err != nil {
		return nil, err
	}
	return newFile(dup)
}

// blocking returns f in the mode that programs expect of their standard
// streams, and closes f itself. (Package os makes what it opens non-blocking.)
func blocking(f *os.File) (*os.File, error) { return reopen(f, false) }

// reopen gives f, which it closes, a new descriptor and a mode. The mode must
// be set before the descriptor becomes an *os.File: by it os.NewFile decides
// whether the poller takes the file.
func reopen(f *os.File, nonblock bool) (*os.File, error) {
	defer f.Close()
	dup := -1
	err := withFd(f, func(fd int) (err error) {
		dup, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(dup, nonblock); err != nil {
		unix.Close(dup)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(dup), f.Name()), nil
}
