//go:build unix

package proc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// signalNamed returns 0 for no signal.
func signalNamed(name string) syscall.Signal { return unix.SignalNum(name) }
