package session

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/rundir"
	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/proc"
)

// A Dialer says as what to join a program. The zero Dialer joins as its owner
// and gets all output that is kept.
type Dialer struct {
	// Role is what to be: see Role. A Driver whose seat is taken becomes an
	// Observer, unless Take is set: Client.Role tells.
	Role Role
	Take bool
	// From is where the output begins.
	From From
	// Terminal says that a person's terminal shows the output and answers what
	// the program asks it.
	Terminal bool
	// Size is that of the client's window; zero: it has none.
	Size proc.Size
	// Slow is what becomes of the client when it does not keep up; zero leaves it
	// to the server, as a rule SlowRule.
	Slow Slow
	// Who is shown to others.
	Who string
	// Token and Fingerprint are for TCP. An empty Token is taken from
	// SPAWNX_TOKEN; without a Fingerprint the server's certificate must be one
	// that the system trusts.
	Token       Token
	Fingerprint string
}

// Dial joins a program: NAME, NAME.CHANNEL, spawnx:PATH or spawnx:HOST:PORT.
// The error is a *NotRunningError for a name that nobody serves.
func Dial(ctx context.Context, addr string) (*Client, error) { return Dialer{}.Dial(ctx, addr) }

// Dial joins a program; see the function Dial. ctx bounds the joining alone.
func (d Dialer) Dial(ctx context.Context, addr string) (*Client, error) {
	a, err := parseAddress(addr)
	if err != nil {
		return nil, err
	}
	if a.bare {
		return nil, fmt.Errorf("%s carries bare bytes, no session", addr)
	}
	c := newClient(d, addr, a)
	conn, in, hi, err := c.connect(ctx, c.firstHello())
	if a.name != "" && errors.Is(err, errGone) { // it closed its doors while we came in
		return nil, notRunning(a.name)
	}
	if err != nil {
		return nil, err
	}
	c.start(conn, in, hi)
	return c, nil
}

// How long a client that has lost its connection over TCP tries to come back.
const (
	returnTime  = 30 * time.Second
	returnPause = 50 * time.Millisecond
	longestWait = 2 * time.Second
	askingTime  = 5 * time.Second // for a question that a Peer must answer at once
)

// A Client is one client of a served program. Its Bridge is the program as if
// it ran here. When the connection breaks it comes back by itself and goes on
// at the byte, in both directions. All methods may be called concurrently;
// whoever dialled calls Close.
type Client struct {
	d       Dialer
	addr    string
	at      address
	id      string // names it to the server over connections
	bridge  *bridge.Bridge
	lanes   [laneStderr + 1]*remoteLane
	input   *remoteInput
	shared  bool // the input goes to a terminal
	display bool // the program has one
	hi      welcome
	ctx     context.Context // ends with the client
	cancel  context.CancelCauseFunc
	over    chan struct{} // closed when run has ended
	exited  chan struct{} // closed when the exit is known

	wmu  sync.Mutex // one frame at a time
	conn net.Conn   // guarded by mu; written to under wmu

	mu      sync.Mutex // never held while something is sent or waited for
	gen     int        // counts connections
	role    Role
	drive   string // who sits in the driver's seat
	size    proc.Size
	exit    *Exit
	last    int64 // id of the newest request
	calls   map[int64]*call
	paint   []byte         // of a PAINT that is not complete
	shows   *picture       // that nobody has asked for
	watcher *bridge.Reader // of Join
}

// A call is a request that waits for its answer.
type call struct {
	req    *control
	paint  []byte
	at     int64
	answer chan *control // capacity 1; closed when there will be none
}

func newClient(d Dialer, addr string, at address) *Client {
	c := &Client{
		d: d, addr: addr, at: at, id: rand.Text(), calls: make(map[int64]*call),
		over: make(chan struct{}), exited: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	return c
}

func (c *Client) firstHello() *hello {
	c.mu.Lock()
	d := c.d // of which Resize changes the Size
	c.mu.Unlock()
	h := &hello{
		Version: version, Role: d.Role.String(), Take: d.Take, Who: d.Who, Client: c.id, Terminal: d.Terminal,
		Rows: d.Size.Rows, Cols: d.Size.Cols,
		Replay: d.From.replay, Offset: d.From.offset, Stderr: 0, Lines: d.From.lines, Place: d.From.place,
	}
	if d.Slow != SlowRule {
		h.Slow = d.Slow.String()
	}
	return h
}

// connect makes a connection and says hello.
func (c *Client) connect(ctx context.Context, h *hello) (net.Conn, *frameReader, *welcome, error) {
	conn, err := c.dial(ctx, h)
	if err != nil {
		return nil, nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	in := &frameReader{r: conn, max: maxPayload}
	hi, err := greet(conn, in, h)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		err = errGone
	}
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, nil, nil, fmt.Errorf("join %s: %w", c.addr, err)
	}
	return conn, in, hi, nil
}

func (c *Client) dial(ctx context.Context, h *hello) (net.Conn, error) {
	var nd net.Dialer
	if c.at.host != "" {
		host, _, _ := net.SplitHostPort(c.at.host)
		conf, err := clientTLS(host, c.d.Fingerprint)
		if err != nil {
			return nil, err
		}
		token := string(c.d.Token)
		if token == "" {
			if token, err = envToken(ctx); err != nil {
				return nil, err
			}
		}
		h.Token = token
		td := tls.Dialer{NetDialer: &nd, Config: conf}
		conn, err := td.DialContext(ctx, "tcp", c.at.host)
		if unknown := (*tls.CertificateVerificationError)(nil); errors.As(err, &unknown) && c.d.Fingerprint == "" {
			return nil, fmt.Errorf("join %s: its certificate is not one that this system trusts: %w\nhint: give the fingerprint that it printed at its start", c.addr, err)
		}
		if err != nil {
			return nil, fmt.Errorf("join %s: %w", c.addr, err)
		}
		return conn, nil
	}
	path := c.at.path
	if c.at.name != "" {
		name, channel, _ := strings.Cut(c.at.name, ".")
		root, err := rundir.Root()
		if err != nil {
			return nil, err
		}
		file := "control"
		if channel != "" {
			file = channel + ".control"
		}
		path = filepath.Join(root, name, file)
	}
	if err := checkPath(path); err != nil {
		return nil, err
	}
	conn, err := nd.DialContext(ctx, "unix", path)
	if err != nil && c.at.name != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)) {
		return nil, notRunning(c.at.name)
	}
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", c.addr, err)
	}
	if uid, err := peerUID(conn.(*net.UnixConn)); err == nil && uid != uint32(os.Geteuid()) && uid != 0 {
		_ = conn.Close()
		return nil, fmt.Errorf("join %s: it is served by another user (%d)", c.addr, uid)
	}
	return conn, nil
}

// envToken reads the token that the environment holds.
func envToken(ctx context.Context) (string, error) {
	ref, err := secret.Parse("env:SPAWNX_TOKEN")
	if err != nil {
		return "", err
	}
	v, err := ref.Read(ctx)
	if err != nil {
		return "", fmt.Errorf("a program on the network needs its token: %w\nhint: set SPAWNX_TOKEN, or give --token REF", err)
	}
	defer v.Wipe()
	return string(v.Bytes()), nil
}

// greet exchanges hellos. A server that has closed the connection may have said
// why before.
func greet(conn net.Conn, in *frameReader, h *hello) (*welcome, error) {
	_, unsent := conn.Write(jsonFrame(kindHello, h))
	for {
		f, err := in.next()
		if err != nil && unsent != nil {
			err = unsent
		}
		if err == io.EOF {
			err = errGone
		}
		if err != nil {
			return nil, err
		}
		switch f.kind {
		case kindHello:
			var hi welcome
			if err := object(f.payload, &hi); err != nil {
				return nil, err
			}
			return &hi, hi.check()
		case kindControl:
			var e control
			if err := object(f.payload, &e); err != nil {
				return nil, err
			}
			if e.Event == eventError {
				return nil, &remoteError{e.Error, e.Code}
			}
		}
	}
}

var errGone = errors.New("the server is gone")

// A remoteError is what the server answered.
type remoteError struct{ why, code string }

// Error is made harmless for who reads it at a terminal: another wrote it.
func (e *remoteError) Error() string { return escape.Visible(e.why) }

func (e *remoteError) Is(target error) bool {
	switch e.code {
	case codeUnsupported:
		return target == errors.ErrUnsupported
	case codeEnded:
		return target == os.ErrProcessDone
	case codeRole, codeToken, codeUser:
		return target == fs.ErrPermission
	}
	return false
}

// start begins to use the first connection.
func (c *Client) start(conn net.Conn, in *frameReader, hi *welcome) {
	c.hi = *hi
	c.shared, c.display = hi.Shared, hi.Terminal
	c.role, _ = parseRole(hi.Role)
	if hi.Info != nil {
		c.size = sizeOf(hi.Info.Rows, hi.Info.Cols)
	}
	var streams [laneStderr + 1]*bridge.Stream
	for lane, from := range [...]int64{laneOutput: hi.Output, laneStderr: hi.Stderr} {
		if lane == laneInput || from < 0 && lane == laneStderr {
			continue
		}
		l := newRemoteLane(c, byte(lane), max(from, 0), hi.Window)
		c.lanes[lane] = l
		streams[lane] = bridge.NewStream(l, 0, max(from, 0))
		if from < 0 {
			l.end(io.EOF) // no output was asked for
		}
	}
	c.input = newRemoteInput(c, hi.Input, hi.Typed)
	in0 := bridge.NewInput(c.input, streams[laneOutput])
	c.bridge = bridge.New(&farPeer{c}, streams[laneOutput], streams[laneStderr], in0, c.Close)
	c.conn = conn
	go c.run(conn, in)
}

// Bridge is the program. Its Close leaves the program alone, as that of the
// Client.
func (c *Client) Bridge() *bridge.Bridge { return c.bridge }

// sizeOf is a size as a server told it; none where no terminal can have it.
func sizeOf(rows, cols int) proc.Size {
	if rows < 1 || cols < 1 || rows > math.MaxUint16 || cols > math.MaxUint16 {
		return proc.Size{}
	}
	return proc.Size{Rows: rows, Cols: cols}
}

// Role is what the client is now.
func (c *Client) Role() Role {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.role
}

// Size is that of the program's terminal; zero where it has none.
func (c *Client) Size() proc.Size {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// Close leaves the program. It may be called more than once.
func (c *Client) Close() error {
	c.cancel(os.ErrClosed)
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	_ = conn.Close()
	<-c.over
	return nil
}

// run reads what the server sends, and comes back when the connection broke.
func (c *Client) run(conn net.Conn, in *frameReader) {
	defer close(c.over)
	for {
		err := c.receive(in)
		_ = conn.Close()
		c.paint = nil // what came of it
		if c.ctx.Err() == nil && !errors.As(err, new(*remoteError)) {
			var again net.Conn
			if again, in, err = c.comeBack(err); err == nil {
				conn = again
			}
		}
		if c.ctx.Err() != nil {
			err = context.Cause(c.ctx)
		}
		if err != nil {
			_ = conn.Close() // Close may have come while there was a new one already
			c.fail(err)
			return
		}
	}
}

// fail ends everything that waits for the server.
func (c *Client) fail(err error) {
	c.cancel(err)
	for _, l := range c.lanes {
		if l != nil {
			l.end(err)
		}
	}
	c.input.fail(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, call := range c.calls {
		close(call.answer)
		delete(c.calls, id)
	}
}

// comeBack makes another connection that goes on where the last one ended. A
// server on this machine whose socket is closed is gone; over a network it may
// take a while.
func (c *Client) comeBack(why error) (net.Conn, *frameReader, error) {
	if why == io.EOF || errors.Is(why, syscall.ECONNRESET) {
		why = errGone
	}
	ctx, cancel := context.WithTimeout(c.ctx, returnTime)
	defer cancel()
	for pause := returnPause; ; pause = min(2*pause, longestWait) {
		h := c.firstHello()
		h.Epoch, h.Take, h.Replay = c.hi.Epoch, c.Role() == Driver, replayNone
		if c.hi.Output >= 0 {
			h.Replay = replayOffset
			h.Offset = c.lanes[laneOutput].received()
		}
		if l := c.lanes[laneStderr]; l != nil {
			h.Stderr = l.received()
		}
		conn, in, hi, err := c.connect(ctx, h)
		if err == nil {
			if hi.Epoch != c.hi.Epoch {
				err = fmt.Errorf("%w: %s is another program now", errGone, c.addr)
			} else if !c.input.follows(hi.Input) {
				err = fmt.Errorf("%w: it does not know any more what we have typed", errGone)
			}
			if err != nil {
				_ = conn.Close()
				return nil, nil, err
			}
			c.resume(conn, hi)
			return conn, in, nil
		}
		var told *remoteError
		local := c.at.host == "" && (isNotRunning(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED))
		if local || errors.As(err, &told) && told.code != codeFull || ctx.Err() != nil {
			if why == errGone {
				return nil, nil, errGone
			}
			return nil, nil, fmt.Errorf("%w (%w)", errGone, why)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// resume uses another connection: what the server does not know is said again.
func (c *Client) resume(conn net.Conn, hi *welcome) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.mu.Lock()
	c.conn = conn
	c.gen++
	gen := c.gen
	c.role, _ = parseRole(hi.Role)
	var again [][]byte
	for _, id := range slices.Sorted(maps.Keys(c.calls)) {
		again = append(again, jsonFrame(kindControl, c.calls[id].req))
	}
	c.mu.Unlock()
	for _, l := range c.lanes {
		if l != nil {
			l.reconnected(gen)
		}
	}
	again = append(c.input.resume(hi.Input, gen), again...)
	for _, frame := range again {
		if _, err := conn.Write(frame); err != nil {
			return // the next read will meet it
		}
	}
}

// send sends a frame over the connection for which it was made. A failure is
// met by who reads; what must arrive is then sent again by resume, and not by
// who comes late.
func (c *Client) send(gen int, frame []byte) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.mu.Lock()
	conn, now := c.conn, c.gen
	c.mu.Unlock()
	if gen == now {
		_, _ = conn.Write(frame)
	}
}

// receive takes what the server sends until the connection ends.
func (c *Client) receive(in *frameReader) error {
	for {
		f, err := in.next()
		if err != nil {
			return err
		}
		switch f.kind {
		case kindData, kindGap, kindPaint:
			if int(f.lane) < len(c.lanes) && c.lanes[f.lane] != nil {
				err = c.output(c.lanes[f.lane], f)
			}
		case kindAck:
			var to int64
			if to, _, err = offset(f.payload); err == nil && f.lane == laneInput {
				c.input.acked(to)
			}
		case kindControl:
			var m control
			if err = object(f.payload, &m); err == nil {
				err = c.told(&m)
			}
		}
		if err != nil {
			return &remoteError{"the server does not keep to the protocol: " + err.Error(), codeProtocol}
		}
	}
}

func (c *Client) output(l *remoteLane, f frame) error {
	switch f.kind {
	case kindData:
		at, b, err := offset(f.payload)
		if err != nil {
			return err
		}
		return l.put(at, b)
	case kindGap:
		from, to, err := gap(f.payload)
		if err != nil {
			return err
		}
		return l.lose(from, to)
	}
	at, more, b, err := paint(f.payload)
	if err != nil {
		return err
	}
	return c.painted(at, more, b)
}

// painted takes a part of a screen: for whoever asked for it, else it is output
// that stands for what was before.
func (c *Client) painted(at int64, more bool, b []byte) error {
	if len(c.paint)+len(b) > maxPaint {
		return errTooLong
	}
	c.paint = append(c.paint, b...)
	if more {
		return nil
	}
	b, c.paint = c.paint, nil
	c.mu.Lock()
	var asked *call
	for _, call := range c.calls {
		if call.req.Do == "paint" && call.paint == nil && (asked == nil || call.req.ID < asked.req.ID) {
			asked = call
		}
	}
	if asked != nil {
		asked.paint, asked.at = b, at
	}
	c.mu.Unlock()
	if asked == nil {
		c.pictured(at, b)
	}
	return nil
}

// maxPaint is the largest screen that a client takes: far more than any.
const maxPaint = 16 << 20

// told takes what the server says in JSON.
func (c *Client) told(m *control) error {
	if m.ID > 0 {
		c.mu.Lock()
		call := c.calls[m.ID]
		delete(c.calls, m.ID)
		c.mu.Unlock()
		if call != nil {
			call.answer <- m
		}
		return nil
	}
	switch m.Event {
	case eventEOF:
		if m.Lane == laneOutput || m.Lane == laneStderr {
			if l := c.lanes[m.Lane]; l != nil {
				l.end(io.EOF)
			}
		}
	case eventExit:
		if m.Exit == nil {
			return errors.New("an exit without a status")
		}
		c.mu.Lock()
		first := c.exit == nil
		c.exit = m.Exit
		c.mu.Unlock()
		if first {
			close(c.exited)
		}
	case eventSeat:
		if role, err := parseRole(m.Role); err == nil && m.Role != "" {
			c.mu.Lock()
			c.role, c.drive = role, m.Driver
			c.mu.Unlock()
		}
	case eventSize:
		c.mu.Lock()
		c.size = sizeOf(m.Rows, m.Cols)
		c.mu.Unlock()
	case eventError:
		if m.Input != nil {
			why := error(&remoteError{m.Error, m.Code})
			if m.Code == codeEnded {
				why = bridge.ErrNoInput
			}
			c.input.refused(*m.Input, why)
			return nil
		}
		// The connection ends with it, and why is told to those who wait.
		c.cancel(&remoteError{m.Error, m.Code})
	}
	return nil
}

// ask sends a request and waits for its answer. Where the connection breaks
// meanwhile it is sent again, and done once.
func (c *Client) ask(ctx context.Context, req *control) (*control, error) {
	res, _, err := c.askPaint(ctx, req)
	return res, err
}

func (c *Client) askPaint(ctx context.Context, req *control) (*control, *call, error) {
	call := &call{req: req, answer: make(chan *control, 1)}
	if err := c.call(call); err != nil {
		return nil, nil, err
	}
	select {
	case res, ok := <-call.answer:
		switch {
		case !ok:
			return nil, nil, context.Cause(c.ctx)
		case !res.OK:
			return nil, nil, &remoteError{res.Error, res.Code}
		}
		return res, call, nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.calls, req.ID)
		c.mu.Unlock()
		return nil, nil, context.Cause(ctx)
	}
}

// call sends a request, whose number is above those of all that were sent
// before.
func (c *Client) call(call *call) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.mu.Lock()
	if c.ctx.Err() != nil {
		c.mu.Unlock()
		return context.Cause(c.ctx)
	}
	c.last++
	call.req.ID = c.last
	c.calls[c.last] = call
	conn := c.conn
	c.mu.Unlock()
	_, _ = conn.Write(jsonFrame(kindControl, call.req)) // who reads meets a failure, and sends it again
	return nil
}

// Info asks what there is to know of the program.
func (c *Client) Info(ctx context.Context) (Info, error) {
	res, err := c.ask(ctx, &control{Do: "info"})
	if err != nil {
		return Info{}, err
	}
	if res.Info == nil {
		return Info{}, errors.New("the server told nothing")
	}
	return *res.Info, nil
}

// TakeSeat sits down in the driver's seat, whoever sat there.
func (c *Client) TakeSeat(ctx context.Context) error {
	return c.seat(ctx, true)
}

// LeaveSeat stands up from the driver's seat.
func (c *Client) LeaveSeat(ctx context.Context) error {
	return c.seat(ctx, false)
}

func (c *Client) seat(ctx context.Context, take bool) error {
	_, err := c.ask(ctx, &control{Do: "seat", Take: &take}) // an event before the answer tells the role
	return err
}

// SetPlace puts who's place, from which FromPlace goes on, at an offset of the
// output: behind what was matched, as a rule.
func (c *Client) SetPlace(ctx context.Context, who string, offset int64) error {
	_, err := c.ask(ctx, &control{Do: "place", Place: who, Offset: &offset})
	return err
}

// Collect waits until the program has ended and takes its exit status, which
// the server then need not keep. The error is that of bridge.Bridge.Wait.
func (c *Client) Collect(ctx context.Context) (proc.Exit, error) {
	if _, err := c.bridge.Wait(ctx); err != nil && c.exitStatus() == nil {
		return proc.Exit{}, err
	}
	res, err := c.ask(ctx, &control{Do: "collect"})
	if err != nil {
		return proc.Exit{}, err
	}
	if res.Exit == nil {
		return proc.Exit{}, errors.New("the server told no status")
	}
	return res.Exit.result()
}

func (c *Client) exitStatus() *Exit {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exit
}

// Why asks what the program does or waits for: the answer comes from beside
// it.
func (c *Client) Why(ctx context.Context) ([]diag.Finding, error) {
	res, err := c.ask(ctx, &control{Do: "why"})
	if err != nil {
		return nil, err
	}
	return res.Findings, nil
}

// A Picture is what makes a terminal of this size show what the program's
// shows.
type Picture struct {
	Size   proc.Size
	Offset int64 // of the output that is in it
	Bytes  []byte
}

// Repaint asks what the program's screen shows. Where there is none it is
// errors.ErrUnsupported.
func (c *Client) Repaint(ctx context.Context) (Picture, error) {
	res, call, err := c.askPaint(ctx, &control{Do: "paint"})
	if err != nil {
		return Picture{}, err
	}
	return Picture{Size: sizeOf(res.Rows, res.Cols), Offset: call.at, Bytes: call.paint}, nil
}
