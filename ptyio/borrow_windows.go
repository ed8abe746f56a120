package ptyio

import "os"

type terminalFile = *os.File

// IsTerminal is false: terminals of Windows are not borrowed.
func IsTerminal(*os.File) bool            { return false }
func Borrow(*os.File) (*Borrowed, error)  { return nil, ErrUnsupported }
func (b *Borrowed) Raw() error            { return ErrUnsupported }
func (b *Borrowed) Restore() error        { return ErrUnsupported }
func (b *Borrowed) File() *os.File        { return b.tty }
func (b *Borrowed) Size() (Size, error)   { return Size{}, ErrUnsupported }
func SizeOf(*os.File) (Size, error)       { return Size{}, ErrUnsupported }
func RestoreSaved(*os.File, []byte) error { return ErrUnsupported }
