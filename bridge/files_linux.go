package bridge

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// reopened opens what a descriptor leads to once more, without blocking: a mode
// that belongs to this new description alone. Only pipes can be so opened; a
// master of a terminal would become another terminal. Nil: it cannot be.
func reopened(f *os.File, mode int) (own *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	_ = conn.Control(func(fd uintptr) { // a closed file stays nil
		var st unix.Stat_t
		if unix.Fstat(int(fd), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
			return
		}
		own, err = os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), mode|unix.O_NONBLOCK, 0)
		if err != nil {
			own = nil // another user's pipe
		}
	})
	return own
}
