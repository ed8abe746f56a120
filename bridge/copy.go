package bridge

import (
	"errors"
	"fmt"
	"io"
)

// Copy writes what r reads to w until the output ends, and returns nil then.
// A sink that fails (a full disk, a client that is gone) never ends the
// source: what it did not take is counted, and once it takes bytes again the
// gap is marked in it with a line. The returned count is what w did not get.
func Copy(w io.Writer, r *Reader) (lost int64, err error) {
	sink := &markedSink{w: w}
	var buf []byte // of a Skip reader, which may be overtaken while w takes its time
	for {
		var err error
		if r.blocks() {
			err = r.pass(sink.put)
		} else {
			if buf == nil {
				buf = make([]byte, 32<<10)
			}
			var n int
			n, err = r.Read(buf)
			sink.put(buf[:n])
		}
		var over *LostError
		switch {
		case err == io.EOF:
			sink.mark()
			return sink.lost, nil
		case errors.As(err, &over):
			sink.lose(over.To-over.From, err)
		case err != nil:
			return sink.lost, err
		}
	}
}

// A markedSink is a writer that may fail for a while.
type markedSink struct {
	w     io.Writer
	lost  int64
	gap   int64 // lost and not yet marked
	cause error
}

func (s *markedSink) put(p []byte) {
	if len(p) == 0 {
		return
	}
	if !s.mark() {
		s.lose(int64(len(p)), s.cause)
		return
	}
	n, err := s.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.lose(int64(len(p)-n), err)
	}
}

func (s *markedSink) lose(n int64, cause error) {
	s.lost, s.gap, s.cause = s.lost+n, s.gap+n, cause
}

// mark notes in the sink what is missing, and reports whether it is whole
// again from here.
func (s *markedSink) mark() bool {
	if s.gap == 0 {
		return true
	}
	_, err := fmt.Fprintf(s.w, "\n[spawnx: %d bytes are missing here: %v]\n", s.gap, s.cause)
	if err == nil {
		s.gap = 0
	}
	return err == nil
}
