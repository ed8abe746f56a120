//go:build unix

package ptyio_test

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// The test binary is also the program at the other end of the terminal.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "report-resizes" {
		reportResizes()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// reportResizes prints the size of its terminal at every SIGWINCH.
func reportResizes() {
	resized := make(chan os.Signal, 16)
	signal.Notify(resized, syscall.SIGWINCH)
	fmt.Println("ready")
	for range resized {
		size, err := ptyio.SizeOf(os.Stdin)
		fmt.Println("size", size, err)
	}
}

var past = time.Unix(1, 0)

func open(t *testing.T, kind ptyio.Kind) *ptyio.Stdio {
	t.Helper()
	s, err := ptyio.Open(kind, ptyio.Size{}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// program opens the program's terminal as a program would.
func program(t *testing.T, s *ptyio.Stdio) *os.File {
	t.Helper()
	f, err := os.OpenFile(s.Terminal.Name(), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func setMode(t *testing.T, s *ptyio.Stdio, mode ptyio.Mode) {
	t.Helper()
	if err := s.Terminal.SetMode(mode); err != nil {
		t.Fatal(err)
	}
}

func modeOf(t *testing.T, s *ptyio.Stdio) ptyio.Mode {
	t.Helper()
	mode, err := s.Terminal.Mode()
	if err != nil {
		t.Fatal(err)
	}
	return mode
}

func write(t *testing.T, w interface{ Write([]byte) (int, error) }, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write(%d bytes) = %d, %v", len(text), n, err)
	}
}

// readUntil reads until what was read ends with end.
func readUntil(t *testing.T, r interface{ Read([]byte) (int, error) }, end string) string {
	t.Helper()
	var got []byte
	buf := make([]byte, 16<<10)
	for !bytes.HasSuffix(got, []byte(end)) {
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
	}
	return string(got)
}
