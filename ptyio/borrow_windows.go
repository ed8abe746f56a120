package ptyio

import "os"

// IsTerminal is false: terminals of Windows are not borrowed.
func IsTerminal(*os.File) bool { return false }

// SizeOf fails: terminals of Windows are not borrowed.
func SizeOf(*os.File) (Size, error) { return Size{}, ErrUnsupported }

// Borrow fails: terminals of Windows are not borrowed.
func Borrow(*os.File) (*Borrowed, error) { return nil, ErrUnsupported }

// Remember fails too.
func Remember(*os.File) (*Borrowed, error) { return nil, ErrUnsupported }

// Raw is never reached, as Borrow fails.
func (b *Borrowed) Raw() error { return ErrUnsupported }

// Restore fails: terminals of Windows are not borrowed.
func (b *Borrowed) Restore() error { return ErrUnsupported }
