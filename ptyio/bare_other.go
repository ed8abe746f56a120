//go:build !linux

package ptyio

import (
	"os"
	"syscall"
	"time"
)

// A bare is Linux's. Elsewhere the runtime's poller has every descriptor, and
// there is none.
type bare struct{}

func (*bare) lend(func(fd int) error) error { return os.ErrClosed }
func (*bare) read([]byte) (int, error)      { return 0, os.ErrClosed }
func (*bare) write([]byte) (int, error)     { return 0, os.ErrClosed }
func (*bare) setRead(time.Time) error       { return nil }
func (*bare) setWrite(time.Time) error      { return nil }
func (*bare) rawConn() syscall.RawConn      { return nil }

// Beside does nothing: see Linux's.
func (f *File) Beside(syscall.RawConn, func()) {}
