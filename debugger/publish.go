package debugger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/bridge/fifo"
	"github.com/spawnx/spawnx/session"
)

// doorsFile is where, in the folder of its name, the doors of a debugger are
// written down for those who come later.
const doorsFile = "debugger.json"

// The channels of a debugger that is served under a name.
const (
	ChannelConsole = "console" // its own command line
	ChannelTTY     = "tty"     // the debugged program's terminal
	ChannelEvents  = "events"  // lines of JSON, the same for every debugger
	ChannelMI      = "mi"      // gdb's machine interface
)

// Doors are where the channels of a debugger are found: plain data, what the
// verb debug prints.
type Doors struct {
	Name     string            `json:"name"`
	PID      int               `json:"pid"`           // of the debugger
	Channels map[string]string `json:"channels"`      // unix sockets that carry the bare bytes or lines
	PTS      string            `json:"pts,omitempty"` // the debugged program's terminal
	Fifo     string            `json:"fifo,omitempty"`
}

// A Publication lets front ends in. Whoever published closes it.
type Publication struct {
	doors   Doors
	d       *Debugger
	main    *session.Server
	servers []*session.Server
	closers []io.Closer
	file    string // where the doors are written down; "": not yet
	cancel  context.CancelFunc
	work    sync.WaitGroup
}

// Publish serves a debugger under a name: each channel at a unix socket, for
// this user alone, in the name's folder, and, where fifos is a folder, as a pair
// of fifos there. The console is also the named program itself: what attach,
// stop and wait mean by NAME.
func (d *Debugger) Publish(name *session.Name, fifos string) (*Publication, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Publication{d: d, cancel: cancel, doors: Doors{
		Name: name.String(), PID: d.console.Stats().Peer.PID, Channels: map[string]string{}, Fifo: fifos,
	}}
	if err := p.open(ctx, name, fifos); err != nil {
		_ = p.Close() // the reason counts
		return nil, err
	}
	return p, nil
}

func (p *Publication) open(ctx context.Context, name *session.Name, fifos string) error {
	path := func(file string) string { return filepath.Join(name.Dir(), file) }
	var err error
	if p.main, err = p.serve(p.d.console, session.Options{Name: name, Also: ChannelConsole, Prompt: p.d.profile.prompt()}, fifos); err != nil {
		return err
	}
	p.doors.Channels[ChannelConsole] = path("console.sock")
	if p.d.tty != nil {
		if _, err := p.serve(p.d.tty, session.Options{Name: name, Channel: ChannelTTY}, fifos); err != nil {
			return err
		}
		p.doors.Channels[ChannelTTY] = path("tty.sock")
		p.doors.PTS = terminalName(p.d.tty)
	}
	events := func(ctx context.Context, conn io.ReadWriter) error { return p.d.ServeEvents(ctx, conn, true) }
	if err := p.speak(ctx, ChannelEvents, path("events.sock"), fifos, events); err != nil {
		return err
	}
	if _, ok := p.d.engine.(*gdb); ok {
		if err := p.speak(ctx, ChannelMI, path("mi.sock"), fifos, p.d.ServeMI); err != nil {
			return err
		}
	}
	data, err := json.Marshal(p.doors)
	if err != nil { // it is plain data
		panic(err)
	}
	p.file = path(doorsFile)
	return os.WriteFile(p.file, data, 0o600)
}

// serve lets clients at a terminal.
func (p *Publication) serve(b *bridge.Bridge, o session.Options, fifos string) (*session.Server, error) {
	s, err := session.NewServer(b, o)
	if err != nil {
		return nil, err
	}
	p.servers = append(p.servers, s)
	if fifos != "" {
		err = s.ListenFifo(fifos)
	}
	return s, err
}

// speak lets front ends at a channel of which each reads something else.
func (p *Publication) speak(ctx context.Context, channel, path, fifos string, serve func(context.Context, io.ReadWriter) error) error {
	l, err := session.ListenPrivate(path)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, l)
	p.doors.Channels[channel] = path
	p.work.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // out of descriptors, or the caller has gone again
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
				}
				continue
			}
			p.work.Go(func() {
				defer conn.Close()
				_ = serve(ctx, conn) // why a front end left is its business
			})
		}
	})
	if fifos == "" {
		return nil
	}
	pair, err := fifo.Listen(fifos, fifo.PairOptions{Prefix: channel + "."})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, pair)
	p.work.Go(func() { _ = serve(ctx, ends{pair.In, pair.Out}) })
	return nil
}

// ends makes one connection of two fifos.
type ends struct {
	in, out *fifo.File
}

func (e ends) Read(p []byte) (int, error)  { return e.in.Read(p) }
func (e ends) Write(p []byte) (int, error) { return e.out.Write(p) }

func (e ends) SetDeadline(t time.Time) error {
	return errors.Join(e.in.SetReadDeadline(t), e.out.SetWriteDeadline(t))
}

// Doors says where the channels are.
func (p *Publication) Doors() Doors { return p.doors }

// Wait waits until the debugger has ended and nobody needs the channels any more:
// see session.Server.Wait. The error is that of bridge.Bridge.Wait.
func (p *Publication) Wait(ctx context.Context) error {
	_, err := p.main.Wait(ctx)
	return err
}

// Close sends the front ends away and removes the sockets and fifos. The debugger
// stays as it is.
func (p *Publication) Close() error {
	p.cancel()
	var all []error
	for _, s := range p.servers {
		all = append(all, s.Close())
	}
	for _, c := range p.closers {
		err := c.Close()
		if unread := (*fifo.UnreadError)(nil); errors.As(err, &unread) {
			err = nil // what nobody has read is nobody's
		}
		all = append(all, err)
	}
	if p.file != "" {
		all = append(all, os.Remove(p.file))
	}
	p.work.Wait()
	return errors.Join(all...)
}

// DoorsOf are the doors of a named program that is a debugger; an fs.ErrNotExist
// for others.
func DoorsOf(i session.Info) (doors Doors, err error) {
	for _, door := range i.Doors {
		socket, ok := strings.CutPrefix(door, "unix:")
		if !ok || filepath.Base(socket) != ChannelConsole+".sock" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(socket), doorsFile))
		if err != nil {
			return doors, err
		}
		return doors, json.Unmarshal(data, &doors)
	}
	return doors, fmt.Errorf("%s is no debugger: %w", i.Name, fs.ErrNotExist)
}

// Dial connects to a channel of lines, ChannelEvents or ChannelMI, of the debugger
// of this name.
func Dial(ctx context.Context, name, channel string) (net.Conn, error) {
	all, err := session.List(ctx)
	if err != nil {
		return nil, err
	}
	var running []string
	for _, i := range all {
		if !i.Running {
			continue
		}
		if i.Name != name {
			running = append(running, i.Name)
			continue
		}
		doors, err := DoorsOf(i)
		if err != nil {
			return nil, err
		}
		path, ok := doors.Channels[channel]
		if !ok {
			return nil, fmt.Errorf("%s has no channel %s\nhint: its events have the same for all debuggers", name, channel)
		}
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	return nil, &session.NotRunningError{Name: name, Running: running}
}
