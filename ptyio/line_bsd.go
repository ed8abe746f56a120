//go:build unix && !linux

package ptyio

import "golang.org/x/sys/unix"

// setSpeed: a speed is its number here; what a line does not have, it refuses.
func setSpeed(t *unix.Termios, speed int) bool {
	set(&t.Ispeed, speed)
	set(&t.Ospeed, speed)
	return true
}

func set[T uint32 | uint64](field *T, n int) { *field = T(n) }
