//go:build unix

package ptyio_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

var bothKinds = []ptyio.Kind{ptyio.PTY, ptyio.Pipes}

func TestDeadlineEndsPendingRead(t *testing.T) {
	for _, kind := range bothKinds {
		s := open(t, kind)
		ended := make(chan error)
		go func() {
			_, err := s.Out.Read(make([]byte, 1))
			ended <- err
		}()
		s.Out.SetReadDeadline(past)
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v: a read past its deadline: %v", kind, err)
		}
		// Nothing is lost by it, and the next read works.
		write(t, s.Child()[1], "x")
		s.Out.SetReadDeadline(time.Time{})
		if got := readUntil(t, s.Out, "x"); got != "x" {
			t.Errorf("%v: after the deadline %q", kind, got)
		}
	}
}

func TestCloseEndsPendingRead(t *testing.T) {
	for _, kind := range bothKinds {
		s := open(t, kind)
		ended := make(chan error)
		go func() {
			_, err := s.Out.Read(make([]byte, 1))
			ended <- err
		}()
		if err := s.Out.Close(); err != nil {
			t.Errorf("%v: %v", kind, err)
		}
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v: a read of a closed file: %v", kind, err)
		}
		if err := s.Out.Close(); err != nil {
			t.Errorf("%v: second Close: %v", kind, err)
		}
		if _, err := s.Out.ReadNow(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v: ReadNow of a closed file: %v", kind, err)
		}
		if _, err := s.Out.Unread(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v: Unread of a closed file: %v", kind, err)
		}
	}
}

// A write that its deadline or Close ends tells how much was taken: exactly
// what the program then reads.
func TestPendingWriteEndsAndCounts(t *testing.T) {
	ends := map[string]struct {
		end  func(*ptyio.File)
		want error
	}{
		"deadline": {func(f *ptyio.File) { f.SetWriteDeadline(past) }, os.ErrDeadlineExceeded},
		"close":    {func(f *ptyio.File) { f.Close() }, os.ErrClosed},
	}
	for name, c := range ends {
		for _, kind := range bothKinds {
			s := open(t, kind)
			if kind == ptyio.PTY {
				setMode(t, s, ptyio.Mode{})
			}
			type result struct {
				n   int
				err error
			}
			ended := make(chan result)
			go func() {
				n, err := s.In.Write(make([]byte, 1<<20))
				ended <- result{n, err}
			}()
			// The write is under way when its first byte can be read.
			in := s.Child()[0]
			buf := make([]byte, 1<<20)
			read, err := in.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			c.end(s.In)
			r := <-ended
			if !errors.Is(r.err, c.want) || r.n >= 1<<20 {
				t.Errorf("%s, %v: wrote %d, %v", name, kind, r.n, r.err)
			}
			if kind == ptyio.PTY && name == "close" {
				continue // a terminal that hangs up forgets what it held
			}
			for read < r.n {
				n, err := in.Read(buf)
				if err != nil {
					t.Fatalf("%s, %v: %d of %d bytes: %v", name, kind, read, r.n, err)
				}
				read += n
			}
			if read != r.n {
				t.Errorf("%s, %v: %d bytes were taken, %d read", name, kind, r.n, read)
			}
		}
	}
}

func TestEndOfTerminalIsEOF(t *testing.T) {
	for _, read := range map[string]func(*ptyio.File, []byte) (int, error){
		"Read": (*ptyio.File).Read, "ReadNow": (*ptyio.File).ReadNow,
	} {
		s := open(t, ptyio.PTY)
		write(t, s.Child()[1], "bye")
		if err := errors.Join(s.ChildStarted(), s.Terminal.Release(), s.Terminal.Release()); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 10)
		n, err := read(s.Out, buf)
		if string(buf[:n]) != "bye" || err != nil {
			t.Errorf("last words: %q, %v", buf[:n], err)
		}
		for range 2 {
			if n, err := read(s.Out, buf); n != 0 || err != io.EOF {
				t.Errorf("the end: %d, %v", n, err)
			}
		}
	}
}

// While our slave is open the program may close its terminal and open it again.
func TestTerminalOutlivesItsProgramsDescriptors(t *testing.T) {
	s := open(t, ptyio.PTY)
	for range 3 {
		p, err := os.OpenFile(s.Terminal.Name(), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		write(t, p, "again")
		p.Close()
		readUntil(t, s.Out, "again")
		if _, err := s.Out.ReadNow(make([]byte, 1)); err != ptyio.ErrAgain {
			t.Fatalf("between two openings: %v", err)
		}
	}
}

func TestEndOfPipesIsEOF(t *testing.T) {
	s := open(t, ptyio.Pipes)
	write(t, s.Child()[2], "bye")
	if err := s.ChildStarted(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, err := s.Err.ReadNow(buf); string(buf[:n]) != "bye" || err != nil {
		t.Errorf("last words: %q, %v", buf[:n], err)
	}
	for _, f := range []*ptyio.File{s.Out, s.Err} {
		if n, err := f.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("the end: %d, %v", n, err)
		}
		if n, err := f.ReadNow(buf); n != 0 || err != io.EOF {
			t.Errorf("the end: %d, %v", n, err)
		}
	}
}

func TestReadNow(t *testing.T) {
	for _, kind := range bothKinds {
		s := open(t, kind)
		s.Out.SetReadDeadline(past) // does not matter to it
		buf := make([]byte, 10)
		for i := range 100 {
			if n, err := s.Out.ReadNow(buf); n != 0 || err != ptyio.ErrAgain {
				t.Fatalf("%v: nothing there: %d, %v", kind, n, err)
			}
			want := string(rune('a' + i%26))
			write(t, s.Child()[1], want)
			if n, err := s.Out.ReadNow(buf); string(buf[:n]) != want || err != nil {
				t.Fatalf("%v: %q was just written: %q, %v", kind, want, buf[:n], err)
			}
		}
		if n, err := s.Out.ReadNow(nil); n != 0 || err != nil {
			t.Errorf("%v: no room: %d, %v", kind, n, err)
		}
	}
}

func TestWriteNow(t *testing.T) {
	for _, kind := range bothKinds {
		s := open(t, kind)
		if kind == ptyio.PTY {
			setMode(t, s, ptyio.Mode{})
		}
		s.In.SetWriteDeadline(past) // does not matter to it
		taken := 0
		for {
			n, err := s.In.WriteNow(make([]byte, 1000))
			taken += n
			if err == ptyio.ErrAgain {
				break
			}
			if err != nil || n == 0 {
				t.Fatalf("%v: %d, %v", kind, n, err)
			}
		}
		buf := make([]byte, 1<<20)
		for taken > 0 {
			n, err := s.Child()[0].Read(buf)
			if err != nil || n > taken {
				t.Fatalf("%v: read %d of %d, %v", kind, n, taken, err)
			}
			taken -= n
		}
	}
}

func TestUnread(t *testing.T) {
	s := open(t, ptyio.Pipes)
	write(t, s.Child()[1], "12345")
	if n, err := s.Out.Unread(); n != 5 || err != nil {
		t.Errorf("pipe: %d, %v", n, err)
	}
	s = open(t, ptyio.PTY)
	write(t, s.Child()[1], "12345")
	if n, err := s.Out.ReadNow(make([]byte, 1)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := s.Out.Unread(); n != 4 || err != nil {
		t.Errorf("terminal: %d, %v", n, err)
	}
}
