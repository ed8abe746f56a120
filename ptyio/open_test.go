//go:build unix

package ptyio_test

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/ptyio"
)

var allKinds = []ptyio.Kind{ptyio.PTY, ptyio.Pipes, ptyio.PTYStderr, ptyio.PTYStdout}

func TestKindsOfStreams(t *testing.T) {
	for _, c := range []struct {
		kind                     ptyio.Kind
		in, out, err             bool // the program's ends that are terminals
		sharedInOut, hasErr, tty bool // our ends
	}{
		{ptyio.PTY, true, true, true, true, false, true},
		{ptyio.Pipes, false, false, false, false, true, false},
		{ptyio.PTYStderr, true, true, false, true, true, true},
		{ptyio.PTYStdout, false, true, true, false, false, true},
	} {
		s := open(t, c.kind)
		child := s.Child()
		for fd, want := range []bool{c.in, c.out, c.err} {
			if got := ptyio.IsTerminal(child[fd]); got != want {
				t.Errorf("%v: descriptor %d is a terminal: %v", c.kind, fd, got)
			}
		}
		if s.Kind != c.kind || (s.In == s.Out) != c.sharedInOut || (s.Err != nil) != c.hasErr || (s.Terminal != nil) != c.tty {
			t.Errorf("%v: our ends are %+v", c.kind, s)
		}
		// Each stream leads where it should.
		write(t, s.In, "to\n")
		readUntil(t, child[0], "to\n")
		write(t, child[1], "from")
		readUntil(t, s.Out, "from")
		complaints := s.Err
		if complaints == nil {
			complaints = s.Out
		}
		write(t, child[2], "oops")
		readUntil(t, complaints, "oops")
		if err := s.Close(); err != nil {
			t.Errorf("%v: Close: %v", c.kind, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%v: second Close: %v", c.kind, err)
		}
	}
}

// The program's ends block, ours do not, and no end is inherited by chance.
func TestModesOfDescriptors(t *testing.T) {
	for _, kind := range allKinds {
		s := open(t, kind)
		for fd, f := range s.Child() {
			checkFlags(t, f, false, kind, fd)
		}
		for _, f := range []*ptyio.File{s.In, s.Out, s.Err} {
			if f != nil {
				checkFlags(t, f, true, kind, f.Name())
			}
		}
	}
}

func checkFlags(t *testing.T, f syscall.Conn, nonblocking bool, what ...any) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Control(func(fd uintptr) {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		if got := flags&unix.O_NONBLOCK != 0; err != nil || got != nonblocking {
			t.Errorf("%v: non-blocking is %v, %v", what, got, err)
		}
		flags, err = unix.FcntlInt(fd, unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("%v: not close-on-exec, %v", what, err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSizeFromTheStart(t *testing.T) {
	for size, want := range map[ptyio.Size]ptyio.Size{
		{}:          {24, 80},
		{50, 0}:     {50, 80},
		{10, 20}:    {10, 20},
		{65535, 1}:  {65535, 1},
		{300, 1000}: {300, 1000},
	} {
		s, err := ptyio.Open(ptyio.PTY, size, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ptyio.SizeOf(s.Child()[0]); got != want || err != nil {
			t.Errorf("%v: the program sees %v, %v", size, got, err)
		}
		s.Close()
	}
	for _, size := range []ptyio.Size{{-1, 80}, {24, 65536}} {
		if s, err := ptyio.Open(ptyio.PTYStderr, size, false); err == nil {
			t.Errorf("%v was opened", size)
			s.Close()
		}
	}
	if _, err := ptyio.Open(ptyio.Kind(9), ptyio.Size{}, false); err == nil {
		t.Error("an unknown kind was opened")
	}
}

func TestNoEcho(t *testing.T) {
	for _, kind := range []ptyio.Kind{ptyio.PTY, ptyio.PTYStderr} {
		s, err := ptyio.Open(kind, ptyio.Size{}, true)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s.In, "quiet\n")
		readUntil(t, s.Child()[0], "quiet\n")
		write(t, s.Child()[1], "done")
		if got := readUntil(t, s.Out, "done"); got != "done" {
			t.Errorf("%v: %q", kind, got)
		}
		s.Close()
	}
	s := open(t, ptyio.PTY)
	write(t, s.In, "loud\n")
	if got := readUntil(t, s.Out, "\n"); got != "loud\r\n" {
		t.Errorf("with echo: %q", got)
	}
}

// Output passes as it is, but for newlines.
func TestOutputIsPassed(t *testing.T) {
	s := open(t, ptyio.PTY)
	var all, want []byte
	for b := range 256 {
		all = append(all, byte(b))
		if b == '\n' {
			want = append(want, '\r')
		}
		want = append(want, byte(b))
	}
	write(t, s.Child()[1], string(all))
	if got := readUntil(t, s.Out, "\xff"); got != string(want) {
		t.Errorf("got %q", got)
	}
}

func TestNothingToInherit(t *testing.T) {
	s := open(t, ptyio.Pipes)
	if err := s.ChildStarted(); err != nil {
		t.Fatal(err)
	}
	for fd, f := range s.Child() {
		if _, err := f.Write(nil); err == nil {
			t.Errorf("descriptor %d is still open in us", fd)
		}
	}
	// Nobody reads any more.
	if _, err := s.In.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a write that nobody can read: %v", err)
	}
}

// Two that are connected have one pipe between them, and its end comes through it.
func TestConnect(t *testing.T) {
	from, to := open(t, ptyio.Pipes), open(t, ptyio.PTYStdout)
	if err := ptyio.Connect(from, to); err != nil {
		t.Fatal(err)
	}
	if from.Out != nil || to.In != nil {
		t.Errorf("our ends are %v and %v, want none", from.Out, to.In)
	}
	write(t, from.Child()[1], "past us\n")
	readUntil(t, to.Child()[0], "past us\n")
	checkFlags(t, from.Child()[1], false, "connected", ptyio.Pipes)
	reader := to.Child()[0]
	if err := from.Close(); err != nil {
		t.Error(err)
	}
	if n, err := reader.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	for _, ends := range [][2]*ptyio.Stdio{
		{open(t, ptyio.PTY), open(t, ptyio.Pipes)}, {open(t, ptyio.Pipes), open(t, ptyio.PTY)}, {from, to},
	} {
		if err := ptyio.Connect(ends[0], ends[1]); err == nil {
			t.Errorf("%v to %v: no error", ends[0].Kind, ends[1].Kind)
		}
	}
}

func TestSeparateErr(t *testing.T) {
	for _, kind := range allKinds {
		s := open(t, kind)
		for range 2 {
			if err := s.SeparateErr(); err != nil {
				t.Fatal(err)
			}
		}
		write(t, s.Child()[2], "oops")
		readUntil(t, s.Err, "oops")
		write(t, s.Child()[1], "said")
		readUntil(t, s.Out, "said")
	}
}
