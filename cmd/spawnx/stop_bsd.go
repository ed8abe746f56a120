//go:build unix && !linux

package main

import (
	"golang.org/x/sys/unix"
)

// stopUs stops this process and returns when it was continued; at once where nobody could do that, as far
// as that can be told: our parent is of another session. Go gives no way back to the default of SIGTSTP.
func stopUs() {
	ours, err := unix.Getsid(0)
	parents, perr := unix.Getsid(unix.Getppid())
	if err == nil && perr == nil && ours == parents {
		_ = unix.Kill(unix.Getpid(), unix.SIGSTOP) // cannot fail for ourselves
	}
}
