package fifo

import "golang.org/x/sys/unix"

// MaxLine is how many bytes go out in one piece, whoever else writes (PIPE_BUF).
const MaxLine = 4096

const fionread = unix.TIOCINQ // FIONREAD

// capacity is how much the pipe can hold at most. Anybody may have changed it.
func (f *File) capacity() (n int) {
	r, _ := f.ends()
	_ = lend(r, func(fd int) (err error) {
		n, err = unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
		return err
	})
	return max(n, MaxLine)
}
