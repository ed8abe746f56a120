package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// A Sink is where the bytes of an Input go. SetWriteDeadline must end a
// pending Write; a Write that ends early says how many bytes were accepted.
type Sink interface {
	io.WriteCloser
	SetWriteDeadline(t time.Time) error
}

// An Input is the way to a program: its standard input. Any number of
// goroutines may write; each Write goes out whole before the next begins.
//
// While a Write cannot proceed, the program's output is read into its Stream,
// so that a program that writes before it reads on does not hang both.
type Input struct {
	out  *Stream       // drained while a write waits; may be nil
	turn chan struct{} // holds a token while somebody writes

	mu       sync.Mutex
	sink     Sink
	shared   bool // sink is also the output: a terminal, closed with the whole
	deadline time.Time
	changed  chan struct{} // closed when deadline, sink or closed change
	closed   bool
	ended    bool // for good: no program follows
	last     byte // the last byte accepted
	written  int64
	pending  *pendingWrite
}

// A pendingWrite is a write that waits for the program to read.
type pendingWrite struct {
	sink  Sink
	until time.Time
}

// NewInput returns the Input that writes to sink. out, which may be nil, is
// drained while a Write cannot proceed. A sink that leads to a terminal whose
// mode the Peer knows says so with a method OnTerminal.
func NewInput(sink Sink, out *Stream) *Input {
	in := &Input{sink: sink, out: out, turn: make(chan struct{}, 1), changed: make(chan struct{})}
	if far, ok := sink.(interface{ OnTerminal() bool }); ok {
		in.shared = far.OnTerminal()
	}
	return in
}

// ErrNoInput is what a Write returns after CloseWrite.
var ErrNoInput = errors.New("the program's input is closed")

// Write writes p whole, or returns how many bytes the kernel accepted and why
// not more: os.ErrDeadlineExceeded when the write deadline passed.
func (in *Input) Write(p []byte) (int, error) {
	return in.WriteContext(context.Background(), p, time.Time{})
}

// WriteContext is Write that also ends with ctx, whose cause it then returns,
// and at the deadline (zero: none). The write deadline counts too.
func (in *Input) WriteContext(ctx context.Context, p []byte, deadline time.Time) (int, error) {
	if err := in.take(ctx, deadline); err != nil {
		return 0, err
	}
	defer func() { <-in.turn }()
	n, err := in.write(ctx, p, deadline)
	if n > 0 {
		in.accepted(p[:n])
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return n, err
}

// take waits for this writer's turn.
func (in *Input) take(ctx context.Context, deadline time.Time) error {
	for {
		in.mu.Lock()
		until, changed, closed := earlier(deadline, in.deadline), in.changed, in.closed
		in.mu.Unlock()
		if closed {
			return ErrNoInput
		}
		select {
		case in.turn <- struct{}{}:
			return nil
		default:
		}
		timeout, stop := alarm(until)
		select {
		case in.turn <- struct{}{}:
			stop()
			return nil
		case <-changed:
			stop()
		case <-ctx.Done():
			stop()
			return context.Cause(ctx)
		case <-timeout:
			return fmt.Errorf("another write to the program's input does not end: %w", os.ErrDeadlineExceeded)
		}
	}
}

// alarm rings at a time, unless it is stopped before; zero is never.
func alarm(at time.Time) (ring <-chan time.Time, stop func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(at))
	return timer.C, func() { timer.Stop() }
}

// write writes p in the caller's turn: first what fits at once, then, with
// the output drained, the rest.
func (in *Input) write(ctx context.Context, p []byte, deadline time.Time) (n int, err error) {
	in.mu.Lock()
	sink := in.sink
	in.mu.Unlock()
	if now, ok := sink.(interface{ WriteNow([]byte) (int, error) }); ok {
		for n < len(p) {
			k, err := now.WriteNow(p[n:])
			n += k
			if errors.Is(err, ptyio.ErrAgain) {
				break
			}
			if err != nil {
				return n, err
			}
		}
		if n == len(p) {
			return n, nil
		}
	}
	if in.out != nil {
		defer in.out.demand(len(p))()
	}
	w := &pendingWrite{sink, deadline}
	if err := in.pend(w); err != nil {
		return n, err
	}
	defer context.AfterFunc(ctx, func() { in.interrupt(w) })()
	k, err := sink.Write(p[n:])
	return n + k, in.unpend(w, err)
}

// pend sets the deadline of the write that is about to wait.
func (in *Input) pend(w *pendingWrite) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed || in.sink != w.sink {
		return ErrNoInput
	}
	in.pending = w
	return in.setDeadline()
}

// unpend ends the wait, so that an interrupt that comes late hits nobody, and
// returns why it failed, if it did.
func (in *Input) unpend(w *pendingWrite, err error) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pending = nil
	if err != nil && (in.closed || in.sink != w.sink) {
		return ErrNoInput
	}
	return err
}

// interrupt ends the write, if it still waits.
func (in *Input) interrupt(w *pendingWrite) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.pending == w {
		w.until = past
		_ = in.setDeadline() // a sink that cannot is written to its end
	}
}

// setDeadline bounds the write that waits. Called with mu held, always.
func (in *Input) setDeadline() error {
	return in.pending.sink.SetWriteDeadline(earlier(in.pending.until, in.deadline))
}

func (in *Input) accepted(p []byte) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.last = p[len(p)-1]
	in.written += int64(len(p))
}

// SetWriteDeadline bounds every Write from now on, a pending one too. Zero
// means no deadline.
func (in *Input) SetWriteDeadline(t time.Time) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return ErrNoInput
	}
	in.deadline = t
	in.notify()
	if in.pending != nil {
		return in.setDeadline()
	}
	return nil
}

func (in *Input) notify() {
	close(in.changed)
	in.changed = make(chan struct{})
}

// CloseWrite ends the program's input: it reads the end of file once it has
// read what was written. A terminal has no such end (errors.ErrUnsupported):
// there the end is a key, see Bridge.SendEOF.
func (in *Input) CloseWrite() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return nil
	}
	if in.shared {
		return fmt.Errorf("a terminal's input cannot be closed alone: %w", errors.ErrUnsupported)
	}
	in.closed = true
	in.notify()
	if half, ok := in.sink.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return in.sink.Close()
}

// close ends the Input with its program.
func (in *Input) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended = true
	if !in.closed {
		in.closed = true
		in.notify()
		_ = in.sink.SetWriteDeadline(past)
		if !in.shared {
			_ = in.sink.Close()
		}
	}
}

// swap gives the Input the next program's descriptor.
func (in *Input) swap(sink Sink) {
	in.mu.Lock()
	defer in.mu.Unlock()
	_ = in.sink.SetWriteDeadline(past) // whoever writes to the program that ended
	in.sink, in.closed, in.last = sink, in.ended, '\n'
	in.notify()
}

// present is the sink of the present program.
func (in *Input) present() Sink {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.sink
}

// awaitNext waits until another program has taken the place of the one that
// sink led to, as long as any may: until alive ends.
func (in *Input) awaitNext(ctx, alive context.Context, sink Sink) error {
	for {
		in.mu.Lock()
		next, changed, ended := in.sink != sink, in.changed, in.ended
		in.mu.Unlock()
		switch {
		case next:
			return nil
		case ended:
			return ErrNoInput
		}
		select {
		case <-changed:
		case <-alive.Done():
			return ErrNoInput
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// awaitClosed waits until the Input is closed.
func (in *Input) awaitClosed(ctx context.Context) error {
	for {
		in.mu.Lock()
		closed, changed := in.closed, in.changed
		in.mu.Unlock()
		if closed {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// OnTerminal reports whether what is written goes to the program's terminal,
// whose mode says what becomes of it. That of nil does not.
func (in *Input) OnTerminal() bool { return in != nil && in.shared }

// Last returns the last byte that was accepted, and whether there was one.
func (in *Input) Last() (b byte, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.last, in.written > 0
}

// Written returns how many bytes were accepted so far.
func (in *Input) Written() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.written
}
