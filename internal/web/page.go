package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/session"
)

// A page is one socket of a page.
type page struct {
	h     *Handler
	conn  *websocket.Conn
	hello hello

	writing sync.Mutex

	sizing sync.Mutex
	size   proc.Size // that the page was told last
}

// close tells the page why its socket ends.
func (p *page) close(err error) {
	var missing *session.NotRunningError
	switch {
	case errors.As(err, &missing):
		_ = p.conn.Close(closeMissing, "no such program")
	case err == nil:
		_ = p.conn.Close(websocket.StatusNormalClosure, "")
	default:
		_ = p.conn.Close(websocket.StatusGoingAway, short(err.Error()))
	}
}

// short is what of a reason a close frame can carry.
func short(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most]
	}
	return string(bytes.ToValidUTF8([]byte(s), nil))
}

// tell sends a message of JSON.
func (p *page) tell(ctx context.Context, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return p.write(ctx, websocket.MessageText, b)
}

func (p *page) write(ctx context.Context, kind websocket.MessageType, b []byte) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.conn.Write(ctx, kind, b)
}

// programs sends the list, and again whenever it has changed.
func (p *page) programs(ctx context.Context) error {
	ctx = p.conn.CloseRead(ctx) // the page has nothing more to say
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last []byte
	for {
		all, err := session.List(ctx)
		if err != nil {
			return err
		}
		type program struct {
			session.Info
			Debugger bool `json:"debugger"`
		}
		list := []program{}
		for _, i := range all {
			i.Clients, i.Output = 0, 0 // who comes and goes, and what it writes, is no news here
			_, err := debugger.DoorsOf(i)
			list = append(list, program{i, err == nil})
		}
		b, err := json.Marshal(map[string]any{"programs": list, "first": p.h.o.Name, "drive": p.h.o.Drive})
		if err != nil {
			return err
		}
		if !bytes.Equal(b, last) {
			if err := p.write(ctx, websocket.MessageText, b); err != nil {
				return err
			}
			last = b
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// dial joins the program, as driver or observer.
func (p *page) dial(ctx context.Context, from session.From) (*session.Client, error) {
	d := session.Dialer{Role: session.Observer, From: from, Who: "web"}
	if p.h.o.Drive {
		d.Role = session.Owner // any page may type; the driver's seat, and with it the size, is a person's at a terminal
	}
	if p.hello.Rows > 0 && p.hello.Cols > 0 {
		d.Size = sizeOf(p.hello.Rows, p.hello.Cols)
	}
	return d.Dial(ctx, p.hello.Name)
}

// sizeOf is a page's window, as far as a terminal is made so large for it.
func sizeOf(rows, cols int) proc.Size {
	return proc.Size{Rows: min(rows, 500), Cols: min(cols, 1000)}
}

// An order is what a terminal's page says besides what is typed.
type order struct {
	Ack    int64  `json:"ack,omitempty"`    // it has shown the output up to here
	Resize [2]int `json:"resize,omitempty"` // rows and columns of its window
	Type   string `json:"type,omitempty"`   // of a text page: keys
}

// The first byte of a binary message.
const (
	frameOutput  = 0 // the offset, 8 bytes, and output
	framePicture = 1 // the offset, and what paints the whole screen: the page resets its terminal before
)

// window is how much output may be under way to a page: little enough that what is
// typed next is answered soon, however much the program prints.
const window = 256 << 10

// terminal sends the output, no faster than the page shows it, and takes what is
// typed.
func (p *page) terminal(ctx context.Context) error {
	var from session.From
	var picture []byte
	var err error
	if p.hello.Offset != nil {
		from = session.FromOffset(*p.hello.Offset)
	} else if picture, from, err = p.picture(ctx); err != nil {
		return err
	}
	c, err := p.dial(ctx, from)
	if err != nil {
		return err
	}
	defer c.Close()
	p.size = c.Size()
	if err := p.tell(ctx, map[string]any{"role": c.Role().String(), "rows": p.size.Rows, "cols": p.size.Cols, "drive": p.h.o.Drive}); err != nil {
		return err
	}
	if picture != nil {
		if err := p.write(ctx, websocket.MessageBinary, picture); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	acks, keys := make(chan int64, 1), make(chan []byte, typedAhead)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer p.conn.CloseNow()
	defer cancel(nil)
	beside.Go(func() { cancel(p.listen(ctx, c, acks, keys)) })
	beside.Go(func() { enter(ctx, c, keys) })
	return p.pump(ctx, c, acks)
}

// typedAhead is how many messages of keys may wait for a program that does not read.
// As long as there is room for more it is heard what else the page says, and that it
// has gone.
const typedAhead = 16

// enter types what a page sends.
func enter(ctx context.Context, c *session.Client, keys <-chan []byte) {
	for {
		select {
		case p := <-keys:
			_, _ = c.Bridge().Input().WriteContext(ctx, p, time.Time{}) // it has ended, or takes no more: its output tells
		case <-ctx.Done():
			return
		}
	}
}

// hand passes keys on to enter.
func hand(ctx context.Context, keys chan<- []byte, p []byte) {
	select {
	case keys <- p:
	case <-ctx.Done():
	}
}

// resized tells the page the terminal's size, if it is another than the page knows.
func (p *page) resized(ctx context.Context, c *session.Client) error {
	p.sizing.Lock()
	defer p.sizing.Unlock()
	now := c.Size()
	if now == p.size {
		return nil
	}
	p.size = now
	return p.tell(ctx, map[string]any{"rows": now.Rows, "cols": now.Cols})
}

// picture is what the screen shows, as a message, and where the output goes on.
func (p *page) picture(ctx context.Context) ([]byte, session.From, error) {
	c, err := p.dial(ctx, session.Nothing)
	if err != nil {
		return nil, session.From{}, err
	}
	defer c.Close()
	painted, err := c.Repaint(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, session.From{}, nil // without a terminal: all that is kept
	}
	if err != nil {
		return nil, session.From{}, err
	}
	return frame(framePicture, painted.Offset, painted.Bytes), session.FromOffset(painted.Offset), nil
}

func frame(kind byte, offset int64, data []byte) []byte {
	b := make([]byte, 9, 9+len(data))
	b[0] = kind
	binary.BigEndian.PutUint64(b[1:], uint64(offset))
	return append(b, data...)
}

// pump sends output as long as the page keeps up.
func (p *page) pump(ctx context.Context, c *session.Client, acks <-chan int64) error {
	r := c.Bridge().Output().Reader("web", bridge.Block)
	defer r.Close()
	acked := r.Offset()
	buf := make([]byte, 32<<10)
	for {
		for r.Offset()-acked > window {
			select {
			case acked = <-acks:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		select {
		case acked = <-acks:
		default:
		}
		if err := p.resized(ctx, c); err != nil {
			return err
		}
		at := r.Offset()
		_, err := r.Await(ctx, at, time.Now().Add(time.Second))
		n := 0
		if err == nil {
			n, err = r.ReadContext(ctx, buf)
		}
		if n > 0 {
			if err := p.write(ctx, websocket.MessageBinary, frame(frameOutput, at, buf[:n])); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded): // a terminal may be resized and not say anything
		case bridge.IsLost(err): // it was too slow: what it shows now is of no use
			painted, err := anew(ctx, c, err)
			if err != nil {
				return err
			}
			r.Advance(painted.Offset)
			if err := p.write(ctx, websocket.MessageBinary, frame(framePicture, painted.Offset, painted.Bytes)); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			exit, werr := c.Bridge().Wait(ctx)
			text := "has ended"
			if ended := (*proc.ExitError)(nil); werr == nil || errors.As(werr, &ended) {
				text = exit.String()
			}
			if err := p.tell(ctx, map[string]any{"ended": text}); err != nil {
				return err
			}
			return nil
		default:
			return err
		}
	}
}

// anew is what a page shows that has lost output: the screen, or where the program
// has no terminal a line that says so.
func anew(ctx context.Context, c *session.Client, err error) (session.Picture, error) {
	painted, perr := c.Repaint(ctx)
	var lost *bridge.LostError
	if errors.Is(perr, errors.ErrUnsupported) && errors.As(err, &lost) {
		note := fmt.Sprintf("[spawnx: %d bytes are missing here]\r\n", lost.To-lost.From)
		return session.Picture{Offset: lost.To, Bytes: []byte(note)}, nil
	}
	return painted, perr
}

// listen takes what the page says.
func (p *page) listen(ctx context.Context, c *session.Client, acks chan int64, keys chan<- []byte) error {
	for {
		kind, data, err := p.conn.Read(ctx)
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			if p.h.o.Drive {
				hand(ctx, keys, data)
			}
			continue
		}
		var o order
		if err := json.Unmarshal(data, &o); err != nil {
			return fmt.Errorf("no order: %w", err)
		}
		if o.Ack > 0 {
			select {
			case <-acks: // the newer counts
			default:
			}
			acks <- o.Ack
		}
		if o.Resize[0] > 0 && o.Resize[1] > 0 && p.h.o.Drive {
			if c.Bridge().Resize(sizeOf(o.Resize[0], o.Resize[1])) == nil { // where it has no terminal it has no size
				if err := p.resized(ctx, c); err != nil { // to what it is now: another window may count
					return err
				}
			}
		}
	}
}

// newLines has a screen take a newline for both moves, as nobody does it for a
// program without a terminal (LNM).
const newLines = "\x1b[20h"

// text is the terminal for a page without a terminal of its own: the server paints
// rows of text.
func (p *page) text(ctx context.Context) error {
	picture, from, err := p.picture(ctx)
	if err != nil {
		return err
	}
	c, err := p.dial(ctx, from)
	if err != nil {
		return err
	}
	defer c.Close()
	size := c.Size().OrDefault()
	begin := func(painted []byte) *screen.Screen {
		s := screen.New(size.Rows, size.Cols)
		if c.Size() == (proc.Size{}) {
			painted = append([]byte(newLines), painted...)
		}
		_, _ = s.Write(painted) // never fails
		return s
	}
	if picture != nil {
		picture = picture[9:]
	}
	s := begin(picture)
	ctx, cancel := context.WithCancelCause(ctx)
	keys := make(chan []byte, typedAhead)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer p.conn.CloseNow()
	defer cancel(nil)
	beside.Go(func() { cancel(p.listenText(ctx, keys)) })
	beside.Go(func() { enter(ctx, c, keys) })

	r := c.Bridge().Output().Reader("web", bridge.Skip)
	defer r.Close()
	buf := make([]byte, 32<<10)
	const frames = 50 * time.Millisecond // no faster than a person reads
	type shown struct {
		text     string
		row, col int
		app      bool // the cursor keys that it has asked for
	}
	var last shown
	for {
		if now := (shown{s.Text(), s.Cursor().Row, s.Cursor().Col, s.Modes().AppCursor}); now != last {
			if err := p.tell(ctx, map[string]any{"text": now.text, "cursor": [2]int{now.row, now.col}, "app": now.app, "drive": p.h.o.Drive}); err != nil {
				return err
			}
			last = now
		}
		n, err := r.ReadContext(ctx, buf)
		_, _ = s.Write(buf[:n])
		for until := time.Now().Add(frames); err == nil && time.Now().Before(until); {
			if _, err = r.Await(ctx, r.Offset(), until); err == nil {
				n, err = r.ReadContext(ctx, buf)
				_, _ = s.Write(buf[:n])
			}
		}
		if now := c.Size().OrDefault(); now != size {
			size = now
			s.Resize(size.Rows, size.Cols)
		}
		switch {
		case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
		case bridge.IsLost(err):
			painted, err := anew(ctx, c, err)
			if err != nil {
				return err
			}
			r.Advance(painted.Offset)
			s = begin(painted.Bytes)
		case errors.Is(err, io.EOF):
			return p.tell(ctx, map[string]any{"text": s.Text(), "ended": "has ended"})
		default:
			return err
		}
	}
}

func (p *page) listenText(ctx context.Context, keys chan<- []byte) error {
	for {
		_, data, err := p.conn.Read(ctx)
		if err != nil {
			return err
		}
		var o order
		if err := json.Unmarshal(data, &o); err != nil {
			return fmt.Errorf("no order: %w", err)
		}
		if o.Type != "" && p.h.o.Drive {
			hand(ctx, keys, []byte(o.Type))
		}
	}
}

// debugger joins the page to a debugger's events: lines one way, requests the
// other, and the text of source files that the events have named.
func (p *page) debugger(ctx context.Context) error {
	conn, err := debugger.Dial(ctx, p.hello.Name, debugger.ChannelEvents)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	var mu sync.Mutex
	named := map[string]bool{} // files that the debugger has named
	gdb := false
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			_, data, err := p.conn.Read(ctx)
			if err != nil {
				cancel(err)
				return
			}
			var r struct {
				ID     json.RawMessage `json:"id"`
				Do     string          `json:"do"`
				Source string          `json:"source"`
			}
			sound := json.Unmarshal(data, &r) == nil
			if sound && r.Source != "" {
				mu.Lock()
				known := named[r.Source]
				mu.Unlock()
				_ = p.tell(ctx, source(r.Source, known)) // the next read tells
				continue
			}
			if !p.h.o.Drive {
				// Written anew: what another reader of JSON would see in it is not ours to judge.
				data, _ = json.Marshal(map[string]any{"id": r.ID, "do": r.Do})
				mu.Lock()
				may := gdb && sound && looks.Get().MatchString(r.Do) // to others such a line is something else
				mu.Unlock()
				if !may {
					_ = p.tell(ctx, map[string]any{"id": r.ID, "ok": false, "text": "this page may only watch"})
					continue
				}
			}
			if _, err := conn.Write(append(bytes.ReplaceAll(data, []byte("\n"), nil), '\n')); err != nil {
				cancel(err)
				return
			}
		}
	})
	defer reading.Wait()
	defer p.conn.CloseNow()
	defer cancel(nil) // and with it the debugger's end, which may not read just now
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct {
			debugger.Event
			MI any `json:"mi"` // of an answer
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			mu.Lock()
			if e.State != nil {
				gdb = e.State.Debugger == "gdb"
			}
			for _, path := range append(paths(e.Event), fullNames(e.MI)...) {
				named[path] = true
			}
			mu.Unlock()
		}
		if err := p.write(ctx, websocket.MessageText, lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// mi joins the page to gdb's machine interface, as a front end of its own: bytes in
// binary messages, which may be cut anywhere.
func (p *page) mi(ctx context.Context) error {
	if !p.h.o.Drive {
		return errors.New("this page may only watch")
	}
	conn, err := debugger.Dial(ctx, p.hello.Name, debugger.ChannelMI)
	if err != nil {
		return err
	}
	defer conn.Close()
	ws := websocket.NetConn(ctx, p.conn, websocket.MessageBinary)
	var reading sync.WaitGroup
	reading.Go(func() {
		_, _ = io.Copy(conn, ws) // until the page leaves
		_ = conn.Close()
	})
	defer reading.Wait()
	defer p.conn.CloseNow()
	defer conn.Close() // gdb may not read just now
	_, err = io.Copy(ws, conn)
	return err
}

// looks are the commands of gdb that change nothing: those who watch may give them.
var looks = lazy.Regexp(`^-(stack-list-(frames|variables)( --thread [0-9]+)?( --frame [0-9]+)?( --all-values)?|file-list-exec-source-file)$`)

// fullNames are the source files that an answer of gdb's machine interface names.
func fullNames(v any) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if path, ok := value.(string); ok && key == "fullname" {
				all = append(all, path)
			}
			all = append(all, fullNames(value)...)
		}
	case []any:
		for _, value := range v {
			all = append(all, fullNames(value)...)
		}
	}
	return all
}

// paths are the source files that an event names.
func paths(e debugger.Event) (all []string) {
	add := func(path, file string) {
		if path == "" && filepath.IsAbs(file) {
			path = file
		}
		if path != "" {
			all = append(all, path)
		}
	}
	add(e.Path, e.File)
	if e.Breakpoint != nil {
		add(e.Breakpoint.Path, e.Breakpoint.File)
	}
	if e.State != nil {
		add(e.State.Path, e.State.File)
		for _, b := range e.State.Breakpoints {
			add(b.Path, b.File)
		}
	}
	return all
}

const maxSource = 4 << 20

// source is the text of a file, for the page.
func source(path string, known bool) map[string]any {
	fail := func(why string) map[string]any { return map[string]any{"source": path, "error": why} }
	if !known {
		return fail("the debugger has not named this file")
	}
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("the file is not there")
	case err != nil:
		return fail(err.Error())
	case !fi.Mode().IsRegular() || fi.Size() > maxSource:
		return fail("no source file")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fail(err.Error())
	}
	return map[string]any{"source": path, "text": string(bytes.ToValidUTF8(text, []byte("\ufffd")))}
}
