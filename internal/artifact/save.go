package artifact

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/record"
	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/screen/picture"
)

// Save writes the folder, after Fail, and returns the names of its files. With a Name its
// files are NAME.recording.cast and so on.
//
//	diagnosis.txt   the failure: what was wanted, what came, what the program does
//	screen.txt      what a person would have seen at the end, as a golden file
//	screen.svg      the same as a picture
//	timeline.txt    what was waited for, sent and matched, with times
//	transcript.txt  the same with all output between
//	recording.cast  the output to be played; what was done is markers
//
// Files that cannot be written are left out; the error says which.
func (w *Watch) Save(dir string) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	diagnosis := ""
	if w.failure != nil {
		diagnosis = w.failure.Error()
	}
	var cast bytes.Buffer
	err = w.cast(&cast)
	s, serr := rendered(cast.Bytes())
	err = errors.Join(err, serr)
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"diagnosis.txt", func(f io.Writer) error { return put(f, escape.Visible(diagnosis)+"\n") }},
		{"screen.txt", func(f io.Writer) error { return put(f, golden.Format(s, false)) }},
		{"screen.svg", func(f io.Writer) error { return picture.SVG(f, s, picture.Options{Title: w.command()}) }},
		{"timeline.txt", func(f io.Writer) error { return put(f, w.lines(false)) }},
		{"transcript.txt", func(f io.Writer) error { return put(f, w.lines(true)) }},
		{"recording.cast", func(f io.Writer) error { return put(f, cast.String()) }},
	} {
		if f.name == "diagnosis.txt" && diagnosis == "" {
			continue
		}
		if w.options.Name != "" {
			f.name = w.options.Name + "." + f.name
		}
		var text bytes.Buffer
		ferr := f.write(&text)
		if ferr == nil {
			ferr = os.WriteFile(filepath.Join(dir, f.name), text.Bytes(), 0o666)
		}
		if ferr != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", f.name, ferr))
			continue
		}
		names = append(names, f.name)
	}
	return names, err
}

func put(f io.Writer, text string) error {
	_, err := io.WriteString(f, text)
	return err
}

func (w *Watch) command() string {
	return w.hidden(strings.Join(w.options.Command, " "))
}

// cast writes the recording.
func (w *Watch) cast(to io.Writer) error {
	r, err := record.NewWriter(to, record.Header{
		Rows: w.size.Rows, Cols: w.size.Cols, Term: w.options.Term, Time: w.begun, Command: w.command(), Title: w.options.Name,
	})
	if err != nil {
		return err
	}
	events := w.told()
	if w.bare {
		if err := r.Add(record.Event{Kind: record.Output, Data: lineMode}); err != nil {
			return err
		}
	}
	if w.before != nil && len(w.events) > 0 {
		first := record.Event{Time: w.events[0].At, Kind: record.Output, Data: []byte(w.hidden(string(w.before.Repaint())))}
		if err := r.Add(first); err != nil {
			return err
		}
	}
	for _, e := range events {
		out := record.Event{Time: e.At, Kind: record.Marker, Data: []byte(string(e.Kind) + " " + e.Text)}
		switch e.Kind {
		case Output:
			out.Kind, out.Data = record.Output, []byte(e.Text)
		case Resize:
			size := sizeOf(e.Text)
			out = record.Event{Time: e.At, Kind: record.Resize, Rows: size.Rows, Cols: size.Cols}
		}
		if err := r.Add(out); err != nil {
			return err
		}
	}
	return r.Close()
}

// rendered is what a recording shows at its end: with the secrets masked, which
// the live screen may show.
func rendered(cast []byte) (*screen.Screen, error) {
	r, err := record.NewReader(bytes.NewReader(cast))
	if err != nil {
		return screen.New(24, 80), err
	}
	s := screen.New(r.Header().Rows, r.Header().Cols)
	return s, record.Render(s, r, -1)
}

// lines is the timeline as text.
func (w *Watch) lines(output bool) string {
	var b strings.Builder
	if w.dropped > 0 {
		fmt.Fprintf(&b, "(the first %d events are left out)\n", w.dropped)
	}
	for _, e := range w.told() {
		text := escape.Visible(e.Text)
		if e.Kind == Output {
			if !output {
				continue
			}
			text = escape.Quote(e.Text)
		}
		fmt.Fprintf(&b, "%8.3f  %-7s %s\n", e.At.Seconds(), e.Kind, text)
	}
	return b.String()
}

// Shown is what a person would see at the moment, as a golden file.
func (w *Watch) Shown() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var cast bytes.Buffer
	_ = w.cast(&cast) // what there is of it is shown
	s, _ := rendered(cast.Bytes())
	return golden.Format(s, false)
}
