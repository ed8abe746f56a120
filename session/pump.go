package session

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
)

// A pump sends one lane to one client.
type pump struct {
	a       *attachment
	lane    byte
	stream  *bridge.Stream
	r       *bridge.Reader
	backlog []byte            // a replay that was prepared; it comes before what r reads
	picture []byte            // frames of a PAINT that come before all
	early   *bridge.LostError // what is no longer kept of what the client wanted
	paints  bool              // after a gap the client gets a PAINT

	mu    sync.Mutex
	sent  int64
	acked int64
	gaps  []bridge.LostError // between acked and sent: they take no room
	wake  chan struct{}      // capacity 1: acked has moved
	slow  slowness
	stuck time.Time   // since when the client takes nothing; zero: it does
	timer *time.Timer // looks at a client that takes nothing
	armed bool        // it will fire
}

func (p *pump) ack(to int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to > p.sent {
		return errors.New("an acknowledgement of what was never sent")
	}
	p.acked = max(p.acked, to)
	for len(p.gaps) > 0 && p.gaps[0].To <= p.acked {
		p.gaps = p.gaps[1:]
	}
	signal(p.wake)
	return nil
}

// flying is how many bytes were sent and not acknowledged. Called with mu held.
func (p *pump) flying() int64 {
	n := p.sent - p.acked
	for _, g := range p.gaps {
		n -= g.To - max(g.From, p.acked)
	}
	return n
}

// run sends the lane until its end, or until the client is gone.
func (p *pump) run() {
	if p.early != nil && p.gap(p.early) != nil {
		return
	}
	if p.picture != nil && p.send(p.picture, 0) != nil {
		return
	}
	p.picture = nil
	for len(p.backlog) > 0 {
		n := min(len(p.backlog), chunk)
		at, err := p.room(&n)
		if err != nil || p.send(dataFrame(p.lane, at, p.backlog[:n]), n) != nil {
			return
		}
		p.backlog = p.backlog[n:]
	}
	p.backlog = nil
	buf := make([]byte, headLen+8+chunk)
	for {
		n := chunk
		at, err := p.room(&n)
		if err != nil {
			return
		}
		n, err = p.r.ReadContext(p.a.ctx, buf[headLen+8:headLen+8+n])
		var lost *bridge.LostError
		switch {
		case errors.As(err, &lost):
			err = p.gap(lost)
		case err != nil && p.a.ctx.Err() != nil:
			return
		case err != nil:
			if p.a.send(jsonFrame(kindControl, &control{Event: eventEOF, Lane: int(p.lane)})) == nil {
				p.a.laneEnded()
			}
			return
		default:
			copy(buf, dataFrame(p.lane, at, nil))
			putHead(buf, kindData, p.lane, 8+n)
			err = p.send(buf[:headLen+8+n], n)
			p.caughtUp()
		}
		if err != nil {
			return
		}
	}
}

// runBare sends the lane as it is.
func (p *pump) runBare() {
	buf := make([]byte, chunk)
	for {
		n, err := p.r.ReadContext(p.a.ctx, buf)
		switch {
		case n > 0:
			end := p.r.Offset()
			p.mu.Lock()
			p.sent, p.acked = end, end
			p.mu.Unlock()
			s := p.a.s
			s.mu.Lock() // before the other end can see it, and leave for another to come
			p.a.bare = end
			s.mu.Unlock()
			p.watch(true)
			k, err := p.a.conn.Write(buf[:n])
			p.watch(false)
			if err != nil {
				s.mu.Lock()
				p.a.bare -= int64(n - k)
				s.mu.Unlock()
				return
			}
			p.caughtUp()
		case bridge.IsLost(err):
		case err != nil:
			return
		}
	}
}

// room waits until the client may get more and cuts n to that. It returns the
// offset of what is sent next.
func (p *pump) room(n *int) (at int64, err error) {
	watched := false
	for {
		p.mu.Lock()
		at, free := p.sent, window-p.flying()
		p.mu.Unlock()
		if free > 0 {
			*n = min(*n, int(free))
			if watched {
				p.watch(false)
			}
			return at, nil
		}
		if !watched {
			watched = true
			p.watch(true)
		}
		select {
		case <-p.wake:
			p.moved()
		case <-p.a.ctx.Done():
			p.watch(false)
			return 0, net.ErrClosed
		}
	}
}

// send sends a frame that holds n bytes of the lane.
func (p *pump) send(frame []byte, n int) error {
	p.mu.Lock()
	p.sent += int64(n) // before the client can acknowledge it
	p.mu.Unlock()
	p.watch(true)
	defer p.watch(false)
	return p.a.send(frame)
}

// gap tells the client what it will not get.
func (p *pump) gap(lost *bridge.LostError) error {
	p.mu.Lock()
	from, to := p.sent, lost.To
	away := p.slow.policy == SlowDisconnect && lost != p.early
	p.mu.Unlock()
	if away {
		return errSentAway
	}
	var picture []byte
	if p.paints && lost != p.early {
		picture, _, to = p.a.s.display.paint(to, nil)
		p.r.Advance(to)
	}
	frames := append(gapFrame(p.lane, from, to), picture...)
	p.mu.Lock()
	p.sent = to
	if n := len(p.gaps); n > 0 && p.gaps[n-1].To == from {
		p.gaps[n-1].To = to
	} else {
		p.gaps = append(p.gaps, bridge.LostError{From: from, To: to})
	}
	p.mu.Unlock()
	return p.send(frames, 0)
}

// watch begins or ends looking at a client that may take nothing.
func (p *pump) watch(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !on {
		p.stuck = time.Time{}
	} else if p.stuck.IsZero() {
		p.look()
	}
}

// moved notes that the client has taken something.
func (p *pump) moved() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stuck.IsZero() {
		p.stuck = time.Now()
	}
}

// look looks at the client after a while. Called with mu held.
func (p *pump) look() {
	p.stuck = time.Now()
	switch {
	case p.timer == nil:
		p.timer = time.AfterFunc(watchEvery, p.late)
	case !p.armed:
		p.timer.Reset(watchEvery)
	}
	p.armed = true
}

// late looks at a client that may have taken nothing for a while, and goes on
// looking until it does.
func (p *pump) late() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	if p.stuck.IsZero() || p.a.ctx.Err() != nil {
		return
	}
	wait := watchEvery - time.Since(p.stuck)
	if wait <= 0 {
		p.judge(p.stuck)
		wait = watchEvery
	}
	p.armed = true
	p.timer.Reset(wait)
}

// judge decides about a client that has taken nothing for a while. Called with
// mu held.
func (p *pump) judge(since time.Time) {
	st := p.stream.Stats()
	if st.BlockedBy != p.a.name {
		return
	}
	if st.BlockedSince.After(since) {
		since = st.BlockedSince
	}
	s := p.a.s
	s.mu.Lock()
	driver := p.a.role == Driver
	s.mu.Unlock()
	patient := driver && s.b.Stats().Peer.Running
	switch p.slow.stopped(time.Now(), since, p.acked, patient) {
	case skipNow:
		p.r.SetPolicy(bridge.Skip)
	case sendAway:
		p.r.SetPolicy(bridge.Skip) // the program does not wait until it has gone
		go p.a.farewell(&control{Event: eventError, Error: "too slow", Code: codeSlow})
	}
}

var errSentAway = errors.New("the client was too slow")

// caughtUp lets the program wait again for a client that has everything.
func (p *pump) caughtUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.slow.skipping || p.slow.policy == SlowSkip {
		return
	}
	if _, end := p.stream.Offsets(); p.sent == end && p.flying() < window/2 && p.slow.caughtUp(p.acked) {
		p.r.SetPolicy(bridge.Block)
	}
}
