package session

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/rundir"
)

// A door is a place at which clients come in.
type door struct {
	address string // as Listen takes it
	l       net.Listener
	path    string      // of a unix socket; "" elsewhere
	file    fs.FileInfo // what stood there when it was opened
	bare    bool        // bytes, no frames
	token   bool        // clients show it
}

// close also removes the socket, unless it is another's by now: a program that
// has ended is still served when the next one takes its name.
func (d *door) close() error {
	var err error
	if d.path != "" {
		there, e := os.Lstat(d.path)
		if e == nil && os.SameFile(there, d.file) { // the listener holds the inode: nobody can have got the same
			e = os.Remove(d.path)
		}
		if !errors.Is(e, fs.ErrNotExist) {
			err = e
		}
	}
	return errors.Join(err, d.l.Close())
}

// Listen opens one more door and returns its address, in which a port 0 has
// become the true one:
//
//	spawnx:PATH       a unix socket for clients of this user
//	spawnx:HOST:PORT  TLS over TCP for clients that have the Token
//	unix:PATH         a unix socket that carries the bare bytes, for this user
//	tcp:HOST:PORT     bare bytes over TCP, on loopback alone: for whoever is on this machine, but for browsers
func (s *Server) Listen(addr string) (string, error) {
	at, err := s.listen(addr)
	if err != nil {
		return "", fmt.Errorf("listen at %s: %w", addr, err)
	}
	return at, nil
}

func (s *Server) listen(addr string) (string, error) {
	a, err := parseAddress(addr)
	if err != nil {
		return "", err
	}
	switch {
	case a.name != "":
		return "", errors.New("it is none of spawnx:PATH, spawnx:HOST:PORT, unix:PATH and tcp:HOST:PORT")
	case a.path != "":
		path, err := filepath.Abs(a.path)
		if err != nil {
			return "", err
		}
		return a.scheme + ":" + path, s.listenUnix(path, a.bare)
	case a.bare:
		return s.listenBareTCP(a.host)
	}
	return s.listenTLS(a.host)
}

// An address is where a server is: a path, a host with a port, or a name.
type address struct {
	scheme           string
	name, path, host string
	bare             bool
}

func parseAddress(addr string) (address, error) {
	scheme, rest, ok := strings.Cut(addr, ":")
	if !ok {
		name, channel, dotted := strings.Cut(addr, ".")
		err := rundir.CheckName(name)
		if err == nil && dotted {
			err = rundir.CheckName(channel)
		}
		return address{name: addr}, err
	}
	a := address{scheme: scheme}
	switch scheme {
	case "unix":
		a.path, a.bare = rest, true
	case "tcp":
		a.host, a.bare = rest, true
	case "spawnx":
		if strings.Contains(rest, "/") {
			a.path = rest
		} else {
			a.host = rest
		}
	default:
		return a, fmt.Errorf("%q is no address\nhint: write NAME, spawnx:PATH or spawnx:HOST:PORT", addr)
	}
	if rest == "" {
		return a, fmt.Errorf("%q is no address: nothing follows the colon", addr)
	}
	if scheme == "spawnx" && a.host != "" {
		if _, port, err := net.SplitHostPort(rest); err != nil || !isNumber(port) {
			return a, fmt.Errorf("%q has no port\nhint: write spawnx:HOST:PORT; for a socket in this folder spawnx:./PATH", addr)
		}
	}
	return a, nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// checkPath says so where a path is longer than the kernel allows: it would
// say "invalid argument".
func checkPath(path string) error {
	const longest = 107 // sun_path of Linux, with its NUL; 103 elsewhere
	if len(path) > longest {
		return fmt.Errorf("the path of a unix socket may have %d bytes, this one has %d: %s\nhint: choose a shorter one, or a shorter XDG_RUNTIME_DIR", longest, len(path), path)
	}
	return nil
}

// listenUnix opens a door at a path. The socket is born in a folder that is
// ours alone and moved to its place once its mode is right: between bind and
// chmod it would be open to all where the umask allows it. What a dead server
// left there is removed.
func (s *Server) listenUnix(path string, bare bool) error {
	d, err := bornUnix(path)
	if err != nil {
		return err
	}
	d.address, d.bare = "spawnx:"+path, bare
	if bare {
		d.address = "unix:" + path
	}
	return s.open(d)
}

// bornUnix listens at a unix socket that nobody could have opened before its
// mode was right.
func bornUnix(path string) (*door, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if err := clearPath(path); err != nil {
		return nil, err
	}
	nest, err := os.MkdirTemp(filepath.Dir(path), ".x")
	if err != nil {
		return nil, err
	}
	defer os.Remove(nest)
	if err := os.Chmod(nest, 0o700); err != nil { // whatever the umask took away
		return nil, err
	}
	born := filepath.Join(nest, "s")
	if err := checkPath(born); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: born, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it moves; the door removes it
	file, err := os.Lstat(born)
	if err = errors.Join(err, os.Chmod(born, 0o600)); err == nil {
		err = place(born, path)
	}
	if err != nil {
		_ = l.Close()
		_ = os.Remove(born)
		return nil, err
	}
	return &door{l: l, path: path, file: file}, nil
}

// place moves a socket to its path, where by now there may be something again:
// that is not overwritten. Some systems have no links of sockets.
func place(born, path string) error {
	switch err := os.Link(born, path); {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s was just made by another process\nhint: choose another path", path)
	case err != nil:
		return os.Rename(born, path)
	}
	return os.Remove(born)
}

// ListenPrivate listens at a unix socket for this user alone, as a Server does,
// for who speaks a language of its own there. Accept returns nobody else's
// connections; Close removes the socket.
func ListenPrivate(path string) (net.Listener, error) {
	d, err := bornUnix(path)
	if err != nil {
		return nil, err
	}
	return &private{d.l, d}, nil
}

type private struct {
	net.Listener
	door *door
}

func (p *private) Accept() (net.Conn, error) {
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if _, err := known(conn); err == nil {
			return conn, nil
		}
		_ = conn.Close()
	}
}

func (p *private) Close() error { return p.door.close() }

// clearPath removes a socket that nobody serves any more, and refuses to
// remove anything else.
func clearPath(path string) error {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if fi.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is there and is no socket\nhint: choose another path", path)
	}
	if err := rundir.Owned(path, fi); err != nil {
		return err
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = c.Close()
		return fmt.Errorf("%s is served by another process\nhint: choose another path", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

func (s *Server) listenBareTCP(host string) (string, error) {
	if err := loopback(host); err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", host)
	if err != nil {
		return "", err
	}
	at := "tcp:" + l.Addr().String()
	return at, s.open(&door{address: at, l: l, bare: true})
}

// loopback refuses addresses that others can reach: bare bytes ask nobody who
// they are.
func loopback(host string) error {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return err
	}
	ips := []net.IP{net.ParseIP(name)}
	if ips[0] == nil && name != "" {
		if ips, err = net.LookupIP(name); err != nil {
			return err
		}
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return fmt.Errorf("tcp:%s would let in whoever reaches it: bare bytes are served on loopback alone\nhint: spawnx:%s has TLS and a token", host, host)
		}
	}
	return nil
}

func (s *Server) listenTLS(host string) (string, error) {
	if err := s.o.Token.check(); err != nil {
		return "", err
	}
	conf, print, err := s.o.serverTLS()
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", host)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.print = print
	s.mu.Unlock()
	at := "spawnx:" + l.Addr().String()
	return at, s.open(&door{address: at, l: tls.NewListener(l, conf), token: true})
}

// Fingerprint is that of the certificate which clients over TCP see; empty
// before Listen was told to serve any.
func (s *Server) Fingerprint() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.print
}

// open begins to let clients in.
func (s *Server) open(d *door) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = d.close()
		return net.ErrClosed
	}
	s.doors = append(s.doors, d)
	s.running.Go(func() { s.accept(d) })
	return nil
}

// accept lets clients in until the door is closed.
func (s *Server) accept(d *door) {
	for {
		conn, err := d.l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, or the caller has gone again
			select {
			case <-time.After(10 * time.Millisecond):
				continue
			case <-s.ctx.Done():
				return
			}
		}
		peer, err := known(conn)
		if err != nil && d.bare {
			_ = conn.Close()
			continue
		}
		if err != nil {
			dismiss(conn, err)
			continue
		}
		s.running.Go(func() {
			if d.bare {
				s.serveBare(conn, peer)
			} else {
				_ = s.serve(conn, peer, !d.token) // why a client left is the client's business
			}
		})
	}
}

// known says who calls. On a unix socket nobody but the user is let in,
// whatever the modes of files say.
func known(conn net.Conn) (string, error) {
	if u, ok := conn.(*net.UnixConn); ok {
		uid, err := peerUID(u)
		switch {
		case errors.Is(err, errors.ErrUnsupported): // the folder keeps others out
			return "user", nil
		case err != nil:
			return "", err
		case uid != uint32(os.Geteuid()):
			return "", &refusal{codeUser, fmt.Sprintf("it belongs to user %d, and nobody else may come in", os.Geteuid())}
		}
		return "user " + strconv.Itoa(int(uid)), nil
	}
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	return host, err
}

// ServeConn serves one more client, over a connection of any kind, until it
// leaves. It shows the Token where there is one; else the caller has let it in.
// Who says who it is, for the limit of connections of one peer.
func (s *Server) ServeConn(conn net.Conn, who string) error {
	err := s.serve(conn, who, s.o.Token == "")
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// enter counts a connection that has not said hello yet. When there are too
// many, the oldest gives way: it has had its chance, and who is honest says
// hello at once.
func (s *Server) enter(conn net.Conn) bool {
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return false
	}
	var oldest net.Conn
	if len(s.pending) == maxPending {
		oldest = s.pending[0]
		s.pending = append(s.pending[:0], s.pending[1:]...)
	}
	s.pending = append(s.pending, conn)
	s.mu.Unlock()
	if oldest != nil {
		dismiss(oldest, &refusal{codeFull, fmt.Sprintf("more than %d connections have not said hello", maxPending)})
	}
	return true
}

// dismiss closes a connection and says why, where that makes nobody wait: in a
// unix socket to which nothing was written yet there is room.
func dismiss(conn net.Conn, why error) {
	if c, ok := conn.(*net.UnixConn); ok {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		refuse(c, why)
	}
	_ = conn.Close()
}

// heard is called when a connection has said hello, or has failed to.
func (s *Server) heard(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.pending {
		if c == conn {
			s.pending = append(s.pending[:i], s.pending[i+1:]...)
			return
		}
	}
}

// serveBare joins a connection that knows no protocol to the program. It
// begins where the bare connections before it have come to.
func (s *Server) serveBare(conn net.Conn, peer string) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	a := &attachment{s: s, conn: conn, peer: peer, ctx: ctx, cancel: cancel, outbox: newOutbox(), typed: &typed{}}
	a.typist = newTypist(a, 0)
	s.mu.Lock()
	if _, ok := s.room(peer); !ok || ctx.Err() != nil {
		s.mu.Unlock()
		_ = conn.Close()
		return
	}
	s.last++
	a.id = s.last
	a.name = fmt.Sprintf("client %d", a.id)
	from := s.bare
	for _, other := range s.clients {
		from = max(from, other.bare)
	}
	a.bare = from
	s.clients[a.id] = a
	s.notify()
	s.mu.Unlock()
	defer s.remove(a)

	p := &pump{a: a, lane: laneOutput, stream: s.streams[laneOutput], wake: make(chan struct{}, 1), slow: slowness{policy: s.o.Slow}}
	p.r = p.stream.Reader(a.name, bridge.Block)
	if s.o.Slow == SlowSkip {
		p.slow.skipping = true
		p.r.SetPolicy(bridge.Skip)
	}
	p.r.Advance(from)
	defer p.r.Close()
	a.pumps = []*pump{p}
	_, local := conn.(*net.UnixConn) // a browser cannot connect there
	a.work.Go(func() {
		buf := make([]byte, chunk)
		for judged := local; ; judged = true {
			n, err := conn.Read(buf)
			if !judged && fromBrowser(buf[:n]) {
				cancel()
				return
			}
			if n > 0 {
				if _, werr := s.b.Input().WriteContext(ctx, buf[:n], noDeadline); werr != nil && ctx.Err() == nil {
					continue // the program reads no more; its output may still be wanted
				}
			}
			if err != nil && !errors.Is(err, io.EOF) {
				cancel()
			}
			if err != nil {
				s.mu.Lock()
				a.quiet = true
				s.mu.Unlock()
				return
			}
		}
	})
	p.runBare()
	cancel()
	_ = conn.Close()
	a.work.Wait()
}

// fromBrowser reports whether a connection begins as those do that any web page
// can have the person's browser make to this machine: what the page writes into
// such a request would be typed into the program. Whoever speaks of these
// protocols to a program uses a unix socket.
func fromBrowser(p []byte) bool {
	for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE"} {
		if rest, ok := bytes.CutPrefix(p, []byte(method+" ")); ok && (bytes.HasPrefix(rest, []byte("/")) || bytes.Contains(rest, []byte(" HTTP/"))) {
			return true
		}
	}
	tls := len(p) > 2 && p[0] == 0x16 && p[1] == 3                             // a handshake of SSL 3 or later
	stun := len(p) >= 8 && bytes.Equal(p[4:8], []byte{0x21, 0x12, 0xa4, 0x42}) // WebRTC, RFC 8489
	return tls || stun
}
