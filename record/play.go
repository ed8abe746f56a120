package record

import (
	"context"
	"fmt"
	"io"
	"time"
)

// PlayOptions say how to play; the zero value is as it was recorded.
type PlayOptions struct {
	Speed     float64       // 2 is twice as fast; zero is 1
	IdleLimit time.Duration // of every pause, before Speed; zero: as the recording says, negative: none
	From      time.Duration // what came before is written at once
	// PauseOnMarkers stops behind every Marker until a Control says otherwise.
	PauseOnMarkers bool
	// Control, unless nil, is where the person's wishes come from.
	Control <-chan Control
	// Event, unless nil, is told every event at its time, output when it has
	// been written.
	Event func(Event)
}

// A Control is a wish of the person who watches.
type Control int

const (
	Pause      Control = iota + 1 // stop, or go on
	Step                          // to the next output, then stop
	NextMarker                    // at once to the next marker, and stop there
)

// Play writes the output of a recording to w, each piece at its time, until
// its end or until ctx ends. Lines that cannot be read are left out; the error
// then tells of the first when all has been played, and of a file that breaks
// off (ErrTruncated). An error of w ends it.
func Play(ctx context.Context, w io.Writer, r *Reader, o PlayOptions) error {
	p := player{o: o, ctx: ctx, due: time.Now()}
	if p.o.Speed <= 0 {
		p.o.Speed = 1
	}
	if p.o.IdleLimit == 0 {
		p.o.IdleLimit = r.Header().IdleLimit
	}
	p.o.PauseOnMarkers = o.PauseOnMarkers && o.Control != nil // else nobody could go on
	var last time.Duration
	var missing gaps
	for e, err := range r.All() {
		if missing.note(err) {
			continue
		}
		if e.Time >= o.From { // also where no time passes: it may have been stopped
			if err := p.wait(p.pause(e.Time - max(last, o.From))); err != nil {
				return err
			}
		}
		last = e.Time
		if e.Kind == Output {
			if _, err := w.Write(e.Data); err != nil {
				return err
			}
		}
		if o.Event != nil {
			o.Event(e)
		}
		if e.Time >= o.From {
			p.passed(e)
		} else {
			p.due = time.Now()
		}
	}
	return missing.error()
}

// gaps are what could not be read of a recording.
type gaps struct {
	first error
	more  int
}

// note takes an error of the Reader and reports whether it was one.
func (g *gaps) note(err error) bool {
	if err == nil {
		return false
	}
	if g.first == nil {
		g.first = err
	} else {
		g.more++
	}
	return true
}

func (g *gaps) error() error {
	if g.more == 0 {
		return g.first
	}
	return fmt.Errorf("%w (and %d more)", g.first, g.more)
}

// A player is a Play under way.
type player struct {
	o       PlayOptions
	ctx     context.Context
	due     time.Time // of the last event: what writing and waking up take does not add up
	stopped bool
	step    bool // stop behind the next output
	hurry   bool // to the next marker
}

// pause is how long a pause of the recording is played.
func (p *player) pause(d time.Duration) time.Duration {
	if p.o.IdleLimit > 0 {
		d = min(d, p.o.IdleLimit)
	}
	return time.Duration(float64(d) / p.o.Speed)
}

// wait lets d pass since the last event was due, time in which the person has
// stopped it not counted.
func (p *player) wait(d time.Duration) error {
	p.due = p.due.Add(d)
	for p.stopped || !p.hurry && !p.step && time.Until(p.due) > 0 {
		began, stopped := time.Now(), p.stopped
		var over <-chan time.Time
		if !stopped {
			over = time.After(time.Until(p.due))
		}
		select {
		case <-over:
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		case c, ok := <-p.o.Control:
			if stopped {
				p.due = p.due.Add(time.Since(began))
			}
			if !ok { // nobody is there any more: play on
				p.o.Control, p.o.PauseOnMarkers, p.stopped = nil, false, false
				break
			}
			p.wish(c)
		}
	}
	if now := time.Now(); p.due.After(now) {
		p.due = now
	}
	return context.Cause(p.ctx)
}

func (p *player) wish(c Control) {
	switch c {
	case Pause:
		p.stopped = !p.stopped
	case Step:
		p.step, p.stopped = true, false
	case NextMarker:
		p.hurry, p.stopped = true, false
	}
}

// passed stops behind what the person waits for.
func (p *player) passed(e Event) {
	switch {
	case e.Kind == Output && p.step:
		p.step, p.stopped = false, true
	case e.Kind == Marker && p.hurry:
		p.hurry, p.stopped = false, true
	case e.Kind == Marker && p.o.PauseOnMarkers:
		p.stopped = true
	}
}

// A Screen shows output; it is what Render needs of one.
type Screen interface {
	io.Writer
	Resize(rows, cols int)
}

// Render puts on a screen what the recording shows at the time until, or at its
// end when until is negative. The screen has the size that the Header says.
// Lines that cannot be read are left out, and told of as Play does.
func Render(s Screen, r *Reader, until time.Duration) error {
	var missing gaps
	for e, err := range r.All() {
		if missing.note(err) {
			continue
		}
		if until >= 0 && e.Time > until {
			break
		}
		switch e.Kind {
		case Output:
			if _, err := s.Write(e.Data); err != nil {
				return err
			}
		case Resize:
			s.Resize(e.Rows, e.Cols)
		}
	}
	return missing.error()
}
