package ptyio

import (
	"errors"
	"syscall"
)

// A pipe of Windows cannot be asked without waiting.
func read(uintptr, []byte) (int, error)  { return 0, syscall.EAGAIN }
func write(uintptr, []byte) (int, error) { return 0, syscall.EAGAIN }

// Unread is not known on Windows.
func (f *File) Unread() (int, error) { return 0, errors.ErrUnsupported }
