package clitest

import (
	"sync"
	"time"
)

// A beat tells those who ask that a while has passed. It has one timer for all: to set one for each program wakes a thread
// each time, to look at the clock. The zero beat works.
type beat struct {
	mu        sync.Mutex
	now, next chan struct{} // the next stroke, and the one behind it
	timer     *time.Timer   // nil: it does not beat
	idle      int           // strokes since somebody asked
}

// stroke is the time between two strokes.
const stroke = 10 * time.Millisecond

// while returns a channel that is closed after one to two strokes.
func (b *beat) while() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle = 0
	if b.timer == nil {
		b.now, b.next = make(chan struct{}), make(chan struct{})
		b.timer = time.AfterFunc(stroke, b.strike)
	}
	return b.next
}

func (b *beat) strike() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.now)
	b.now, b.next = b.next, make(chan struct{})
	if b.idle++; b.idle > 2 { // nobody waits for these any more
		b.timer = nil
		return
	}
	b.timer.Reset(stroke)
}
