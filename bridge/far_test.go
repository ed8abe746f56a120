package bridge_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A far side that brings its output in steps and has lost some of it.
type farSide struct {
	steps chan any // []byte or error
	eof   chan struct{}
}

func (f *farSide) Read(p []byte) (int, error) {
	switch step := (<-f.steps).(type) {
	case []byte:
		return copy(p, step), nil
	case error:
		return 0, step
	}
	return 0, io.EOF
}
func (*farSide) SetReadDeadline(time.Time) error  { return nil }
func (*farSide) SetWriteDeadline(time.Time) error { return nil }
func (*farSide) Write(p []byte) (int, error)      { return len(p), nil }
func (*farSide) Close() error                     { return nil }
func (*farSide) OnTerminal() bool                 { return true }

func (*farSide) Wait(context.Context) (proc.Exit, error) { return proc.Exit{}, nil }
func (*farSide) Stop(context.Context) (proc.Exit, error) { return proc.Exit{}, nil }
func (*farSide) Signal(os.Signal) error                  { return nil }
func (*farSide) Resize(proc.Size) error                  { return nil }
func (*farSide) Taken() bool                             { return true }
func (*farSide) Mode() (ptyio.Mode, error)               { return ptyio.Mode{EOF: 4}, nil }
func (*farSide) Stats() bridge.PeerStats                 { return bridge.PeerStats{} }
func (*farSide) Attended() bool                          { return true }
func (f *farSide) SendEOF(context.Context, time.Time) error {
	close(f.eof)
	return nil
}

// What the source has lost, every Reader is told of, and nobody misses what
// came before: the Stream goes on behind the gap once that was read.
func TestAGapOfTheSource(t *testing.T) {
	far := &farSide{steps: make(chan any, 4)}
	s := bridge.NewStream(far, 4<<10, 100)
	block, skip := s.Reader("block", bridge.Block), s.Reader("skip", bridge.Skip)
	defer block.Close()
	defer skip.Close()
	far.steps <- []byte("before")
	far.steps <- &bridge.LostError{From: 106, To: 1_000_000}
	far.steps <- []byte("behind")
	far.steps <- nil

	for _, r := range []*bridge.Reader{block, skip} {
		buf := make([]byte, 100)
		n, err := r.Read(buf)
		if string(buf[:n]) != "before" || err != nil {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
	}
	for name, r := range map[string]*bridge.Reader{"block": block, "skip": skip} {
		buf := make([]byte, 100)
		_, err := r.Read(buf)
		var lost *bridge.LostError
		if !errors.As(err, &lost) || lost.From != 106 || lost.To != 1_000_000 {
			t.Errorf("%s: %v, want the gap from 106 to 1000000", name, err)
		}
		n, err := r.Read(buf)
		if string(buf[:n]) != "behind" || err != nil || r.Offset() != 1_000_006 {
			t.Errorf("%s: read %q, %v up to %d", name, buf[:n], err, r.Offset())
		}
		if _, err := r.Read(buf); err != io.EOF {
			t.Errorf("%s: %v at the end", name, err)
		}
	}
	if start, end := s.Offsets(); start != 1_000_000 || end != 1_000_006 {
		t.Errorf("offsets %d to %d", start, end)
	}
}

// Who has not read what lies before the gap keeps the Stream from going on.
func TestAGapWaitsForBlockReaders(t *testing.T) {
	far := &farSide{steps: make(chan any, 4)}
	s := bridge.NewStream(far, 4<<10, 0)
	slow, fast := s.Reader("slow", bridge.Block), s.Reader("fast", bridge.Block)
	defer slow.Close()
	defer fast.Close()
	far.steps <- []byte("before")
	far.steps <- &bridge.LostError{From: 6, To: 60}
	far.steps <- []byte("behind")
	buf := make([]byte, 100)
	if n, err := fast.Read(buf); string(buf[:n]) != "before" || err != nil {
		t.Fatalf("read %q, %v", buf[:n], err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := fast.Read(buf)
		done <- err
	}()
	eventually(t, "the slow reader holds the lane", func() bool { return s.Stats().BlockedBy == "slow" }, func() string { return "" })
	mine := make([]byte, 100)
	if n, err := slow.Read(mine); string(mine[:n]) != "before" || err != nil {
		t.Errorf("read %q, %v", mine[:n], err)
	}
	if err := <-done; !bridge.IsLost(err) {
		t.Errorf("fast: %v", err)
	}
	if _, err := slow.Read(mine); !bridge.IsLost(err) {
		t.Errorf("slow: %v", err)
	}
	far.steps <- nil
}

// A far side that knows more than its bytes is asked.
func TestTheFarSideIsAsked(t *testing.T) {
	far := &farSide{steps: make(chan any, 1), eof: make(chan struct{})}
	far.steps <- nil
	out := bridge.NewStream(far, 0, 0)
	b := bridge.New(far, out, nil, bridge.NewInput(far, out), nil)
	if !b.Input().OnTerminal() {
		t.Error("its input is not said to lead to a terminal")
	}
	if !b.Attended() || b.Seated() {
		t.Errorf("attended %v, seated %v; the far side answers, no person", b.Attended(), b.Seated())
	}
	if b.Peer() != bridge.Peer(far) {
		t.Error("another peer")
	}
	if err := b.SendEOF(time.Time{}); err != nil {
		t.Error(err)
	}
	select {
	case <-far.eof:
	default:
		t.Error("the end of the input was typed here")
	}
}

func TestAnswer(t *testing.T) {
	far := &farSide{steps: make(chan any, 1)}
	far.steps <- nil
	b := bridge.New(nil, bridge.NewStream(far, 0, 0), nil, nil, nil)
	stop := b.Answer()
	if !b.Attended() || b.Seated() {
		t.Error("nobody answers")
	}
	stop()
	stop()
	if b.Attended() {
		t.Error("somebody still answers")
	}
}
