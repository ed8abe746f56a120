package record

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// A Writer writes a recording, each event with one Write of the underlying
// writer, so that a crash costs no more than the last one. Its methods may be
// called concurrently; they do not return before the event is written.
type Writer struct {
	begun time.Time

	mu     sync.Mutex // guards all below
	w      io.Writer
	last   time.Duration // of the last event, in whole microseconds
	held   []byte        // the beginning of a character whose rest has not come
	line   []byte
	broken bool // the last line is there in part
	closed bool
}

// NewWriter writes the header, and counts time from now. Rows and Cols must be
// known; where Time is zero it is now.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if h.Rows <= 0 || h.Cols <= 0 {
		return nil, fmt.Errorf("record: a recording has a size, not %dx%d", h.Rows, h.Cols)
	}
	now := time.Now()
	if h.Time.IsZero() {
		h.Time = now
	}
	line, err := json.Marshal(h.file())
	if err != nil {
		return nil, fmt.Errorf("record: header: %w", err)
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	return &Writer{begun: now, w: w}, nil
}

// ErrClosed: the Writer is closed.
var ErrClosed = errors.New("record: closed")

// Write records output. A character that p ends in the middle of is written
// when its rest comes, or something else. It takes all of p or none.
func (w *Writer) Write(p []byte) (int, error) {
	if err := w.Add(Event{Time: time.Since(w.begun), Kind: Output, Data: p}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Input records what the person typed.
func (w *Writer) Input(p []byte) error {
	return w.Add(Event{Time: time.Since(w.begun), Kind: Input, Data: p})
}

// Resize records the terminal's new size.
func (w *Writer) Resize(rows, cols int) error {
	return w.Add(Event{Time: time.Since(w.begun), Kind: Resize, Rows: rows, Cols: cols})
}

// Marker records a place to be found again.
func (w *Writer) Marker(label string) error {
	return w.Add(Event{Time: time.Since(w.begun), Kind: Marker, Data: []byte(label)})
}

// Exit records how the program ended, as a shell counts.
func (w *Writer) Exit(status int) error {
	return w.Add(Event{Time: time.Since(w.begun), Kind: Exit, Status: status})
}

// Add records an event with a time of its own; one that lies before the last
// event's becomes that.
func (w *Writer) Add(e Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if e.Kind == Output {
		return w.output(e)
	}
	if e.Kind == Resize && (e.Rows <= 0 || e.Cols <= 0) {
		return fmt.Errorf("record: a size of %dx%d", e.Rows, e.Cols)
	}
	if err := w.flush(e.Time); err != nil {
		return err
	}
	return w.event(e)
}

// Close writes what is held back. It does not close the underlying writer.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	return w.flush(time.Since(w.begun))
}

// output writes all of e and what was held, but for a character at the end
// that is not whole.
func (w *Writer) output(e Event) error {
	data := e.Data
	if len(w.held) > 0 {
		data = append(w.held[:len(w.held):len(w.held)], e.Data...)
	}
	cut := whole(data)
	if cut > 0 {
		e.Data = data[:cut]
		if err := w.event(e); err != nil {
			return err
		}
	}
	w.held = append([]byte(nil), data[cut:]...)
	return nil
}

// whole is how much of p is there without a character that may still be
// completed.
func whole(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		tail := p[len(p)-n:]
		if utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return len(p) - n
			}
			break
		}
	}
	return len(p)
}

// flush writes what is held back, as it is.
func (w *Writer) flush(at time.Duration) error {
	if len(w.held) == 0 {
		return nil
	}
	err := w.event(Event{Time: at, Kind: Output, Data: w.held})
	if err == nil {
		w.held = nil
	}
	return err
}

// event writes e. Nothing is noted of one that could not be written.
func (w *Writer) event(e Event) error {
	at := max(e.Time.Round(time.Microsecond), w.last) // intervals are differences of what stands in the file: no error adds up
	interval := at - w.last
	line := w.line[:0]
	if w.broken {
		line = append(line, '\n')
	}
	if e.Kind != Exit && e.Kind != Resize && !utf8.Valid(e.Data) {
		line = appendStart(line, interval, exact)
		line = base64.StdEncoding.AppendEncode(append(line, '"'), e.Data)
		line = append(line, "\"]\n"...)
		interval = 0
	}
	line = appendStart(line, interval, e.Kind)
	switch e.Kind {
	case Exit:
		line = fmt.Appendf(line, `"%d"`, e.Status)
	case Resize:
		line = fmt.Appendf(line, `"%dx%d"`, e.Cols, e.Rows)
	default:
		line = appendText(line, e.Data)
	}
	line = append(line, "]\n"...)
	w.line = line
	n, err := w.w.Write(line)
	if err != nil || n < len(line) {
		w.broken = w.broken && n == 0 || n > 0 && line[n-1] != '\n'
		if err == nil {
			err = io.ErrShortWrite
		}
		return err
	}
	w.last, w.broken = at, false
	return nil
}

// appendStart begins an event: the interval in seconds, and the kind.
func appendStart(b []byte, interval time.Duration, k Kind) []byte {
	b = append(b, '[')
	us := interval.Microseconds()
	b = strconv.AppendInt(b, us/1e6, 10)
	if us %= 1e6; us > 0 {
		b = append(b, '.')
		for scale := int64(1e5); us > 0; scale /= 10 {
			b = append(b, byte('0'+us/scale))
			us %= scale
		}
	}
	b = append(b, ", "...)
	b = appendText(b, []byte(k))
	return append(b, ", "...)
}

// appendText appends p as a JSON string, with U+FFFD for each byte that is no
// text.
func appendText(b, p []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < ' ' || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		case r == utf8.RuneError || r == '\u2028' || r == '\u2029': // the last two end lines for JavaScript
			b = append(b, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			b = append(b, p[:n]...)
		}
		p = p[n:]
	}
	return append(b, '"')
}
