package expect

import (
	"bytes"
	"math"
	"sync"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
)

// A View is what patterns see of the output.
type View int

const (
	// Plain is the text as a person reads it: escape sequences are left out
	// and "\r\n" is "\n". It is the default on a terminal.
	Plain View = iota + 1
	// Raw is every byte. It is the default elsewhere.
	Raw
)

func (v View) String() string {
	if v == Plain {
		return "plain"
	}
	return "raw"
}

// Of what a wait has passed without a match, so many raw bytes stay at hand
// for Match.Before: half of what the Stream keeps, so that a read always has
// room. It is given up in steps.
const (
	retain     = 512 << 10
	retainStep = 64 << 10
)

// A mark is a place in the output, with what the view must know to go on there.
type mark struct {
	raw    int64 // offset in the output
	plain  int64 // offset in the view, from where the present call began
	filter escape.Filter
}

// A span is a run of raw bytes.
type span struct{ from, to int64 }

// A text is the output that was not consumed yet. It belongs to whoever holds
// the turn, but for echo and skips, which a send adds to: all is guarded by
// conversation.mu.
type text struct {
	r     *bridge.Reader
	born  int64  // where the conversation began
	start mark   // the oldest byte at hand; its plain offset is 0 unless retention cut
	trail []mark // where the scan of the present call came by: places for start
	seen  int64  // taps have seen the output up to here
	skips []span // echoes of the terminal, left out of every view
	echo  *echo  // one that may still come

	line string // what the program has begun to write in the line it stands in

	bornSilent bool // the terminal was started with echo off
}

func newText(r *bridge.Reader) *text {
	off := r.Offset()
	return &text{r: r, born: off, start: mark{raw: off}, seen: off}
}

// walk runs the view from m over the output up to rawEnd, or until it has
// passed plainEnd bytes of text, and hands every piece of text to emit, which
// may be nil and stops the walk by answering true. It stands still before an
// echo that is undecided.
func (t *text) walk(m *mark, view View, rawEnd, plainEnd int64, emit func(piece []byte) (stop bool)) {
	for m.raw < rawEnd && m.plain < plainEnd {
		stop := rawEnd
		for _, s := range t.skips {
			if s.from <= m.raw && m.raw < s.to {
				m.raw = s.to
			}
			if m.raw < s.from {
				stop = min(stop, s.from)
			}
		}
		if t.echo != nil && t.echo.at >= m.raw {
			stop = min(stop, t.echo.at)
		}
		if m.raw >= stop {
			if stop < rawEnd {
				return // an undecided echo
			}
			continue
		}
		a, b := t.r.View(m.raw, stop)
		if lost := stop - m.raw - int64(len(a)+len(b)); lost > 0 { // a reader that may lose some did
			m.raw, m.filter = m.raw+lost, escape.Filter{}
		}
		if walkPiece(m, view, a, plainEnd, emit) || walkPiece(m, view, b, plainEnd, emit) {
			return
		}
	}
}

// walkPiece is walk over bytes in one piece.
func walkPiece(m *mark, view View, raw []byte, plainEnd int64, emit func([]byte) bool) (stop bool) {
	if view == Plain && plainEnd == math.MaxInt64 && len(raw) >= manyLines {
		return walkLines(m, raw, emit)
	}
	for len(raw) > 0 {
		piece, n := raw, len(raw)
		if view == Plain {
			piece, n = m.filter.Next(raw)
		}
		if most := plainEnd - m.plain; int64(len(piece)) > most {
			// The piece begins where its raw bytes begin, and inside it nothing is pending.
			piece, n, m.filter = piece[:most], int(most), escape.Filter{}
		}
		raw = raw[n:]
		m.raw += int64(n)
		m.plain += int64(len(piece))
		if len(piece) > 0 && emit != nil && emit(piece) {
			return true
		}
		if m.plain >= plainEnd {
			return true
		}
	}
	return false
}

// From this length on it is quicker to search a copy of the text than line by line.
const (
	manyLines = 512
	mostLines = 16 << 10
)

var linesOfText = sync.Pool{New: func() any { return new([mostLines + 2]byte) }}

// walkLines is walkPiece through the Plain view to the end of raw. It hands out
// many lines at a time: where emit stops it, m stands behind all of them.
func walkLines(m *mark, raw []byte, emit func([]byte) bool) (stop bool) {
	lines := linesOfText.Get().(*[mostLines + 2]byte)
	defer linesOfText.Put(lines)
	for len(raw) > 0 && !stop {
		n := min(len(raw), mostLines)
		text := m.filter.Plain(lines[:0], raw[:n])
		raw = raw[n:]
		m.raw += int64(n)
		m.plain += int64(len(text))
		stop = len(text) > 0 && emit != nil && emit(text)
	}
	return stop
}

// begin makes the present start offset 0 of the view.
func (t *text) begin() { t.start.plain, t.trail = 0, nil }

// consume makes m the new start.
func (t *text) consume(m mark) {
	t.start = m
	t.begin()
	keep := t.skips[:0]
	for _, s := range t.skips {
		if s.to > m.raw {
			keep = append(keep, s)
		}
	}
	t.skips = keep
	if t.echo != nil && t.echo.at < m.raw {
		t.echo = nil
	}
	t.r.Advance(m.raw)
}

// longestLine is how much of a line that was begun is kept.
const longestLine = 4 << 10

// consumed notes the text that is consumed, for its last line.
func (t *text) consumed(p []byte) {
	if i := bytes.LastIndexByte(p, '\n'); i >= 0 {
		t.line, p = "", p[i+1:]
	}
	t.line += string(p[max(0, len(p)-longestLine):])
	t.line = t.line[max(0, len(t.line)-longestLine):]
}

// skipTo gives up everything before the offset.
func (t *text) skipTo(raw int64) { t.consume(mark{raw: raw}) }

// trim gives up what lies too far behind cur; heard, unless nil, gets it. What
// the call began with then lies before start, whose plain offset is no longer 0.
func (t *text) trim(cur mark, view View, h *heard) {
	last := t.start
	if n := len(t.trail); n > 0 {
		last = t.trail[n-1]
	}
	if cur.raw-last.raw >= retainStep/2 {
		t.trail = append(t.trail, cur)
	}
	if cur.raw-t.start.raw < retain+retainStep {
		return
	}
	to := cur.raw - retain
	for len(t.trail) > 0 && t.trail[0].raw <= to {
		if h == nil {
			t.start = t.trail[0] // there is no need to walk
		}
		t.trail = t.trail[1:]
	}
	if cur.raw-t.start.raw >= retain+retainStep {
		t.walk(&t.start, view, to, math.MaxInt64, func(p []byte) bool {
			if h != nil {
				h.add(p)
			}
			return false
		})
	}
	t.r.Advance(t.start.raw)
}

// read returns the view's text from start up to the plain offset end, and
// the mark there.
func (t *text) read(view View, rawEnd, end int64) ([]byte, mark) {
	m := t.start
	buf := make([]byte, 0, max(0, min(end-m.plain, rawEnd-m.raw)))
	t.walk(&m, view, rawEnd, end, func(p []byte) bool {
		buf = append(buf, p...)
		return false
	})
	return buf, m
}
