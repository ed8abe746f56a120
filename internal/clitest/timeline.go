package clitest

import (
	"sync"
	"time"

	"github.com/spawnx/spawnx/internal/clitest/report"
)

// mostEvents is how many events of an attempt are kept.
const mostEvents = 20000

// A timeline is what happened during an attempt, in order, with times. It may be added to by any goroutine.
type timeline struct {
	begun time.Time

	mu     sync.Mutex
	events []report.Event
}

func newTimeline() *timeline { return &timeline{begun: time.Now()} }

func (t *timeline) now() time.Duration { return time.Since(t.begun) }

func (t *timeline) add(e report.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) < mostEvents {
		t.events = append(t.events, e)
	}
}

func (t *timeline) all() []report.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.events[:len(t.events):len(t.events)]
}

// note adds a remark to what happened.
func (s *state) note(text string) {
	s.log.add(report.Event{At: s.log.now(), Kind: report.Note, Text: s.abbreviated(text)})
}
