package bridge

import "time"

// Stats is what a Bridge knows of itself, as plain data: who reads, how far,
// and who holds a lane.
type Stats struct {
	Peer    PeerStats
	Output  LaneStats
	Stderr  *LaneStats // nil when it shares the terminal
	Written int64      // bytes that the input has accepted
}

// LaneStats describes a Stream.
type LaneStats struct {
	Start, End   int64 // offsets of what is kept
	Memory       int   // bytes allocated for it
	Ended        bool
	Cut          bool // the output of the program that ended was still held open by another, and silent for Linger
	Readers      []ReaderStats
	BlockedBy    string    // the Reader that stops the program, or ""
	BlockedSince time.Time // since when
}

// ReaderStats describes a Reader.
type ReaderStats struct {
	Name    string
	Policy  Policy
	Offset  int64
	Lost    int64
	Waiting bool // it waits for more at the moment
	Feeds   int  // the process whose input it writes to, in a Link; 0: none, or not one of this machine
}

// Stats returns the present state.
func (b *Bridge) Stats() Stats {
	st := Stats{Peer: b.peer.Stats(), Output: b.out.Stats()}
	if b.err != nil {
		lane := b.err.Stats()
		st.Stderr = &lane
	}
	if b.in != nil {
		st.Written = b.in.Written()
	}
	return st
}

// Stats returns the Stream's present state.
func (s *Stream) Stats() LaneStats {
	st, feeds := s.stats()
	for i, b := range feeds { // a Bridge has locks of its own
		if b == nil {
			continue
		}
		if p := b.Process(); p != nil {
			st.Readers[i].Feeds = p.PID()
		}
	}
	return st
}

func (s *Stream) stats() (LaneStats, []*Bridge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spliced == nil {
		s.room() // notes who holds the lane
	}
	st := LaneStats{
		Start: s.start, End: s.end, Memory: len(s.ring), Ended: s.err != nil, Cut: s.cut,
		BlockedBy: s.blockedBy, BlockedSince: s.blockedSince,
	}
	var feeds []*Bridge
	for _, r := range s.readers {
		st.Readers = append(st.Readers, ReaderStats{Name: r.name, Policy: r.policy, Offset: r.off, Lost: r.lost, Waiting: r.waiting})
		feeds = append(feeds, r.feeds)
	}
	return st, feeds
}
