//go:build unix

package fifo_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/spawnx/spawnx/bridge/fifo"
)

func listen(t *testing.T, dir string, o fifo.PairOptions) *fifo.Pair {
	t.Helper()
	p, err := fifo.Listen(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func dial(t *testing.T, dir string, o fifo.PairOptions) *fifo.Pair {
	t.Helper()
	p, err := fifo.Dial(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// The other side comes later, leaves in the middle, and comes again: it goes on where it was.
func TestPairGoesOn(t *testing.T) {
	dir := filepath.Join(private(t), "new")
	o := fifo.PairOptions{Err: true, Ctl: true}
	p := listen(t, dir, o)
	write(t, p.Out, "welcome\n")
	write(t, p.Err, "careful\n")
	for range 5 {
		q := dial(t, dir, o)
		write(t, q.In, "request\n")
		write(t, q.Ctl, "resize\n")
		read(t, q.Out, "welcome\n")
		read(t, q.Err, "careful\n")
		read(t, p.In, "request\n")
		read(t, p.Ctl, "resize\n")
		closed(t, q)
		write(t, p.Out, "welcome\n")
		write(t, p.Err, "careful\n")
	}
	q := dial(t, dir, o)
	read(t, q.Out, "welcome\n")
	read(t, q.Err, "careful\n")
	closed(t, p)
	closed(t, q)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// The end is an end to those who want one.
func TestPairEnds(t *testing.T) {
	dir := private(t)
	p := listen(t, dir, fifo.PairOptions{})
	q := dial(t, dir, fifo.PairOptions{Options: fifo.Options{EOF: fifo.Once}})
	write(t, p.Out, "last words\n")
	done := make(chan error, 1)
	go func() { done <- p.Close() }()
	if got, err := io.ReadAll(q.Out); string(got) != "last words\n" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// One listens; after its death the next one takes over what is there, also who waits.
func TestPairTakenOver(t *testing.T) {
	dir := private(t)
	p := listen(t, dir, fifo.PairOptions{})
	if _, err := fifo.Listen(dir, fifo.PairOptions{}); !errors.Is(err, fifo.ErrInUse) {
		t.Fatalf("a second one: %v", err)
	}
	other := listen(t, dir, fifo.PairOptions{Prefix: "console."})
	write(t, p.Out, "unharmed\n")
	q := dial(t, dir, fifo.PairOptions{})
	read(t, q.Out, "unharmed\n")
	closed(t, other)
	closed(t, q)
	closed(t, p)
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}

	for _, name := range []string{"in", "out"} { // as after SIGKILL
		if err := fifo.Make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	cat := exec.Command("cat", filepath.Join(dir, "out"))
	out, err := cat.StdoutPipe()
	if err == nil {
		err = cat.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p = listen(t, dir, fifo.PairOptions{})
	write(t, p.Out, "here again\n")
	read(t, out, "here again\n")
	closed(t, p)
	if err := cat.Wait(); err != nil {
		t.Error(err)
	}
}

func TestPairRefused(t *testing.T) {
	dir := private(t)
	if _, err := fifo.Dial(t.Context(), dir, fifo.PairOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nobody listened: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "out"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fifo.Listen(dir, fifo.PairOptions{}); !errors.Is(err, fifo.ErrUnsafe) {
		t.Errorf("a file in the way: %v", err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 1 || left[0].Name() != "out" {
		t.Errorf("left: %v", left)
	}
}
