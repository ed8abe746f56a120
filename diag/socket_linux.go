package diag

import (
	"encoding/binary"
	"slices"

	"github.com/spawnx/spawnx/internal/procfs"
	"golang.org/x/sys/unix"
)

// ownSocket says whether a process holds the other end of a unix socket too: a
// pair to wake itself, as python's asyncio makes one.
func ownSocket(pid int, inode uint64) bool {
	peer, ok := peerOf(uint32(inode))
	if !ok {
		return false
	}
	fds, _ := procfs.FDs(pid) // none: not its own
	return slices.ContainsFunc(fds, func(fd int) bool {
		link, _ := procfs.ReadLink(pid, fd) // "" when it is closed by now
		n, ok := link.Socket()
		return ok && uint32(n) == peer
	})
}

// The messages of sock_diag(7), which package unix does not have:
// struct unix_diag_req, struct unix_diag_msg and its attributes.
const (
	diagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	showPeer     = 4  // UDIAG_SHOW_PEER
	attrPeer     = 2  // UNIX_DIAG_PEER: inode
	headSize     = unix.SizeofNlMsghdr
	requestSize  = 24
	answerSize   = 16
)

// peerOf asks the kernel for the inode of the socket that a unix socket is
// connected to. Every user may ask.
func peerOf(inode uint32) (peer uint32, ok bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, false
	}
	defer func() { _ = unix.Close(fd) }() // nothing can be lost
	order := binary.NativeEndian
	m := make([]byte, headSize+requestSize)
	order.PutUint32(m, uint32(len(m)))
	order.PutUint16(m[4:], diagByFamily)
	order.PutUint16(m[6:], unix.NLM_F_REQUEST)
	r := m[headSize:]
	r[0] = unix.AF_UNIX
	order.PutUint32(r[4:], 0xffffffff) // in every state
	order.PutUint32(r[8:], inode)
	order.PutUint32(r[12:], showPeer)
	order.PutUint64(r[16:], 1<<64-1) // no cookie
	if unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return 0, false
	}
	// The answer is there when sendto returns.
	answer := make([]byte, 1024)
	n, _, err := unix.Recvfrom(fd, answer, unix.MSG_DONTWAIT)
	if err != nil {
		return 0, false
	}
	return parsePeer(answer[:n])
}

// parsePeer reads the answer; an error message has no attributes.
func parsePeer(b []byte) (peer uint32, ok bool) {
	order := binary.NativeEndian
	if len(b) < headSize+answerSize || order.Uint16(b[4:]) != diagByFamily {
		return 0, false
	}
	for b = b[headSize+answerSize:]; len(b) >= 4; {
		size := int(order.Uint16(b))
		if size < 4 || size > len(b) {
			return 0, false
		}
		if order.Uint16(b[2:]) == attrPeer && size >= 8 {
			return order.Uint32(b[4:]), true
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return 0, false
}
