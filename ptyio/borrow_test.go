//go:build unix

package ptyio_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/ptyio"
)

// A terminal of ours stands for the person's.
func TestBorrow(t *testing.T) {
	s := open(t, ptyio.PTY)
	person := s.Child()[0]
	before := modeOf(t, s)
	before.Erase = '#'
	setMode(t, s, before)

	b, err := ptyio.Borrow(person)
	if err != nil {
		t.Fatal(err)
	}
	raw := func() {
		t.Helper()
		m := modeOf(t, s)
		if m.Echo || m.Canonical || m.Signals || m.Flow || m.CRToNL || m.Extended || m.NLToCRNL {
			t.Errorf("borrowed: %+v", m)
		}
		for i := range 256 {
			write(t, s.In, string([]byte{byte(i)}))
			buf := make([]byte, 9)
			if n, err := person.Read(buf); err != nil || n != 1 || buf[0] != byte(i) {
				t.Errorf("key %q comes as %q, %v", byte(i), buf[:n], err)
			}
		}
		write(t, person, "a\nb")
		if got := readUntil(t, s.Out, "b"); got != "a\nb" {
			t.Errorf("shown: %q", got)
		}
	}
	back := func() {
		t.Helper()
		if m := modeOf(t, s); m != before {
			t.Errorf("given back %+v\nwas %+v", m, before)
		}
	}
	raw()
	if got, err := b.Size(); got != (ptyio.Size{Rows: 24, Cols: 80}) || err != nil || b.File() != person {
		t.Error(got, err)
	}
	for range 2 {
		if err := b.Restore(); err != nil {
			t.Fatal(err)
		}
		back()
	}
	if err := b.Raw(); err != nil {
		t.Fatal(err)
	}
	raw()
	if err := ptyio.RestoreSaved(program(t, s), b.Saved()); err != nil {
		t.Fatal(err)
	}
	back()
	checkFlags(t, person, false, "borrowed")
}

// What was typed before and after is not thrown away.
func TestBorrowKeepsWhatWasTyped(t *testing.T) {
	s := open(t, ptyio.PTY)
	person := s.Child()[0]
	write(t, s.In, "before\n")
	readUntil(t, s.Out, "before\r\n") // the echo: it has arrived
	b, err := ptyio.Borrow(person)
	if err != nil {
		t.Fatal(err)
	}
	readUntil(t, person, "before\n")
	write(t, s.In, "mid")
	if err := b.Restore(); err != nil {
		t.Fatal(err)
	}
	write(t, s.In, "dle\n")
	if got := readUntil(t, person, "\n"); got != "middle\n" {
		t.Errorf("%q", got)
	}
}

func TestBorrowNeedsATerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, f := range []*os.File{null, open(t, ptyio.Pipes).Child()[0]} {
		if b, err := ptyio.Borrow(f); b != nil || !errors.Is(err, syscall.ENOTTY) {
			t.Errorf("%s: %v", f.Name(), err)
		}
		if ptyio.IsTerminal(f) {
			t.Errorf("%s is a terminal", f.Name())
		}
		if _, err := ptyio.SizeOf(f); err == nil {
			t.Errorf("%s has a size", f.Name())
		}
	}
	if ptyio.IsTerminal(nil) {
		t.Error("no file is a terminal")
	}
	s := open(t, ptyio.PTY)
	if err := ptyio.RestoreSaved(s.Child()[0], []byte("nonsense")); err == nil {
		t.Error("nonsense was restored")
	}
}

func TestRememberChangesNothingBeforeRaw(t *testing.T) {
	s := open(t, ptyio.PTY)
	before := modeOf(t, s)
	b, err := ptyio.Remember(s.Child()[0])
	if err != nil {
		t.Fatal(err)
	}
	if now := modeOf(t, s); now != before {
		t.Errorf("%+v before Raw; it was %+v", now, before)
	}
	if err := b.Raw(); err != nil || modeOf(t, s).Canonical {
		t.Errorf("Raw: %v, %+v", err, modeOf(t, s))
	}
	if err := b.Restore(); err != nil || modeOf(t, s) != before {
		t.Errorf("Restore: %v, %+v", err, modeOf(t, s))
	}
}
