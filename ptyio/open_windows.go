package ptyio

import "os"

// blocking leaves f as it is: pipes of Windows always wait.
func blocking(f *os.File) (*os.File, error) { return f, nil }

func openPTY() (*File, *os.File, error) { return nil, nil, ErrUnsupported }

// Terminals of Windows are not opened, so none of these is ever reached.

func (t *Terminal) Resize(Size) error        { return ErrUnsupported }
func (t *Terminal) Size() (Size, error)      { return Size{}, ErrUnsupported }
func (t *Terminal) Foreground() (int, error) { return 0, ErrUnsupported }
func (t *Terminal) Mode() (Mode, error)      { return Mode{}, ErrUnsupported }
func (t *Terminal) SetMode(Mode) error       { return ErrUnsupported }

// Taken is never known.
func (t *Terminal) Taken() bool { return false }
