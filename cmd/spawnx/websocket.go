package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/spawnx/spawnx/internal/web"
	"github.com/spawnx/spawnx/session"
)

// A webSocketDoor lets clients in that can open nothing but a WebSocket: the frames of the session's protocol are
// its binary messages. Everybody on this machine can connect, and so can any page in a browser here: a client shows
// the token, and a page must be one that was served under our own name.
type webSocketDoor struct {
	server *session.Server
	hosts  []string
	http   *http.Server
	cancel context.CancelFunc
}

// listenWebSocket opens such a door at HOST:PORT and returns its address.
func listenWebSocket(host string, server *session.Server) (d *webSocketDoor, at string, err error) {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return nil, "", err
	}
	if ip := net.ParseIP(name); name != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, "", errors.New("beyond this machine it would show the token to who listens\nhint: spawnx:" + host + " has TLS")
	}
	l, err := net.Listen("tcp", host)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d = &webSocketDoor{server: server, hosts: web.Hosts(l.Addr()), cancel: cancel}
	d.http = &http.Server{
		Handler: d, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = d.http.Serve(l) }() // until close
	return d, "ws:" + l.Addr().String(), nil
}

func (d *webSocketDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(d.hosts, strings.ToLower(r.Host)) { // another name may be made to lead here
		http.Error(w, "", http.StatusMisdirectedRequest)
		return
	}
	c, err := websocket.Accept(w, r, nil) // whose Origin, if any, is the Host
	if err != nil {
		return // it has been told
	}
	c.SetReadLimit(1 << 20)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	_ = d.server.ServeConn(&webSocketConn{websocket.NetConn(ctx, c, websocket.MessageBinary), cancel}, from) // why it left is its business
}

// A webSocketConn is closed without waiting for the other side to agree.
type webSocketConn struct {
	net.Conn
	cancel context.CancelFunc
}

func (c *webSocketConn) Close() error {
	c.cancel()
	return c.Conn.Close()
}

func (d *webSocketDoor) close() {
	d.cancel()
	_ = d.http.Close()
}

// listen opens a door of --listen.
func (s *served) listen(address string) (at string, err error) {
	host, ok := strings.CutPrefix(address, "ws:")
	scheme, _, _ := strings.Cut(address, ":")
	switch {
	case !ok && scheme != "spawnx" && scheme != "unix" && scheme != "tcp":
		return "", fmt.Errorf("listen at %s: it is none of spawnx:PATH, spawnx:HOST:PORT, unix:PATH, tcp:HOST:PORT and ws:HOST:PORT", address)
	case !ok:
		return s.server.Listen(address)
	}
	door, at, err := listenWebSocket(host, s.server)
	if err != nil {
		return "", fmt.Errorf("listen at %s: %w", address, err)
	}
	s.webSockets = append(s.webSockets, door)
	return at, nil
}
