package ptyio

import (
	"os"
	"sync"
)

// A Terminal is a program's terminal as we see it from our side. Its methods
// may be called concurrently.
type Terminal struct {
	master *File
	name   string

	mu    sync.Mutex
	slave *os.File // nil once released
}

// Name is the terminal's path, as in /dev/pts/7.
func (t *Terminal) Name() string { return t.name }

// Release closes our slave end, so that the end of the output can come. It may
// be called more than once.
func (t *Terminal) Release() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slave == nil {
		return nil
	}
	err := t.slave.Close()
	t.slave = nil
	return err
}
