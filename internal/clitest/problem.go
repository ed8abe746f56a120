package clitest

import (
	"fmt"
	"strings"
	"time"

	"github.com/spawnx/spawnx/internal/escape"
)

// A problem is why a line failed: what and why in one line, details below it, and what to do.
type problem struct {
	what    string
	details []detail
	tail    string // details that are written already
	hint    string
	err     error // what it came from, or nil
}

type detail struct{ label, text string }

func (p *problem) Unwrap() error { return p.err }

func (p *problem) Error() string {
	var b strings.Builder
	b.WriteString(p.what)
	for _, d := range p.details {
		label := d.label
		for _, text := range strings.Split(d.text, "\n") {
			b.WriteString(strings.TrimRight(fmt.Sprintf("\n  %-8s %s", label, text), " "))
			label = ""
		}
	}
	b.WriteString(p.tail)
	if p.hint != "" {
		b.WriteString("\nhint: " + p.hint)
	}
	return b.String()
}

// with adds a detail: the end of a text that a program wrote, escaped.
func (p *problem) with(label, text string) *problem {
	p.details = append(p.details, detail{label, shown(text)})
	return p
}

// failed is a problem without details yet.
func failed(format string, args ...any) *problem {
	return &problem{what: fmt.Sprintf(format, args...)}
}

// hinted is a problem with what to do about it.
func hinted(hint, format string, args ...any) *problem {
	return &problem{what: fmt.Sprintf(format, args...), hint: hint}
}

// brief makes a duration short enough to be read.
func brief(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

const (
	mostLines = 20   // of a text in an error
	mostBytes = 4000 // the same
)

// shown is as much of the end of a text as an error shows, escaped.
func shown(text string) string {
	if text == "" {
		return "(nothing)"
	}
	noEnd := !strings.HasSuffix(text, "\n")
	lines := strings.Split(strings.TrimSuffix(escape.Tail(text, mostBytes), "\n"), "\n")
	if len(lines) > mostLines {
		lines = append([]string{fmt.Sprintf("… (%d lines before)", len(lines)-mostLines)}, lines[len(lines)-mostLines:]...)
	}
	for i, l := range lines {
		lines[i] = escape.Visible(l)
	}
	if noEnd && len(lines) > 1 {
		lines = append(lines, `(no line end)`)
	}
	return strings.Join(lines, "\n")
}
