//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package secret

import "golang.org/x/sys/unix"

// The ioctls for a terminal's modes.
const (
	getTermios = unix.TIOCGETA
	setFlush   = unix.TIOCSETAF // once output is written; input not read is dropped
	setDrain   = unix.TIOCSETAW // once output is written
)
