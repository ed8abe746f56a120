//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/bridge/fifo"
)

const said = `open it before there is one: fifo own: does not exist
  hint: make the folder: mkdir -m 700 own
make it: fine
make it again: fine
  drwx------ own
  prw------- own/fifo
write: fine
read "Spam\n": fine
close the writer: fine
read at the end: EOF
close the reader: fine
close a writer that nobody has read: fifo own/fifo: nobody read the last 5 bytes
a file in its place: fifo own/planted: refused: it is a regular file, no fifo
  hint: remove it, or choose another name
a link in its place: fifo own/planted: refused: it is a symbolic link, no fifo
  hint: remove it, or choose another name
one that others may open: fifo own/planted: refused: others may open it (mode 0666)
  hint: chmod 600 own/planted
a folder in which others may write: fifo own: refused: others may write in this folder (mode 0777)
  hint: choose another, or: chmod 700 own
remove the 1 that nobody reads: fine
it is gone: true
`

// Every failure has a clear message, whatever the umask, and nothing is left.
func TestHygiene(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		old := syscall.Umask(umask)
		defer syscall.Umask(old)
		dir := t.TempDir()
		var out bytes.Buffer
		if err := show(t.Context(), &out, dir); err != nil {
			t.Fatal(err)
		}
		if out.String() != said {
			t.Errorf("umask %03o:\n%s\nwant\n%s", umask, out.String(), said)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// The fifo of another user is refused, and nothing of it is opened.
func TestForeignFifo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "d", "fifo")
	if err := fifo.Make(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := fifo.Open(t.Context(), path, os.O_WRONLY, fifo.Options{}); !errors.Is(err, fifo.ErrUnsafe) {
		t.Errorf("got %v", err)
	}
}
