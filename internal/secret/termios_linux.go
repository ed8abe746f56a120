package secret

import "golang.org/x/sys/unix"

// The ioctls for a terminal's modes.
const (
	getTermios = unix.TCGETS
	setNow     = unix.TCSETS
	setFlush   = unix.TCSETSF // once output is written; input not read is dropped
)
