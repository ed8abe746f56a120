//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/expect"
)

// The test binary plays the child, too.
func TestMain(m *testing.M) {
	if os.Args[len(os.Args)-1] == "child" {
		main()
		return
	}
	os.Exit(m.Run())
}

var round = []string{"Spam 000", "Spam 001", "Spam 002", "Spam 003", "Spam 004"}

// One line per message, and the end when the writer has ended.
func TestLinesUntilTheWriterEnds(t *testing.T) {
	b, r, w, err := start(t.Context(), 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	w.Close()
	c := expect.New(r, io.Discard)
	defer c.Close()
	var got []string
	if err := lines(t.Context(), c, func(line string) { got = append(got, line) }); err != nil {
		t.Fatal(err)
	}
	if want := slices.Repeat(round, 20); !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
}

// While the parent holds the writing end, the pipe does not end although the child is gone and all was read:
// the kernel says "try again later", not "end". Once it is closed, the end is there.
func TestUnusedEndHoldsThePipeOpen(t *testing.T) {
	b, r, w, err := start(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	defer r.Close()
	if _, err := b.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(round, "\n") + "\n"
	got := make([]byte, len(all))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != all {
		t.Fatalf("read %q, %v", got, err)
	}
	if _, err := readNow(t, r); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("with an end left open: %v, want EAGAIN", err)
	}
	w.Close()
	if n, err := readNow(t, r); n != 0 || err != nil {
		t.Errorf("with all ends closed: %d bytes, %v; want the end", n, err)
	}
}

// readNow is read(2), which does not wait on a file of the poller.
func readNow(t *testing.T, f *os.File) (n int, err error) {
	t.Helper()
	conn, cerr := f.SyscallConn()
	if cerr == nil {
		cerr = conn.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), make([]byte, 1))
			return true
		})
	}
	if cerr != nil {
		t.Fatal(cerr)
	}
	return n, err
}
