package ptyio

import (
	"os"

	"golang.org/x/sys/unix"
)

// newPipe returns the ends of a pipe, in the mode that a program expects where it is to get one. os.Pipe would give both to
// the poller, and what a program gets would have to be opened again: three times the system calls.
func newPipe(programReads, programWrites bool) (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	file := func(fd int, blocks bool) *os.File {
		if !blocks {
			_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_NONBLOCK) // of a pipe of ours: cannot fail
		}
		return os.NewFile(uintptr(fd), "pipe")
	}
	return file(fds[0], programReads), file(fds[1], programWrites), nil
}
