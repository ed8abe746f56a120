package expect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/keys"
	"github.com/spawnx/spawnx/ptyio"
)

// defaultLeave is the key that ends an Interact which lists no Key.
const defaultLeave = "ctrl-]"

// Interact hands the program over to a person: what comes from in goes to the
// program, what the program writes goes to out, until one of the cases matches
// in the program's output, the person presses a Key among the cases (ctrl-]
// when there is none), or the output ends: an EOF case, else io.EOF in a
// *Error. It has no timeout.
//
// When in is a terminal it is in raw mode meanwhile and the program's terminal
// follows its size; it is given back however Interact ends, a panic included,
// and where main called proc.MaybeShim also when this process is killed. in
// may also be a pipe or a file; its end is passed on, and Interact goes on
// until the output ends. Nothing of in is eaten after Interact returned, except
// where in is a reader that cannot be interrupted: what that brings is kept
// for the next Interact with it.
func (c *Console) Interact(ctx context.Context, in io.Reader, out io.Writer, cases ...Pattern) (Match, error) {
	quiet := c.With(Options{Timeout: -1, IdleTimeout: -1})
	w, err := quiet.newWait(ctx, "interact", cases)
	if err != nil {
		return Match{}, err
	}
	defer w.end()
	leave, err := newLeaver(cases)
	if err != nil {
		return Match{}, err
	}
	terminal := false
	if tty, ok := in.(*os.File); ok {
		terminal = ptyio.IsTerminal(tty)
		stand, err := c.b.Sit(tty)
		if err != nil {
			return Match{}, err
		}
		defer stand()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.ctx = ctx
	w.show = func(p []byte) {
		if _, err := out.Write(p); err != nil && len(p) > 0 {
			cancel(err)
		}
	}
	if unread := w.unread(); len(unread) > 0 {
		w.show(unread) // the person sees what the program already wrote
	}
	typed := make(chan error, 1)
	go func() {
		err := bridge.Join(ctx, c.b, bridge.Seat{In: in, Terminal: terminal, Typed: leave.typed})
		if errors.Is(err, bridge.ErrLeft) {
			cancel(bridge.ErrLeft)
		}
		typed <- err
	}()
	h, err := w.find()
	cancel(nil)
	<-typed
	if errors.Is(err, bridge.ErrLeft) {
		return Match{Index: leave.index, Pattern: leave.pattern}, nil
	}
	if err != nil {
		return Match{}, err
	}
	return h.match, h.err
}

// unread is what came and was not consumed, as it came.
func (w *wait) unread() []byte {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	a, b := c.r.View(c.text.start.raw, w.have)
	return append(append([]byte(nil), a...), b...)
}

// A leaver looks for the keys that end an Interact in what the person types.
type leaver struct {
	keys []leaveKey
	last []byte // the end of what was typed before: a key may come in pieces

	index   int // of the key that was pressed
	pattern Pattern
}

type leaveKey struct {
	index   int
	pattern Pattern
	bytes   []byte
}

func newLeaver(cases []Pattern) (*leaver, error) {
	l := &leaver{}
	add := func(i int, k keyPattern) error {
		b, err := keys.Encode(string(k), keys.Modes{})
		if err != nil {
			return &Error{Op: "interact", Err: ErrPattern, what: err.Error()}
		}
		l.keys = append(l.keys, leaveKey{i, k, b})
		if letter, ok := strings.CutPrefix(string(k), "ctrl-"); ok && len(letter) == 1 {
			// A program may have told the terminal to write keys in the ways of kitty or xterm.
			for _, form := range []string{"\x1b[%d;5u", "\x1b[27;5;%d~"} {
				l.keys = append(l.keys, leaveKey{i, k, fmt.Appendf(nil, form, letter[0])})
			}
		}
		return nil
	}
	for i, p := range cases {
		if k, ok := p.(keyPattern); ok {
			if err := add(i, k); err != nil {
				return nil, err
			}
		}
	}
	if len(l.keys) == 0 {
		return l, add(-1, defaultLeave)
	}
	return l, nil
}

// typed passes on what comes before the key.
func (l *leaver) typed(p []byte) (pass []byte, leave bool) {
	text := append(l.last, p...)
	old := len(l.last)
	first := -1
	for _, k := range l.keys {
		if i := bytes.Index(text, k.bytes); i >= 0 && (first < 0 || i < first) {
			first = i
			l.index, l.pattern = k.index, k.pattern
		}
	}
	if first >= 0 {
		return p[:max(first-old, 0)], true
	}
	longest := 0
	for _, k := range l.keys {
		longest = max(longest, len(k.bytes)-1)
	}
	l.last = append([]byte(nil), text[max(0, len(text)-longest):]...)
	return p, false
}
