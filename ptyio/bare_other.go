//go:build !linux

package ptyio

import (
	"os"
	"syscall"
	"time"
)

// A bare is Linux's. Elsewhere the runtime's poller has every descriptor from
// the start, and there is none.
type bare struct{}

func (*bare) lend(func(fd int) error) (bool, error)            { return false, nil }
func (*bare) handOver(*File) *pollFile                         { return nil }
func (*bare) read(*File, []byte) (n int, err error, done bool) { return 0, nil, false }
func (*bare) write(*File, []byte) (int, error)                 { return 0, os.ErrClosed }
func (*bare) setRead(*File, time.Time) error                   { return nil }
func (*bare) setWrite(*File, time.Time) error                  { return nil }

// Beside does nothing: see Linux's.
func (f *File) Beside(syscall.RawConn, func()) {}
