package session

import (
	"context"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// A display is the server's own terminal: it sees all output, answers what the
// program asks its terminal while no person's does, and knows what the screen
// shows.
type display struct {
	s    *Server
	r    *bridge.Reader
	stop func()        // of answering
	p    *proc.Process // whose terminal it is

	mu      sync.Mutex
	screen  *screen.Screen
	at      int64 // of the output that it has seen
	ended   bool
	seen    *sync.Cond // at or ended has changed
	first   int64      // where queries began
	queries escape.Queries
}

func newDisplay(s *Server) *display {
	size := proc.Size{}.OrDefault()
	p := s.b.Process()
	if p != nil {
		if now, err := p.Stdio().Terminal.Size(); err == nil {
			size = now
		}
	}
	r := s.streams[laneOutput].Reader("screen", bridge.Block)
	d := &display{
		s: s, r: r, p: p, stop: s.b.Answer(), screen: screen.New(size.Rows, size.Cols), at: r.Offset(), first: r.Offset(),
	}
	d.seen = sync.NewCond(&d.mu)
	return d
}

func (d *display) size() proc.Size {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows, cols := d.screen.Size()
	return proc.Size{Rows: rows, Cols: cols}
}

func (d *display) resize(size proc.Size) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.screen.Resize(size.Rows, size.Cols)
}

// run shows all output, until its end.
func (d *display) run() {
	defer d.stop()
	defer d.r.Close()
	buf := make([]byte, chunk)
	for {
		n, err := d.r.ReadContext(d.s.ctx, buf)
		if p := d.s.b.Process(); p != d.p { // started again, on another terminal
			d.p = p
			_ = d.s.b.Resize(d.size()) // one that has ended already needs none
		}
		if answers := d.show(buf[:n], d.r.Offset()); len(answers) > 0 {
			d.answer(answers)
		}
		if err != nil && !bridge.IsLost(err) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.ended = true
			d.seen.Broadcast()
			return
		}
	}
}

// show takes output that ends at an offset and returns the answers that it
// asks for, but for those that the driver's terminal gives.
func (d *display) show(p []byte, end int64) (answers []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.seen.Broadcast()
	d.at = end - int64(len(p))
	write := func(to int64) {
		n := to - d.at
		_, _ = d.screen.Write(p[:n]) // it never fails
		p, d.at = p[n:], to
		if b := d.screen.Answers(); len(b) > 0 && !d.s.driverAnswers(to) {
			answers = append(answers, b...)
		}
	}
	d.queries.Feed(p, func(q escape.Query) { write(d.first + q.End) })
	write(end)
	return answers
}

// answer types what a terminal says. In canonical mode it would become a line
// of input: nobody who asks reads so.
func (d *display) answer(answer []byte) {
	mode, err := d.s.b.Mode()
	if err != nil || mode.Canonical {
		return
	}
	ctx, cancel := context.WithTimeout(d.s.ctx, time.Second)
	defer cancel()
	_, _ = d.s.b.Input().WriteContext(ctx, answer, noDeadline) // who does not read needs none
}

// paint returns the frames that show the screen, its size, and the output that
// is in it: that before the offset from at least. then, which may be nil, is
// told so before the screen sees more.
func (d *display) paint(from int64, then func(at int64)) (frames []byte, size proc.Size, at int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.at < from && !d.ended {
		d.seen.Wait()
	}
	if then != nil {
		then(d.at)
	}
	rows, cols := d.screen.Size()
	return paintFrames(d.at, d.screen.Repaint()), proc.Size{Rows: rows, Cols: cols}, d.at
}

// hold calls do while the screen sees nothing more.
func (d *display) hold(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
}

var noDeadline time.Time
