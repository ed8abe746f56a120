package bridge

import "time"

// idleAfter is how long nobody must have waited before a lane is drained on
// behalf of its readers: shorter, and every exchange of a dialog would hand
// the lease over twice; longer, and a program that prints much while we do
// something else is slowed.
const idleAfter = 5 * time.Millisecond

// drainIfNeeded looks whether the lane must be read by nobody in particular:
// at once while a write waits for it or the program has ended, else after it
// was idle for a while. Called with s.mu held.
func (s *Stream) drainIfNeeded() {
	if s.waiting > 0 || s.flushing > 0 || s.leading || s.src == nil || s.err != nil {
		return
	}
	if s.writers > 0 || s.finish {
		if s.room() > 0 {
			s.leading = true // nobody takes the lease before the drain does
			go s.drain()
		}
		return
	}
	if !s.armed {
		s.armed = true
		s.idle.Reset(idleAfter)
	}
}

// idled is called when the lane may have been idle for long enough. It runs
// on the timer's goroutine, which becomes the drain.
func (s *Stream) idled() {
	s.mu.Lock()
	s.armed = false
	if s.waiting > 0 || s.flushing > 0 || s.leading || s.src == nil || s.err != nil || s.room() == 0 {
		s.mu.Unlock()
		return
	}
	if wait := idleAfter - time.Since(s.left); wait > 0 {
		s.armed = true
		s.idle.Reset(wait)
		s.mu.Unlock()
		return
	}
	s.leading = true
	s.mu.Unlock()
	s.drain()
}

// drain reads the lane into the ring until somebody waits for it, a Block
// reader's ring is full, or it ends. It owns the lease when it starts.
func (s *Stream) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.src != nil && s.err == nil && s.waiting == 0 && s.flushing == 0 && s.room() > 0 {
		s.read(nil, time.Time{})
		s.leading = true
	}
	s.free()
	s.wakeAll() // they lead from here
}

// kernelHolds is how much input a terminal or a pipe holds at most, roughly,
// that the program has not read: 64 KiB, and what the program itself has.
const kernelHolds = 128 << 10

// demand has the lane drained at once, as a write of n bytes cannot proceed:
// the program may itself be waiting until we read. What it answers to n bytes,
// and to those that it was sent before and has yet to read, is kept beyond the
// usual limit (an echo, and each line given back, both with a carriage
// return), so that a long send to an echoing program ends although nobody
// reads meanwhile, and what is sent after it, too; a program that prints for
// ever is still stopped. The caller calls release when the write is over.
func (s *Stream) demand(n int) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writers++
	s.extra = max(s.extra, 4*(n+kernelHolds)) // until the answers were read: see space
	s.wakeAll()                               // there may be room now
	s.drainIfNeeded()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writers--
	}
}

// ending has the lane drained at once because the program has ended. gone, if
// it is not nil, is called when the source has ended: it may have. It waits for
// nothing and does not use the Stream, whose lock is held.
func (s *Stream) ending(gone func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish = true
	if s.whenGone = gone; s.src == nil {
		s.told()
	}
	s.expel()
	s.drainIfNeeded()
}

// release lets the program go on whatever the readers do.
func (s *Stream) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.readers {
		r.policy = Skip
		r.letGo()
	}
	s.finish = true
	s.expel()
	s.wakeAll()
	s.drainIfNeeded()
}
