//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package secret

import "golang.org/x/sys/unix"

// The ioctls for a terminal's modes.
const (
	getTermios = unix.TIOCGETA
	setNow     = unix.TIOCSETA
	setFlush   = unix.TIOCSETAF // once output is written; input not read is dropped
)
