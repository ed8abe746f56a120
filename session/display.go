package session

import (
	"context"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
)

// A display is the server's own terminal: it sees all output, answers what the
// program asks its terminal while no person's does, and knows what the screen
// shows.
type display struct {
	s    *Server
	r    *bridge.Reader
	stop func() // of answering

	mu      sync.Mutex
	now     proc.Size
	queries escape.Queries
}

func newDisplay(s *Server) *display {
	return &display{s: s, r: s.streams[laneOutput].Reader("screen", bridge.Block), stop: s.b.Answer(), now: proc.Size{}.OrDefault()}
}

func (d *display) size() proc.Size {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *display) resize(size proc.Size) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = size
}

// run shows all output, until its end.
func (d *display) run() {
	defer d.stop()
	defer d.r.Close()
	buf := make([]byte, chunk)
	for {
		n, err := d.r.ReadContext(d.s.ctx, buf)
		for _, answer := range d.show(buf[:n]) {
			d.answer(answer)
		}
		if err != nil && !bridge.IsLost(err) {
			return
		}
	}
}

// show takes output and returns the answers that it asks for.
func (d *display) show(p []byte) (answers []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queries.Feed(p, func(q escape.Query) {
		if q.Answer != "" && !d.s.driverAnswers(q.End) {
			answers = append(answers, q.Answer)
		}
	})
	return answers
}

// answer types what a terminal says. In canonical mode it would become a line
// of input: nobody who asks reads so.
func (d *display) answer(answer string) {
	mode, err := d.s.b.Mode()
	if err != nil || mode.Canonical {
		return
	}
	ctx, cancel := context.WithTimeout(d.s.ctx, time.Second)
	defer cancel()
	_, _ = d.s.b.Input().WriteContext(ctx, []byte(answer), noDeadline) // who does not read needs none
}

// paint returns the frames that show the screen, and the output that is in it.
func (d *display) paint() (frames []byte, at int64) { return nil, 0 }

var noDeadline time.Time
