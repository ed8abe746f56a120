//go:build !linux

package proc

import (
	"errors"
	"fmt"
)

// A keeper exists on Linux only: elsewhere nobody can adopt what a program leaves behind.
type keeper struct{}

func theKeeper() (*keeper, error) {
	return nil, fmt.Errorf("programs are contained on Linux only: %w", errors.ErrUnsupported)
}

// AdoptOrphans makes contained programs cheaper, on Linux.
func AdoptOrphans() error {
	_, err := theKeeper()
	return err
}

func (*keeper) forksNot() bool           { return false }
func (*keeper) containment() Containment { return NotContained }
func (*keeper) whenItDies(func()) func() { return func() {} }
func (c *child) keptBy() *keeper         { return nil }
func (c *child) lostKeeper() bool        { return false }
func (c *child) abandoned()              {}
func (c *child) killStrays()             {}
func (c *child) proveKeeper()            {}
