package ready

import (
	"os"
	"sync"
	"testing"
	"time"
)

func pipe(t *testing.T) (r, w *os.File, fd int) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w, int(r.Fd())
}

// It is told once for each time that it was asked, also of what was there before.
func TestToldOnceForEachAsking(t *testing.T) {
	_, w, fd := pipe(t)
	told := make(chan uint32, 10)
	watch, err := Add(fd, In, func(events uint32) { told <- events })
	if err != nil {
		t.Fatal(err)
	}
	w.WriteString("x") // it is never read: always ready
	for range 100 {
		if events := <-told; events&In == 0 {
			t.Fatalf("told %#x", events)
		}
		if len(told) > 0 {
			t.Fatal("told twice")
		}
		if err := watch.Again(fd, In); err != nil {
			t.Fatal(err)
		}
	}
	<-told
	watch.End()
	if len(told) > 0 {
		t.Error("told without being asked")
	}
}

// A hang-up is told to whoever waits for anything.
func TestHangUpIsInAndOut(t *testing.T) {
	_, w, fd := pipe(t)
	told := make(chan uint32, 1)
	watch, err := Add(fd, In, func(events uint32) { told <- events })
	if err != nil {
		t.Fatal(err)
	}
	defer watch.End()
	w.Close()
	if events := <-told; events&(In|Out) != In|Out {
		t.Errorf("told %#x", events)
	}
}

// Who was ended is not told any more, and its number is not another's.
func TestEndedIsNotTold(t *testing.T) {
	var mu sync.Mutex
	ended := false
	for range 200 {
		_, w, fd := pipe(t)
		told := make(chan struct{}, 1)
		first, err := Add(fd, In, func(uint32) {
			mu.Lock()
			defer mu.Unlock()
			if ended {
				t.Error("told after its end")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		first.End()
		first.End() // once more does nothing
		ended = true
		mu.Unlock()
		_, w2, fd2 := pipe(t)
		second, err := Add(fd2, In, func(uint32) { told <- struct{}{} })
		if err != nil {
			t.Fatal(err)
		}
		w.WriteString("x")
		w2.WriteString("x")
		<-told
		second.End()
		mu.Lock()
		ended = false
		mu.Unlock()
	}
}

// Nothing runs where nothing waits, and something does again when it is asked.
func TestTheGoroutineEndsAndComesBack(t *testing.T) {
	_, w, fd := pipe(t)
	for range 3 {
		told := make(chan struct{}, 1)
		watch, err := Add(fd, In, func(uint32) { told <- struct{}{} })
		if err != nil {
			t.Fatal(err)
		}
		w.WriteString("x")
		<-told
		watch.End()
		for running := true; running; {
			time.Sleep(linger / 10)
			watches.mu.Lock()
			running = watches.running
			watches.mu.Unlock()
		}
		_, w, fd = pipe(t)
	}
}
