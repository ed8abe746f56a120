//go:build unix && !linux

package proc

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals is held while dispositions of this process are other than it set them.
var signals sync.Mutex

// closeInheritedOnExec: there is no call for it here. What our launcher left open, children get too.
func closeInheritedOnExec() {}

func forkChild(path string, args []string, attr *syscall.ProcAttr) (*child, error) {
	restore := cleanSignals()
	defer restore()
	pid, err := syscall.ForkExec(path, args, attr)
	if err != nil {
		return nil, err
	}
	return newChild(pid), nil
}

// cleanSignals makes sure that the next child does not inherit that signals are ignored, as far as Go knows of it. A
// signal that has a handler is reset by the fork, so these get one for the moment.
func cleanSignals() (restore func()) {
	var ignored []os.Signal
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1,
		syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGWINCH} {
		if signal.Ignored(s) {
			ignored = append(ignored, s)
		}
	}
	if len(ignored) == 0 {
		return func() {}
	}
	signals.Lock()
	signal.Notify(make(chan os.Signal, 1), ignored...)
	return func() {
		signal.Ignore(ignored...)
		signals.Unlock()
	}
}

// forker is never called: there is no keeper here.
func (*keeper) forker(*uint32) forker { return nil }
