package ptyio

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Reopen opens the pipe or the fifo that f is once more, for reading
// (os.O_RDONLY) or writing (os.O_WRONLY), without blocking: a mode that belongs to
// this new description alone. Nil: it is no pipe, or another user's, or this is
// not Linux. The caller closes the File.
func Reopen(f *os.File, mode int) (own *File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	_ = lend(conn, func(fd int) error { // a closed file stays nil
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
			return nil // a master of a terminal would become another terminal
		}
		again, err := openAgain("/proc/self/fd/"+strconv.Itoa(fd), mode|unix.O_NONBLOCK|unix.O_CLOEXEC)
		if err == nil {
			own = newBareFile(again, f.Name())
		}
		return nil
	})
	return own
}
