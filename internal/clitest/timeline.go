package clitest

import (
	"bytes"
	"strings"
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

// A scribe takes the transcript of a conversation into the timeline: lines of "0.012 <  text".
type scribe struct {
	t       *timeline
	program string
}

func (s *scribe) Write(p []byte) (int, error) {
	at := s.t.now()
	for text := range bytes.Lines(p) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
		kind, ok := map[string]report.Kind{"<": report.Output, ">": report.Sent, "=": report.Match}[rest[:min(1, len(rest))]]
		if ok {
			s.t.add(report.Event{At: at, Kind: kind, Program: s.program, Text: strings.TrimSpace(rest[1:])})
		}
	}
	return len(p), nil
}
