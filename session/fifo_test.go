//go:build unix

package session_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/bridge/fifo"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func fifoDoor(t *testing.T, name string, spec proc.Spec, o session.Options) (dir string, s *session.Server) {
	t.Helper()
	inRuntimeDir(t)
	s, _ = serve(t, name, spec, o)
	dir = filepath.Join(t.TempDir(), "d")
	if err := s.ListenFifo(dir); err != nil {
		t.Fatal(err)
	}
	return dir, s
}

// Tools that know only files talk to the program, one after the other: each goes on where the last one was.
func TestFifoDoorForPlainTools(t *testing.T) {
	dir, s := fifoDoor(t, "cat", onPipes("exec cat"), session.Options{})
	for i := range 20 {
		const script = `echo "$1" >"$2/in" && head -n1 <"$2/out"` // head takes no more than its line from a pipe that has no more
		out, err := exec.Command("bash", "-c", script, "bash", fmt.Sprint("line ", i), dir).Output()
		if want := fmt.Sprintf("line %d\n", i); string(out) != want || err != nil {
			t.Fatalf("got %q, %v; want %q", out, err, want)
		}
	}
	if doors := strings.Join(s.Info().Doors, " "); !strings.Contains(doors, "fifo:"+dir) {
		t.Errorf("doors: %s", doors)
	}
}

// Who comes late gets all that was written, errors apart; at the end there is an end.
func TestFifoDoorKeepsWhatNobodyRead(t *testing.T) {
	const n = 20_000 // more than a pipe holds, less than a Server keeps
	dir, s := fifoDoor(t, "seq", onPipes(fmt.Sprintf("echo careful >&2; seq %d", n)), session.Options{})
	peer, err := fifo.Dial(t.Context(), dir, fifo.PairOptions{Err: true, Options: fifo.Options{EOF: fifo.Once}})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	var want strings.Builder
	for i := range n {
		fmt.Fprintln(&want, i+1)
	}
	if got, err := io.ReadAll(peer.Out); string(got) != want.String() || err != nil {
		t.Errorf("%d bytes of %d, %v", len(got), want.Len(), err)
	}
	if got, err := io.ReadAll(peer.Err); string(got) != "careful\n" || err != nil {
		t.Errorf("errors %q, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// A fifo that nobody reads does not stop the program, and a line says what is missing.
func TestFifoDoorThatNobodyReads(t *testing.T) {
	dir, s := fifoDoor(t, "yes", onPipes("read go; head -c 8000000 /dev/zero | tr '\\0' x; echo; echo the end"), session.Options{})
	c := dial(t, session.Dialer{}, "yes")
	io.WriteString(c.Bridge().Input(), "go\n")
	if n, err := io.Copy(io.Discard, c.Bridge().Output().Reader("test", 0)); n != 8_000_009 || err != nil {
		t.Errorf("a client beside it: %d bytes, %v", n, err)
	}
	peer, err := fifo.Dial(t.Context(), dir, fifo.PairOptions{Options: fifo.Options{EOF: fifo.Once}})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	got, err := io.ReadAll(peer.Out)
	if err != nil {
		t.Fatal(err)
	}
	begin, rest, ok := strings.Cut(string(got), "\n[spawnx: ")
	var missing int
	if _, err := fmt.Sscanf(rest, "%d bytes are missing here]", &missing); err != nil || !ok {
		t.Fatalf("no gap is marked in %d bytes", len(got))
	}
	_, end, _ := strings.Cut(rest, "]\n")
	if n := len(begin) + missing + len(end); n != 8_000_009 || !strings.HasSuffix(end, "x\nthe end\n") {
		t.Errorf("%d + %d missing + %d bytes = %d", len(begin), missing, len(end), n)
	}
	eventually(t, "the fifos are gone", func() bool {
		_, err := os.Lstat(dir)
		return errors.Is(err, fs.ErrNotExist) && len(s.Info().Doors) == 2
	})
}

// What is written to a program that has ended is not swallowed: the write fails.
func TestFifoDoorOfAProgramThatHasEnded(t *testing.T) {
	dir, _ := fifoDoor(t, "job", onPipes("read x; echo bye"), session.Options{})
	if err := syscall.Mknod(filepath.Join(dir, "in.ended"), syscall.S_IFSOCK|0o600, 0); err != nil { // of one that was killed
		t.Fatal(err)
	}
	in, err := os.OpenFile(filepath.Join(dir, "in"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	io.WriteString(in, "go\n")
	eventually(t, "a write fails", func() bool {
		_, err := io.WriteString(in, "more\n")
		return errors.Is(err, syscall.EPIPE)
	})
	if out, err := exec.Command("sh", "-c", `echo more >"$1"`, "sh", filepath.Join(dir, "in")).CombinedOutput(); err == nil {
		t.Errorf("a shell writes to it: %q", out)
	}
	out, err := os.ReadFile(filepath.Join(dir, "out"))
	if string(out) != "bye\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	eventually(t, "the folder is gone", func() bool {
		_, err := os.Lstat(dir)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// What is in the way is refused, and so is a second one.
func TestFifoDoorRefused(t *testing.T) {
	dir, s := fifoDoor(t, "cat", onPipes("exec cat"), session.Options{})
	if err := s.ListenFifo(dir); !errors.Is(err, fifo.ErrInUse) {
		t.Errorf("twice: %v", err)
	}
	other := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", filepath.Join(other, "in")); err != nil {
		t.Fatal(err)
	}
	if err := s.ListenFifo(other); !errors.Is(err, fifo.ErrUnsafe) {
		t.Errorf("a link: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.ListenFifo(filepath.Join(other, "late")); err == nil {
		t.Error("a closed Server opened a door")
	}
	if left, _ := os.ReadDir(other); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
