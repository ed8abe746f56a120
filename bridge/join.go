package bridge

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// A Seat is where a person, or a pipe that stands for one, sits at a program.
type Seat struct {
	// In is what the person types; nil when nobody does. An *os.File is read
	// without changing its mode, and nothing of it is eaten after the end. A
	// plain io.Reader can only be read by a goroutine that stays in its Read;
	// what that brings is kept for the next Join with the same reader.
	In io.Reader
	// Terminal says that In is a person's terminal that sees the output: it, and
	// nobody else, answers what the program asks its terminal.
	Terminal bool
	// Out and Err get the program's output; nil leaves it to others.
	Out, Err io.Writer
	// Typed sees what was typed before the program does, and returns what of
	// it to pass on and whether the person leaves. Nil passes everything.
	Typed func(p []byte) (pass []byte, leave bool)
	// KeepInput leaves the program's input open when In ends.
	KeepInput bool
	// Ended is called when In has ended, before the program's input is closed.
	Ended func()
}

// Join connects a person and a program until the program's output ends (nil),
// the person leaves (ErrLeft) or ctx ends (its cause). Without Out and Err it
// ends only by the last two or, when In ends, with io.EOF. It is the one loop
// between a person and a program; modes of the person's terminal are the
// caller's.
func Join(ctx context.Context, b *Bridge, seat Seat) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if seat.Terminal {
		b.seats.Add(1)
		defer b.seats.Add(-1)
	}
	var all sync.WaitGroup
	var outputs atomic.Int32 // that have not ended, and 1 until all have begun
	outputs.Store(1)
	ended := func() {
		if outputs.Add(-1) == 0 {
			cancel(errEnded)
		}
	}
	show := func(s *Stream, w io.Writer) {
		r := s.Reader("person", Block)
		outputs.Add(1)
		all.Add(1)
		go func() {
			defer all.Done()
			defer ended()
			defer r.Close()
			if err := copyTo(ctx, w, r); err != nil {
				cancel(err)
			}
		}()
	}
	if seat.Out != nil {
		show(b.out, seat.Out)
	}
	if seat.Err != nil && b.err != nil {
		show(b.err, seat.Err)
	}
	if seat.Out != nil || seat.Err != nil {
		ended()
	}
	if seat.In != nil {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := b.typing(ctx, seat); err != nil {
				cancel(err)
			} else if seat.Out == nil && seat.Err == nil {
				cancel(io.EOF)
			}
		}()
	}
	<-ctx.Done()
	all.Wait()
	if err := context.Cause(ctx); err != errEnded {
		return err
	}
	return nil
}

// ErrLeft is what Join returns when the person has left the program.
var ErrLeft = errors.New("the person has left")

var errEnded = errors.New("the output ended")

// copyTo shows the output to the person.
func copyTo(ctx context.Context, w io.Writer, r *Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.ReadContext(ctx, buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case IsLost(err):
		case err != nil:
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// typing passes on what the person types until ctx ends, the person leaves or
// the input ends.
func (b *Bridge) typing(ctx context.Context, seat Seat) error {
	in, release, err := interruptible(seat.In)
	if err != nil {
		return err
	}
	defer release()
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = in.SetReadDeadline(past)
	})
	defer func() {
		if !stop() {
			<-interrupted // or it would hit who reads next
		}
	}()
	buf := make([]byte, 4<<10)
	for ctx.Err() == nil {
		n, err := in.Read(buf)
		p, leave := buf[:n], false
		if seat.Typed != nil && n > 0 {
			p, leave = seat.Typed(p)
		}
		if len(p) > 0 {
			if _, err := b.in.WriteContext(ctx, p, time.Time{}); err != nil && !leave {
				return nil // the program has ended, or reads no more: its output tells
			}
		}
		switch {
		case leave:
			return ErrLeft
		case err == io.EOF:
			if seat.Ended != nil {
				seat.Ended()
			}
			if !seat.KeepInput {
				_ = b.sendEOF(ctx, time.Time{}) // a program that is gone needs no end
			}
			return nil
		case err != nil:
			return nil
		}
	}
	return nil
}

// A typist is a reader of what a person types that can be interrupted.
type typist interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// interruptible makes in so. release undoes that; it does not close in.
func interruptible(in io.Reader) (t typist, release func(), err error) {
	switch in := in.(type) {
	case *os.File:
		r, err := ptyio.OpenReader(in)
		if err != nil {
			return nil, nil, err
		}
		return r, func() { _ = r.Close() }, nil
	case typist:
		if err := in.SetReadDeadline(time.Time{}); !errors.Is(err, os.ErrNoDeadline) {
			return in, func() { _ = in.SetReadDeadline(time.Time{}) }, nil
		}
	}
	p := pumps.of(in)
	_ = p.SetReadDeadline(time.Time{})
	return p, func() {}, nil
}

// A pump reads a reader that cannot be interrupted, so that waiting for it
// can be.
type pump struct {
	chunks chan []byte // unbuffered: at most one chunk is ahead
	err    error       // valid when chunks is closed
	forget func()      // called when all was read

	mu       sync.Mutex
	rest     []byte
	deadline time.Time
	changed  chan struct{}
}

// pumps are those of Join, for the next Join with the same reader, whichever
// program that is with: a Read that is under way has no end but its own.
var pumps = pumpSet{by: make(map[io.Reader]*pump)}

type pumpSet struct {
	mu sync.Mutex
	by map[io.Reader]*pump
}

func (s *pumpSet) of(in io.Reader) *pump {
	if !reflect.ValueOf(in).Comparable() {
		return newPump(in) // nobody can come back with the same
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.by[in]
	if p == nil {
		p = newPump(in)
		p.forget = func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.by[in] == p {
				delete(s.by, in)
			}
		}
		s.by[in] = p
	}
	return p
}

func newPump(in io.Reader) *pump {
	p := &pump{chunks: make(chan []byte), changed: make(chan struct{}), forget: func() {}}
	go func() {
		defer close(p.chunks)
		for {
			buf := make([]byte, 4<<10)
			n, err := in.Read(buf)
			if n > 0 {
				p.chunks <- buf[:n]
			}
			if err != nil {
				p.err = err
				return
			}
		}
	}()
	return p
}

func (p *pump) Read(dst []byte) (int, error) {
	for {
		p.mu.Lock()
		if len(p.rest) > 0 {
			n := copy(dst, p.rest)
			p.rest = p.rest[n:]
			p.mu.Unlock()
			return n, nil
		}
		until, changed := p.deadline, p.changed
		p.mu.Unlock()
		if expired(until) {
			return 0, os.ErrDeadlineExceeded
		}
		timeout, stop := alarm(until)
		select {
		case chunk, ok := <-p.chunks:
			stop()
			if !ok {
				p.forget()
				return 0, p.err
			}
			p.mu.Lock()
			p.rest = chunk
			p.mu.Unlock()
		case <-changed:
			stop()
		case <-timeout:
		}
	}
}

func (p *pump) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	close(p.changed)
	p.changed = make(chan struct{})
	return nil
}
