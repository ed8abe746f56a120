//go:build unix

package ptyio_test

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/ptyio"
)

func TestResizeReachesTheForeground(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, ptyio.PTY)
	if pgid, err := s.Terminal.Foreground(); pgid != 0 || err != nil {
		t.Errorf("foreground of a terminal of nobody: %d, %v", pgid, err)
	}
	cmd := exec.Command(exe, "report-resizes")
	child := s.Child()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = child[0], child[1], child[2]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	s.ChildStarted()
	readUntil(t, s.Out, "ready\r\n")
	if pgid, err := s.Terminal.Foreground(); pgid != cmd.Process.Pid || err != nil {
		t.Errorf("foreground is %d, %v, not %d", pgid, err, cmd.Process.Pid)
	}
	for _, size := range []ptyio.Size{{Rows: 40, Cols: 100}, {Rows: 10, Cols: 20}} {
		if err := s.Terminal.Resize(size); err != nil {
			t.Fatal(err)
		}
		if got := readUntil(t, s.Out, "\n"); got != "size "+size.String()+" <nil>\r\n" {
			t.Errorf("after a resize to %v: %q", size, got)
		}
		if got, err := s.Terminal.Size(); got != size || err != nil {
			t.Errorf("Size: %v, %v", got, err)
		}
	}
	if err := s.Terminal.Resize(ptyio.Size{Rows: 1 << 16}); err == nil {
		t.Error("an impossible size was set")
	}
}

// What was left of a program may still be resized and asked, and in any order
// with Release and Close.
func TestTerminalConcurrently(t *testing.T) {
	for range 20 {
		s := open(t, ptyio.PTY)
		var all sync.WaitGroup
		for _, do := range []func(){
			func() { s.Terminal.Resize(ptyio.Size{Rows: 5, Cols: 6}) },
			func() { s.Terminal.Size() },
			func() { s.Terminal.Foreground() },
			func() { m, _ := s.Terminal.Mode(); s.Terminal.SetMode(m) },
			func() { s.Terminal.Release() },
			func() { s.Out.ReadNow(make([]byte, 1)) },
			func() { s.ChildStarted() },
			func() { s.Close() },
		} {
			all.Go(do)
		}
		all.Wait()
		if _, err := s.Terminal.Mode(); err == nil {
			t.Error("a closed terminal has a mode")
		}
	}
}

// Input counts as not taken from the moment it was written until it was read.
func TestTaken(t *testing.T) {
	s := open(t, ptyio.PTY)
	for i := range 300 {
		if !s.Terminal.Taken() {
			t.Fatalf("%d: nothing was sent", i)
		}
		write(t, s.In, "x\n")
		if s.Terminal.Taken() {
			t.Fatalf("%d: taken before anybody read", i)
		}
		readUntil(t, s.Child()[0], "\n")
		readUntil(t, s.Out, "x\r\n") // the echo, which may come after the line
	}
	write(t, s.In, "begun")
	if !s.Terminal.Taken() {
		t.Error("a line that is not ended cannot be taken")
	}
	s.Terminal.Release()
	if s.Terminal.Taken() {
		t.Error("known without a slave")
	}
}
