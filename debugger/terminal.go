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

// openRaw makes a terminal for the machine interface, which passes bytes as they
// are.
func openRaw() (*bridge.Bridge, error) {
	std, err := ptyio.Open(ptyio.PTY, proc.Size{}, true)
	if err != nil {
		return nil, err
	}
	if err := std.Terminal.SetMode(ptyio.Mode{}); err != nil {
		_ = std.Close() // the reason counts
		return nil, err
	}
	return terminalBridge(std, terminalInput{std.Out}), nil
}

// openTTY makes the debugged program's terminal; instead: see programInput.
func (d *Debugger) openTTY(size proc.Size, instead bool) (*bridge.Bridge, error) {
	std, err := ptyio.Open(ptyio.PTY, size, false)
	if err != nil {
		return nil, err
	}
	return terminalBridge(std, &programInput{terminalInput{std.Out}, std.Terminal, instead, d.interruptSoon}), nil
}

// terminalBridge is that of a terminal that is no program's own: the debugger
// opens it by its name. Our copy of the slave stays open, or the terminal would
// end whenever nobody has it open, as between two runs.
func terminalBridge(std *ptyio.Stdio, in bridge.Sink) *bridge.Bridge {
	out := bridge.NewStream(std.Out, 0, 0)
	return bridge.New(&terminal{std: std, out: out}, out, nil, bridge.NewInput(in, out), std.Close)
}

// terminalInput is the way to a terminal's program. Closing it is not the end of
// the terminal: there the end of input is a key.
type terminalInput struct{ *ptyio.File }

func (terminalInput) Close() error     { return errors.ErrUnsupported }
func (terminalInput) OnTerminal() bool { return true }

// programInput is the way to the debugged program's terminal. The key that
// interrupts is a signal for those whose controlling terminal it is: gdb gives its
// program one, and sees the signal first. Of the other debuggers some give none,
// so that it would be a signal for nobody, and some let it end the program: they
// are asked to stop it instead.
type programInput struct {
	terminalInput
	terminal  *ptyio.Terminal
	instead   bool // the key does not reach the program
	interrupt func() (runs bool)
}

func (p *programInput) Write(b []byte) (int, error) {
	return p.pass(b, p.terminalInput.Write)
}

func (p *programInput) WriteNow(b []byte) (int, error) {
	return p.pass(b, p.terminalInput.WriteNow)
}

// pass writes b, and does what the key in it means.
func (p *programInput) pass(b []byte, write func([]byte) (int, error)) (int, error) {
	const key = 0x03
	at := bytes.IndexByte(b, key)
	if at < 0 || !p.isKey(key) {
		return write(b)
	}
	n, err := write(b[:at])
	if n < at || err != nil {
		return n, err
	}
	if !p.interrupt() || !p.instead {
		if n, err := write(b[at : at+1]); n == 0 {
			return at, err
		}
	}
	n, err = p.pass(b[at+1:], write)
	return at + 1 + n, err
}

// isKey reports whether a key is to be done here: the program does not read it, and,
// unless it is done instead, it would be a signal for nobody.
func (p *programInput) isKey(key byte) bool {
	mode, err := p.terminal.Mode()
	if err != nil || mode.Interprets(key) != "INTR" {
		return false
	}
	group, err := p.terminal.Foreground()
	return p.instead || err == nil && group == 0
}

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
