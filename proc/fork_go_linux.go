package proc

import (
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forkGo is syscall.ForkExec for a child that starts with no signal blocked or ignored.
func forkGo(path string, args []string, attr *syscall.ProcAttr) (*child, error) {
	restore := cleanSignals()
	defer restore()
	pidfd := -1
	if !withoutPidfd.Load() {
		attr.Sys.PidFD = &pidfd
	}
	pid, err := syscall.ForkExec(path, args, attr)
	if err != nil {
		return nil, err
	}
	return newChild(pid, pidfd), nil
}

// signals is held while dispositions of this process are other than it set them.
var signals sync.Mutex

// cleanSignals makes sure that the next child of this thread starts with an empty signal mask and default
// dispositions. Go's fork does that for signals that have a handler; ignored and blocked ones are inherited (execve(2),
// signal(7)). So these get a handler for the moment. restore undoes it: signals are ignored and blocked as before, and a
// blocked one that came meanwhile is pending again.
func cleanSignals() (restore func()) {
	// Without locking the thread: a goroutine that is not locked moves between threads that have all the mask that this
	// process was started with. A locked one that blocks costs two switches of threads, and the fork blocks.
	var none unix.Sigset_t
	if blockedSignals() == none && len(ignoredSignals()) == 0 {
		return func() {}
	}
	runtime.LockOSThread()
	blocked := blockedSignals()
	signals.Lock()
	ignored := ignoredSignals() // again, now that no other Start is changing them
	masked := signalsOf(blocked)
	caught := make(chan os.Signal, 64)
	if all := append(ignored, masked...); len(all) > 0 {
		signal.Notify(caught, all...)
	}
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil) // as above
	return func() {
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &blocked, nil)
		// Ignore, not Stop, which would put back Go's own handler.
		if len(ignored) > 0 {
			signal.Ignore(ignored...)
		}
		signal.Stop(caught)
		for again := true; again; {
			select {
			case s := <-caught:
				if blocked != none && !contains(ignored, s) {
					_ = unix.Kill(os.Getpid(), s.(syscall.Signal)) // ourselves: cannot fail
				}
			default:
				again = false
			}
		}
		signals.Unlock()
		runtime.UnlockOSThread()
	}
}

// blockedSignals is the mask of this thread.
func blockedSignals() (mask unix.Sigset_t) {
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, nil, &mask) // cannot fail: the arguments are right
	return mask
}

func contains(list []os.Signal, s os.Signal) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// mayChange are the signals whose disposition Go lets us change: not KILL and STOP, not those of faults, not the first
// real-time ones, which belong to the C library.
func mayChange(yield func(syscall.Signal) bool) {
	for s := syscall.Signal(1); s <= 64; s++ {
		switch s {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV,
			unix.SIGPROF, unix.SIGSYS, 32, 33, 34:
			continue
		}
		if !yield(s) {
			return
		}
	}
}

// ignoredSignals asks the kernel: Go does not know of all that were ignored when this process started, or by C code.
func ignoredSignals() (ignored []os.Signal) {
	for s := range mayChange {
		if goHandles(s) && !signal.Ignored(s) {
			continue
		}
		var action [8]uintptr // struct sigaction of the kernel begins with the handler; no system has a longer one
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
		const sigIgn = 1
		if errno == 0 && action[0] == sigIgn && s != unix.SIGCHLD {
			ignored = append(ignored, s)
		}
	}
	return ignored
}

func signalsOf(set unix.Sigset_t) (list []os.Signal) {
	const bits = int(unsafe.Sizeof(set.Val[0])) * 8
	for s := range mayChange {
		if n := int(s) - 1; set.Val[n/bits]&(1<<(n%bits)) != 0 {
			list = append(list, s)
		}
	}
	return list
}
