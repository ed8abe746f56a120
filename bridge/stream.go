package bridge

import (
	"context"
	"errors"
	"io"
	"math/bits"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// Sizes of a Stream, in bytes.
const (
	defaultKeep = 1 << 20 // what a Stream keeps unless told otherwise
	firstRing   = 2 << 10 // what an idle session costs
	firstRead   = 1 << 10 // the first read asks for this much; reads that come back full ask for more
	largestRead = 64 << 10
)

// Who reads without a pause lets others run after so many reads, some
// milliseconds. Else, as he is always in a system call, the runtime takes his
// processor away every 10 ms, and after that a thread of it looks every 20 µs
// whether there is more to take: a sixth of the processor time.
const yieldEach = 48

// A Source is where the bytes of a Stream come from. SetReadDeadline must end
// a pending Read, as that of a net.Conn or a ptyio.File does. A Source that is
// itself a Reader of something may have lost bytes: an error that is a
// *LostError, without bytes, and the Stream goes on behind them.
type Source interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// A Stream is the last bytes that a program wrote, by absolute offset: the
// first byte ever written has offset 0. Any number of Readers read it, each
// at its own place.
//
// There is no goroutine between the descriptor and a reader. Whoever waits for
// more takes the lease and reads the descriptor itself ("leads"), into the
// ring, in place; the others follow and are woken when something came. When
// nobody has waited for a few milliseconds, and while a write of ours cannot
// proceed, the lane is drained on behalf of all (drain.go).
//
// All methods may be called concurrently.
type Stream struct {
	keep int // bytes kept, a power of two

	mu       sync.Mutex
	src      Source
	deadline time.Time     // what src was told last
	ring     []byte        // its length is a power of two; the byte at offset o is ring[o&(len-1)]
	start    int64         // the oldest byte kept
	end      int64         // behind the newest
	reserve  int           // what the leader may overwrite at end while it reads
	viewed   bool          // a Reader that holds nothing any more may still look at ring: see space
	want     int           // how much the next read asks for
	extra    int           // kept beyond keep while a write or its answers are pending: see demand
	err      error         // why no more comes: io.EOF or the error of the source; sticky
	more     bool          // the end of src is not the end of the Stream: another may follow
	hole     int64         // the offset at which src goes on, 0 if at end; see leap
	cut      bool          // the last end was silence, not the end of the output
	srcGone  chan struct{} // closed when src has ended
	whenGone func()        // called then, if it is not nil
	ended    chan struct{} // closed with err

	readers  []*Reader
	waiting  int           // Readers inside await
	flushing int           // calls of Flush: they get the lease first
	freed    chan struct{} // closed when the lease becomes free; nil where no Flush waits
	leading  bool          // somebody reads src
	reads    uint          // of src
	leader   *Reader       // who; nil for the drain
	spliced  *splicing     // the leader leads the bytes past the ring; nil: into it
	writers  int           // writes that cannot proceed
	finish   bool          // the program ended: drain at once
	idle     *time.Timer
	armed    bool // idle will fire
	left     time.Time

	blocked      bool // a Reader holds the lane: which, and since when
	blockedBy    string
	blockedSince time.Time
}

// NewStream returns the Stream of src. It keeps the last keep bytes (rounded
// up to a power of two; 0 means 1 MiB), in memory that grows as it is needed,
// and counts from the offset from, which is not 0 where a connection is taken
// up again.
func NewStream(src Source, keep int, from int64) *Stream {
	return newStream(src, keep, from, false)
}

func newStream(src Source, keep int, from int64, more bool) *Stream {
	if keep <= 0 {
		keep = defaultKeep
	}
	s := &Stream{
		keep: max(ceilPow2(keep), firstRing), src: src, start: from, end: from, more: more,
		srcGone: make(chan struct{}), ended: make(chan struct{}),
	}
	s.want = min(firstRead, s.largestRead())
	s.mu.Lock() // the timer may fire before it is kept
	defer s.mu.Unlock()
	s.idle = time.AfterFunc(idleAfter, s.idled)
	s.armed = true
	return s
}

// largestRead is also what a waiting leader takes of the history: no more than
// a small part of it.
func (s *Stream) largestRead() int { return min(largestRead, s.keep/4) }

func ceilPow2(n int) int { return 1 << bits.Len(uint(n-1)) }

// Offsets returns the offset of the oldest byte kept and the one behind the
// newest byte read.
func (s *Stream) Offsets() (start, end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start, s.end
}

// Ended is closed when no more bytes can come.
func (s *Stream) Ended() <-chan struct{} { return s.ended }

// Err returns why no more bytes come: io.EOF after an orderly end, and nil
// while they may.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// await waits until there are bytes at offset from, and returns the end of
// what there is. The caller does not hold s.mu.
func (s *Stream) await(ctx context.Context, r *Reader, from int64, deadline time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting++
	r.waiting = true
	r.calls++
	defer s.leave(r)

	var stop func() bool // of the context watcher of a leader
	var late bool        // the deadline has passed; one last look was taken
	for {
		switch {
		case r.closed:
			return s.end, os.ErrClosed
		case r.off < s.oldest(): // a Skip reader, or src has lost some
			return s.end, r.skipLost()
		case s.end > from:
			return s.end, nil
		case s.err != nil:
			return s.end, s.err
		}
		if err := ctx.Err(); err != nil {
			return s.end, context.Cause(ctx)
		}
		until := earlier(deadline, r.deadline)
		if expired(until) {
			// A deadline that has passed hides bytes that are there.
			if late || s.leading {
				return s.end, os.ErrDeadlineExceeded
			}
			if got, _ := s.readNow(); !got {
				return s.end, os.ErrDeadlineExceeded
			}
			late = true
			continue
		}
		if !s.leading && s.flushing == 0 && s.src != nil && s.room() > 0 {
			if stop == nil && ctx.Done() != nil {
				call := r.calls
				stop = context.AfterFunc(ctx, func() { s.interrupt(r, call) })
				defer stop()
			}
			s.read(r, until)
			continue
		}
		s.follow(ctx, r, until)
	}
}

// follow waits until something changed for r, at most until the given time.
// Called and returns with s.mu held.
func (s *Stream) follow(ctx context.Context, r *Reader, until time.Time) {
	var timeout <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		timeout = timer.C
	}
	s.mu.Unlock()
	select {
	case <-r.wake:
	case <-ctx.Done():
	case <-timeout:
	}
	s.mu.Lock()
}

// leave ends r's await: a place that becomes free is offered to the others,
// and when nobody waits any more, the lane will be drained.
func (s *Stream) leave(r *Reader) {
	s.waiting--
	r.waiting = false
	if s.waiting > 0 {
		if !s.leading {
			s.wakeAll()
		}
		return
	}
	s.left = time.Now()
	s.drainIfNeeded()
}

// interrupt ends the read of r's leader when it is still the same call: a
// cancellation that comes late must not hit the next leader.
func (s *Stream) interrupt(r *Reader, call uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.waiting && r.calls == call {
		s.rouse(r)
	}
}

// rouse makes r look again, wherever it waits. Called with s.mu held.
func (s *Stream) rouse(r *Reader) {
	if s.leading && s.leader == r {
		s.setDeadline(past)
		s.expel()
		return
	}
	r.signal()
}

// past is a deadline that ends a pending read at once.
var past = time.Unix(1, 0)

func expired(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// setDeadline sets the read deadline of the source, for the one who leads.
// Called with s.mu held, always, so that a late call cannot reach a successor.
//
// Moving a timer costs more than a read, and most deadlines move with every
// call and are never met. So one that is earlier, and still to come, is left:
// when it fires, await sees that it is not yet time and sets the true one.
func (s *Stream) setDeadline(t time.Time) {
	later := t.IsZero() || t.After(s.deadline)
	if s.src == nil || t.Equal(s.deadline) || !s.deadline.IsZero() && later && time.Now().Before(s.deadline) {
		return
	}
	s.deadline = t
	_ = s.src.SetReadDeadline(t) // a source that cannot is read to its end
}

// read reads the source once, on behalf of r (nil: of the drain), until at
// most the given time. Called and returns with s.mu held; the lock is free
// during the read, the lease is not.
func (s *Stream) read(r *Reader, until time.Time) {
	src, buf := s.src, s.space()
	s.leading, s.leader, s.reserve = true, r, len(buf)
	s.setDeadline(until)
	s.reads++
	yields := s.reads%yieldEach == 0
	s.mu.Unlock()
	if yields {
		runtime.Gosched()
	}
	n, err := src.Read(buf)
	s.mu.Lock()
	s.free()
	s.took(src, n, len(buf), err)
}

// free gives the lease back.
func (s *Stream) free() {
	s.leading, s.leader, s.reserve = false, nil, 0
	if s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}

// readNow takes what is there without waiting. Nothing came for sure when the
// error is ptyio.ErrAgain; any other error leaves it open. Called with s.mu
// held, and nobody leading.
func (s *Stream) readNow() (got bool, err error) {
	now, ok := s.src.(interface{ ReadNow([]byte) (int, error) })
	switch {
	case s.src == nil:
		return false, s.err
	case !ok:
		return false, errors.ErrUnsupported
	case s.room() == 0:
		return false, errFull
	}
	buf := s.space()
	n, err := now.ReadNow(buf)
	if n == 0 && err != io.EOF {
		return false, err // the next real read will meet it too
	}
	s.took(s.src, n, len(buf), err)
	return true, nil
}

var errFull = errors.New("a reader holds the lane")

// Flush reads what the program has written so far, without waiting for it to
// write more. When it reports false without an error, the kernel has said that
// there is nothing. The error says why that cannot be known: the source cannot
// be asked, a Reader holds the lane, or it has ended.
func (s *Stream) Flush() (got bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushing++
	for end := s.end; s.leading; got = got || s.end > end {
		if s.freed == nil {
			s.freed = make(chan struct{})
		}
		freed := s.freed
		s.setDeadline(past) // who leads gives the lease away
		s.expel()
		s.mu.Unlock()
		<-freed
		s.mu.Lock()
	}
	s.flushing--
	more, err := s.readNow()
	s.wakeAll()
	s.drainIfNeeded()
	switch {
	case got || more:
		return true, nil
	case errors.Is(err, ptyio.ErrAgain):
		return false, nil
	case err == nil:
		err = io.EOF
	}
	return false, err
}

// took enters what a read brought. What comes after the Stream was abandoned is
// nobody's.
func (s *Stream) took(src Source, n, asked int, err error) {
	if s.src != src {
		return
	}
	s.end += int64(n)
	s.start = max(s.start, s.end-int64(len(s.ring)))
	if n == asked {
		s.want = min(2*s.want, s.largestRead())
	}
	var lost *LostError
	switch {
	case errors.As(err, &lost):
		s.hole = lost.To
		s.leap()
	case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
		s.sourceEnded(err)
	}
	if n > 0 || s.err != nil {
		s.wakeAll()
	}
}

// leap goes on behind bytes that the source has lost, as soon as every Block
// reader has read what lies before them: a ring has no holes.
func (s *Stream) leap() {
	if s.hole == 0 || s.blockFrom() < s.end {
		return
	}
	s.start, s.end, s.hole = max(s.hole, s.end), max(s.hole, s.end), 0
	s.wakeAll()
}

func (s *Stream) sourceEnded(err error) {
	if o, ok := s.src.(*outlet); ok {
		s.cut = o.wasCut()
	}
	s.dropSource()
	if !s.more || err != io.EOF {
		s.fail(err)
	}
}

func (s *Stream) dropSource() {
	s.src = nil
	close(s.srcGone)
	s.told()
}

// told calls whenGone, once.
func (s *Stream) told() {
	if f := s.whenGone; f != nil {
		s.whenGone = nil
		f()
	}
}

func (s *Stream) fail(err error) {
	if s.err == nil {
		s.err = err
		close(s.ended)
		s.idle.Stop()
		s.wakeAll()
	}
}

// resume goes on with another source after one that ended; nil is the end.
func (s *Stream) resume(src Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if src == nil {
		s.fail(io.EOF)
		return
	}
	s.src, s.finish, s.deadline = src, false, time.Time{}
	s.srcGone = make(chan struct{})
	s.wakeAll()
	s.drainIfNeeded()
}

// gone is closed when the present source has ended.
func (s *Stream) gone() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.srcGone
}

// abandon ends the Stream from our side: Readers get what is kept, then
// os.ErrClosed.
func (s *Stream) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expel()
	if s.src != nil {
		s.dropSource()
	}
	s.fail(os.ErrClosed)
}

func (s *Stream) wakeAll() {
	for _, r := range s.readers {
		if r.waiting && r != s.leader {
			r.signal()
		}
	}
}

// room is how many bytes may be read before a Block reader would lose one.
// It notes who holds the lane.
func (s *Stream) room() int {
	from, name := s.end, ""
	for _, r := range s.readers {
		if off := max(r.off, s.start); r.policy == Block && off < from {
			from, name = off, r.name
		}
	}
	n := s.limit() - int(s.end-from)
	if s.leap(); s.hole != 0 {
		n = 0
	}
	switch {
	case n > 0:
		s.blocked, s.blockedBy, s.blockedSince = false, "", time.Time{}
	case !s.blocked || s.blockedBy != name:
		s.blocked, s.blockedBy, s.blockedSince = true, name, time.Now()
	}
	return max(n, 0)
}

// limit is how large the ring may become. Where the program has ended it is
// more: what is left in the kernel is little, and a ring that the output fills
// exactly must still let its end be read.
func (s *Stream) limit() int {
	extra := s.extra
	if s.finish {
		extra += s.keep
	}
	if extra == 0 {
		return s.keep
	}
	return ceilPow2(s.keep + extra)
}

// space returns where the next read goes: a run of free ring behind end. The
// ring grows up to keep while history would be lost, and up to the limit while
// Block readers leave no room; beyond that the oldest history gives way.
func (s *Stream) space() []byte {
	room := s.room()
	kept, held := int(s.end-s.start), int(s.end-s.blockFrom())
	size := max(len(s.ring), firstRing)
	for size < s.keep && size-kept < s.want || size < s.limit() && size-held < s.want {
		size *= 2
	}
	if s.extra > 0 && s.writers == 0 && held <= s.keep/2 {
		s.extra = 0 // a send has ended, and its answers were read
		size = min(size, s.limit())
		room = s.room()
	}
	if size != len(s.ring) || s.viewed {
		s.resize(size)
	}
	room = min(room, len(s.ring)-held)
	at := int(s.end) & (len(s.ring) - 1)
	n := min(s.want, room, len(s.ring)-at)
	return s.ring[at : at+n]
}

// oldest is the first byte that can still be read: what a leader may be
// overwriting at the moment is gone.
func (s *Stream) oldest() int64 {
	return max(s.start, s.end+int64(s.reserve-len(s.ring)))
}

// blockFrom is the oldest byte that a Block reader still has to see.
func (s *Stream) blockFrom() int64 {
	from := s.end
	for _, r := range s.readers {
		if r.policy == Block {
			from = min(from, max(r.off, s.start))
		}
	}
	return from
}

// resize moves what is kept to another ring. Slices that Readers hold stay
// valid: they keep the old memory.
func (s *Stream) resize(size int) {
	s.viewed = false
	ring := make([]byte, size)
	s.start = max(s.start, s.end-int64(size))
	a, b := s.segments(s.start, s.end)
	at := int(s.start) & (size - 1)
	n := copy(ring[at:], a)
	if n < len(a) {
		n = copy(ring, a[n:])
		copy(ring[n:], b)
	} else {
		at = (at + n) & (size - 1)
		n = copy(ring[at:], b)
		copy(ring, b[n:])
	}
	s.ring = ring
}

// segments returns the bytes [from, to) as they lie in the ring.
func (s *Stream) segments(from, to int64) (a, b []byte) {
	if from >= to {
		return nil, nil
	}
	mask := int64(len(s.ring) - 1)
	i, n := int(from&mask), int(to-from)
	if i+n <= len(s.ring) {
		return s.ring[i : i+n : i+n], nil
	}
	return s.ring[i:], s.ring[: i+n-len(s.ring) : i+n-len(s.ring)]
}
