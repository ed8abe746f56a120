package ptyio

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Kind says what joins a program's three standard streams to us.
type Kind int

const (
	PTY       Kind = iota // one terminal for input, output and errors
	Pipes                 // three pipes
	PTYStderr             // a terminal for input and output, a pipe for errors
	PTYStdout             // a pipe for input, a terminal for output and errors
)

var kindNames = [...]string{PTY: "pty", Pipes: "pipes", PTYStderr: "pty-stderr", PTYStdout: "pty-stdout"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// ParseKind is the reverse of String.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if name == s {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s", s, strings.Join(kindNames[:], ", "))
}

// Size is the size of a terminal in characters. The zero Size means 24 rows of
// 80 columns.
type Size struct{ Rows, Cols int }

// String writes a size as 24x80.
func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Rows, s.Cols) }

// OrDefault returns s, with 24 for missing rows and 80 for missing columns.
func (s Size) OrDefault() Size {
	if s.Rows == 0 {
		s.Rows = 24
	}
	if s.Cols == 0 {
		s.Cols = 80
	}
	return s
}

// A terminal's size is kept in 16 bits.
const maxSize = 1<<16 - 1

func (s Size) check() error {
	if s.Rows < 0 || s.Cols < 0 || s.Rows > maxSize || s.Cols > maxSize {
		return fmt.Errorf("a terminal of %v is not possible: rows and columns go from 1 to %d", s, maxSize)
	}
	return nil
}

// ParseSize reads ROWSxCOLS, as in 24x80.
func ParseSize(s string) (Size, error) {
	rows, cols, ok := strings.Cut(s, "x")
	r, errR := strconv.Atoi(rows)
	c, errC := strconv.Atoi(cols)
	if !ok || errR != nil || errC != nil {
		return Size{}, fmt.Errorf("size %q is not ROWSxCOLS, as in 24x80", s)
	}
	size := Size{r, c}
	if r < 1 || c < 1 || size.check() != nil {
		return Size{}, fmt.Errorf("size %q: rows and columns go from 1 to %d", s, maxSize)
	}
	return size, nil
}

// ErrUnsupported is returned where the system has no such terminal. It is
// errors.ErrUnsupported to errors.Is.
var ErrUnsupported error = unsupported{}

// What is no call is made by the compiler: fmt.Errorf would take its time at the start of every program.
type unsupported struct{}

func (unsupported) Error() string { return "no terminal: " + errors.ErrUnsupported.Error() }
func (unsupported) Unwrap() error { return errors.ErrUnsupported }

// ErrAgain: nothing is there, or nothing can be taken, right now.
var ErrAgain = errors.New("would have to wait")
