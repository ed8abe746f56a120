//go:build unix && !linux

package ptyio

import (
	"errors"
	"os"

	"github.com/creack/pty"
)

// openPTY opens a terminal: our end, which never blocks, and the slave, which
// does, as programs expect.
func openPTY() (*File, *os.File, error) {
	master, slave, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) {
		return nil, nil, ErrUnsupported
	}
	if err != nil {
		return nil, nil, openError(err)
	}
	ours, err := nonblocking(master)
	if err != nil {
		slave.Close()
		return nil, nil, openError(err)
	}
	theirs, err := blocking(slave)
	if err != nil {
		ours.Close()
		return nil, nil, openError(err)
	}
	return ours, theirs, nil
}

// nonblocking makes a File out of f, which it closes.
func nonblocking(f *os.File) (*File, error) {
	dup, err := reopen(f, true)
	if err != nil {
		return nil, err
	}
	return newFile(dup)
}
