package bridge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// A Policy says who waits when a Reader is slow.
type Policy int

const (
	// Block: the program waits for this Reader, as it would at a full pipe.
	Block Policy = iota
	// Skip: the program goes on; the Reader may lose the oldest bytes and is
	// told so with a *LostError.
	Skip
)

func (p Policy) String() string {
	if p == Skip {
		return "skip"
	}
	return "block"
}

// A LostError says that a Skip Reader was too slow: the bytes [From, To) are
// gone. The next read goes on at To.
type LostError struct{ From, To int64 }

func (e *LostError) Error() string {
	return fmt.Sprintf("%d bytes lost (offsets %d to %d): this reader was too slow", e.To-e.From, e.From, e.To)
}

// A Reader is one reader's place in a Stream. One goroutine reads at a time;
// Close, SetReadDeadline, SetPolicy and the other questions may come from any.
//
// A Block Reader that is neither read nor closed stops the program once the
// Stream is full.
type Reader struct {
	s    *Stream
	name string
	wake chan struct{} // something changed for this reader; capacity 1

	// Guarded by s.mu.
	feeds    *Bridge // whose input it writes to, in a Link
	policy   Policy
	off      int64
	lost     int64
	deadline time.Time
	closed   bool
	viewing  bool   // it may hold a view of the ring
	waiting  bool   // inside await
	calls    uint64 // of await, so that a late interrupt finds only its own
}

// Reader returns a new Reader that begins at the oldest byte kept. Its name
// is shown where somebody asks who holds the lane.
func (s *Stream) Reader(name string, p Policy) *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Reader{s: s, name: name, policy: p, wake: make(chan struct{}, 1), off: s.oldest()}
	s.readers = append(s.readers, r)
	if s.spliced != nil {
		s.rouse(s.leader) // bytes come past us again
	}
	return r
}

// feed notes whose input r writes to.
func (r *Reader) feed(b *Bridge) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.feeds = b
}

func (r *Reader) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Read reads what comes next, waiting for it as long as the read deadline
// allows. It returns io.EOF at the end of the output.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return r.ReadContext(context.Background(), p)
}

// ReadContext is Read that also ends with ctx, whose cause it then returns.
func (r *Reader) ReadContext(ctx context.Context, p []byte) (int, error) {
	for {
		end, err := r.s.await(ctx, r, r.Offset(), time.Time{})
		if err != nil {
			return 0, err
		}
		n, err := r.take(p, end)
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// take copies what lies between the reader's place and end, and goes on
// behind it. A Skip reader may have been overtaken since it looked.
func (r *Reader) take(p []byte, end int64) (int, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.off < s.oldest() {
		return 0, r.skipLost()
	}
	a, b := s.segments(r.off, end)
	n := copy(p, a)
	n += copy(p[n:], b)
	r.off += int64(n)
	s.drainIfNeeded() // there may be room again
	s.offerRoom()
	return n, nil
}

// skipLost moves an overtaken reader on. Called with s.mu held.
func (r *Reader) skipLost() error {
	e := &LostError{From: r.off, To: r.s.oldest()}
	r.lost += e.To - e.From
	r.off = e.To
	return e
}

// Await waits until there are bytes at the offset from, which is not before
// the reader's own, until at most the deadline (zero: none), and returns the
// end of what there is. Its errors are those of ReadContext. It does not move
// the reader.
func (r *Reader) Await(ctx context.Context, from int64, deadline time.Time) (end int64, err error) {
	return r.s.await(ctx, r, from, deadline)
}

// View returns the bytes [from, to), which lie in up to two pieces, in place:
// they are valid until the reader is moved past them. For a Skip reader, which
// may be overtaken, they are a copy, and what is gone is left out at the front.
func (r *Reader) View(from, to int64) (a, b []byte) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	to = min(to, s.end)
	if r.policy == Block && !r.closed {
		r.viewing = true
		return s.segments(max(from, r.off, s.start), to)
	}
	a, b = s.segments(max(from, s.oldest()), to)
	return append([]byte(nil), a...), append([]byte(nil), b...)
}

// blocks reports whether it is a Block reader at the moment.
func (r *Reader) blocks() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.policy == Block
}

// pass waits for what comes next, hands it to do in place, in up to two pieces,
// and goes on behind it. To who is no Block reader any more it hands nothing.
func (r *Reader) pass(do func(p []byte)) error {
	from := r.Offset()
	to, err := r.s.await(context.Background(), r, from, time.Time{})
	if err != nil {
		return err
	}
	a, b := r.lend(from, min(to, from+largestRead))
	do(a)
	do(b)
	r.Advance(from + int64(len(a)+len(b)))
	return nil
}

// lend is View for a Block reader, and nothing for others.
func (r *Reader) lend(from, to int64) (a, b []byte) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.policy != Block || r.closed {
		return nil, nil
	}
	r.viewing = true
	return r.s.segments(from, to)
}

// letGo gives up what the reader held of the ring: the views that it may still
// look at stay as they are. Called with s.mu held.
func (r *Reader) letGo() {
	r.s.viewed = r.s.viewed || r.viewing
	r.viewing = false
}

// Advance moves the reader on to the offset to; it never moves back.
func (r *Reader) Advance(to int64) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if to > r.off {
		r.off = min(to, s.end)
		s.drainIfNeeded()
		s.offerRoom()
	}
}

// offerRoom wakes those who wait for room. Called with s.mu held.
func (s *Stream) offerRoom() {
	if s.waiting > 0 && s.blocked && !s.leading && s.room() > 0 {
		s.wakeAll()
	}
}

// Offset returns the reader's place: the offset of the next byte it reads.
func (r *Reader) Offset() int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.off
}

// Lost returns how many bytes a Skip reader has lost so far.
func (r *Reader) Lost() int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.lost
}

// SetPolicy changes who waits. From Block to Skip it sets a stopped program
// free.
func (r *Reader) SetPolicy(p Policy) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	r.policy = p
	if p == Skip {
		r.letGo()
	} else if r.off < s.oldest() {
		r.lost += s.oldest() - r.off
		r.off = s.oldest()
	}
	s.drainIfNeeded()
	s.offerRoom()
}

// SetReadDeadline bounds Read and Await from now on, a pending one too. Zero
// means no deadline.
func (r *Reader) SetReadDeadline(t time.Time) error {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.closed {
		return os.ErrClosed
	}
	r.deadline = t
	if r.waiting {
		s.rouse(r)
	}
	return nil
}

// Close gives the place up; the program no longer waits for it. It ends a
// pending Read. The Stream and its other Readers go on.
func (r *Reader) Close() error {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.letGo()
	for i, other := range s.readers {
		if other == r {
			s.readers = append(s.readers[:i], s.readers[i+1:]...)
			break
		}
	}
	if r.waiting {
		s.rouse(r)
	}
	s.drainIfNeeded()
	s.offerRoom()
	return nil
}

// IsLost reports whether err says that bytes were lost, after which reading
// may go on.
func IsLost(err error) bool {
	if err == nil { // which need not allocate
		return false
	}
	var lost *LostError
	return errors.As(err, &lost)
}
