package debugger

import (
	"bytes"
	"context"
	"io"
	"sync"
)

// An outbox holds the lines that one front end has not read yet. Who puts never
// waits: a front end that is slow, or stopped, holds nobody up. Once more than
// full bytes are waiting, what follows is left out as whole lines until half of
// it was read, and the gap is told in its place.
type outbox struct {
	gap func(lines, bytes int, putting bool) []byte // the line that tells of a gap; putting: put has called it

	mu      sync.Mutex
	lines   [][]byte
	bytes   int
	dropped [2]int             // lines and bytes since the last that was kept
	over    bool               // nothing more comes
	busy    bool               // who took lines has not come back: they are being written
	now     func(p []byte) int // writes what can be written at once; nil: that cannot be known
	changed chan struct{}      // something was put, or the end
	taken   chan struct{}      // something was taken, or is written
}

// full is how much may wait for a front end: seconds of events, and little
// enough for many front ends.
const full = 4 << 20

func newOutbox(gap func(lines, bytes int, putting bool) []byte) *outbox {
	return &outbox{gap: gap, changed: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
}

// put adds a line, which the outbox keeps. One that must arrive, as somebody
// waits for it, is kept in any case: askers are held up by room.
func (o *outbox) put(line []byte, must bool) {
	o.add(line, must)
	wake(o.changed)
}

// add is put for who calls flush behind the last of several lines.
func (o *outbox) add(line []byte, must bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.over:
		return
	case !must && (o.bytes+len(line) > full || o.dropped[0] > 0 && o.bytes > full/2):
		o.dropped[0]++
		o.dropped[1] += len(line)
		return
	case o.dropped[0] > 0:
		o.keep(o.gap(o.dropped[0], o.dropped[1], true))
		o.dropped = [2]int{}
	}
	o.keep(line)
}

func (o *outbox) keep(line []byte) {
	o.lines = append(o.lines, line)
	o.bytes += len(line)
}

// flush hands out what was added: written here where that needs no waiting, as to
// wake another goroutine for it takes as long as the rest of an answer's way.
func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now != nil && !o.busy && len(o.lines) > 0 {
		all := bytes.Join(o.lines, nil)
		all = all[o.now(all):]
		o.lines, o.bytes = nil, len(all)
		if len(all) > 0 {
			o.lines = [][]byte{all}
		}
		wake(o.taken)
	}
	if len(o.lines) > 0 || o.dropped[0] > 0 {
		wake(o.changed)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look anyway
	}
}

// room waits until so little is left that its front end may ask more.
func (o *outbox) room(ctx context.Context) error {
	for {
		o.mu.Lock()
		busy := o.bytes > full
		o.mu.Unlock()
		if !busy {
			return nil
		}
		select {
		case <-o.taken:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// end says that nothing more comes.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	wake(o.changed)
}

// empty reports whether nothing waits, and nothing that was taken is still being
// written. When that may have become so, taken says it.
func (o *outbox) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.lines) == 0 && o.dropped[0] == 0 && !o.busy
}

// take waits for lines and returns all that are there; io.EOF after the last.
func (o *outbox) take(ctx context.Context) ([][]byte, error) {
	for {
		o.mu.Lock()
		lines, over, dropped, was := o.lines, o.over, o.dropped, o.busy
		o.lines, o.bytes = nil, 0
		o.busy = len(lines) > 0 || dropped[0] > 0
		if len(lines) == 0 {
			o.dropped = [2]int{}
		}
		o.mu.Unlock()
		if was {
			wake(o.taken)
		}
		if len(lines) == 0 && dropped[0] > 0 {
			lines = [][]byte{o.gap(dropped[0], dropped[1], false)}
		}
		if len(lines) > 0 {
			wake(o.taken)
			return lines, nil
		}
		if over {
			return nil, io.EOF
		}
		select {
		case <-o.changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
