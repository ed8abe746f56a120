package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/clitest"
	"github.com/spawnx/spawnx/internal/dialog"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/record"
	"github.com/spawnx/spawnx/script"
)

// A tape is what --record makes of a run: a recording, which is written as it goes, or a script or a test of
// what the person did, which is written at the end. Secrets do not come into any.
type tape struct {
	name    string
	write   func(dialog.Session) ([]byte, error) // nil: a recording
	session dialog.Session
	header  record.Header
	quiet   bool // the terminal was started without echo, which then says nothing
	program *bridge.Bridge

	mu     sync.Mutex // guards all below
	f      *os.File
	w      *record.Writer // of a recording
	begun  time.Time
	typing dialog.Typing
	masks  [2]secret.Mask // of the output and of the errors that come apart
	size   proc.Size
	events []record.Event // of a script or test
	length int            // of their data
	failed error
}

// longestSession bounds what is kept of a run that becomes a script or a test.
const longestSession = 64 << 20

// tapeKind says what the end of a name makes of it.
func tapeKind(name string) (write func(dialog.Session) ([]byte, error), err error) {
	switch filepath.Ext(name) {
	case ".cast":
		return nil, nil
	case ".star":
		return func(s dialog.Session) ([]byte, error) { return script.FromRecord(s), nil }, nil
	case ".txtar":
		return func(s dialog.Session) ([]byte, error) { return clitest.FromRecord(s), nil }, nil
	}
	return nil, fmt.Errorf("--record %q: it is not clear what it is to be\nhint: end it in .cast (a recording), .star (a script) or .txtar (a test)", name)
}

// openTape makes the file, which is not there yet: what somebody has written is not overwritten.
func openTape(flags *runFlags, p plan) (*tape, error) {
	write, err := tapeKind(flags.record)
	if err != nil {
		return nil, err
	}
	t := &tape{name: flags.record, write: write, begun: time.Now(), size: p.spec.Size.OrDefault()}
	t.header = record.Header{
		Rows: t.size.Rows, Cols: t.size.Cols, Term: termOf(p.spec), Time: t.begun, Command: strings.Join(p.spec.Args, " "),
	}
	t.session, t.quiet = retold(flags, p), p.spec.NoEcho
	if strings.HasSuffix(t.name, ".txtar") && strings.ContainsAny(strings.Join(t.session.Args, ""), "\r\n") {
		return nil, errors.New("--record: an argument of the command holds a line end, and a line of a test cannot\nhint: put it in a file of its own, or record a .star")
	}
	t.f, err = os.OpenFile(t.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("record: %s is there already\nhint: remove it, or name another", escape.Visible(t.name))
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if write != nil {
		return t, nil
	}
	t.w, err = record.NewWriter(t.f, t.header)
	if err != nil {
		t.discard()
		return nil, fmt.Errorf("record: %w", err)
	}
	return t, nil
}

// termOf is the TERM of a program.
func termOf(s proc.Spec) string {
	environ := s.Env
	if environ == nil {
		environ = os.Environ()
	}
	term := ""
	for _, e := range environ {
		if value, ok := strings.CutPrefix(e, "TERM="); ok {
			term = value // the last one holds
		}
	}
	if term == "" && s.Stdio != proc.Pipes {
		return "xterm-256color" // as proc has it
	}
	return term
}

// kept are the variables on which hangs what programs ask: a test begins without them.
var kept = []string{"LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "PS1", "TERM"}

// retold is what a script or test says of the command line.
func retold(flags *runFlags, p plan) dialog.Session {
	s := dialog.Session{Args: p.spec.Args, Stdio: p.spec.Stdio.String()}
	names := slices.ContainsFunc(s.Args, func(word string) bool { // files of this folder
		_, err := os.Lstat(filepath.Join(flags.dir, word))
		return err == nil && word != "" && !filepath.IsAbs(word)
	})
	if flags.dir != "" || names || strings.Contains(s.Args[0], "/") && !filepath.IsAbs(s.Args[0]) {
		s.Dir, _ = filepath.Abs(flags.dir) // fails where there is no folder any more: then it is left out
	}
	for _, name := range kept {
		value := os.Getenv(name)
		if fixed := map[string]string{"LANG": "C.UTF-8", "TERM": "xterm-256color"}[name]; value != "" && value != fixed && !strings.ContainsAny(value, "\r\n") {
			s.Env = append(s.Env, name+"="+value)
		}
	}
	s.Env = append(s.Env, flags.env...)
	for _, rule := range flags.on {
		pattern, reply, _ := grammar.CutRule(rule)
		if reply == "" {
			reply = "<enter>"
		}
		s.Rules = append(s.Rules, dialog.Rule{Pattern: pattern, Reply: reply})
	}
	return s
}

// start begins, once the program is there.
func (t *tape) start(program *bridge.Bridge) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.program = program
}

// hide masks a secret from now on.
func (t *tape) hide(value []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.masks {
		t.masks[i].Add(value)
	}
}

// output takes what the program wrote, before the person sees it: lane 1 is its errors where they come apart.
func (t *tape) output(lane int, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := time.Since(t.begun)
	if size, _ := t.program.Size(); size != t.size && size != (proc.Size{}) {
		t.size = size
		t.add(record.Event{Time: at, Kind: record.Resize, Rows: size.Rows, Cols: size.Cols})
	}
	if shown := t.masks[lane].Feed(nil, p); len(shown) > 0 {
		t.add(record.Event{Time: at, Kind: record.Output, Data: shown})
	}
	t.add(t.typing.Output(at, p)...)
}

// watching are the rules, which tell when they answer.
func (t *tape) watching(rules []expect.Rule) []expect.Rule {
	watched := slices.Clone(rules)
	for i, rule := range rules {
		sent := t.session.Rules[i].Reply
		if strings.HasPrefix(sent, "<") {
			sent = "" // keys or a secret
		}
		watched[i].Do = func(ctx context.Context, c *expect.Console, m expect.Match) error {
			t.mu.Lock()
			if t.w == nil {
				t.add(record.Event{Time: time.Since(t.begun), Kind: dialog.Ruled, Data: []byte(t.masks[0].Text(m.Text) + "\x00" + sent)})
			}
			t.mu.Unlock()
			return rule.Do(ctx, c, m)
		}
	}
	return watched
}

// listen is typed behind what else sees the keys; nil passes everything.
func (t *tape) listen(inner func(p []byte) ([]byte, bool)) func(p []byte) ([]byte, bool) {
	return func(p []byte) (pass []byte, leave bool) {
		if pass = p; inner != nil {
			pass, leave = inner(p)
		}
		t.typed(pass)
		return pass, leave
	}
}

// typed takes what the person typed, before the program gets it.
func (t *tape) typed(p []byte) {
	mode := dialog.Mode{Canonical: true, Echo: true} // of what is no terminal
	if m, err := t.program.Mode(); err == nil && t.program.Input().OnTerminal() {
		mode = dialog.Mode{Canonical: m.Canonical, Echo: m.Echo || t.quiet}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(t.typing.Key(time.Since(t.begun), p, mode)...)
}

// add takes events that hold no secret which was typed; those that were given may still be in them.
func (t *tape) add(events ...record.Event) {
	for _, e := range events {
		if e.Kind == record.Input {
			e.Data = []byte(t.masks[0].Text(string(e.Data)))
		}
		switch {
		case t.failed != nil:
		case t.w != nil && (e.Kind == dialog.Secret || e.Kind == dialog.Unproved):
			t.failed = t.w.Add(record.Event{Time: e.Time, Kind: record.Marker, Data: []byte("secret typed")})
		case t.w != nil:
			t.failed = t.w.Add(e)
		case t.length > longestSession:
			t.failed = errors.New("the session is too long for a script or a test")
		default:
			t.events = append(t.events, e)
			t.length += len(e.Data)
		}
	}
}

// discard is for a program that was not started.
func (t *tape) discard() {
	_ = t.f.Close() // it is removed
	_ = os.Remove(t.name)
}

// end writes what is left, and how the program ended.
func (t *tape) end(program *bridge.Bridge) (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.masks {
		if rest := t.masks[i].Flush(nil); len(rest) > 0 {
			t.add(record.Event{Time: time.Since(t.begun), Kind: record.Output, Data: rest})
		}
	}
	t.add(t.typing.End()...)
	if exit, over := program.Process().Exit(); over {
		t.add(record.Event{Time: time.Since(t.begun), Kind: record.Exit, Status: exit.Status()})
	}
	err = t.failed
	if t.w != nil {
		err = errors.Join(err, t.w.Close())
	} else if err == nil {
		t.session.Dialog = dialog.From(t.header, t.events)
		var text []byte
		if text, err = t.write(t.session); err == nil {
			_, err = t.f.Write(text)
		}
	}
	if err = errors.Join(err, t.f.Close()); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}
