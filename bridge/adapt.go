package bridge

import (
	"errors"
	"io"
	"os"
	"time"
)

// NewSource makes any reader a Source. Its deadlines are used where it has
// them and they work; else a goroutine reads, which ends when r does.
func NewSource(r io.Reader) Source {
	if s, ok := r.(Source); ok {
		if err := s.SetReadDeadline(time.Time{}); !errors.Is(err, os.ErrNoDeadline) {
			return s
		}
	}
	return newPump(r)
}

// NewSink makes any writer a Sink. A writer without deadlines that blocks
// cannot be interrupted.
func NewSink(w io.Writer) Sink {
	if s, ok := w.(Sink); ok {
		if err := s.SetWriteDeadline(time.Time{}); !errors.Is(err, os.ErrNoDeadline) {
			return s
		}
	}
	return plainSink{w}
}

type plainSink struct{ io.Writer }

func (s plainSink) Close() error {
	if c, ok := s.Writer.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func (s plainSink) CloseWrite() error {
	if c, ok := s.Writer.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return s.Close()
}

func (plainSink) SetWriteDeadline(time.Time) error { return nil }
