package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/bridge/fifo"
)

// ListenFifo opens a door for tools that know only files: the fifos DIR/in for
// input and DIR/out for output, and DIR/err where the errors come apart; with a
// Channel its name and a dot come before. Whoever opens them may come at any
// time, leave, and come again: what nobody has read stays, at first in the pipe,
// then in the Server, until that is full and a line in the output says how much
// is missing. At the end of the output readers get the end of file. When the
// program has ended DIR/in can no longer be written, and when all output was read
// the fifos are removed, as Close does.
//
// They are made as fifo.Make does: others than the user are kept out. A second
// Server at the same fifos is refused with fifo.ErrInUse.
func (s *Server) ListenFifo(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	o := fifo.PairOptions{Err: s.streams[laneStderr] != nil}
	if channel := cmp.Or(s.o.Channel, s.o.Also); channel != "" {
		o.Prefix = channel + "."
	}
	pair, err := fifo.Listen(dir, o)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = pair.Close() // nothing was written
		return net.ErrClosed
	}
	d := &door{address: "fifo:" + dir, l: fifoDoor{pair}}
	s.doors = append(s.doors, d)
	s.running.Go(func() { s.typeFifo(pair.In) })
	s.running.Go(func() {
		var lanes sync.WaitGroup
		lanes.Go(func() { s.copyFifo(laneOutput, pair.Out) })
		if pair.Err != nil {
			lanes.Go(func() { s.copyFifo(laneStderr, pair.Err) })
		}
		select {
		case <-s.ended:
			pair.EndInput()
		case <-s.ctx.Done():
		}
		lanes.Wait()
		s.mu.Lock()
		s.doors = slices.DeleteFunc(s.doors, func(other *door) bool { return other == d })
		s.mu.Unlock()
		_ = d.close() // nobody misses anything
	})
	return nil
}

// A fifoDoor is closed as others are. Nobody comes in by it one by one.
type fifoDoor struct{ *fifo.Pair }

func (fifoDoor) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (fifoDoor) Addr() net.Addr            { return nil }

// Close closes the fifos. What nobody has read is nobody's.
func (d fifoDoor) Close() error {
	err := d.Pair.Close()
	if unread := (*fifo.UnreadError)(nil); errors.As(err, &unread) {
		return nil
	}
	return err
}

// typeFifo passes on what comes by a fifo until that is closed.
func (s *Server) typeFifo(in *fifo.File) {
	buf := make([]byte, chunk)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			// A program that reads no more may still write.
			_, _ = s.b.Input().WriteContext(s.ctx, buf[:n], noDeadline)
		}
		if err != nil {
			return
		}
	}
}

// copyFifo writes a lane to a fifo until its end. Nobody need read it: then the
// program waits no longer than for another client.
func (s *Server) copyFifo(lane byte, out *fifo.File) {
	defer context.AfterFunc(s.ctx, func() { _ = out.SetWriteDeadline(time.Unix(1, 0)) })()
	slow := slowness{policy: s.o.Slow, skipping: s.o.Slow == SlowSkip}
	if slow.policy == SlowDisconnect { // there is nobody to send away
		slow.policy = SlowRule
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	a := &attachment{s: s, ctx: ctx, cancel: cancel, name: "fifo " + out.Name()}
	p := &pump{a: a, lane: lane, stream: s.streams[lane], slow: slow, wake: make(chan struct{}, 1)}
	p.r = p.stream.Reader(a.name, bridge.Block)
	defer p.r.Close()
	if slow.skipping {
		p.r.SetPolicy(bridge.Skip)
	}
	p.runFifo(out)
	// The end is the end of file for who reads now. Who comes later gets the rest, as long as there is a Server.
	for out.Unread() > 0 && s.ctx.Err() == nil {
		select {
		case <-time.After(fifoPause): // the kernel has no event for an empty pipe
		case <-s.ctx.Done():
		}
	}
	_ = out.Close() // nobody read it
}

const fifoPause = 20 * time.Millisecond

// runFifo sends the lane as it is, and a line where something is missing.
func (p *pump) runFifo(out *fifo.File) {
	buf := make([]byte, chunk)
	for {
		n, err := p.r.ReadContext(p.a.ctx, buf)
		var lost *bridge.LostError
		piece := buf[:n]
		switch {
		case errors.As(err, &lost):
			piece = fmt.Appendf(nil, "\n[spawnx: %d bytes are missing here]\n", lost.To-lost.From)
		case err != nil:
			return
		}
		p.mu.Lock()
		p.sent = p.r.Offset()
		p.mu.Unlock()
		p.watch(true)
		_, err = out.Write(piece)
		p.watch(false)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.acked = p.sent
		p.mu.Unlock()
		p.caughtUp()
	}
}
