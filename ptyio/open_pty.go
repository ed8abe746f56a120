//go:build unix

package ptyio

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/creack/pty"
)

// openPTY opens a terminal: our end, which never blocks, and the slave, which
// does, as programs expect.
func openPTY() (*File, *os.File, error) {
	master, slave, err := pty.Open()
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

func openError(err error) error {
	switch {
	case errors.Is(err, pty.ErrUnsupported):
		return ErrUnsupported
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.ENXIO):
		return fmt.Errorf("no terminals are left on this system: %w", err)
	}
	return fmt.Errorf("open a terminal: %w", err)
}
