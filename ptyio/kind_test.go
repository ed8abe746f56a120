package ptyio_test

import (
	"errors"
	"testing"

	"github.com/spawnx/spawnx/ptyio"
)

func TestKindsHaveNames(t *testing.T) {
	for _, kind := range []ptyio.Kind{ptyio.PTY, ptyio.Pipes, ptyio.PTYStderr, ptyio.PTYStdout} {
		if got, err := ptyio.ParseKind(kind.String()); got != kind || err != nil {
			t.Errorf("ParseKind(%q) = %v, %v", kind, got, err)
		}
	}
	if ptyio.Kind(-1).String() != "Kind(-1)" || ptyio.Kind(4).String() != "Kind(4)" {
		t.Error("unknown kinds print", ptyio.Kind(-1), ptyio.Kind(4))
	}
	if _, err := ptyio.ParseKind("tty"); err == nil || err.Error() != `"tty" is none of pty, pipes, pty-stderr, pty-stdout` {
		t.Error(err)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]ptyio.Size{
		"24x80": {Rows: 24, Cols: 80}, "1x1": {Rows: 1, Cols: 1}, "65535x65535": {Rows: 65535, Cols: 65535},
	} {
		if got, err := ptyio.ParseSize(text); got != want || err != nil || got.String() != text {
			t.Errorf("ParseSize(%q) = %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":         `size "" is not ROWSxCOLS, as in 24x80`,
		"24":       `size "24" is not ROWSxCOLS, as in 24x80`,
		"24x":      `size "24x" is not ROWSxCOLS, as in 24x80`,
		"24x80x2":  `size "24x80x2" is not ROWSxCOLS, as in 24x80`,
		"0x80":     `size "0x80": rows and columns go from 1 to 65535`,
		"24x-1":    `size "24x-1": rows and columns go from 1 to 65535`,
		"24x65536": `size "24x65536": rows and columns go from 1 to 65535`,
	} {
		if _, err := ptyio.ParseSize(text); err == nil || err.Error() != want {
			t.Errorf("ParseSize(%q): %v", text, err)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("24x80")
	f.Add("x")
	f.Add("+1x007")
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ptyio.ParseSize(text)
		if err != nil {
			return
		}
		if again, err := ptyio.ParseSize(size.String()); again != size || err != nil {
			t.Errorf("%q is %v, which is %v, %v", text, size, again, err)
		}
	})
}

func TestUnsupported(t *testing.T) {
	if !errors.Is(ptyio.ErrUnsupported, errors.ErrUnsupported) {
		t.Error(ptyio.ErrUnsupported)
	}
}
