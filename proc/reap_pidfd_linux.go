package proc

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/spawnx/spawnx/internal/shim"
	"golang.org/x/sys/unix"
)

// withoutPidfd is the switch of the tests: it makes Start behave as on a kernel without pidfds (before 5.4). What is
// weaker then: a thread waits in the kernel for each process; a signal to a process of the tree other than the leader
// may hit a stranger if that process ends, and its number is used again, between a look and the signal; a group cannot
// be signalled any more once its leader was reaped.
var withoutPidfd atomic.Bool

// A child is what the kernel gave us of a process.
type child struct {
	pid   int
	pidfd *os.File // nil without pidfds

	// Of a contained program, whose parent is not this process.
	keeper *keeper // nil: nobody guards it
	asked  *asked  // the keeper forked it and says how it ended; nil: it is ours
	cell   *cell   // which it was started in, here; nil: the keeper started it, or it is reaped
	group  string  // the folder of its cgroup, "" if it has none
	mark   uint64  // where there is no cgroup: what its processes can be known by

	// mu orders signals by number and the reaping, after which the number may be a stranger's.
	mu       sync.Mutex
	reaped   bool
	reapedAt uint64 // clock ticks since the boot, as in /proc/PID/stat
	treeGone bool   // Stop has seen that nothing of the tree is left
	alone    bool   // nobody is left in its cgroup, which is, or soon will be, another's
	killed   bool   // its cgroup was killed as a whole: who is born into it afterwards may be killed too (see killStrays)
}

func newChild(pid, pidfd int) *child {
	c := &child{pid: pid}
	if pidfd >= 0 {
		c.pidfd = os.NewFile(uintptr(pidfd), "pidfd") // it blocks, so the runtime's poller does not take it: see exits
	}
	return c
}

// seeExit waits until the process has ended and leaves it unreaped. A thread waits; see tells.
func (c *child) seeExit() (e Exit) {
	switch {
	case c.asked != nil:
		if a, ok := <-c.asked.answers; ok && a.Ended != nil {
			return exitOf(*a.Ended)
		}
		return Exit{Code: -1} // the keeper died, and nobody knows
	case c.pidfd != nil:
		err := c.useFd(func(fd int) (err error) {
			e, _, err = waitid(unix.P_PIDFD, fd, unix.WEXITED|unix.WNOWAIT)
			return err
		})
		// Linux 5.3 has pidfds, but no waitid of them.
		if err == nil || errors.Is(err, unix.ECHILD) {
			return e
		}
	}
	e, _, _ = waitid(unix.P_PID, c.pid, unix.WEXITED|unix.WNOWAIT) // an error is an Exit that nobody knows
	return e
}

// exitNow is seeExit for a process that has ended. The status may still not be known: a debugger gets it first.
func (c *child) exitNow() (e Exit, known bool) {
	if c.keeper != nil {
		return c.seeExit(), true // the keeper has told it with the end
	}
	err := c.useFd(func(fd int) (err error) {
		e, known, err = waitid(unix.P_PIDFD, fd, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG)
		return err
	})
	return e, known || errors.Is(err, unix.ECHILD)
}

// reap frees the number of a process that ended. The pidfd is kept only as long as its group has members that it alone can
// still name: not those of a contained program.
func (c *child) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := func(idType, id int) error {
		_, _, err := waitid(idType, id, unix.WEXITED)
		return err
	}
	var err error = unix.EINVAL
	if c.asked != nil {
		switch {
		case c.reaped: // the keeper died
		case c.alone && !c.killed:
			c.keeper.reap(c.pid, c.group)
			c.group = ""
		default:
			c.keeper.reap(c.pid)
		}
		err = nil
	} else if c.pidfd != nil {
		err = c.useFd(func(fd int) error { return wait(unix.P_PIDFD, fd) })
	}
	if err != nil && !errors.Is(err, unix.ECHILD) { // ECHILD: somebody else did it
		_ = wait(unix.P_PID, c.pid)
	}
	if !c.reaped {
		c.reaped, c.reapedAt = true, ticksSinceBoot()
	}
	if c.cell != nil {
		c.vacate()
	}
	if c.treeGone || c.group != "" || c.mark != 0 || c.pidfd != nil && !c.groupLives() {
		c.closeFd()
	}
}

// stopped notes that nothing of the tree is left, so that its group needs no handle any more.
func (c *child) stopped() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.treeGone = true
	if c.reaped {
		c.closeFd()
	}
}

// closeFd gives the handle back. c.mu is held.
func (c *child) closeFd() {
	if c.pidfd != nil {
		_ = c.pidfd.Close() // nothing was written to it
		c.pidfd = nil
	}
}

// useFd calls f with the pidfd. c.mu is held, or the process is not yet reaped.
func (c *child) useFd(f func(fd int) error) (err error) {
	conn, cerr := c.pidfd.SyscallConn()
	if cerr == nil {
		cerr = conn.Control(func(fd uintptr) { err = f(int(fd)) })
	}
	return errors.Join(cerr, err)
}

// signal signals the process itself.
func (c *child) signal(sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.reaped || c.pid <= 1:
		return os.ErrProcessDone
	case c.pidfd != nil:
		return c.useFd(func(fd int) error { return unix.PidfdSendSignal(fd, sig, nil, 0) })
	}
	return unix.Kill(c.pid, sig)
}

// pidfdGroup is PIDFD_SIGNAL_PROCESS_GROUP of linux/pidfd.h, since Linux 6.9.
const pidfdGroup = 1 << 2

// signalGroup signals the process group that the process leads: by number while it is unreaped, then by pidfd where the
// kernel can.
func (c *child) signalGroup(sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.pid <= 1:
		return os.ErrProcessDone
	case !c.reaped:
		return unix.Kill(-c.pid, sig)
	case c.pidfd != nil:
		return c.useFd(func(fd int) error { return unix.PidfdSendSignal(fd, sig, nil, pidfdGroup) })
	}
	return os.ErrProcessDone
}

// groupLives reports whether the kernel says that the group of a reaped leader has members. c.mu is held.
func (c *child) groupLives() bool {
	return c.useFd(func(fd int) error { return unix.PidfdSendSignal(fd, 0, nil, pidfdGroup) }) == nil
}

// waitid is waitid(2) of one process. ended is false only with WNOHANG or beside an error.
func waitid(idType, id, options int) (e Exit, ended bool, err error) {
	pid, how, err := shim.Waitid(idType, id, options)
	return exitOf(how), pid != 0, err
}

func exitOf(e shim.Ended) Exit {
	return Exit{Code: e.Code, Signal: e.Signal, Core: e.Core, CPU: e.CPU, MaxRSS: e.MaxRSS}
}

// ticksSinceBoot is now, as /proc/PID/stat writes the start of a process: in hundredths of a second (USER_HZ).
func ticksSinceBoot() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // cannot fail; 0 takes nobody for a member
	}
	return uint64(ts.Nano() / 1e7)
}
