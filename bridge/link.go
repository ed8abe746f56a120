package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// An EOFPolicy says what the next end of a Link gets when an end's output has
// ended.
type EOFPolicy int

const (
	// Close: its input is closed. A terminal's cannot be: there the end-of-file
	// key is typed.
	Close EOFPolicy = iota
	// Keep: its input stays open, and it goes on, as long as it likes.
	Keep
	// SendKey: the end-of-file key is typed, ctrl-d where no terminal is known.
	SendKey
)

func (p EOFPolicy) String() string {
	switch p {
	case Keep:
		return "keep"
	case SendKey:
		return "key"
	}
	return "close"
}

// An End is one of those that a Link joins: exactly one of Spec and Bridge is
// set.
type End struct {
	// Spec is a program that the Link starts, and stops when it returns. On a
	// terminal it gets its input as it is: there is no echo, and no byte but the
	// end-of-file key is a key. Its errors are always a stream of their own.
	Spec *proc.Spec
	// Bridge is a far side that is there already. It stays the caller's to close,
	// but its input is the Link's to end.
	Bridge *Bridge
	// EOF is what the next end gets when this one's output ends.
	EOF EOFPolicy
}

// LinkOptions are the choices of a Link. The zero value is a ring that nobody
// watches.
type LinkOptions struct {
	// Chain leaves the last end's output and the first one's input alone: a
	// program's input is empty then.
	Chain bool
	// Tee gets all that the ends write to each other, in an order in which no
	// answer comes before its question. A Tee that fails ends nothing: the gap
	// is marked in it, as by Copy.
	Tee io.Writer
	// Watch is called with what an end wrote, before the next end gets it: who
	// watches sees the question before there can be an answer. Calls do not
	// overlap, and p is only valid until the call returns.
	Watch func(from int, p []byte)
	// Started is called once, when all ends are there, with their Bridges: those
	// of programs are closed when Link returns. It is the time to take Readers
	// of their errors, which Link leaves alone. Where a pipe joins two programs
	// directly, the Output and Input of their Bridges are empty.
	Started func(ends []*Bridge)
}

// Link starts and joins two ends or more, each one's output to the next one's
// input: in a ring, or in a Chain. It returns when all programs have ended and
// what they wrote was delivered; where no end is a program, when all outputs
// have ended.
//
// Where both ends are programs on pipes and nobody watches, the kernel moves
// the bytes, as in a shell's pipeline; between other pipes and sockets they are
// spliced (Linux), everywhere else copied. Nothing is lost: an end that is slow
// makes the one before it wait, an end that reads no more makes its writes
// fail, and the end of an output reaches the next end behind its last byte.
//
// When an end has ended, or takes no more, the program before it writes to
// nobody. It gets the end of its input, and after Grace, its Spec's, in which
// nothing moved, it is stopped. A program of which only the input has ended may
// take all the time it wants.
//
// The Exits are those of the ends in their order; a far side of which none is
// known has a zero one. The error is the cause of ctx, with which all are
// stopped; that of the first program that failed, a *proc.ExitError, not
// counting those that Link stopped or SIGPIPE ended because somebody else had
// ended; or a *LinkError, the first failure of a far side.
func Link(ctx context.Context, o LinkOptions, ends ...End) ([]proc.Exit, error) {
	edges, err := plan(o, ends)
	if err != nil {
		return nil, err
	}
	l := &link{o: o, ends: make([]*linkEnd, len(ends)), tee: markedSink{w: o.Tee}}
	for i, end := range ends {
		l.ends[i] = newLinkEnd(i, end)
	}
	ctx, l.cancel = context.WithCancelCause(ctx)
	defer l.cancel(nil)
	if err := l.start(ctx, edges); err != nil {
		return nil, err
	}
	defer l.close()
	return l.run(ctx)
}

// A link is a Link under way.
type link struct {
	o      LinkOptions
	ends   []*linkEnd
	relays []*relay // where one is needed
	cancel context.CancelCauseFunc

	watching sync.Mutex // one call of Watch and Tee at a time
	tee      markedSink

	mu      sync.Mutex // guards the rest
	failure error      // of the program that failed first
	failed  time.Time  // when it did
	trouble error      // the first of the bytes' way
}

// A LinkError is a failure that is no program's: bytes could not be read from
// an end, or it did not take them.
type LinkError struct {
	End int // the place among the ends, from 0
	Err error
}

func (e *LinkError) Error() string { return fmt.Sprintf("end %d of the link: %v", e.End+1, e.Err) }
func (e *LinkError) Unwrap() error { return e.Err }

// A linkEnd is an End under way.
type linkEnd struct {
	End
	index      int
	b          *Bridge
	prev, next *linkEnd // nil at the ends of a chain
	in, out    *relay   // nil: a direct pipe, or none

	alive   context.Context // until it has ended; exit is valid then
	die     context.CancelFunc
	exit    proc.Exit
	stopped atomic.Bool // by us
}

func newLinkEnd(i int, end End) *linkEnd {
	e := &linkEnd{End: end, index: i, b: end.Bridge}
	e.alive, e.die = context.WithCancel(context.Background())
	return e
}

// start starts the programs, all or none.
func (l *link) start(ctx context.Context, edges []edge) (err error) {
	stdio := make([]*ptyio.Stdio, len(l.ends))
	defer func() {
		if err == nil {
			return
		}
		l.close()
		for i, s := range stdio {
			if s != nil && l.ends[i].b == nil {
				_ = s.Close() // no program got it
			}
		}
	}()
	for i, e := range l.ends {
		if e.Spec == nil {
			continue
		}
		if stdio[i], err = openTransparent(*e.Spec); err != nil {
			return &proc.StartError{Stage: "terminal", Path: e.name(), Err: err}
		}
	}
	for _, e := range edges {
		if e.direct {
			if err := ptyio.Connect(stdio[e.from], stdio[e.to]); err != nil {
				return err
			}
		}
	}
	for i, e := range l.ends {
		if e.Spec == nil {
			continue
		}
		p, reap, err := proc.StartOn(ctx, *e.Spec, stdio[i])
		if err != nil {
			return err
		}
		e.b = join(ctx, *e.Spec, p, reap)
	}
	for _, e := range edges {
		l.join(l.ends[e.from], l.ends[e.to], e.direct)
	}
	if first := l.ends[0]; first.prev == nil && first.Spec != nil {
		_ = first.b.SendEOF(time.Time{}) // nothing was written yet, so it does not wait
	}
	if l.o.Started != nil {
		bridges := make([]*Bridge, len(l.ends))
		for i, e := range l.ends {
			bridges[i] = e.b
		}
		l.o.Started(bridges)
	}
	return nil
}

// openTransparent opens a program's streams. A terminal passes what another
// program writes as it is: what it types must not come back as output, nor may
// its bytes be keys, nor newlines change on their way. The end-of-file key
// remains, as there is no other end. Errors are for people, not for the next
// program.
func openTransparent(s proc.Spec) (*ptyio.Stdio, error) {
	stdio, err := ptyio.Open(s.Stdio, s.Size, true)
	if err != nil || stdio.Terminal == nil {
		return stdio, err
	}
	mode, err := stdio.Terminal.Mode()
	if err == nil {
		err = stdio.SeparateErr()
	}
	if err == nil {
		err = stdio.Terminal.SetMode(ptyio.Mode{Canonical: true, EOF: mode.EOF})
	}
	if err != nil {
		_ = stdio.Close() // the error above says it
		return nil, err
	}
	return stdio, nil
}

func (l *link) join(from, to *linkEnd, direct bool) {
	from.next, to.prev = to, from
	if !direct {
		r := newRelay(l, from, to)
		from.out, to.in = r, r
		l.relays = append(l.relays, r)
	}
}

func (l *link) close() {
	for _, r := range l.relays {
		_ = r.r.Close()
	}
	for _, e := range l.ends {
		e.die()
		if e.Spec != nil && e.b != nil {
			_ = e.b.Close() // it has ended, or a worse error is told already
		}
	}
}

// run moves bytes and waits for the ends until all is over.
func (l *link) run(ctx context.Context) ([]proc.Exit, error) {
	var programs, relays, others sync.WaitGroup
	for _, e := range l.ends {
		waiting := &others
		if e.Spec != nil {
			waiting = &programs
		}
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			l.await(ctx, e)
		}()
		others.Add(1)
		go func() {
			defer others.Done()
			l.farewell(ctx, e)
		}()
	}
	for _, r := range l.relays {
		relays.Add(1)
		go func() {
			defer relays.Done()
			r.run(ctx)
		}()
	}
	programs.Wait()
	relays.Wait()
	l.collect(ctx)
	given := context.Cause(ctx) // up, by whom
	l.cancel(errLinkOver)       // a far side may stay for ever
	others.Wait()

	exits := make([]proc.Exit, len(l.ends))
	for i, e := range l.ends {
		exits[i] = e.exit
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case given != nil:
		return exits, given
	case l.failure != nil:
		return exits, l.failure
	}
	return exits, l.trouble
}

// collect waits for the status of far sides that have one, and whose output has
// ended: it comes right behind, unless they live on without an output.
func (l *link) collect(ctx context.Context) {
	late, cancel := context.WithTimeout(ctx, scale.Duration(statusTime))
	defer cancel()
	for _, e := range l.ends {
		if e.Spec != nil || e.saysNothingOfItsInput() || e.b.out.Err() == nil {
			continue
		}
		select {
		case <-e.alive.Done():
		case <-late.Done():
		}
	}
}

const statusTime = time.Second

var errLinkOver = errors.New("the link is over")

// await waits for an end's end, and enters its failure.
func (l *link) await(ctx context.Context, e *linkEnd) {
	defer e.die()
	if e.Spec != nil {
		ctx = context.Background() // whose end stops it
	}
	var err error
	e.exit, err = e.b.Wait(ctx)
	if err == nil || ctx.Err() != nil || e.excused(err) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Now()
	if p := e.b.Process(); p != nil {
		at = p.EndedAt() // who ended first is not always waited for first
	}
	if l.failure == nil || at.Before(l.failed) {
		l.failure, l.failed = err, at
	}
}

// excused: who was stopped by us, or wrote to one that had ended, has not failed.
func (e *linkEnd) excused(err error) bool {
	var exit *proc.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	return e.stopped.Load() || exit.Signal == syscall.SIGPIPE && e.next != nil && e.next.takesNoMore()
}

// takesNoMore reports whether it is an end's doing that nobody reads what the
// one before it writes. Through a direct pipe it always is.
func (e *linkEnd) takesNoMore() bool { return e.in == nil || e.in.hasRefused() }

// farewell waits until nobody reads what e writes, and ends e then.
func (l *link) farewell(ctx context.Context, e *linkEnd) {
	if e.next == nil || e.next.EOF == Keep || !e.unheard(ctx) {
		return
	}
	if e.Spec == nil {
		e.out.cancel(errGone) // it is not ours to end
		return
	}
	if e.in != nil && e.prev.alive.Err() == nil {
		e.in.cancel(errCut) // whoever still has something to say
	}
	if e.quiet(ctx) {
		e.stopped.Store(true)
		_, _ = e.b.Stop(ctx) // await sees what becomes of it
	}
}

// unheard waits until nobody reads what e writes; false when e ended before.
//
// That the output of a far side has ended does not mean that it reads no more:
// a peer may have said all it has to say and now wait for an answer. It is
// gone when it refuses bytes, or has hung up.
func (e *linkEnd) unheard(ctx context.Context) bool {
	gone := e.next.alive.Done()
	if e.next.saysNothingOfItsInput() {
		gone = nil
	}
	var refused <-chan struct{}
	if e.out != nil && e.next.Spec == nil {
		refused = e.out.refused
	}
	for {
		var look <-chan time.Time
		if gone == nil {
			look = time.After(hangUpLook)
		}
		select {
		case <-gone:
			return true
		case <-refused:
			return true
		case <-e.done():
			return false
		case <-ctx.Done():
			return false
		case <-look:
			if e.next.alive.Err() != nil && hungUp(e.next.b.in) {
				return true
			}
		}
	}
}

// hangUpLook is how often a peer that sends no more is asked whether it is
// still there. There is no event for that.
const hangUpLook = 500 * time.Millisecond

// done is closed when nothing comes from e any more. The output of a far side
// has to be delivered first.
func (e *linkEnd) done() <-chan struct{} {
	if e.Spec == nil {
		return e.out.done
	}
	return e.alive.Done()
}

// saysNothingOfItsInput reports whether e is a far side of which only the bytes
// are known.
func (e *linkEnd) saysNothingOfItsInput() bool {
	switch e.b.peer.(type) {
	case *stranger, *files:
		return true
	}
	return false
}

// quiet waits until nothing moved to or from e for the time of grace; false
// when e has ended before.
func (e *linkEnd) quiet(ctx context.Context) bool {
	grace := scale.Duration(e.Spec.GraceTime())
	for moved := e.moved(); ; {
		timer := time.NewTimer(grace)
		select {
		case <-timer.C:
		case <-e.alive.Done():
			timer.Stop()
			return false
		case <-ctx.Done():
			timer.Stop()
			return false
		}
		now := e.moved()
		if now == moved {
			return true
		}
		moved = now
	}
}

// moved is how many bytes have come past us to and from an end.
func (e *linkEnd) moved() (n int64) {
	for _, r := range []*relay{e.in, e.out} {
		if r != nil {
			n += r.r.Offset()
		}
	}
	return n
}

// name is how an end is called where somebody asks who reads.
func (e *linkEnd) name() string {
	if e.Spec == nil || len(e.Spec.Args) == 0 {
		return fmt.Sprintf("end %d", e.index+1)
	}
	return filepath.Base(e.Spec.Args[0])
}
