//go:build unix && !linux

package proc

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// A child is a process, known by its number. What is weaker than with a pidfd: a thread waits in the kernel for each,
// and the process is reaped when its exit is seen, after which its group is not signalled any more.
type child struct {
	pid int

	// mu orders signals and the reaping, after which the number may be a stranger's.
	mu     sync.Mutex
	reaped bool
}

func newChild(pid int) *child { return &child{pid: pid} }

// tells: nobody does, here.
func (c *child) tells(*ptyio.File, func(time.Time)) bool { return false }

// exitNow: see tells.
func (c *child) exitNow() (Exit, bool) { return Exit{}, false }

// seeExit waits until the process has ended.
func (c *child) seeExit() (e Exit) {
	var status syscall.WaitStatus
	var usage syscall.Rusage
	for {
		_, err := syscall.Wait4(c.pid, &status, 0, &usage)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		c.mu.Lock()
		c.reaped = true
		c.mu.Unlock()
		if err != nil { // ECHILD: somebody else reaped it
			return Exit{Code: -1}
		}
		break
	}
	e.Code = status.ExitStatus()
	if status.Signaled() {
		e.Signal, e.Core = status.Signal(), status.CoreDump()
	}
	e.CPU = time.Duration(syscall.TimevalToNsec(usage.Utime) + syscall.TimevalToNsec(usage.Stime))
	e.MaxRSS = maxRSS(int64(usage.Maxrss))
	return e
}

func (c *child) reap() {}

// stopped: there is no handle to give back.
func (c *child) stopped() {}

func (c *child) signal(sig syscall.Signal) error { return c.kill(c.pid, sig) }

// signalGroup signals the process group that the process leads.
func (c *child) signalGroup(sig syscall.Signal) error { return c.kill(-c.pid, sig) }

func (c *child) kill(pid int, sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped || c.pid <= 1 {
		return os.ErrProcessDone
	}
	return syscall.Kill(pid, sig)
}

// maxRSS in bytes: macOS counts them, the BSDs count KiB.
func maxRSS(n int64) int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return n
	}
	return n * 1024
}
