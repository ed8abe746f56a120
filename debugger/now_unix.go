//go:build unix

package debugger

import (
	"io"
	"net"
	"syscall"
)

// writesTo lets flush write to conn, if that is a socket: its descriptor never
// makes who writes wait.
func (o *outbox) writesTo(conn io.Writer) {
	socket, ok := conn.(net.Conn)
	if !ok {
		return
	}
	c, ok := socket.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = func(p []byte) (n int) {
		_ = raw.Write(func(fd uintptr) bool { // whoever writes the rest meets the error too
			n, _ = syscall.Write(int(fd), p)
			return true
		})
		return max(n, 0)
	}
}
