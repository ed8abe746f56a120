//go:build unix

package ptyio

import (
	"os"

	"golang.org/x/sys/unix"
)

var (
	read  = unix.Read
	write = unix.Write
)

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

// Unread is how many bytes wait to be read from our end. On a terminal 0 is
// no proof that nothing comes: see ReadNow.
func (f *File) Unread() (n int, err error) {
	err = lend(f.conn, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, fionread)
		return os.NewSyscallError("ioctl", err)
	})
	return n, err
}

// Inode is the number by which /proc names a pipe, "pipe:[12345]": both ends
// have the same. It is 0 where it cannot be known.
func (f *File) Inode() uint64 {
	var st unix.Stat_t
	if err := lend(f.conn, func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return 0
	}
	return uint64(st.Ino)
}
