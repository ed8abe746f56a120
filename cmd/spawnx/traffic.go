package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spawnx/spawnx/internal/escape"
)

// labels lets several write to one place, line by line: each line stands behind the label of who wrote it.
// What has no newline yet appears at once; who comes next begins a new line.
type labels struct {
	mu    sync.Mutex
	w     io.Writer
	owner *label // of the line that has been begun; nil: none has
}

type label struct {
	all  *labels
	text string
}

func newLabels(w io.Writer) *labels { return &labels{w: w} }

// label returns a writer whose lines stand behind text.
func (l *labels) label(text string) *label { return &label{l, text} }

func (l *label) Write(p []byte) (int, error) {
	all := l.all
	all.mu.Lock()
	defer all.mu.Unlock()
	var b bytes.Buffer
	if all.owner != nil && all.owner != l {
		b.WriteByte('\n')
		all.owner = nil
	}
	for line := range bytes.Lines(p) {
		if all.owner == nil {
			b.WriteString(l.text)
		}
		b.Write(line)
		all.owner = l
		if line[len(line)-1] == '\n' {
			all.owner = nil
		}
	}
	if _, err := all.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// finish ends a line that has been begun.
func (l *labels) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owner != nil {
		_, _ = io.WriteString(l.w, "\n")
		l.owner = nil
	}
}

// A traffic shows what passes between endpoints, and from whom: one line for each line of it, escaped, or
// in hexadecimal.
type traffic struct {
	w     *labels
	names []string
	hex   bool
	at    []int // in hexadecimal: how much each has written
	out   *label
}

func (t *traffic) show(from int, p []byte) {
	if t.out == nil {
		t.out, t.at = t.w.label(""), make([]int, len(t.names))
	}
	var b strings.Builder
	if t.hex {
		for len(p) > 0 {
			n := min(16, len(p))
			fmt.Fprintf(&b, "%s > %08x  %-47s  %s\n", t.names[from], t.at[from], spaced(p[:n]), printable(p[:n]))
			t.at[from] += n
			p = p[n:]
		}
	} else {
		for line := range bytes.Lines(p) {
			fmt.Fprintf(&b, "%s > %s\n", t.names[from], escape.Quote(string(line)))
		}
	}
	_, _ = io.WriteString(t.out, b.String()) // to who does not read stderr, nothing can be said
}

func spaced(p []byte) string {
	var b strings.Builder
	for i := range p {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(hex.EncodeToString(p[i : i+1]))
	}
	return b.String()
}

func printable(p []byte) string {
	text := bytes.Clone(p)
	for i, c := range text {
		if c < ' ' || c > '~' {
			text[i] = '.'
		}
	}
	return string(text)
}
