//go:build unix

package ptyio

import (
	"os"

	"golang.org/x/sys/unix"
)

func read(fd uintptr, p []byte) (int, error)  { return unix.Read(int(fd), p) }
func write(fd uintptr, p []byte) (int, error) { return unix.Write(int(fd), p) }

// own makes a descriptor of ours that never blocks out of f, which is closed.
// It must be made non-blocking before it becomes an *os.File, or the poller
// does not take it.
func own(f *os.File) (*File, error) {
	defer f.Close()
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	cerr := conn.Control(func(old uintptr) {
		if fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			err = unix.SetNonblock(fd, true)
		}
	})
	if cerr != nil {
		err = cerr
	}
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return nil, os.NewSyscallError("fcntl", err)
	}
	return newFile(os.NewFile(uintptr(fd), f.Name()))
}

// Unread is how many bytes wait to be read from our end. On a terminal 0 is
// no proof that nothing comes: see ReadNow.
func (f *File) Unread() (n int, err error) {
	if cerr := f.conn.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), fionread) }); cerr != nil {
		return 0, cerr
	}
	return n, os.NewSyscallError("ioctl", err)
}
