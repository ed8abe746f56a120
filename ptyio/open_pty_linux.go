package ptyio

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// openPTY opens a terminal: our end, which never blocks, and the slave, which
// does, as programs expect. See pts(4).
//
// creack/pty, which opens them elsewhere, opens both through package os: the
// poller takes both, is woken for each, and both have to be opened again to be
// in the right mode. That was a fifth of the time of a start.
func openPTY() (*File, *os.File, error) {
	master, err := openAgain("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC)
	if err != nil {
		return nil, nil, openError(&os.PathError{Op: "open", Path: "/dev/ptmx", Err: err})
	}
	slave, err := openSlave(master)
	if err != nil {
		unix.Close(master)
		return nil, nil, openError(err)
	}
	return newBareFile(master, "/dev/ptmx"), slave, nil
}

// openSlave unlocks the other side of a master and opens it.
func openSlave(master int) (*os.File, error) {
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return nil, os.NewSyscallError("ioctl", err)
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return nil, os.NewSyscallError("ioctl", err)
	}
	name := "/dev/pts/" + strconv.Itoa(n)
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	// Without a look at the file system, where it is known (Linux 4.13).
	slave, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, flags)
	if errno != 0 {
		fd, err := openAgain(name, flags)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
		slave = uintptr(fd)
	}
	return os.NewFile(slave, name), nil // in blocking mode: the poller does not take it
}

// openAgain opens a device, also when a signal comes between.
func openAgain(name string, flags int) (int, error) {
	for {
		fd, err := unix.Open(name, flags, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
