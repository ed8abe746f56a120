package debugger

import (
	"bytes"
	"context"
	"errors"
	"os"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// openTerminal makes a terminal that is no program's own: the debugger opens it
// by its name. Our copy of the slave stays open, or the terminal would end
// whenever nobody has it open, as between two runs. Raw, it passes bytes as they
// are: for the machine interface.
func openTerminal(size proc.Size, raw bool) (*bridge.Bridge, error) {
	std, err := ptyio.Open(ptyio.PTY, size, raw)
	if err != nil {
		return nil, err
	}
	if raw {
		if err := std.Terminal.SetMode(ptyio.Mode{}); err != nil {
			_ = std.Close() // the reason counts
			return nil, err
		}
	}
	out := bridge.NewStream(std.Out, 0, 0)
	in := bridge.NewInput(terminalInput{std.Out}, out)
	return bridge.New(&terminal{std: std, out: out}, out, nil, in, std.Close), nil
}

// terminalInput is the way to a terminal's program. Closing it is not the end of
// the terminal: there the end of input is a key.
type terminalInput struct{ *ptyio.File }

func (terminalInput) Close() error     { return errors.ErrUnsupported }
func (terminalInput) OnTerminal() bool { return true }

// A terminal is the far side of one: whatever program has it open.
type terminal struct {
	std *ptyio.Stdio
	out *bridge.Stream
}

// letGo closes our copy of the slave: from now on the terminal ends when nobody
// else has it open.
func (t *terminal) letGo() { _ = t.std.Terminal.Release() } // of a descriptor that is ours

// Wait waits for the terminal's end, which comes when it is closed here.
func (t *terminal) Wait(ctx context.Context) (proc.Exit, error) {
	select {
	case <-t.out.Ended():
		return proc.Exit{}, nil
	case <-ctx.Done():
		return proc.Exit{}, context.Cause(ctx)
	}
}

func (t *terminal) Stop(context.Context) (proc.Exit, error) {
	return proc.Exit{}, errors.ErrUnsupported
}

// Signal: who runs there is the debugger's business.
func (t *terminal) Signal(os.Signal) error      { return errors.ErrUnsupported }
func (t *terminal) Resize(size proc.Size) error { return t.std.Terminal.Resize(size) }
func (t *terminal) Taken() bool                 { return t.std.Terminal.Taken() }
func (t *terminal) Mode() (ptyio.Mode, error)   { return t.std.Terminal.Mode() }

func (t *terminal) Stats() bridge.PeerStats {
	st := bridge.PeerStats{Terminal: t.std.Terminal.Name(), Unread: -1, Running: true}
	if n, err := t.std.Out.Unread(); err == nil {
		st.Unread = n
	}
	if group, err := t.std.Terminal.Foreground(); err == nil {
		st.Foreground = group
	}
	return st
}

// consoleInput is the way to the debugger's console. A ^C there interrupts the
// program also when a front end has let it run: gdb itself would only say Quit.
type consoleInput struct {
	bridge.Sink
	interrupts func() bool // whether a ^C was taken care of
}

func (c *consoleInput) OnTerminal() bool { return true }

func (c *consoleInput) Write(p []byte) (int, error) {
	at := bytes.IndexByte(p, 0x03)
	if at < 0 || !c.interrupts() {
		return c.Sink.Write(p)
	}
	n, err := c.Sink.Write(p[:at])
	if err != nil {
		return n, err
	}
	rest, err := c.Write(p[at+1:])
	return at + 1 + rest, err
}

// inputSink makes a program's Input the Sink of another.
type inputSink struct{ *bridge.Input }

func (s inputSink) Close() error { return s.CloseWrite() }
