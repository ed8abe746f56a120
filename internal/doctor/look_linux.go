package doctor

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/internal/procfs"
)

func (f *Facts) ask() {
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		f.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	if fd, err := unix.PidfdOpen(os.Getpid(), 0); err == nil {
		f.Pidfd = true
		const pidfdGroup = 1 << 2 // PIDFD_SIGNAL_PROCESS_GROUP of linux/pidfd.h; signal 0 goes to nobody
		err := unix.PidfdSendSignal(fd, 0, nil, pidfdGroup)
		f.PidfdGroup = !errors.Is(err, unix.EINVAL)
		_ = unix.Close(fd)
	}
	_, err := procfs.ReadStat(os.Getpid())
	f.Proc = err == nil
	if f.Proc {
		_, err := procfs.ReadStat(1)
		f.Hidden = errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
	}
	f.Yama = procfs.Yama()
	f.TerminalsUsed, _ = number("/proc/sys/kernel/pty/nr")
	f.TerminalsMost, _ = number("/proc/sys/kernel/pty/max")
	n, err := number("/proc/sys/dev/tty/legacy_tiocsti")
	f.TypesForOthers = err == nil && n == 1
	n, err = number("/proc/sys/fs/protected_symlinks")
	f.LinksAreFollowed = err == nil && n == 0
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil && limit.Cur < 1<<31 {
		f.Files = int(limit.Cur)
	}
	if unix.Getrlimit(unix.RLIMIT_NPROC, &limit) == nil && limit.Cur < 1<<31 && !f.Root {
		f.Pids = int(limit.Cur)
	}
	f.Peers = true // SO_PEERCRED
}

// examine looks into a program of ours until it sleeps.
func (f *Facts) examine(pid int) {
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline) && !f.Calls; time.Sleep(time.Millisecond) {
		call, err := procfs.ReadCall(pid, pid)
		f.Calls = err == nil && !call.Running
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}

// number reads a setting of the kernel.
func number(file string) (int, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(bytes.TrimSpace(data)))
}
