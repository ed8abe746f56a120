package bridge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// pipeStream returns a Stream over a real pipe, and the pipe's other end.
func pipeStream(t *testing.T, keep int) (*Stream, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := NewStream(r, keep, 0)
	t.Cleanup(func() {
		w.Close()
		s.abandon()
		r.Close()
	})
	return s, w
}

func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func TestEveryBlockReaderGetsEveryByte(t *testing.T) {
	s, w := pipeStream(t, 64<<10)
	want := noise(3 << 20)
	var all sync.WaitGroup
	for range 3 {
		r := s.Reader("test", Block)
		all.Add(1)
		go func() {
			defer all.Done()
			got, err := io.ReadAll(r)
			if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
				t.Errorf("got %d of %d bytes, %v", len(got), len(want), err)
			}
		}()
	}
	if _, err := w.Write(want); err != nil {
		t.Fatal(err)
	}
	w.Close()
	all.Wait()
	if st := s.Stats(); st.Memory > 64<<10 {
		t.Errorf("the ring has grown to %d bytes", st.Memory)
	}
}

func TestSkipReaderIsToldExactlyWhatItLost(t *testing.T) {
	s, w := pipeStream(t, 16<<10)
	want := noise(1 << 20)
	r := s.Reader("slow", Skip)
	if _, err := w.Write(want); err != nil { // nobody waits: the lane is drained
		t.Fatal(err)
	}
	w.Close()
	<-s.Ended()
	var at int64
	buf := make([]byte, 1000)
	for {
		n, err := r.Read(buf)
		if !bytes.Equal(buf[:n], want[at:at+int64(n)]) {
			t.Fatalf("wrong bytes at offset %d", at)
		}
		at += int64(n)
		var lost *LostError
		if errors.As(err, &lost) {
			if lost.From != at || lost.To <= lost.From {
				t.Fatalf("%+v at offset %d", lost, at)
			}
			at = lost.To
		} else if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if at != int64(len(want)) {
		t.Errorf("ends at %d, not at %d", at, len(want))
	}
	if r.Lost() < 1<<20-16<<10 {
		t.Errorf("says that it lost %d bytes", r.Lost())
	}
}

func TestBlockReaderHoldsTheLaneAndIsNamed(t *testing.T) {
	s, w := pipeStream(t, 4<<10)
	r := s.Reader("gui", Block)
	wrote := make(chan error, 1)
	go func() {
		_, err := w.Write(noise(1 << 20))
		wrote <- err
	}()
	fast := s.Reader("fast", Block)
	n, err := io.CopyN(io.Discard, fast, 4<<10)
	if n != 4<<10 || err != nil {
		t.Fatal(n, err)
	}
	fast.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := fast.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read beyond a full ring: %v", err)
	}
	st := s.Stats()
	if st.BlockedBy != "gui" || st.BlockedSince.IsZero() {
		t.Errorf("blocked by %q since %v", st.BlockedBy, st.BlockedSince)
	}
	select {
	case err := <-wrote:
		t.Fatalf("the writer was not stopped: %v", err)
	default:
	}
	r.SetPolicy(Skip)
	fast.Close()
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.BlockedBy != "" {
		t.Errorf("still blocked by %q", st.BlockedBy)
	}
}

func TestIdleLaneIsDrained(t *testing.T) {
	s, w := pipeStream(t, 0)
	r := s.Reader("later", Block)
	want := noise(700 << 10) // far more than a pipe takes
	if _, err := w.Write(want); err != nil {
		t.Fatal(err)
	}
	w.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestCancelledLeaderLosesNothing(t *testing.T) {
	s, w := pipeStream(t, 0)
	a, b := s.Reader("a", Block), s.Reader("b", Block)
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Add(2)
		go func() {
			defer all.Done()
			_, err := a.Await(ctx, int64(i), time.Time{})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("a: %v", err)
			}
		}()
		go func() {
			defer all.Done()
			if end, err := b.Await(t.Context(), int64(i), time.Time{}); err != nil || end <= int64(i) {
				t.Errorf("b: %d, %v", end, err)
			}
		}()
		cancel()
		if _, err := w.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		all.Wait()
	}
	got := make([]byte, 200)
	if _, err := io.ReadFull(a, got); err != nil {
		t.Fatal(err)
	}
	for i, c := range got {
		if c != byte(i) {
			t.Fatalf("byte %d is %d", i, c)
		}
	}
}

// An old cancellation must not end the read of the next leader.
func TestLateCancelHitsNobody(t *testing.T) {
	s, w := pipeStream(t, 0)
	r := s.Reader("r", Block)
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := r.Await(ctx, int64(i), time.Time{})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Await(t.Context(), int64(i), time.Time{}); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
}

func TestDeadlines(t *testing.T) {
	s, w := pipeStream(t, 0)
	r := s.Reader("r", Block)
	if _, err := r.Await(t.Context(), 0, time.Now().Add(-time.Second)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("empty, too late: %v", err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	// Too late, but there is something: a deadline does not hide it. A pipe of
	// package os knows no ReadNow, so here it takes the drain or a leader.
	if end, err := r.Await(t.Context(), 0, time.Time{}); end != 1 || err != nil {
		t.Errorf("%d, %v", end, err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := r.Await(context.Background(), 1, time.Time{})
		done <- err
	}()
	for !s.Stats().Readers[0].Waiting {
	}
	if err := r.SetReadDeadline(past); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a deadline set meanwhile: %v", err)
	}
	if err := r.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := r.Await(context.Background(), 1, time.Time{})
		done <- err
	}()
	for !s.Stats().Readers[0].Waiting {
	}
	r.Close()
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed meanwhile: %v", err)
	}
}

// Views in place and moves agree with a plain copy of all that was written, at
// every place of the ring.
func TestViewsAgreeWithWhatWasWritten(t *testing.T) {
	s, w := pipeStream(t, 8<<10)
	r := s.Reader("r", Block)
	rng := rand.New(rand.NewPCG(3, 4))
	var want []byte
	for range 2000 {
		p := noise(1 + rng.IntN(1500))
		want = append(want, p...)
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		for r.Offset() < int64(len(want))-int64(rng.IntN(3000)) {
			off := r.Offset()
			end, err := r.Await(t.Context(), off, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			to := off + 1 + rng.Int64N(end-off)
			a, b := r.View(off, to)
			if got := append(append([]byte(nil), a...), b...); !bytes.Equal(got, want[off:to]) {
				t.Fatalf("offsets %d to %d differ", off, to)
			}
			r.Advance(to)
		}
	}
}

func TestNewReaderBeginsAtTheOldestByteKept(t *testing.T) {
	s, w := pipeStream(t, 4<<10)
	want := noise(100 << 10)
	if _, err := w.Write(want); err != nil {
		t.Fatal(err)
	}
	w.Close()
	<-s.Ended()
	start, end := s.Offsets()
	if end != 100<<10 || end-start != 4<<10 {
		t.Fatalf("keeps %d to %d", start, end)
	}
	got, err := io.ReadAll(s.Reader("late", Block))
	if err != nil || !bytes.Equal(got, want[start:]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestStreamGoesOnWithTheNextSource(t *testing.T) {
	r1, w1, _ := os.Pipe()
	r2, w2, _ := os.Pipe()
	defer r1.Close()
	defer r2.Close()
	s := newStream(r1, 0, 0, true)
	r := s.Reader("r", Block)
	w1.WriteString("one ")
	w1.Close()
	<-s.gone()
	go func() {
		s.resume(r2)
		w2.WriteString("two")
		w2.Close()
		<-s.gone()
		s.resume(nil)
	}()
	got, err := io.ReadAll(r)
	if string(got) != "one two" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestReaderOfAClosedStreamGetsWhatIsKept(t *testing.T) {
	s, w := pipeStream(t, 0)
	r := s.Reader("r", Block)
	w.WriteString("kept")
	if _, err := r.Await(t.Context(), 0, time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.abandon()
	got, err := io.ReadAll(r)
	if string(got) != "kept" || !errors.Is(err, os.ErrClosed) {
		t.Errorf("%q, %v", got, err)
	}
}

// A Flush comes while the drain is about to begin: it gets the lease, and does
// not wait for output that may never come.
func TestFlushDoesNotWaitForTheDrain(t *testing.T) {
	s, w := pipeStream(t, 0)
	for i := range 200 {
		release := s.demand(1) // starts the drain
		if i%2 == 0 {
			runtime.Gosched()
		}
		if _, err := s.Flush(); err == nil { // a pipe of package os cannot be asked
			t.Fatal("knows that there is nothing")
		}
		release()
	}
	w.Close()
	<-s.Ended()
}

// An unnamed reader holds the lane as a named one does.
func TestUnnamedReaderThatHoldsTheLaneLetsItGo(t *testing.T) {
	s, w := pipeStream(t, 4<<10)
	slow, fast := s.Reader("", Block), s.Reader("", Block)
	want := noise(64 << 10)
	go func() {
		w.Write(want)
		w.Close()
	}()
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(fast)
		got <- all
	}()
	for st := s.Stats(); st.BlockedSince.IsZero(); st = s.Stats() { // fast waits for room
		runtime.Gosched()
	}
	all, err := io.ReadAll(slow)
	if err != nil || !bytes.Equal(all, want) || !bytes.Equal(<-got, want) {
		t.Errorf("%d bytes, %v", len(all), err)
	}
}

// What a view shows stays as it is when its reader stops holding the lane.
func TestViewsOutliveTheHold(t *testing.T) {
	for name, letGo := range map[string]func(s *Stream, r *Reader){
		"release": func(s *Stream, _ *Reader) { s.release() },
		"skip":    func(_ *Stream, r *Reader) { r.SetPolicy(Skip) },
		"close":   func(_ *Stream, r *Reader) { r.Close() },
	} {
		s, w := pipeStream(t, 4<<10)
		r := s.Reader("view", Block)
		want := noise(1 << 20)
		wrote := make(chan struct{})
		go func() {
			w.Write(want)
			w.Close()
			close(wrote)
		}()
		for end := int64(0); end < 4<<10; {
			var err error
			if end, err = r.Await(t.Context(), end, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		a, b := r.View(0, 4<<10)
		letGo(s, r)
		if name == "skip" || name == "close" {
			s.release()
		}
		<-wrote
		<-s.Ended()
		if !bytes.Equal(append(append([]byte(nil), a...), b...), want[:4<<10]) {
			t.Errorf("%s: the view has changed", name)
		}
	}
}

// A ring that the output fills exactly still sees its end.
func TestEndBehindAFullRing(t *testing.T) {
	s, w := pipeStream(t, 64<<10)
	r := s.Reader("later", Block)
	want := noise(64 << 10)
	w.Write(want)
	w.Close()
	s.ending(nil)
	<-s.Ended()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
