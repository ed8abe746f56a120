package bridge

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

var (
	errNotSpliced   = errors.New("the bytes have to come past us at the moment")
	errNeverSpliced = errors.New("these bytes have to come past us")
)

// A splicing is a Stream whose source is led straight to a sink.
type splicing struct {
	in      *Input
	m       *mover
	waiting *pendingWrite // where it waits for the sink; guarded by the Stream's mu
}

// What a mover found.
type found int

const (
	moved    found = iota // some bytes
	dry                   // the source has nothing at the moment
	full                  // the sink takes nothing at the moment
	finished              // the source has ended
)

// splice moves what the source brings straight to in, past the ring, for r: as
// long as r is the only Reader and has read all there is. Nothing of it is
// kept: who becomes a Reader meanwhile begins where the splicing ends.
//
// It returns errNotSpliced when the next bytes must come past us, also to meet
// the end of the source or an error there where it belongs, and errNeverSpliced
// when source and sink are not of the kind.
func (s *Stream) splice(ctx context.Context, r *Reader, in *Input) error {
	m, call, err := s.beginSplice(ctx, r, in)
	if err != nil {
		return err
	}
	defer m.close()
	defer context.AfterFunc(ctx, func() { s.interrupt(r, call) })()
	err = s.spliceOn(ctx, r, in, m)
	s.endSplice(r, m)
	return err
}

// beginSplice takes the lease.
func (s *Stream) beginSplice(ctx context.Context, r *Reader, in *Input) (m *mover, call uint64, err error) {
	sink := in.present()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leading || s.src == nil || s.err != nil || r.closed || r.off != s.end || s.wanted(ctx) {
		return nil, 0, errNotSpliced
	}
	if m, err = newMover(s.src, sink); err != nil {
		return nil, 0, err
	}
	s.leading, s.leader, s.spliced = true, r, &splicing{in: in, m: m}
	s.waiting++
	r.waiting = true
	r.calls++
	s.start = s.end // the history has a gap from here
	s.setDeadline(time.Time{})
	return m, r.calls, nil
}

// wanted reports whether somebody wants to see the bytes, or the lease.
func (s *Stream) wanted(ctx context.Context) bool {
	return len(s.readers) != 1 || s.flushing > 0 || s.finish || ctx.Err() != nil
}

// spliceOn moves bytes until somebody wants them, or something is the matter.
func (s *Stream) spliceOn(ctx context.Context, r *Reader, in *Input, m *mover) error {
	turn := func() bool { return s.ferryTurn(ctx, in, m) }
	for {
		if err := m.awaitInput(turn); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) || !s.spliceAgain(ctx, 0) {
				return errNotSpliced
			}
			continue
		}
		if err := in.take(ctx, time.Time{}); err != nil {
			return errNotSpliced
		}
		err := s.spliceTurn(ctx, in, m)
		<-in.turn
		if err != nil {
			return err
		}
	}
}

// A move of so much is followed by another one at once; so little is for the
// ferry.
const (
	muchMoved   = 32 << 10
	littleMoved = 4 << 10
)

// move moves what can be moved without waiting. The caller has the turn.
func (in *Input) move(m *mover) (n int, what found, err error) {
	n, what, err = m.move()
	if n > 0 {
		in.mu.Lock()
		in.written += int64(n)
		in.mu.Unlock()
	}
	return n, what, err
}

// ferryTurn moves what is there, if it is little and nothing is the matter; else
// it reports false, and the same is found again by who waits for the ferry.
func (s *Stream) ferryTurn(ctx context.Context, in *Input, m *mover) bool {
	select {
	case in.turn <- struct{}{}:
	default:
		return false
	}
	defer func() { <-in.turn }()
	if in.present() != m.sink {
		return false
	}
	n, what, err := in.move(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed(n)
	return err == nil && what == moved && n < muchMoved && s.src != nil && !s.wanted(ctx)
}

// spliceTurn moves what is there, in our turn to write to in.
func (s *Stream) spliceTurn(ctx context.Context, in *Input, m *mover) error {
	if in.present() != m.sink {
		return errNotSpliced // another program has taken its place
	}
	for {
		n, what, err := in.move(m)
		switch {
		case err != nil:
			return errNeverSpliced
		case !s.spliceAgain(ctx, n):
			return errNotSpliced
		case what == dry, what == moved && n < muchMoved:
			return nil
		case what == full:
			if err := s.awaitSink(in, m); err != nil {
				return err
			}
		case what == finished:
			s.mu.Lock()
			s.took(m.src, 0, 1, io.EOF)
			s.mu.Unlock()
			return errNotSpliced
		}
	}
}

// spliceAgain enters that n bytes were moved, and reports whether to go on.
func (s *Stream) spliceAgain(ctx context.Context, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed(n)
	if s.src == nil || s.wanted(ctx) {
		return false
	}
	s.setDeadline(time.Time{}) // an interrupt that came late
	return true
}

// passed enters n bytes that nobody saw.
func (s *Stream) passed(n int) {
	s.end += int64(n)
	s.start = s.end
	for _, r := range s.readers {
		r.off = s.end
	}
}

// awaitSink waits until the sink takes more.
func (s *Stream) awaitSink(in *Input, m *mover) error {
	w := &pendingWrite{sink: m.sink}
	s.mu.Lock()
	s.spliced.waiting = w
	s.blocked, s.blockedBy, s.blockedSince = true, s.leader.name, time.Now()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.spliced.waiting = nil
		s.blocked, s.blockedBy, s.blockedSince = false, "", time.Time{}
	}()
	if in.out != nil {
		defer in.out.demand(0)()
	}
	if err := in.pend(w); err != nil {
		return errNotSpliced
	}
	if err := in.unpend(w, m.awaitOutput()); err != nil {
		return errNotSpliced
	}
	return nil
}

// expel has who splices look up: somebody wants the bytes, or the lease. Called
// with s.mu held.
func (s *Stream) expel() {
	if s.spliced == nil {
		return
	}
	s.setDeadline(past)
	s.spliced.m.interrupt()
	if w := s.spliced.waiting; w != nil {
		s.spliced.in.interrupt(w)
	}
}

// endSplice gives the lease back. What is between source and sink goes into
// the ring, from where it goes on.
func (s *Stream) endSplice(r *Reader, m *mover) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed(0) // who came meanwhile begins here
	for m.inside > 0 && s.room() > 0 {
		n := m.takeBack(s.space())
		if n == 0 {
			break
		}
		s.end += int64(n)
		s.start = max(s.start, s.end-int64(len(s.ring)))
	}
	s.spliced = nil
	s.free()
	s.waiting--
	r.waiting = false
	s.wakeAll()
	s.left = time.Now()
	s.drainIfNeeded()
}
