//go:build unix

package ptyio

import (
	"errors"
	"fmt"
	"syscall"
)

// openError says what a failed open of a terminal means.
func openError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.ENXIO) {
		return fmt.Errorf("no terminals are left on this system: %w", err)
	}
	return fmt.Errorf("open a terminal: %w", err)
}
