//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package ptyio

import "golang.org/x/sys/unix"

// MaxCanonical is the longest line, without its end, that a terminal which
// reads by lines keeps (MAX_CANON).
const MaxCanonical = 1024

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
	fionread   = 0x4004667f // FIONREAD, which package unix does not name everywhere
	noKey      = 0xff       // _POSIX_VDISABLE
	bsd        = true
)
