//go:build unix

package rundir

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func uid(fi fs.FileInfo) (uint32, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Uid, true
}

func owned(fi fs.FileInfo) bool {
	id, ok := uid(fi)
	return ok && id == uint32(os.Geteuid())
}

func rooted(fi fs.FileInfo) bool {
	id, ok := uid(fi)
	return ok && id == 0
}

func owner(fi fs.FileInfo) string {
	if id, ok := uid(fi); ok {
		return "user " + strconv.Itoa(int(id))
	}
	return "an unknown user"
}

// errLocked: somebody holds the lock.
var errLocked = errors.New("locked")

// lock takes the lock of f at once or not at all. The kernel gives it back
// when the last descriptor of this open file is closed, however we end.
func lock(f *os.File) error {
	err := control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

func unlock(f *os.File) error {
	return control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_UN) })
}

func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// alive reports whether there is a process of this number.
func alive(pid int) bool {
	return pid > 0 && !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

const supported = true

const noFollow = unix.O_NOFOLLOW
