//go:build linux

package diag

import (
	"errors"
	"os"
	"testing"

	"github.com/spawnx/spawnx/internal/procfs"
	"golang.org/x/sys/unix"
)

func TestPeerOfAUnixSocket(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	t.Cleanup(func() { check(t, errors.Join(unix.Close(pair[0]), unix.Close(pair[1]))) })
	var inodes [2]uint64
	for i, fd := range pair {
		link, err := procfs.ReadLink(os.Getpid(), fd)
		check(t, err)
		inodes[i], _ = link.Socket()
	}
	if peer, ok := peerOf(uint32(inodes[0])); !ok || uint64(peer) != inodes[1] {
		t.Errorf("peer %d, %v, want %d", peer, ok, inodes[1])
	}
	if !ownSocket(os.Getpid(), inodes[0]) || ownSocket(os.Getppid(), inodes[0]) {
		t.Error("the pair is this process's own")
	}
	if peer, ok := peerOf(1<<32 - 2); ok {
		t.Errorf("no socket, but peer %d", peer)
	}
}

func FuzzPeer(f *testing.F) {
	answer := make([]byte, headSize+answerSize+8)
	answer[4] = diagByFamily
	attr := answer[headSize+answerSize:]
	attr[0], attr[2], attr[4] = 8, attrPeer, 42
	f.Add(answer)
	f.Add(answer[:headSize+answerSize+3])
	f.Fuzz(func(t *testing.T, b []byte) {
		if peer, ok := parsePeer(b); !ok && peer != 0 {
			t.Errorf("%d without an answer", peer)
		}
	})
}
