package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
)

// An attachment is one client as the server sees it. One goroutine reads what
// it sends, one for each lane sends it output, one sends it all else, and one
// writes its input, so that a program that does not read keeps nobody from
// signalling it, and a client that does not read keeps nobody at all.
type attachment struct {
	s     *Server
	conn  net.Conn
	peer  string // who it is to the connection limits
	id    int
	name  string // to show: "client 3 (laptop)"
	hello hello
	asked Role
	live  int64 // where its live output begins; before that are replays. Written by replay alone, with s.mu held

	ctx     context.Context
	cancel  context.CancelFunc
	gone    chan struct{}  // closed when all of it has ended
	greeted chan struct{}  // closed when it has got its welcome, or will not
	work    sync.WaitGroup // its goroutines
	busy    sync.WaitGroup // requests that take their time
	pumps   []*pump        // its lanes
	typist  *typist        // its input
	typed   *typed         // what outlives the connection
	outbox  *outbox        // what is to be told

	wmu sync.Mutex // one frame at a time

	// Guarded by s.mu.
	role   Role
	size   proc.Size
	active int
	bare   int64 // of a bare connection: how far it has come
	quiet  bool  // a bare connection whose other end will send no more, or is gone

	mu       sync.Mutex
	left     int           // lanes that have not ended
	told     bool          // the exit
	open     int           // requests that have no answer yet
	answered chan struct{} // capacity 1: open has changed
}

// A refusal is an error that is told to the client.
type refusal struct{ code, why string }

func (r *refusal) Error() string { return r.why }

// serve talks with one client until it leaves. admitted says that it need not
// show the token.
func (s *Server) serve(conn net.Conn, peer string, admitted bool) error {
	defer conn.Close()
	if !s.enter(conn) {
		return net.ErrClosed
	}
	_ = conn.SetDeadline(time.Now().Add(helloTime))
	in := &frameReader{r: conn, max: maxHello, buf: make([]byte, maxHello)}
	h, err := s.readHello(in, admitted)
	s.heard(conn)
	if err != nil {
		refuse(conn, err)
		return err
	}
	_ = conn.SetDeadline(time.Time{})
	in.max, in.buf = maxPayload, nil

	a, hi, err := s.admit(conn, peer, h)
	if err != nil {
		_ = conn.SetWriteDeadline(time.Now().Add(helloTime))
		refuse(conn, err)
		return err
	}
	defer a.end()
	a.begin(hi)
	err = a.read(in)
	if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && a.ctx.Err() == nil {
		a.protocolError(err)
	}
	return err
}

// readHello reads what a client says first. It sees bytes of somebody who is
// not known yet.
func (s *Server) readHello(in *frameReader, admitted bool) (hello, error) {
	var h hello
	f, err := in.next()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return h, &refusal{codeHello, "no hello within 5 s"}
	case err == errTooLong:
		return h, &refusal{codeHello, fmt.Sprintf("a hello of more than %d bytes", maxHello)}
	case err != nil:
		return h, err
	case f.kind != kindHello:
		return h, &refusal{codeHello, "the first frame is no hello"}
	}
	err = object(f.payload, &h)
	if !admitted && !s.o.Token.equal(h.Token) {
		return h, &refusal{codeToken, "not admitted"}
	}
	if err == nil {
		err = h.check()
	}
	if err != nil {
		return h, &refusal{codeHello, "hello: " + err.Error()}
	}
	h.Token = ""
	return h, nil
}

// refuse tells a client why it is sent away, where there is something to tell.
func refuse(w io.Writer, err error) {
	var r *refusal
	if errors.As(err, &r) {
		_, _ = w.Write(jsonFrame(kindControl, &control{Event: eventError, Error: r.why, Code: r.code}))
	}
}

// admit makes a client of a connection, and the hello that welcomes it.
func (s *Server) admit(conn net.Conn, peer string, h hello) (*attachment, *welcome, error) {
	// One lane is counted until its lanes are known: nobody is told of the exit before the welcome.
	a := &attachment{s: s, conn: conn, peer: peer, hello: h, gone: make(chan struct{}), greeted: make(chan struct{}), answered: make(chan struct{}, 1), outbox: newOutbox(), left: 1, live: math.MaxInt64}
	a.ctx, a.cancel = context.WithCancel(s.ctx)
	a.asked, _ = parseRole(h.Role)
	known := h.Epoch == "" || h.Epoch == s.epoch
	if !known {
		a.hello.Client = ""
	}
	accepted, err := s.returning(a)
	if err != nil {
		a.cancel()
		return nil, nil, err
	}
	a.typist = newTypist(a, accepted)

	s.mu.Lock()
	n, ok := s.room(peer)
	if closed := s.ctx.Err() != nil; !ok || closed {
		s.mu.Unlock()
		s.forget(a)
		a.cancel()
		close(a.gone)
		if closed {
			return nil, nil, net.ErrClosed
		}
		return nil, nil, &refusal{codeFull, fmt.Sprintf("too many clients (%d)", n)}
	}
	s.last++
	a.id = s.last
	a.name = fmt.Sprintf("client %d", a.id)
	if h.Who != "" {
		a.name += " (" + escape.Visible(h.Who) + ")"
	}
	s.active++
	a.active = s.active
	a.size = proc.Size{Rows: h.Rows, Cols: h.Cols}
	if h.Rows == 0 || h.Cols == 0 {
		a.size = proc.Size{}
	}
	before := s.seat
	a.role, s.seat = s.seat.admit(a.id, a.asked, h.Take)
	s.clients[a.id] = a
	moved := s.seat != before
	if moved {
		s.tellSeats()
	}
	exit := s.exit
	role := a.role
	s.notify()
	s.mu.Unlock()

	// Before the screen is painted, so that it is as large as the window.
	if moved || a.size != (proc.Size{}) {
		s.resize()
	}
	hi := &welcome{
		Version: min(h.Version, version), Epoch: s.epoch, Role: role.String(), Window: window, Output: -1, Stderr: -1,
		Input: accepted, Typed: typedWindow, Terminal: s.display != nil, Shared: s.b.Input().OnTerminal(), Running: exit == nil,
	}
	info := s.Info()
	hi.Name, hi.Info = info.Name, &info
	if err := a.replay(hi, known); err != nil {
		s.remove(a)
		a.closeReaders()
		close(a.gone)
		return nil, nil, err
	}
	return a, hi, nil
}

// room reports whether one more client of this peer may come in, and how many
// there are. Where all places are taken, the oldest bare connection that has
// said all it had to say gives way: until the program writes nobody can tell
// whether its other end still listens, or has long been gone. Called with mu
// held.
func (s *Server) room(peer string) (n int, ok bool) {
	var oldest *attachment
	for _, a := range s.clients {
		if a.peer == peer {
			n++
		}
	}
	mine := n >= maxPeer
	if !mine && len(s.clients) < maxClients {
		return n, true
	}
	for _, a := range s.clients {
		if a.quiet && (!mine || a.peer == peer) && (oldest == nil || a.id < oldest.id) {
			oldest = a
		}
	}
	if oldest == nil {
		return n, false
	}
	s.bare = max(s.bare, oldest.bare)
	delete(s.clients, oldest.id)
	oldest.leave()
	return n, true
}

// begin starts the client's goroutines, after its welcome.
func (a *attachment) begin(hi *welcome) {
	a.mu.Lock()
	a.left += len(a.pumps) - 1
	a.mu.Unlock()
	a.work.Go(func() {
		err := a.send(jsonFrame(kindHello, hi))
		close(a.greeted)
		if err != nil {
			return
		}
		for _, p := range a.pumps {
			a.work.Go(p.run)
		}
		a.tellExit()
		a.outbox.run(a)
	})
}

// end waits for all of the client to end and forgets it, but for how far its
// input has come.
func (a *attachment) end() {
	a.leave()
	a.busy.Wait()
	a.work.Wait()
	a.typist.wait()
	a.closeReaders()
	a.s.remove(a)
	close(a.gone)
}

// leave ends the connection.
func (a *attachment) leave() {
	a.cancel()
	_ = a.conn.Close()
}

func (a *attachment) closeReaders() {
	for _, p := range a.pumps {
		_ = p.r.Close()
	}
}

// remove takes a client off the server's list.
func (s *Server) remove(a *attachment) {
	a.cancel()
	s.forget(a)
	s.mu.Lock()
	delete(s.clients, a.id)
	s.bare = max(s.bare, a.bare)
	if s.seat == seat(a.id) {
		s.seat = 0
		s.tellSeats()
	}
	s.notify()
	s.mu.Unlock()
	s.resize()
}

// send sends frames, whole.
func (a *attachment) send(p []byte) error {
	a.wmu.Lock()
	defer a.wmu.Unlock()
	_, err := a.conn.Write(p)
	if err != nil {
		a.leave()
	}
	return err
}

// tell tells the client something that it has not asked for.
func (a *attachment) tell(c *control) { a.outbox.put(c.Event, jsonFrame(kindControl, c)) }

// protocolError tells the client what it did wrong, for a moment, before it is
// sent away.
func (a *attachment) protocolError(err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return
	}
	code := codeProtocol
	var r *refusal
	if errors.As(err, &r) {
		code = r.code
	}
	a.farewell(&control{Event: eventError, Error: err.Error(), Code: code})
}

// farewell sends a last word and ends the connection. A client that does not
// read does not get it: after a second the connection ends under whoever writes
// to it. A bare connection knows no words.
func (a *attachment) farewell(c *control) {
	if a.hello.Version > 0 {
		timer := time.AfterFunc(time.Second, a.leave)
		defer timer.Stop()
		<-a.greeted // the last word comes behind the first
		a.wmu.Lock()
		_, _ = a.conn.Write(jsonFrame(kindControl, c))
		a.wmu.Unlock()
	}
	a.leave()
}

// laneEnded notes that all of a lane was sent.
func (a *attachment) laneEnded() {
	a.mu.Lock()
	a.left--
	a.mu.Unlock()
	a.tellExit()
}

// tellExit tells the exit, once it is known and the client has all output.
func (a *attachment) tellExit() {
	a.s.mu.Lock()
	exit := a.s.exit
	a.s.mu.Unlock()
	a.mu.Lock()
	tell := exit != nil && a.left == 0 && !a.told
	a.told = a.told || tell
	a.mu.Unlock()
	if tell {
		a.tell(&control{Event: eventExit, Exit: exit})
		a.s.mu.Lock()
		a.s.notify()
		a.s.mu.Unlock()
	}
}

// complete reports whether the client has everything.
func (a *attachment) complete() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.told && a.open == 0 && a.outbox.empty()
}

// read does what the client says, until it leaves.
func (a *attachment) read(in *frameReader) error {
	for {
		f, err := in.next()
		if err != nil {
			return err
		}
		switch f.kind {
		case kindData:
			if f.lane == laneInput {
				err = a.input(f.payload)
			}
		case kindAck:
			err = a.acked(f.lane, f.payload)
		case kindControl:
			err = a.request(f.payload)
		}
		if err != nil {
			return err
		}
	}
}

func (a *attachment) acked(lane byte, payload []byte) error {
	to, _, err := offset(payload)
	if err != nil {
		return err
	}
	for _, p := range a.pumps {
		if p.lane == lane {
			return p.ack(to)
		}
	}
	return nil
}

// input takes input of the client.
func (a *attachment) input(payload []byte) error {
	at, p, err := offset(payload)
	if err != nil {
		return err
	}
	s := a.s
	s.mu.Lock()
	role := a.role
	s.active++
	a.active = s.active
	s.mu.Unlock()
	if role == Observer {
		a.typist.refuse(codeRole, "an observer may not write")
		return nil
	}
	if s.o.Window == WindowLatest {
		s.resize()
	}
	return a.typist.put(at, p)
}

// An outbox holds what is to be told to a client: few things, since the client
// is read no further while many wait, and news of one kind replace each other.
type outbox struct {
	mu    sync.Mutex
	items []letter
	sent  bool          // nothing is under way
	wake  chan struct{} // capacity 1: there is something
	room  chan struct{} // capacity 1: there is room
}

type letter struct {
	key   string // "": an answer
	frame []byte
}

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), room: make(chan struct{}, 1), sent: true}
}

// put adds a frame; one of the same key that waits is replaced, unless the key
// is empty.
func (o *outbox) put(key string, frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.items {
		if key != "" && o.items[i].key == key {
			o.items = append(o.items[:i], o.items[i+1:]...)
			break
		}
	}
	o.items = append(o.items, letter{key, frame})
	signal(o.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// await waits until there is room for another answer.
func (o *outbox) await(ctx context.Context) error {
	for {
		o.mu.Lock()
		n := len(o.items)
		o.mu.Unlock()
		if n < maxRequests {
			return nil
		}
		select {
		case <-o.room:
		case <-ctx.Done():
			return net.ErrClosed
		}
	}
}

func (o *outbox) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.items) == 0 && o.sent
}

// run sends what is put in until the client is gone.
func (o *outbox) run(a *attachment) {
	for {
		o.mu.Lock()
		var frame []byte
		if len(o.items) > 0 {
			frame = o.items[0].frame
			o.items = o.items[1:]
		}
		emptied := frame == nil && !o.sent
		o.sent = frame == nil
		o.mu.Unlock()
		if emptied {
			a.s.mu.Lock()
			a.s.notify()
			a.s.mu.Unlock()
		}
		if frame == nil {
			select {
			case <-o.wake:
			case <-a.ctx.Done():
				return
			}
			continue
		}
		signal(o.room)
		if a.send(frame) != nil {
			return
		}
	}
}
