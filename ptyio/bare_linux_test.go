package ptyio_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// A read ends as it should whenever its reason comes: before it waits, while it
// waits in poll(2), alone or beside others, and while it waits to be told.
func TestReadEndsWhereverItWaits(t *testing.T) {
	reasons := []struct {
		name string
		give func(s *ptyio.Stdio)
		want error
	}{
		{"output", func(s *ptyio.Stdio) { s.Child()[1].WriteString("x") }, nil},
		{"deadline", func(s *ptyio.Stdio) { s.Out.SetReadDeadline(past) }, os.ErrDeadlineExceeded},
		{"deadline to come", func(s *ptyio.Stdio) { s.Out.SetReadDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
		{"end", func(s *ptyio.Stdio) { s.Terminal.Release() }, io.EOF},
		{"close", func(s *ptyio.Stdio) { s.Out.Close() }, os.ErrClosed},
		{"lent", func(s *ptyio.Stdio) {
			if _, err := s.Out.SyscallConn(); err != nil {
				t.Error(err)
			}
			s.Child()[1].WriteString("x")
		}, nil},
	}
	for _, side := range []int{1, 3, 12} {
		for range 40 {
			ended := make(chan func(), side)
			for range side {
				r := reasons[rand.IntN(len(reasons))]
				s, err := ptyio.Open(ptyio.PTY, ptyio.Size{}, false)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				go func() {
					n, err := s.Out.Read(make([]byte, 10))
					ended <- func() {
						if !errors.Is(err, r.want) || err == nil && n != 1 {
							t.Errorf("%s, one of %d: %d bytes, %v", r.name, side, n, err)
						}
					}
				}()
				// Not to be in time, but to be at another place each time.
				time.Sleep(time.Duration(rand.IntN(2500)) * time.Microsecond)
				r.give(s)
			}
			for range side {
				(<-ended)()
			}
		}
	}
}

// A write that the terminal does not take at once waits beside a read that
// waits.
func TestReadAndWriteWaitAtOnce(t *testing.T) {
	for range 20 {
		s := open(t, ptyio.PTY)
		if err := s.Terminal.SetMode(ptyio.Mode{}); err != nil { // raw
			t.Fatal(err)
		}
		read := make(chan error)
		go func() {
			_, err := s.Out.Read(make([]byte, 1))
			read <- err
		}()
		sent := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
		wrote := make(chan error)
		go func() {
			_, err := s.In.Write(sent)
			wrote <- err
		}()
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(s.Child()[0], got); err != nil {
			t.Fatal(err)
		}
		if err := <-wrote; err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("written %v, equal %v", err, bytes.Equal(got, sent))
		}
		write(t, s.Child()[1], "x")
		if err := <-read; err != nil {
			t.Fatal(err)
		}
	}
}

// Who waits for output sees what happens beside it.
func TestBeside(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("with one processor no read waits in poll(2)")
	}
	s := open(t, ptyio.PTY)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	conn, err := r.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan struct{})
	s.Out.Beside(conn, func() {
		close(said) // a second call would panic
		s.Terminal.Release()
	})
	w.Close()
	if n, err := s.Out.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	<-said
	// Of one that was closed nothing is said, and nobody is in the way.
	s = open(t, ptyio.PTY)
	r.Close()
	s.Out.Beside(conn, func() { t.Error("said of a closed descriptor") })
	write(t, s.Child()[1], "x")
	if _, err := s.Out.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	s.Out.SetReadDeadline(past)
	if _, err := s.Out.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if err := s.Out.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Out.SetReadDeadline(time.Time{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a deadline of a closed file: %v", err)
	}
}

// Several Reads of one File wait one behind the other, and all end with it.
func TestCloseEndsAllReads(t *testing.T) {
	for range 50 {
		s := open(t, ptyio.PTY)
		const n = 4
		ended := make(chan error, n)
		for range n {
			go func() {
				_, err := s.Out.Read(make([]byte, 1))
				ended <- err
			}()
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond) // to be at another place each time
		if err := s.Out.Close(); err != nil {
			t.Fatal(err)
		}
		for range n {
			if err := <-ended; !errors.Is(err, os.ErrClosed) {
				t.Errorf("%v", err)
			}
		}
	}
}
