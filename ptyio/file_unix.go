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

// Unread is how many bytes wait to be read from our end. On a terminal 0 is
// no proof that nothing comes: see ReadNow.
func (f *File) Unread() (n int, err error) {
	err = f.lend(func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, fionread)
		return os.NewSyscallError("ioctl", err)
	})
	return n, err
}

// Inode is the number by which /proc names a pipe, "pipe:[12345]": both ends
// have the same. It is 0 where it cannot be known.
func (f *File) Inode() uint64 {
	var st unix.Stat_t
	if err := f.lend(func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return 0
	}
	return uint64(st.Ino)
}
