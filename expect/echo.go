package expect

import (
	"bytes"

	"github.com/spawnx/spawnx/ptyio"
)

// An echo is what the terminal will show of what was sent, and where in the
// output it can begin. It is left out of the text only while it comes exactly
// so: the first byte that differs gives everything back, as the program may
// have turned echo off, or have written first.
type echo struct {
	at   int64 // raw offset
	want []byte
}

// resolve compares what came with what was expected. end is how far the
// output is known. It reports whether the question is settled.
func (t *text) resolve(end int64) (settled bool) {
	e := t.echo
	if e == nil {
		return true
	}
	if e.at < t.start.raw {
		t.echo = nil
		return true
	}
	n := min(end-e.at, int64(len(e.want)))
	if n <= 0 {
		return false
	}
	a, b := t.r.View(e.at, e.at+n)
	switch {
	case !bytes.HasPrefix(e.want, a) || !bytes.HasPrefix(e.want[len(a):], b):
		t.echo = nil
		return true
	case int(n) == len(e.want):
		t.skips = append(t.skips, span{e.at, e.at + n})
		t.echo = nil
		return true
	}
	return false
}

// begun reports whether a part of an undecided echo has come, which is kept
// back from the text.
func (t *text) echoBegun(end int64) bool { return t.echo != nil && end > t.echo.at }

// giveUpEcho takes the output as it is.
func (t *text) giveUpEcho() { t.echo = nil }

// expectEcho notes that the terminal will show want, from the offset end on.
func (t *text) expectEcho(want []byte, end int64) {
	if len(want) == 0 {
		return
	}
	if !t.resolve(end) {
		t.echo.want = append(t.echo.want, want...) // it comes behind the one before
		return
	}
	t.echo = &echo{at: end, want: want}
}

// echoOf returns what a terminal in this mode shows of the bytes sent
// (n_tty.c: echo_char and do_output_char).
func echoOf(sent []byte, m ptyio.Mode) []byte {
	out := make([]byte, 0, len(sent)+8)
	for _, b := range sent {
		if b == '\r' && m.CRToNL {
			b = '\n'
		}
		switch {
		case b == '\n' && m.NLToCRNL:
			out = append(out, '\r', '\n')
		case m.Canonical && b == m.EOF && b != 0:
			// the end-of-file key is not shown
		case b < ' ' && b != '\n' && b != '\t' && m.EchoControl:
			out = append(out, '^', b^0x40)
		case b == 0x7f && m.EchoControl:
			out = append(out, '^', '?')
		default:
			out = append(out, b)
		}
	}
	return out
}
