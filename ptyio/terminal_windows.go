package ptyio

import "os"

func openPTY() (*File, *os.File, error)               { return nil, nil, ErrUnsupported }
func newTerminal(*File, *os.File) (*Terminal, error)  { return nil, ErrUnsupported }
func (t *Terminal) Resize(Size) error                 { return ErrUnsupported }
func (t *Terminal) Size() (Size, error)               { return Size{}, ErrUnsupported }
func (t *Terminal) Foreground() (pgid int, err error) { return 0, ErrUnsupported }
func (t *Terminal) Mode() (Mode, error)               { return Mode{}, ErrUnsupported }
func (t *Terminal) SetMode(Mode) error                { return ErrUnsupported }
