package ptyio

import (
	"os"
	"time"
)

// A Reader reads a file. On Windows it cannot be interrupted: a Read ends when
// something is there.
type Reader struct{ f *os.File }

// OpenReader returns a Reader of f, which stays the caller's to close.
func OpenReader(f *os.File) (*Reader, error) { return &Reader{f}, nil }

// Read reads what is there, waiting for it.
func (r *Reader) Read(p []byte) (int, error) { return r.f.Read(p) }

// SetReadDeadline does nothing on Windows.
func (r *Reader) SetReadDeadline(time.Time) error { return nil }

// Close does nothing on Windows. The file stays open.
func (r *Reader) Close() error { return nil }
