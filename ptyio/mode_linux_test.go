package ptyio_test

import (
	"strings"
	"testing"

	"github.com/spawnx/spawnx/ptyio"
)

// The table of Interprets against the kernel: a byte that it names does not
// arrive, every other byte does.
func TestInterpretsAsTheKernelDoes(t *testing.T) {
	change := func(m ptyio.Mode, f func(*ptyio.Mode)) ptyio.Mode { f(&m); return m }
	usual := modeOf(t, open(t, ptyio.PTY))
	usual.EOL, usual.EOL2 = '%', '&'
	for name, mode := range map[string]ptyio.Mode{
		"usual":       usual,
		"no echo":     change(usual, func(m *ptyio.Mode) { m.Echo = false }),
		"no extended": change(usual, func(m *ptyio.Mode) { m.Extended = false }),
		"no signals":  change(usual, func(m *ptyio.Mode) { m.Signals = false }),
		"no flow":     change(usual, func(m *ptyio.Mode) { m.Flow = false }),
		"no lines":    change(usual, func(m *ptyio.Mode) { m.Canonical = false }),
		"lines only":  change(usual, func(m *ptyio.Mode) { m.Signals, m.Flow, m.Extended, m.Echo = false, false, false, false }),
		"raw":         change(usual, func(m *ptyio.Mode) { m.Canonical, m.Signals, m.Flow, m.Extended = false, false, false, false }),
		"other keys": change(usual, func(m *ptyio.Mode) {
			m.Intr, m.Erase, m.Stop, m.EOF, m.LiteralNext, m.Kill = '!', '#', 'S', 0xe9, 0, 0
		}),
		"two keys on one byte": change(usual, func(m *ptyio.Mode) { m.Start, m.Erase = m.Intr, m.Quit }),
	} {
		s := open(t, ptyio.PTY)
		p := program(t, s)
		setMode(t, s, mode)
		for i := range 256 {
			b := byte(i)
			if b == '\r' {
				continue // arrives as a newline
			}
			// A key may eat its neighbours: the x before, or, taken literally, the y.
			write(t, s.In, "x"+string([]byte{b})+"yz\n")
			got := readUntil(t, p, "yz\n")
			if b != 'x' {
				got = strings.Replace(got, "x", "", 1)
			}
			want := string([]byte{b}) + "yz\n"
			if key := mode.Interprets(b); key != "" {
				want = "yz\n"
			}
			if b == 'x' {
				want = "xx" + "yz\n"
			}
			if got != want {
				t.Errorf("%s: %q: the program got %q, Interprets says %q", name, b, got, mode.Interprets(b))
			}
		}
	}
}

// The longest line, by the kernel.
func TestMaxCanonical(t *testing.T) {
	s, err := ptyio.Open(ptyio.PTY, ptyio.Size{}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for length, want := range map[int]int{
		1:                       1,
		ptyio.MaxCanonical - 1:  ptyio.MaxCanonical - 1,
		ptyio.MaxCanonical:      ptyio.MaxCanonical,
		ptyio.MaxCanonical + 1:  ptyio.MaxCanonical,
		ptyio.MaxCanonical + 99: ptyio.MaxCanonical,
	} {
		write(t, s.In, strings.Repeat("x", length)+"\n")
		if got := readUntil(t, s.Child()[0], "\n"); len(got) != want+1 {
			t.Errorf("of a line of %d bytes %d arrive", length, len(got)-1)
		}
	}
}

// Once our slave is closed the answers come through our own end.
func TestModeAfterRelease(t *testing.T) {
	s := open(t, ptyio.PTY)
	p := program(t, s)
	before := modeOf(t, s)
	if err := s.Terminal.Release(); err != nil {
		t.Fatal(err)
	}
	if got := modeOf(t, s); got != before {
		t.Errorf("before %+v\nafter %+v", before, got)
	}
	before.Echo = false
	setMode(t, s, before)
	if err := s.Terminal.Resize(ptyio.Size{Rows: 7, Cols: 9}); err != nil {
		t.Fatal(err)
	}
	if got, err := ptyio.SizeOf(p); got != (ptyio.Size{Rows: 7, Cols: 9}) || err != nil {
		t.Error(got, err)
	}
	write(t, s.In, "quiet\n")
	readUntil(t, p, "quiet\n")
	write(t, p, "done")
	if got := readUntil(t, s.Out, "done"); got != "done" {
		t.Errorf("%q", got)
	}
}
