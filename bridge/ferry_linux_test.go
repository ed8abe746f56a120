package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"
)

// Relays between pipes share the ferry: all of them pass on what comes, small and large, one that waits for its sink
// holds up no other, they end when they are told to, and then there is no ferry.
func TestManyRelaysShareTheFerry(t *testing.T) {
	const n = 35
	ctx, cancel := context.WithCancelCause(t.Context())
	over := errors.New("over")
	var say, hear [n]*os.File
	var ended sync.WaitGroup
	for i := range n {
		in, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		say[i], hear[i] = w, r
		from, err := OverFiles(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		to, err := OverFiles(nil, out)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			for _, c := range []io.Closer{from, to, w, r} {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
		ended.Go(func() {
			if _, err := Link(ctx, LinkOptions{Chain: true}, End{Bridge: from}, End{Bridge: to}); err != over {
				t.Errorf("relay %d: %v", i, err)
			}
		})
	}
	stuffed := make(chan error, 1)
	go func() { // nobody hears the first one until the end
		_, err := say[0].Write(noise(1 << 20))
		stuffed <- err
	}()
	for _, size := range []int{1, 100, 5 << 10, 200 << 10, 3, 64 << 10, 1} {
		want := noise(size)
		for i := 1; i < n; i++ {
			go func() {
				if _, err := say[i].Write(want); err != nil {
					t.Error(err)
				}
			}()
		}
		for i := 1; i < n; i++ {
			got := make([]byte, size)
			if _, err := io.ReadFull(hear[i], got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("relay %d: %d bytes are not as they were, %v", i, size, err)
			}
		}
	}
	got := make([]byte, 1<<20)
	if _, err := io.ReadFull(hear[0], got); err != nil || !bytes.Equal(got, noise(1<<20)) {
		t.Fatal("what the first one said is not as it was", err)
	}
	if err := <-stuffed; err != nil {
		t.Error(err)
	}
	cancel(over)
	ended.Wait()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		theFerry.mu.Lock()
		aboard, running := len(theFerry.movers), theFerry.running
		theFerry.mu.Unlock()
		if aboard == 0 && !running {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d are still aboard, running: %v", aboard, running)
		}
	}
}
