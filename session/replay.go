package session

import (
	"bytes"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
)

// Where a client's output begins.
const (
	replayStart  = "start"
	replayNow    = "now"
	replayNone   = "none"
	replayOffset = "offset"
	replayLines  = "lines"
	replayScreen = "screen"
	replayPlace  = "place"
)

// screenLines are replayed to who wants a screen where there is none.
const screenLines = 1000

// A From says where a client's output begins. The zero From is the oldest byte
// that is kept.
type From struct {
	replay string
	offset int64
	lines  int
	place  string
}

var (
	// FromNow leaves out what was written before.
	FromNow = From{replay: replayNow}
	// FromScreen begins with what the screen shows now.
	FromScreen = From{replay: replayScreen}
	// Nothing is no output at all: for who only sends or asks.
	Nothing = From{replay: replayNone}
)

// FromOffset begins with this byte of the output. What of it is no longer kept
// is lost, and said to be.
func FromOffset(offset int64) From { return From{replay: replayOffset, offset: offset} }

// FromLines begins with the last lines.
func FromLines(n int) From { return From{replay: replayLines, lines: n} }

// FromPlace begins where SetPlace has put this name's place; at the oldest
// byte where it has not.
func FromPlace(who string) From { return From{replay: replayPlace, place: who} }

// goLive says where the client's live output begins. Questions before that are
// not for its terminal, so it is called while the screen judges none.
func (a *attachment) goLive(at int64) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.live = at
}

// now is the end of the output, from which on it is live to the client.
func (a *attachment) now() (end int64) {
	begin := func() {
		_, end = a.s.streams[laneOutput].Offsets()
		a.goLive(end)
	}
	if a.s.display == nil {
		begin()
	} else {
		a.s.display.hold(begin)
	}
	return end
}

// replay makes the client's pumps, and says in hi where they begin. known says
// that its offsets count in our stream.
func (a *attachment) replay(hi *welcome, known bool) error {
	h := a.hello
	if h.Replay == replayNone {
		return nil
	}
	slow, _ := ParseSlow(h.Slow)
	if h.Slow == "" {
		slow = a.s.o.Slow
	}
	policy := bridge.Block
	if slow == SlowSkip {
		policy = bridge.Skip
	}
	for lane, stream := range a.s.streams {
		if stream == nil {
			continue
		}
		p := &pump{a: a, lane: byte(lane), stream: stream, r: stream.Reader(a.name, bridge.Block), wake: make(chan struct{}, 1)}
		p.slow = slowness{policy: slow, skipping: slow == SlowSkip}
		a.pumps = append(a.pumps, p)
		start := p.r.Offset() // held by the new reader
		_, end := stream.Offsets()
		p.sent = start
		asked := h.Stderr
		if lane == laneOutput {
			asked, end = h.Offset, a.now()
		}
		switch {
		case h.Replay == replayNow:
			p.sent = end
		case h.Replay == replayOffset && known:
			if asked > end {
				return &refusal{codeHello, "an offset beyond the output"}
			}
			p.sent = asked
		case h.Replay == replayPlace && known && lane == laneOutput:
			a.s.mu.Lock()
			if at, ok := a.s.places.m[h.Place]; ok {
				p.sent = min(at, end)
			}
			a.s.mu.Unlock()
		case h.Replay == replayLines:
			p.sent = lastLines(p.r, start, end, h.Lines)
		case h.Replay == replayScreen:
			p.sent = lastLines(p.r, start, end, screenLines)
			if lane != laneOutput || a.s.display == nil {
				break
			}
			p.picture, _, p.sent = a.s.display.paint(start, a.goLive)
		}
		p.paints = (h.Terminal || h.Replay == replayScreen) && lane == laneOutput && a.s.display != nil
		p.acked = p.sent
		switch lane {
		case laneOutput:
			hi.Output = p.sent
		case laneStderr:
			hi.Stderr = p.sent
		}
		from := max(p.sent, start)
		if p.sent < start {
			if p.paints {
				p.picture, _, from = a.s.display.paint(start, a.goLive)
			}
			p.early = &bridge.LostError{From: p.sent, To: from}
		}
		if h.Terminal && lane == laneOutput && from < a.live {
			p.backlog = unasked(p.r, from, a.live)
			from = a.live
		}
		p.r.Advance(from)
		p.r.SetPolicy(policy)
	}
	return nil
}

// view copies the bytes [from, to) that a Block reader holds.
func view(r *bridge.Reader, from, to int64) []byte {
	a, b := r.View(from, to)
	return append(bytes.Clone(a), b...)
}

// lastLines is where the last n lines of [start, end) begin. A line that is
// not ended counts.
func lastLines(r *bridge.Reader, start, end int64, n int) int64 {
	if n == 0 {
		return end
	}
	b := view(r, start, end)
	i := len(b)
	if i > 0 && b[i-1] == '\n' {
		i--
	}
	for ; n > 0 && i >= 0; n-- {
		i = bytes.LastIndexByte(b[:i], '\n')
	}
	if i < 0 {
		return start
	}
	return start + int64(i) + 1
}

// unasked is the output [from, to) without the questions in it: they were
// answered when they were asked. NUL bytes stand in their place, which
// terminals ignore, so that offsets stay.
func unasked(r *bridge.Reader, from, to int64) []byte {
	b := view(r, from, to)
	var q escape.Queries
	q.Feed(b, func(q escape.Query) { clear(b[q.Start:q.End]) })
	return b
}
