// Package bridge holds a running program and its bytes: what the program
// writes is a Stream that any number of Readers read, each at its own place
// and with its own say about who waits for whom; what it reads is an Input
// that any number of goroutines write.
//
// Bridge interprets nothing: patterns, escape sequences, echo and secrets are
// package expect's.
//
//	b, err := bridge.Start(ctx, proc.Command("sort"))
//	out := b.Output().Reader("result", bridge.Block)
//	io.WriteString(b.Input(), "b\na\n")
//	b.Input().CloseWrite()
//	sorted, err := io.ReadAll(out)
package bridge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A Bridge is a program, wherever it runs, and its streams. All methods may
// be called concurrently. Whoever made it closes it.
type Bridge struct {
	peer  Peer
	out   *Stream
	err   *Stream
	in    *Input
	close func() error
	seats atomic.Int32 // terminals that a person sits at: see Seat.Terminal
	other atomic.Int32 // others that answer: see Answer

	sizing  sync.Mutex // guards the two below; held while the terminal gets another size
	size    proc.Size  // of the terminal; zero where it is not known
	resized int64      // offset of the output from which on it has it
}

// New returns the Bridge of a far side that is not started here. A nil peer is
// a far side of which nothing is known but its streams; err and in may be nil.
// close, which may be nil, is called once by Close and must end pending reads
// and writes.
func New(peer Peer, out, err *Stream, in *Input, close func() error) *Bridge {
	if peer == nil {
		peer = &stranger{out: out}
	}
	return &Bridge{peer: peer, out: out, err: err, in: in, close: close}
}

// Output is what the program writes: on a terminal its standard output and,
// unless they were asked for apart, its errors.
func (b *Bridge) Output() *Stream { return b.out }

// Stderr is the program's standard error; nil when it shares the terminal.
func (b *Bridge) Stderr() *Stream { return b.err }

// Input is the way to the program's standard input.
func (b *Bridge) Input() *Input { return b.in }

// Peer is the far side itself, for who asks it more than all of them answer.
func (b *Bridge) Peer() Peer { return b.peer }

// Process is the process at the far side, nil when it was not started here.
// After a restart it is the present one.
func (b *Bridge) Process() *proc.Process {
	if g, ok := b.peer.(*program); ok {
		return g.process()
	}
	return nil
}

// Wait returns when the program's exit was seen and its output is complete,
// or was silent for Linger because an orphan keeps it open. A Block Reader
// that nobody reads keeps it waiting. The error is a *proc.ExitError unless
// the status is 0.
func (b *Bridge) Wait(ctx context.Context) (proc.Exit, error) { return b.peer.Wait(ctx) }

// Stop ends the program and its tree: see proc.Process.Stop. It does not
// restart.
func (b *Bridge) Stop(ctx context.Context) (proc.Exit, error) { return b.peer.Stop(ctx) }

// Signal sends a signal to the program.
func (b *Bridge) Signal(sig os.Signal) error { return b.peer.Signal(sig) }

// Resize gives the program's terminal another size.
func (b *Bridge) Resize(size proc.Size) error {
	b.sizing.Lock()
	defer b.sizing.Unlock()
	_, _ = b.out.Flush() // what was written before belongs to the old size
	_, end := b.out.Offsets()
	if err := b.peer.Resize(size); err != nil {
		return err
	}
	b.size, b.resized = size.OrDefault(), end
	return nil
}

// Size is the size that was given to the program's terminal last, zero where
// there is none or that is not known, and the offset of the output from which
// on it counts.
func (b *Bridge) Size() (size proc.Size, from int64) {
	b.sizing.Lock()
	defer b.sizing.Unlock()
	return b.size, b.resized
}

// Taken reports whether the program has taken all the input that was sent, as
// far as that can be seen.
func (b *Bridge) Taken() bool { return b.peer.Taken() }

// Mode is what the program's terminal does with input at the moment;
// errors.ErrUnsupported where there is none.
func (b *Bridge) Mode() (ptyio.Mode, error) { return b.peer.Mode() }

// SendEOF ends the program's input: it closes a pipe, and types the
// end-of-file key of a terminal, twice where a line has been begun, as the
// first then only hands over what is there.
func (b *Bridge) SendEOF(deadline time.Time) error {
	return b.sendEOF(context.Background(), deadline)
}

func (b *Bridge) sendEOF(ctx context.Context, deadline time.Time) error {
	if b.in == nil {
		return errors.ErrUnsupported
	}
	if far, ok := b.peer.(interface {
		SendEOF(ctx context.Context, deadline time.Time) error
	}); ok { // it knows what others have typed there
		return far.SendEOF(ctx, deadline)
	}
	mode, err := b.Mode()
	if errors.Is(err, errors.ErrUnsupported) || !b.in.shared {
		return b.in.CloseWrite()
	}
	if err != nil {
		return err
	}
	if mode.EOF == 0 {
		return fmt.Errorf("the terminal has no end-of-file key: %w", errors.ErrUnsupported)
	}
	keys := []byte{mode.EOF}
	if last, any := b.in.Last(); any && mode.Canonical && last != '\n' && last != '\r' && last != mode.EOF {
		keys = append(keys, mode.EOF)
	}
	_, err = b.in.WriteContext(ctx, keys, deadline)
	return err
}

// Attended reports whether somebody answers what the program asks its
// terminal: a person who sits there, a server's screen, or the far side.
func (b *Bridge) Attended() bool {
	far, ok := b.peer.(interface{ Attended() bool })
	return b.Seated() || b.other.Load() > 0 || ok && far.Attended()
}

// Seated reports whether a person's terminal sits at the program: see
// Seat.Terminal.
func (b *Bridge) Seated() bool { return b.seats.Load() > 0 }

// Answer says that from now until stop somebody else than a person answers what
// the program asks its terminal.
func (b *Bridge) Answer() (stop func()) {
	b.other.Add(1)
	return sync.OnceFunc(func() { b.other.Add(-1) })
}

// Release lets the program go on whatever its Readers do: from now on all of
// them may lose the oldest bytes.
func (b *Bridge) Release() {
	b.out.release()
	if b.err != nil {
		b.err.release()
	}
}

// Close stops the program with its tree, if it still runs, and releases all
// that it held. Readers get what is kept, then os.ErrClosed. It may be called
// more than once.
func (b *Bridge) Close() error {
	if b.close == nil {
		return nil
	}
	return b.close()
}

// A stranger is a far side of which only the streams are known.
type stranger struct{ out *Stream }

func (p *stranger) Wait(ctx context.Context) (proc.Exit, error) {
	select {
	case <-p.out.Ended():
		return proc.Exit{}, nil
	case <-ctx.Done():
		return proc.Exit{}, context.Cause(ctx)
	}
}

func (*stranger) Stop(context.Context) (proc.Exit, error) {
	return proc.Exit{}, errors.ErrUnsupported
}
func (*stranger) Signal(os.Signal) error    { return errors.ErrUnsupported }
func (*stranger) Resize(proc.Size) error    { return errors.ErrUnsupported }
func (*stranger) Taken() bool               { return false }
func (*stranger) Mode() (ptyio.Mode, error) { return ptyio.Mode{}, errors.ErrUnsupported }
func (p *stranger) Stats() PeerStats {
	return PeerStats{Unread: -1, Running: p.out.Err() == nil}
}
