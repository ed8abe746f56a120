package ptyio

import "syscall"

// A pipe of Windows cannot be asked without waiting.
func read(int, []byte) (int, error)  { return 0, syscall.EAGAIN }
func write(int, []byte) (int, error) { return 0, syscall.EAGAIN }

// Unread is not known on Windows.
func (f *File) Unread() (int, error) { return 0, ErrUnsupported }

// Inode is not known on Windows.
func (f *File) Inode() uint64 { return 0 }
