package record

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
)

// ErrTruncated: the file ends in the middle, as after a crash. What came before
// has been read.
var ErrTruncated = errors.New("the file ends in the middle of an event")

// A SyntaxError is a line that is no event. Reading may go on behind it.
type SyntaxError struct {
	Line int // from 1
	Err  error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *SyntaxError) Unwrap() error { return e.Err }

// longestLine bounds the memory for a line, and for a whole file of version 1.
const longestLine = 64 << 20

// A Reader reads a recording of any version. It is not safe for concurrent use.
type Reader struct {
	header Header
	in     *bufio.Reader
	line   int
	now    time.Duration
	ready  []Event // read ahead; of version 1 all
	end    error   // what comes after ready
	kept   []byte  // the bytes of the next event, from an exact event
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	d := &Reader{in: bufio.NewReaderSize(r, 64<<10)}
	line, err := d.read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var v struct {
		Version int `json:"version"`
	}
	switch wrong := json.Unmarshal(line, &v); {
	case wrong == nil && v.Version == 3:
		var h header3
		if err := json.Unmarshal(line, &h); err != nil {
			return nil, fmt.Errorf("the header: %w", plain(err))
		}
		d.header = h.header()
	case wrong == nil && v.Version == 2:
		var h header2
		if err := json.Unmarshal(line, &h); err != nil {
			return nil, fmt.Errorf("the header: %w", plain(err))
		}
		d.header = h.header()
	case wrong == nil && v.Version != 1 && v.Version != 0:
		return nil, fmt.Errorf("a recording of version %d; 1 to 3 are known", v.Version)
	default:
		if err := d.readOld(line); err != nil {
			return nil, err
		}
	}
	if d.header.Rows <= 0 || d.header.Cols <= 0 || d.header.Rows > 1<<16 || d.header.Cols > 1<<16 {
		return nil, fmt.Errorf("the header: a size of %dx%d", d.header.Rows, d.header.Cols)
	}
	return d, nil
}

// Header is what the recording says of itself.
func (r *Reader) Header() Header { return r.header }

// Next returns the next event. At the end it returns io.EOF, or an ErrTruncated
// that says after what the file breaks off. A *SyntaxError stands for a line
// that is no event, behind which the next call goes on.
func (r *Reader) Next() (Event, error) {
	for len(r.ready) == 0 {
		if r.end != nil {
			return Event{}, r.end
		}
		line, err := r.read()
		text := bytes.TrimSpace(line)
		if err != nil && len(text) == 0 {
			r.finish(err)
			continue
		}
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		e, wrong := r.parse(text)
		switch {
		case wrong != nil && errors.Is(err, io.EOF): // the only line without an end
			r.end = r.truncated()
		case wrong != nil:
			return Event{}, &SyntaxError{r.line, wrong}
		case e.Kind == exact && r.kept != nil:
		default:
			r.ready = append(r.ready, e)
		}
	}
	e := r.ready[0]
	r.ready = r.ready[1:]
	return e, nil
}

// All returns the events that are left, and last, unless it is io.EOF, the
// error that ended them. A *SyntaxError comes in its place, and ends nothing.
func (r *Reader) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := r.Next()
			if err == io.EOF || !yield(e, err) {
				return
			}
			if _, ok := err.(*SyntaxError); err != nil && !ok {
				return
			}
		}
	}
}

// finish notes how the file ended.
func (r *Reader) finish(err error) {
	switch {
	case errors.Is(err, io.EOF) && r.kept != nil:
		r.end = r.truncated()
	case errors.Is(err, io.EOF):
		r.end = io.EOF
	default:
		r.end = err
	}
}

func (r *Reader) truncated() error {
	return fmt.Errorf("line %d, after %s: %w: what came then is missing", r.line, r.now.Round(time.Millisecond), ErrTruncated)
}

// read returns the next line. Its error may come with the file's last line.
func (r *Reader) read() (line []byte, err error) {
	r.line++
	for {
		piece, err := r.in.ReadSlice('\n')
		line = append(line, piece...)
		if len(line) > longestLine {
			return nil, fmt.Errorf("line %d is longer than %d MiB: no recording", r.line, longestLine>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// parse reads one event of version 2 or 3.
func (r *Reader) parse(line []byte) (e Event, err error) {
	var at float64
	var code, data string
	if err := fields(line, &at, &code, &data); err != nil {
		return e, err
	}
	kept := r.kept
	r.kept = nil
	if r.header.Version == 2 {
		r.now = max(r.now, seconds(at))
	} else {
		r.now = min(r.now+seconds(at), longest)
	}
	e = Event{Time: r.now, Kind: Kind(code)}
	switch e.Kind {
	case Exit:
		if e.Status, err = strconv.Atoi(data); err != nil {
			return e, fmt.Errorf("exit status %q", data)
		}
	case Resize:
		if e.Rows, e.Cols, err = size(data); err != nil {
			return e, err
		}
	case exact:
		e.Data = []byte(data)
		if bytes, err := base64.StdEncoding.DecodeString(data); err == nil && len(bytes) > 0 {
			r.kept = bytes
		}
	default:
		e.Data = []byte(data)
		if kept != nil && shown(kept) == data {
			e.Data = kept
		}
	}
	return e, nil
}

// shown is p as it stands in the text of an event.
func shown(p []byte) string { return string([]rune(string(p))) }

// fields reads a JSON array that begins with these.
func fields(line []byte, into ...any) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(line, &parts); err != nil {
		return plain(err)
	}
	if len(parts) < len(into) {
		return fmt.Errorf("an event has %d parts, not %d", len(into), len(parts))
	}
	for i := range into {
		if err := json.Unmarshal(parts[i], into[i]); err != nil {
			return plain(err)
		}
	}
	return nil
}

// size reads COLSxROWS.
func size(s string) (rows, cols int, err error) {
	c, r, ok := bytes.Cut([]byte(s), []byte("x"))
	cols, err1 := strconv.Atoi(string(c))
	rows, err2 := strconv.Atoi(string(r))
	if !ok || err1 != nil || err2 != nil || rows <= 0 || cols <= 0 || rows > 1<<16 || cols > 1<<16 {
		return 0, 0, fmt.Errorf("a size of %q", s)
	}
	return rows, cols, nil
}

// plain is an error of encoding/json for people.
func plain(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("%s where something else belongs", kind.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON: %w", err)
	}
	return err
}

// readOld reads a whole file of version 1, whose first line is there already:
// one JSON object. What there is of one that was cut is kept.
func (r *Reader) readOld(first []byte) error {
	rest, err := io.ReadAll(io.LimitReader(r.in, longestLine))
	if err != nil {
		return err
	}
	text := append(first, rest...)
	if len(text) >= longestLine {
		return fmt.Errorf("no recording of version 1 is longer than %d MiB", longestLine>>20)
	}
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("not an asciicast recording: its first line is no header")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	var h header2
	wrong := object(d, func(key string) error {
		switch key {
		case "version":
			return d.Decode(&h.Version)
		case "width":
			return d.Decode(&h.Width)
		case "height":
			return d.Decode(&h.Height)
		case "command":
			return d.Decode(&h.Command)
		case "title":
			return d.Decode(&h.Title)
		case "env":
			return d.Decode(&h.Env)
		case "stdout":
			return array(d, func() error {
				var raw json.RawMessage
				if err := d.Decode(&raw); err != nil {
					return err
				}
				var after float64
				var data string
				if err := fields(raw, &after, &data); err != nil {
					return err
				}
				r.now = min(r.now+seconds(after), longest)
				r.ready = append(r.ready, Event{Time: r.now, Kind: Output, Data: []byte(data)})
				return nil
			})
		}
		var ignored json.RawMessage
		return d.Decode(&ignored)
	})
	r.line = bytes.Count(text[:min(d.InputOffset(), int64(len(text)))], []byte("\n")) + 1
	cut := errors.Is(wrong, io.ErrUnexpectedEOF) || errors.Is(wrong, io.EOF)
	switch {
	case h.Version == 2 || h.Version == 3:
		return fmt.Errorf("the header: %w", ErrTruncated)
	case h.Version != 1:
		return errors.New("not an asciicast recording: its header says no version")
	case wrong == nil:
		r.end = io.EOF
	case cut:
		r.end = r.truncated()
	default:
		r.end = fmt.Errorf("line %d: %w", r.line, plain(wrong)) // nothing behind it can be read
	}
	r.header = h.header()
	return nil
}

// object reads a JSON object; value reads what stands behind each key.
func object(d *json.Decoder, value func(key string) error) error {
	if err := open(d, '{'); err != nil {
		return err
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if err := value(key); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// array reads a JSON array; value reads each element.
func array(d *json.Decoder, value func() error) error {
	if err := open(d, '['); err != nil {
		return err
	}
	for d.More() {
		if err := value(); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func open(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err == nil && t != want {
		return fmt.Errorf("%v where %v belongs", t, want)
	}
	return err
}
