package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/session"
)

func newAttach() *cobra.Command {
	var a attaching
	cmd := &cobra.Command{
		Use:   "attach [FLAGS] NAME",
		Short: "Sit at a named program",
		Long: `Sit at a named program: see its screen, type into it. ctrl-\ leaves; the program goes on, and can be
attached again, from elsewhere too. One person drives; who comes while somebody does watches, and
with --take becomes the driver instead.

Without a terminal the output goes to our output, from the oldest that is kept, and our input to the
program; its end does not end that of the program.

Exit status: the program's, when it ended meanwhile; 0 when you left.`,
		Example:               "  spawnx attach editor",
		DisableFlagsInUseLine: true,
		Args:                  wants(1, 1),
		RunE:                  func(_ *cobra.Command, words []string) error { return a.run(words[0]) },
		ValidArgsFunction:     completeName,
	}
	cmd.Flags().BoolVar(&a.readOnly, "read-only", false, "watch; nothing that is typed goes to the program (ctrl-c leaves, too)")
	cmd.Flags().BoolVar(&a.take, "take", false, "drive, whoever does so now")
	a.register(cmd.Flags())
	cmd.Flags().SortFlags = false
	cmd.MarkFlagsMutuallyExclusive("read-only", "take")
	return cmd
}

// An attaching is one attach NAME.
type attaching struct {
	far
	readOnly, take bool
	told           bool // that keys are lost
}

const leaveKey = 0x1c // ctrl-\

func (a *attaching) run(name string) error {
	if of, channel, ok := ofLines(name); ok {
		return ofName("attach", name, a.lines(of, channel))
	}
	here := lookAround()
	person := here.stdinTerminal && here.stdoutTerminal
	d := session.Dialer{Role: session.Driver, Take: a.take, Terminal: person && !a.readOnly}
	if a.readOnly {
		d.Role = session.Observer
	}
	if here.stdoutTerminal {
		d.From = session.FromScreen
		d.Size, _ = ptyio.SizeOf(os.Stdout) // without one it has none
	}
	c, err := a.dial(d, name)
	if err != nil {
		return err
	}
	defer c.Close()
	if !a.readOnly && c.Role() == session.Observer {
		if err := a.watch(c, name, person); err != nil {
			return err
		}
	}
	return a.sit(c, here, name)
}

// watch says that somebody else drives.
func (a *attaching) watch(c *session.Client, name string, person bool) error {
	who := "somebody"
	if info, err := c.Info(context.Background()); err == nil && info.Driver != "" {
		who = info.Driver
	}
	if !person { // whoever typed this was not asked whether watching is enough
		return ofName("attach", name, fmt.Errorf("%s drives it\nhint: --take, or --read-only to watch", who))
	}
	a.readOnly = true
	fmt.Fprintf(os.Stderr, "spawnx: attach %s: %s drives it, you watch (ctrl-\\ leaves; --take drives)\n", name, who)
	return nil
}

// sit joins our terminal, or what we have in its place, and the program.
func (a *attaching) sit(c *session.Client, here surroundings, name string) (err error) {
	keys, err := openKeyboard(os.Stdin)
	if err != nil {
		return err
	}
	stand := func() {}
	if here.stdinTerminal {
		if stand, err = c.Bridge().Sit(os.Stdin); err != nil {
			return err
		}
	}
	seen := newOnTerminal(c.Size())
	var out io.Writer = os.Stdout
	if here.stdoutTerminal {
		out = io.MultiWriter(os.Stdout, seen)
	}
	err = c.Join(context.Background(), bridge.Seat{
		In: keys, Terminal: here.stdinTerminal && here.stdoutTerminal && !a.readOnly,
		Out: out, Err: os.Stderr,
		Typed: func(p []byte) ([]byte, bool) { return a.typed(p, name, c.Role()) }, KeepInput: true,
	})
	stand()
	if here.stdoutTerminal && (err != nil || seen.Modes().Alternate) { // else the program has given it back
		end := "\r\n"
		if seen.Modes().Alternate {
			end = ""
		}
		_, _ = os.Stdout.WriteString(seen.leave() + end) // where it fails the terminal is gone
	}
	switch {
	case errors.Is(err, bridge.ErrLeft):
		return nil
	case err != nil:
		return ofName("attach", name, err)
	}
	_, err = c.Bridge().Wait(context.Background())
	return err
}

// typed sees the keys before the program does. Who watches, perhaps since another has taken the seat, is told so with
// the first key that is lost.
func (a *attaching) typed(p []byte, name string, role session.Role) (pass []byte, leave bool) {
	if i := bytes.IndexByte(p, leaveKey); i >= 0 {
		p, leave = p[:i], true
	}
	if !a.readOnly && role != session.Observer {
		a.told = false
		return p, leave
	}
	leave = leave || a.readOnly && bytes.IndexByte(p, 3) >= 0
	if !leave && !a.told {
		a.told = true
		fmt.Fprintf(os.Stderr, "\r\nspawnx: attach %s: you watch, what you type is lost (ctrl-\\ leaves; --take drives)\r\n", name)
	}
	return nil, leave
}

// An onTerminal is what of a program's output is on our terminal, which it may have switched to what it needs.
type onTerminal struct{ *screen.Screen }

func newOnTerminal(size proc.Size) onTerminal {
	size = size.OrDefault()
	return onTerminal{screen.New(size.Rows, size.Cols)}
}

// leave is what gives a terminal back as a shell wants it: the program that goes on does not.
func (s onTerminal) leave() string {
	const (
		plain   = "\x1b[m\x1b[?25h"                                                    // no colours, a cursor
		keys    = "\x1b[?1l\x1b>\x1b[?2004l\x1b[?1004l"                                // keys, paste and focus say nothing special
		noMouse = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l" // clicks are the terminal's
		whole   = "\x1b7\x1b[r\x1b8"                                                   // all rows scroll
	)
	out := plain + keys + noMouse
	m, c := s.Modes(), s.Cursor()
	for _, rare := range []struct {
		on  bool
		off string
	}{
		{m.Insert, "\x1b[4l"}, {m.NewLine, "\x1b[20l"}, {m.NoWrap, "\x1b[?7h"}, {m.Origin, "\x1b[?6l"}, {m.ReverseVideo, "\x1b[?5l"},
		{c.Shape != screen.Block || !c.Blink, "\x1b[0 q"}, {m.Sync, "\x1b[?2026l"}, {m.Alternate, "\x1b[?1049l"},
	} {
		if rare.on {
			out += rare.off
		}
	}
	return out + "\x0f\x1b(B" + whole
}
