package ptyio

import (
	"os"
	"slices"
)

// A Borrowed is the person's own terminal in raw mode: every key comes at once
// and as it is, and nothing is shown but what we write. Whoever borrowed it
// gives it back with Restore; the file stays its owner's to close. Its methods
// may be called concurrently.
//
// Raw and Restore change the terminal of whoever is in front: called from a
// background job they stop that job (SIGTTOU), as stty does.
type Borrowed struct {
	tty   *os.File
	saved []byte
}

// File is the terminal that was borrowed.
func (b *Borrowed) File() *os.File { return b.tty }

// Size is the size of the person's terminal at the moment.
func (b *Borrowed) Size() (Size, error) { return SizeOf(b.tty) }

// Saved returns the settings that Restore gives back, for another process of
// the same system: see RestoreSaved.
func (b *Borrowed) Saved() []byte { return slices.Clone(b.saved) }

// RestoreSaved gives a terminal the settings that Borrowed.Saved returned.
func RestoreSaved(f *os.File, saved []byte) error {
	return (&Borrowed{tty: f, saved: saved}).Restore()
}
