package ptyio

import "golang.org/x/sys/unix"

// MaxCanonical is the longest line, without its end, that a terminal which
// reads by lines keeps; it drops the rest silently (N_TTY_BUF_SIZE is 4096).
const MaxCanonical = 4095

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
	fionread   = unix.TIOCINQ
	noKey      = 0
	bsd        = false
)
