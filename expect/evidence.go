package expect

import (
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
)

// How often a wait looks whether the program waits for input: soon after
// output, then ever more rarely, so that a look, some tens of microseconds,
// costs nothing that counts.
const (
	firstLook   = 200 * time.Microsecond
	longestLook = 50 * time.Millisecond
)

// A prober asks for evidence that the program waits for input, as long as
// nothing changes.
type prober struct {
	at    time.Time // the next look; zero: not planned yet
	pause time.Duration
	never bool // it can never be proved
}

// moved plans the looks anew: something came, or was sent.
func (p *prober) moved() { p.at, p.pause = time.Time{}, firstLook }

// due reports whether it is time for a look, else when it will be; zero is
// never.
func (p *prober) due(now time.Time) (bool, time.Time) {
	switch {
	case p.never:
		return false, time.Time{}
	case p.at.IsZero():
		p.at = now.Add(p.pause)
		return true, p.at
	case now.Before(p.at):
		return false, p.at
	}
	p.pause = min(2*p.pause, longestLook)
	p.at = now.Add(p.pause)
	return true, p.at
}

// waiting asks whether the program waits for input and has written nothing
// behind the offset have, up to which the caller knows its output. A far side
// that stands beside its program looks for itself.
func (c *conversation) waiting(have int64) diag.Evidence {
	if far, ok := c.b.Peer().(interface {
		Waiting(have int64) diag.Evidence
	}); ok {
		return far.Waiting(have)
	}
	return diag.Waiting(lanes("", c.b.Stats(), c.b), c.b.Taken, func() (bool, error) {
		got, err := c.b.Output().Flush()
		_, end := c.b.Output().Offsets() // somebody else may have read it
		return got || end > have, err
	})
}

// lanes is what diag is told of the program.
func lanes(name string, st bridge.Stats, b *bridge.Bridge) diag.Lanes {
	l := diag.LanesOf(st)
	l.Name = name
	if mode, err := b.Mode(); err == nil {
		l.ModeKnown, l.Echo, l.Canonical, l.Timed = true, mode.Echo, mode.Canonical, mode.Timed
	}
	return l
}
