package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A relay passes on what one end of a Link writes to the next. It is a Block
// Reader that moves on when the next end has taken the bytes: so the end before
// it waits, and Stats show for whom.
type relay struct {
	l        *link
	from, to *linkEnd
	r        *Reader
	ctx      context.Context // until somebody cancels it
	cancel   context.CancelCauseFunc
	done     chan struct{} // closed when it is over
	refused  chan struct{} // closed when to takes no more
	begun    int           // bytes of a line that has not ended, where to is a terminal
}

func newRelay(l *link, from, to *linkEnd) *relay {
	r := &relay{l: l, from: from, to: to, done: make(chan struct{}), refused: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	r.r = from.b.out.Reader("link to "+to.name(), Block)
	r.r.feed(to.b)
	return r
}

// Why a relay ends, besides the end of the output and the cause of the Link's
// context.
var (
	errGone = errors.New("the next end has ended")
	errCut  = errors.New("the next end needs no more")
)

// A refusal is an error of the next end.
type refusal struct{ err error }

func (e *refusal) Error() string { return e.err.Error() }

// A misfit is what the next end would not get as it was written.
type misfit struct{ what string }

func (e *misfit) Error() string { return e.what + "\nhint: give it a pipe for its input" }

// run passes on all that comes, then the end of it.
func (r *relay) run(ctx context.Context) {
	defer close(r.done)
	defer context.AfterFunc(ctx, func() { r.cancel(context.Cause(ctx)) })()
	if r.to.Spec != nil {
		defer context.AfterFunc(r.to.alive, func() { r.cancel(errGone) })()
	}
	err := r.pass(r.ctx)
	var no *refusal
	var bad *misfit
	switch {
	case errors.As(err, &bad):
		r.l.cancel(&LinkError{r.to.index, bad}) // to go on would be to lose it
	case err == io.EOF, errors.Is(err, errCut):
		r.end()
	case errors.As(err, &no):
		if r.to.Spec == nil || !noReader(no.err) {
			r.l.troubled(&LinkError{r.to.index, no.err})
		}
		r.hangUp()
	case errors.Is(err, errGone):
		r.hangUp()
	case r.ctx.Err() == nil:
		r.l.troubled(&LinkError{r.from.index, err})
		r.end()
	}
}

// noReader reports whether a write failed because nobody reads, which a program
// may well decide.
func noReader(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, ErrNoInput) || errors.Is(err, os.ErrClosed)
}

// troubled enters an error of the bytes' way.
func (l *link) troubled(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trouble == nil {
		l.trouble = err
	}
}

// pass passes on all that comes until the output's end, io.EOF.
func (r *relay) pass(ctx context.Context) error {
	direct := r.l.o.Tee == nil && r.l.o.Watch == nil && !r.to.b.in.OnTerminal()
	for {
		if direct {
			switch err := r.from.b.out.splice(ctx, r.r, r.to.b.in); {
			case errors.Is(err, errNeverSpliced):
				direct = false
			case err != nil && !errors.Is(err, errNotSpliced):
				return err
			}
		}
		from := r.r.Offset()
		to, err := r.r.Await(ctx, from, time.Time{})
		if err != nil {
			return err
		}
		a, b := r.r.View(from, min(to, from+largestRead))
		for _, p := range [][]byte{a, b} {
			n, err := r.give(ctx, p)
			from += int64(n)
			r.r.Advance(from)
			if err != nil {
				return err
			}
		}
	}
}

// give shows p to who watches and writes it to the next end.
func (r *relay) give(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.fits(p); err != nil {
		return 0, err
	}
	r.l.show(r.from.index, p)
	for {
		sink := r.to.b.in.present()
		k, err := r.to.b.in.WriteContext(ctx, p[n:], time.Time{})
		n += k
		switch {
		case err == nil:
			return n, nil
		case ctx.Err() != nil:
			return n, err
		case !r.to.startsAgain() || r.to.b.in.awaitNext(ctx, r.to.alive, sink) != nil:
			return n, &refusal{err}
		}
	}
}

// startsAgain reports whether an end that has ended may be started once more.
func (e *linkEnd) startsAgain() bool { return e.Spec != nil && e.Spec.Restart.When != proc.Never }

// show gives p to who watches.
func (l *link) show(from int, p []byte) {
	if l.o.Tee == nil && l.o.Watch == nil {
		return
	}
	l.watching.Lock()
	defer l.watching.Unlock()
	if l.o.Tee != nil {
		l.tee.put(p)
	}
	if l.o.Watch != nil {
		l.o.Watch(from, p)
	}
}

// fits refuses what a terminal that reads by lines would not pass on as it is.
func (r *relay) fits(p []byte) error {
	if !r.to.b.in.OnTerminal() {
		return nil
	}
	mode, err := r.to.b.Mode()
	if err != nil || !mode.Canonical {
		r.begun = 0
		return nil // it takes everything, or is gone
	}
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		line := p
		if end >= 0 {
			line = p[:end]
		}
		if r.begun += len(line); r.begun > ptyio.MaxCanonical {
			return &misfit{fmt.Sprintf("a line of more than %d bytes: its terminal reads by lines and would cut it", ptyio.MaxCanonical)}
		}
		for _, c := range line {
			if key := mode.Interprets(c); key != "" {
				return &misfit{fmt.Sprintf("byte %#02x is a key of its terminal, %s", c, key)}
			}
		}
		if end < 0 {
			break
		}
		r.begun = 0
		p = p[end+1:]
	}
	return nil
}

// end hands over the end of the output, as the end that it is of wants.
func (r *relay) end() {
	switch r.from.EOF {
	case Close:
		_ = r.to.b.sendEOF(r.to.alive, time.Time{}) // who has ended needs no end
	case SendKey:
		if _, err := r.to.b.Mode(); err == nil {
			_ = r.to.b.sendEOF(r.to.alive, time.Time{})
			return
		}
		const ctrlD = "\x04"
		_, _ = r.to.b.in.WriteContext(r.to.alive, []byte(ctrlD), time.Time{})
	}
}

// hangUp lets the end before it know that nobody reads any more. A far side is
// not ours to hang up: it is read no further.
func (r *relay) hangUp() {
	close(r.refused)
	if r.from.Spec == nil {
		return
	}
	_ = r.r.Close()
	if p := r.from.b.Process(); p.Stdio().Terminal == nil {
		_ = p.Stdio().Out.Close() // its writes fail from now on
	}
}

func (r *relay) hasRefused() bool {
	select {
	case <-r.refused:
		return true
	default:
		return false
	}
}
