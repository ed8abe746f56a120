package debugger

import (
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
	dropped [2]int        // lines and bytes since the last that was kept
	over    bool          // nothing more comes
	changed chan struct{} // something was put, or the end
	taken   chan struct{} // something was taken
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
	wake(o.changed)
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

// empty reports whether nothing waits.
func (o *outbox) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.lines) == 0 && o.dropped[0] == 0
}

// take waits for lines and returns all that are there; io.EOF after the last.
func (o *outbox) take(ctx context.Context) ([][]byte, error) {
	for {
		o.mu.Lock()
		lines, over, dropped := o.lines, o.over, o.dropped
		o.lines, o.bytes = nil, 0
		if len(lines) == 0 {
			o.dropped = [2]int{}
		}
		o.mu.Unlock()
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
