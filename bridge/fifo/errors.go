package fifo

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrUnsafe: somebody else could have put it there, or could get at it.
	ErrUnsafe = errors.New("refused")
	// ErrInUse: another process serves this fifo already.
	ErrInUse = errors.New("in use")
	// ErrLeft: nobody reads the fifo any more.
	ErrLeft error = &meaning{"the other side has left", syscall.EPIPE}
	// ErrLong: more than can be written in one piece.
	ErrLong = errors.New("too long")

	errDoesNotExist error = &meaning{"does not exist", syscall.ENOENT}
)

// A meaning says in our words what an error means, which is there to be asked for and not to be read.
type meaning struct {
	text string
	err  error
}

func (m *meaning) Error() string { return m.text }
func (m *meaning) Unwrap() error { return m.err }

// An Error says what is wrong with a fifo and, where there is something to do,
// what. It unwraps to one of this package's errors, to fs.ErrNotExist, or to
// what the system said.
type Error struct {
	Path string
	Err  error
	Hint string // "" if nothing comes to mind
}

// Error is one line, and where there is something to do a second one, "hint: …".
func (e *Error) Error() string {
	text := "fifo " + e.Path + ": " + e.Err.Error()
	if e.Hint != "" {
		text += "\nhint: " + e.Hint
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// An UnreadError is what Close returns when nobody is left who could read what
// is in the fifo, which the kernel would throw away. The bytes were taken back:
// no reader ever gets them, unless they are written again.
type UnreadError struct {
	Path string
	Data []byte
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("fifo %s: nobody read the last %d bytes", e.Path, len(e.Data))
}
