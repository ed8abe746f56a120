package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/bridge/fifo"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/session"
)

// How long a connection may take to be made.
const connectTimeout = 30 * time.Second

// uses is what of an endpoint is joined: whether it is read, and whether it is written.
type uses struct{ reads, writes bool }

// openEndpoint opens an endpoint that is no program.
func openEndpoint(ctx context.Context, e grammar.Endpoint, u uses, eof *bridge.EOFPolicy) (*bridge.Bridge, error) {
	switch e.Kind {
	case grammar.StdioEndpoint:
		in, out := os.Stdin, os.Stdout
		if !u.reads {
			in = nil
		}
		if !u.writes {
			out = nil
		}
		return bridge.OverFiles(in, out)
	case grammar.UnixEndpoint:
		return connect(ctx, "unix", e.Path)
	case grammar.TCPEndpoint:
		return connect(ctx, "tcp", e.Host)
	case grammar.TTYEndpoint:
		line, err := ptyio.OpenLine(e.Path, e.Speed)
		if err != nil {
			return nil, err
		}
		return bridge.OverFiles(line, line)
	case grammar.FifoEndpoint:
		return openFifo(ctx, e.Path, u, eof)
	}
	client, err := session.Dial(ctx, e.Name) // its output from the oldest byte kept, so that no question is missed
	if err != nil {
		return nil, err
	}
	return client.Bridge(), nil
}

// openFifo opens a fifo that is there, for the one direction that is joined, or else the pair of fifos of a
// folder. Those at the other side may come and go, unless --eof says that their end counts.
func openFifo(ctx context.Context, path string, u uses, eof *bridge.EOFPolicy) (*bridge.Bridge, error) {
	o := fifo.Options{EOF: fifo.Keep}
	if eof != nil && *eof != bridge.Keep {
		o.EOF = fifo.Once
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		pair, err := fifo.Listen(path, fifo.PairOptions{Options: o})
		if err != nil {
			return nil, err
		}
		return bridge.New(nil, bridge.NewStream(pair.In, 0, 0), nil, bridge.NewInput(pair.Out, nil), pair.Close), nil
	}
	switch {
	case info.Mode()&os.ModeNamedPipe == 0:
		return nil, errors.New("it is neither a fifo nor a folder\nhint: mkfifo makes one")
	case u.reads && u.writes:
		return nil, errors.New("one fifo leads one way only\nhint: name a folder for a pair of them, or put it at an end of a --chain")
	case u.reads:
		f, err := fifo.Open(ctx, path, os.O_RDONLY, o)
		if err != nil {
			return nil, err
		}
		return bridge.New(nil, bridge.NewStream(f, 0, 0), nil, nil, f.Close), nil
	}
	f, err := fifo.Open(ctx, path, os.O_WRONLY, fifo.Options{})
	if err != nil {
		return nil, err
	}
	return bridge.New(nil, bridge.NewStream(bridge.NewSource(nothing{}), 0, 0), nil, bridge.NewInput(f, nil), f.Close), nil
}

// nothing is the output of what is only written.
type nothing struct{}

func (nothing) Read([]byte) (int, error)        { return 0, io.EOF }
func (nothing) SetReadDeadline(time.Time) error { return nil }

func connect(ctx context.Context, network, address string) (*bridge.Bridge, error) {
	dialer := net.Dialer{Timeout: scale.Duration(connectTimeout)}
	conn, err := dialer.DialContext(ctx, network, address)
	var at *net.OpError
	var call *os.SyscallError
	if errors.As(err, &at) && errors.As(at.Err, &call) { // who connects, and where to, is known
		err = call.Err
	}
	if err != nil {
		return nil, err
	}
	return bridge.New(nil, bridge.NewStream(bridge.NewSource(conn), 0, 0), nil, bridge.NewInput(bridge.NewSink(conn), nil), conn.Close), nil
}
