package bridge

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// A sink that takes nothing for a while.
type moodySink struct {
	strings.Builder
	full bool
}

func (s *moodySink) Write(p []byte) (int, error) {
	if s.full {
		n := len(p) / 2
		s.Builder.Write(p[:n])
		return n, errors.New("no space left")
	}
	return s.Builder.Write(p)
}

func TestCopyMarksAGapAndGoesOn(t *testing.T) {
	for _, back := range []bool{true, false} {
		s, w := pipeStream(t, 0)
		r := s.Reader("log", Block)
		sink := &moodySink{}
		step := make(chan struct{})
		done := make(chan struct{})
		var lost int64
		var err error
		go func() {
			defer close(done)
			lost, err = Copy(stepper{sink, step}, r)
		}()
		put := func(text string) {
			io.WriteString(w, text)
			<-step
		}
		put("before ")
		sink.full = true
		put("0123456789")
		if back {
			sink.full = false
			w.WriteString("after")
			<-step // the mark
			<-step
		}
		w.Close()
		if !back {
			<-step // the mark, refused
		}
		<-done
		if lost != 5 || err != nil {
			t.Errorf("lost %d, %v", lost, err)
		}
		if back && (!strings.HasPrefix(sink.String(), "before 01234\n[spawnx: 5 bytes are missing here: no space left]\n") || !strings.HasSuffix(sink.String(), "after")) {
			t.Errorf("%q", sink.String())
		}
	}
}

// What a sink is given stays as it is while the sink looks at it, also when the Reader may be overtaken from then
// on, and is.
func TestCopyLendsWhatNobodyChanges(t *testing.T) {
	s, w := pipeStream(t, firstRing) // which grows no more
	r := s.Reader("log", Block)
	late := s.Reader("late", Skip)
	looking, overtaken := make(chan struct{}), make(chan struct{})
	var first string
	sink := writerFunc(func(p []byte) (int, error) {
		if first == "" {
			close(looking)
			<-overtaken
			first = string(p)
		}
		return len(p), nil
	})
	done := make(chan error)
	go func() {
		_, err := Copy(sink, r)
		done <- err
	}()
	want := strings.Repeat("a", 1<<10)
	if _, err := io.WriteString(w, want); err != nil {
		t.Fatal(err)
	}
	<-looking
	r.SetPolicy(Skip)
	go func() {
		_, _ = w.Write(noise(64 << 10))
		w.Close()
	}()
	for { // the ring has gone round
		if _, err := late.Read(make([]byte, 1<<10)); err == io.EOF {
			break
		} else if err != nil && !IsLost(err) {
			t.Fatal(err)
		}
	}
	close(overtaken)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if first == "" || strings.Trim(first, "a") != "" {
		t.Errorf("the sink was given %q", first)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A stepper tells of each write.
type stepper struct {
	io.Writer
	step chan struct{}
}

func (s stepper) Write(p []byte) (int, error) {
	defer func() { s.step <- struct{}{} }()
	return s.Writer.Write(p)
}

func TestInputTakesTurnsAndHonoursDeadlines(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := NewInput(w, nil)
	big := make([]byte, 1<<20)
	if err := in.SetWriteDeadline(past); err != nil {
		t.Fatal(err)
	}
	n, err := in.Write(big)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n >= len(big) {
		t.Errorf("%d, %v", n, err)
	}
	in.SetWriteDeadline(time.Time{})
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := in.Write(big)
			done <- err
		}()
	}
	got := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, r)
		got <- n
	}()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := in.CloseWrite(); err != nil {
		t.Error(err)
	}
	if total := <-got; total != int64(n)+2<<20 {
		t.Errorf("%d bytes arrived", total)
	}
	if _, err := in.Write([]byte("x")); !errors.Is(err, ErrNoInput) {
		t.Errorf("after CloseWrite: %v", err)
	}
}

// An interrupt that comes late hits no other write, and a deadline that is set
// meanwhile does not undo one.
func TestLateInterruptHitsNoOtherWrite(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := NewInput(w, nil)
	for range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		if err := in.SetWriteDeadline(past); err != nil {
			t.Fatal(err)
		}
		full := make([]byte, 1<<17)
		if _, err := in.Write(full); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		in.SetWriteDeadline(time.Time{})
		done := make(chan error, 1)
		go func() {
			_, err := in.WriteContext(ctx, full, time.Time{})
			done <- err
		}()
		go cancel()
		in.SetWriteDeadline(time.Now().Add(time.Hour))
		if err := <-done; err != context.Canceled {
			t.Fatal(err)
		}
		go func() {
			_, err := in.Write([]byte("x"))
			done <- err
		}()
		if _, err := r.Read(full); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatalf("another write: %v", err)
		}
		cancel()
	}
	if err := in.CloseWrite(); err != nil {
		t.Error(err)
	}
}

// A heldSink is a Sink whose Write waits until it is let go, and that
// remembers its deadline.
type heldSink struct {
	deadlines chan time.Time
	let       chan struct{}
}

func (s heldSink) Write([]byte) (int, error)              { <-s.let; return 0, os.ErrDeadlineExceeded }
func (s heldSink) Close() error                           { return nil }
func (s heldSink) SetWriteDeadline(until time.Time) error { s.deadlines <- until; return nil }

// The earliest of all bounds of a write holds: its own, the Input's, and the
// end of its context, which nothing takes back.
func TestTheEarliestBoundOfAWriteHolds(t *testing.T) {
	sink := heldSink{make(chan time.Time, 1), make(chan struct{})}
	in := NewInput(sink, nil)
	ctx, cancel := context.WithCancel(t.Context())
	own := time.Now().Add(time.Hour)
	done := make(chan error)
	go func() {
		_, err := in.WriteContext(ctx, []byte("x"), own)
		done <- err
	}()
	expect := func(what string, want time.Time) {
		t.Helper()
		if got := <-sink.deadlines; !got.Equal(want) {
			t.Errorf("%s: the deadline is %v", what, got)
		}
	}
	expect("its own", own)
	in.SetWriteDeadline(own.Add(time.Hour))
	expect("a later one", own)
	in.SetWriteDeadline(own.Add(-time.Minute))
	expect("an earlier one", own.Add(-time.Minute))
	cancel()
	expect("cancelled", past)
	in.SetWriteDeadline(own)
	expect("after that", past)
	close(sink.let)
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
}
