package ptyio_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/spawnx/spawnx/ptyio"
)

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestNoDescriptorLeaks(t *testing.T) {
	open(t, ptyio.PTY).Close() // the runtime's poller takes its own first
	before := descriptors(t)
	for i := range 200 {
		s, err := ptyio.Open(allKinds[i%len(allKinds)], ptyio.Size{}, i%3 == 0)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ptyio.OpenReader(s.Child()[0])
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			s.ChildStarted()
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := ptyio.Open(ptyio.PTYStdout, ptyio.Size{Rows: -1}, false); err == nil {
			t.Fatal("a bad size was opened")
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestInodeIsThatOfProc(t *testing.T) {
	s := open(t, ptyio.Pipes)
	for fd, f := range []*ptyio.File{s.In, s.Out, s.Err} {
		link := ""
		conn, err := s.Child()[fd].SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		conn.Control(func(fd uintptr) { link, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)) })
		if want := fmt.Sprintf("pipe:[%d]", f.Inode()); link != want || err != nil {
			t.Errorf("descriptor %d is %s, our end %s, %v", fd, link, want, err)
		}
	}
	s.Close()
	if s.In.Inode() != 0 {
		t.Error("a closed pipe has a number")
	}
}
