package proc

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// An Exit says how a program ended.
type Exit struct {
	// Code is the program's exit code, -1 when a signal ended it or when nobody knows.
	Code int
	// Signal ended the program; 0 if none did.
	Signal syscall.Signal
	// Core: a core file was written.
	Core bool
	// CPU is the processor time of the program and of the children it waited for.
	CPU time.Duration
	// MaxRSS is the most memory, in bytes, that the program or a child it waited for held at one time. On Linux it is
	// never less than what this process held when it started the program: the kernel carries that over execve.
	MaxRSS int64
	// Restarts is how often the program had been restarted; filled in by who restarts it.
	Restarts int
}

// Status returns the exit as a shell counts: Code, or 128 and the number of the signal; -1 when nobody knows.
func (e Exit) Status() int {
	if e.Signal != 0 {
		return 128 + int(e.Signal)
	}
	return e.Code
}

// String returns "exit status 3", "signal: killed", "signal: aborted (core dumped)" or "exit status unknown".
func (e Exit) String() string {
	switch {
	case e.Signal != 0 && e.Core:
		return fmt.Sprintf("signal: %v (core dumped)", e.Signal)
	case e.Signal != 0:
		return fmt.Sprintf("signal: %v", e.Signal)
	case e.Code < 0:
		return "exit status unknown"
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// An ExitError is an Exit that was no success.
type ExitError struct{ Exit }

func (e *ExitError) Error() string { return e.Exit.String() }

// ErrStatusUnknown: the program ended, but somebody else in this process reaped it, and the status with it. Its Exit
// has Code -1.
var ErrStatusUnknown = errors.New("the exit status is unknown: something else in this process waited for the program")

// err returns what Wait says of an exit.
func (e Exit) err() error {
	switch {
	case e.Signal == 0 && e.Code < 0:
		return ErrStatusUnknown
	case e.Status() != 0:
		return &ExitError{e}
	}
	return nil
}
