//go:build unix

package bridge

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// takeStdio makes pipes of descriptors 0 and 1: what is printed to 1 can be
// read from prints, what is written to reads can be read from 0. Their own ends
// block, as standard streams do; ours do not. back gives the process the
// descriptors it had.
func takeStdio() (prints, reads *os.File, back func() error, err error) {
	var pipes [4]int // 0: reading and writing end; 1: the same
	for i := range pipes {
		pipes[i] = -1
	}
	var saved [2]int
	defer func() {
		if err != nil {
			closeAll(append(pipes[:], saved[:]...)...)
		}
	}()
	for fd := range saved {
		saved[fd] = -1
	}
	for fd := range saved {
		if err = pipe(pipes[2*fd : 2*fd+2]); err != nil {
			return nil, nil, nil, os.NewSyscallError("pipe", err)
		}
		// A descriptor that is closed is restored as that.
		if saved[fd], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err != nil && !errors.Is(err, unix.EBADF) {
			return nil, nil, nil, os.NewSyscallError("fcntl", err)
		}
	}
	back = func() error { return errors.Join(putBack(saved[0], 0), putBack(saved[1], 1)) }
	if err = errors.Join(dup2(pipes[0], 0), dup2(pipes[3], 1)); err != nil {
		_ = back()
		return nil, nil, nil, os.NewSyscallError("dup2", err)
	}
	closeAll(pipes[0], pipes[3])
	_ = unix.SetNonblock(pipes[1], true) // fails for what is no descriptor
	_ = unix.SetNonblock(pipes[2], true)
	return os.NewFile(uintptr(pipes[2]), "|1"), os.NewFile(uintptr(pipes[1]), "|0"), back, nil
}

// pipe makes a pipe that children do not inherit, with both ends above the
// standard streams: 0 and 1 may be closed.
func pipe(ends []int) error {
	syscall.ForkLock.RLock() // no child is forked between opening and marking
	defer syscall.ForkLock.RUnlock()
	var low [2]int
	if err := unix.Pipe(low[:]); err != nil {
		return err
	}
	defer closeAll(low[0], low[1])
	for i, fd := range low {
		var err error
		if ends[i], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return err
		}
	}
	return nil
}

func putBack(saved, fd int) error {
	if saved < 0 {
		return unix.Close(fd)
	}
	defer closeAll(saved)
	return dup2(saved, fd)
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
