package main

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stopUs stops this process as SIGTSTP does by default, and returns when it was continued; at once where nobody
// could do that, in an orphaned process group. SIGTSTP must be ignored when it is called.
//
// Two things are not as they seem. signal.Reset leaves Go's handler in place for a signal that was once caught,
// so the disposition is set past the runtime, which sets its own again when the signal is caught again. And the
// signal is sent to this very thread, which stops the process before the call returns: sent to the process it
// would be another thread's to take, at any time later.
func stopUs() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var byDefault [4]uint64 // struct sigaction of rt_sigaction(2): all zero is SIG_DFL without flags and mask
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGTSTP), uintptr(unsafe.Pointer(&byDefault)), 0, 8, 0, 0)
	if errno == 0 {
		_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGTSTP) // to a thread that exists
	}
}
