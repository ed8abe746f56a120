//go:build unix

package ptyio_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

func openReader(t *testing.T, f *os.File) *ptyio.Reader {
	t.Helper()
	r, err := ptyio.OpenReader(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// The program's end stands for a standard input that we were given.
func TestReaderIsInterruptedAndEatsNothing(t *testing.T) {
	for _, kind := range bothKinds {
		s := open(t, kind)
		stdin := s.Child()[0]
		r := openReader(t, stdin)
		for range 100 {
			r.SetReadDeadline(time.Time{})
			ended := make(chan error)
			go func() {
				_, err := r.Read(make([]byte, 10))
				ended <- err
			}()
			r.SetReadDeadline(past)
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("%v: interrupted: %v", kind, err)
			}
			write(t, s.In, "hi\n")
			if _, err := r.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("%v: past the deadline: %v", kind, err)
			}
			r.SetReadDeadline(time.Time{})
			if got := readUntil(t, r, "\n"); got != "hi\n" {
				t.Fatalf("%v: %q", kind, got)
			}
		}
		r.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := r.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v: a deadline that passes: %v", kind, err)
		}
		checkFlags(t, stdin, false, "read by a Reader", kind)
	}
}

func TestReaderClose(t *testing.T) {
	for _, kind := range bothKinds {
		s := open(t, kind)
		r := openReader(t, s.Child()[0])
		ended := make(chan error)
		for range 2 {
			go func() {
				_, err := r.Read(make([]byte, 10))
				ended <- err
			}()
		}
		for range 2 {
			if err := r.Close(); err != nil {
				t.Errorf("%v: %v", kind, err)
			}
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, os.ErrClosed) {
				t.Errorf("%v: %v", kind, err)
			}
		}
		if err := r.SetReadDeadline(past); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v: deadline of a closed reader: %v", kind, err)
		}
		// The file itself goes on.
		write(t, s.In, "more\n")
		readUntil(t, s.Child()[0], "more\n")
	}
}

// Deadlines may be set as often as one likes while nobody reads.
func TestReaderManyDeadlines(t *testing.T) {
	s := open(t, ptyio.Pipes)
	r := openReader(t, s.Child()[0])
	for range 100_000 {
		if err := r.SetReadDeadline(past); err != nil {
			t.Fatal(err)
		}
	}
	r.SetReadDeadline(time.Time{})
	write(t, s.In, "x")
	readUntil(t, r, "x")
}

func TestReaderEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := func(name string) func() *os.File {
		return func() *os.File {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		}
	}
	for name, c := range map[string]struct {
		open func() *os.File
		want string
	}{
		"null": {path(os.DevNull), ""},
		"file": {path(file), "text"},
		"pipe": {func() *os.File {
			s := open(t, ptyio.Pipes)
			write(t, s.In, "text")
			s.In.Close()
			return s.Child()[0]
		}, "text"},
		"terminal, VEOF": {func() *os.File {
			s := open(t, ptyio.PTY)
			write(t, s.In, "text\n\x04")
			return s.Child()[0]
		}, "text\n"},
		"terminal, hung up": {func() *os.File {
			s := open(t, ptyio.PTY)
			s.In.Close()
			return s.Child()[0]
		}, ""},
	} {
		got, err := io.ReadAll(openReader(t, c.open()))
		if string(got) != c.want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A terminal that goes away ends a Read that waits.
func TestReaderHangup(t *testing.T) {
	s := open(t, ptyio.PTY)
	r := openReader(t, s.Child()[0])
	ended := make(chan error)
	go func() {
		_, err := r.Read(make([]byte, 10))
		ended <- err
	}()
	s.In.Close()
	if err := <-ended; err != io.EOF {
		t.Error(err)
	}
}
