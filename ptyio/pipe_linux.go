package ptyio

import (
	"os"

	"golang.org/x/sys/unix"
)

// newPipe returns the ends of a pipe, both for programs, in the mode that they expect. os.Pipe would give them to the
// poller, and what a program gets would have to be opened again: three times the system calls.
func newPipe() (r, w *os.File, err error) {
	fds, err := pipe()
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// halfPipe returns a program's end of a pipe, and ours.
func halfPipe(programReads bool) (theirs *os.File, ours *File, err error) {
	fds, err := pipe()
	if err != nil {
		return nil, nil, err
	}
	its, own := fds[1], fds[0]
	if programReads {
		its, own = own, its
	}
	_ = unix.SetNonblock(own, true) // of a pipe of ours: cannot fail
	return os.NewFile(uintptr(its), "pipe"), newBareFile(own, "pipe"), nil
}

func pipe() (fds [2]int, err error) {
	err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return fds, os.NewSyscallError("pipe2", err)
}
