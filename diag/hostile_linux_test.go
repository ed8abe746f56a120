package diag

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/internal/procfs"
)

// soon fails the test where do does not return: a program must not be able to hold up who looks at it.
func soon(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatal("it does not return")
	}
}

// A program's processes may wait for each other in any way they like: one waits for all of a crowd, of which each waits
// for all others, and none for the one.
func TestACrowdThatWaitsForEachOther(t *testing.T) {
	const crowd = 40
	pipe := func(n int) string { return fmt.Sprintf("pipe:[%d]", n) }
	s := Snapshot{Lanes: []Lanes{{PID: 1, Unread: -1, Untaken: -1}}}
	for n := range crowd + 1 {
		p := Process{PID: n + 1, Leader: 1, Name: "one", State: "S"}
		w := Wait{Op: Poll, Timeout: none}
		for other := 1; other <= crowd; other++ {
			if other != n {
				w.On = append(w.On, File{FD: other, Link: pipe(other), Read: true})
			}
		}
		if n > 0 {
			p.Pipes = []End{{FD: 100, Link: pipe(n), Write: true}}
		}
		p.Tasks = []Task{{TID: p.PID, State: "S", Wait: w}}
		s.Processes = append(s.Processes, p)
	}
	soon(t, func() {
		found := Explain(s)
		if len(found) == 0 || found[0].Kind != KindDeadlock {
			t.Errorf("%v", found)
		}
	})
}

// Where a program's C library was there may be a fifo now, which nobody opens at its other side.
func TestALibraryThatIsAFifo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libc.so.6")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	soon(t, func() {
		if addr, ok := fileList(os.Getpid(), []procfs.Mapping{{Path: path}}); ok {
			t.Errorf("%x", addr)
		}
	})
}

// A time of a program is one, whatever numbers it gives.
func TestTimesThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		at   unix.Timespec
		unit time.Duration
	}{
		{unix.Timespec{Sec: 1, Nsec: 1 << 62}, time.Microsecond}, {unix.Timespec{Sec: 1 << 62, Nsec: 1 << 62}, time.Nanosecond},
		{unix.Timespec{Sec: -1, Nsec: -1}, time.Microsecond},
	} {
		if got := timespec(os.Getpid(), uint64(uintptr(unsafe.Pointer(&tt.at))), tt.unit); got <= 0 {
			t.Errorf("%+v is %v", tt.at, got)
		}
	}
	at := unix.Timespec{Sec: 3, Nsec: 5}
	if got := timespec(os.Getpid(), uint64(uintptr(unsafe.Pointer(&at))), time.Microsecond); got != 3*time.Second+5*time.Microsecond {
		t.Errorf("%v", got)
	}
}
