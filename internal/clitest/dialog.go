package clitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/artifact"
	"github.com/spawnx/spawnx/internal/clitest/report"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/screen"
)

// The commands of a dialog. Each speaks to the unnamed program, or to the one that @NAME names.
func dialogCommands() []command {
	return []command{
		{name: "spawn", args: "[-size 24x80] [-stdio pty|pipes|pty-stderr|pty-stdout] CMD...", about: "start a program, on a terminal",
			dialog: true, min: 1, max: -1, check: checkSpawn, run: (*state).cmdSpawn},
		{name: "expect", args: "[-timeout 5s] [-screen] PATTERN...", about: "wait for one of the patterns",
			dialog: true, min: 1, max: -1, check: checkExpect, run: (*state).cmdExpect,
			notHint: "expect what comes instead; for silence '<idle 2s>', for a program that wants input '<waiting>'"},
		{name: "send", args: "TEXT", about: "send exactly this", dialog: true, min: 1, max: 1, run: (*state).cmdSend},
		{name: "sendline", args: "[TEXT]", about: "send this and press Enter", dialog: true, max: 1, run: (*state).cmdSend},
		{name: "sendkey", args: "KEY...", about: "press keys: enter down ctrl-c f1", dialog: true, min: 1, max: -1, check: checkKeys, run: (*state).cmdSendKey},
		{name: "sendsecret", args: "[-unproved] REF", about: "type a secret once it would not show, and press Enter",
			dialog: true, min: 1, max: 2, check: checkSecret, run: (*state).cmdSendSecret},
		{name: "sendeof", about: "end the program's input", dialog: true, run: (*state).cmdSendEOF},
		{name: "on", args: "PATTERN REPLY", about: "answer this from now on, whenever it comes during a wait",
			dialog: true, min: 2, max: 2, check: checkOn, run: (*state).cmdOn},
		{name: "resize", args: "30x100", about: "give the terminal another size", dialog: true, min: 1, max: 1, check: checkResize, run: (*state).cmdResize},
		{name: "signal", args: "SIGNAL", about: "send the program a signal", dialog: true, min: 1, max: 1, check: checkSignal, run: (*state).cmdSignal},
	}
}

// mostPlain is how much of the output of a spawned program is kept.
const mostPlain = 16 << 20

// A program is one that the script speaks to.
type program struct {
	name  string
	c     *expect.Console
	rules bool // some stand

	display *display // nil: it has no terminal
	watch   *artifact.Watch
	begun   time.Duration // since the attempt began
	waited  int           // in which line for its end; 0: not yet
	escaped bool          // an esc was sent last

	copying   sync.WaitGroup
	out, errs keep
}

// close ends the program and what it started.
func (p *program) close() error {
	err := p.c.Close()
	p.copying.Wait()
	return err
}

// command is what was spawned, for people.
func (p *program) command() string { return commandLine(p.c.Bridge().Stats().Peer.Args) }

// flags cuts leading flags off a command's arguments: those with a value are mapped to it, the others to
// "". It ends at the first word that is none, or behind --.
func flags(args []string, withValue, plain []string) (set map[string]string, rest []string, err error) {
	set = map[string]string{}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "-" {
		name := args[0]
		switch {
		case name == "--":
			return set, args[1:], nil
		case slices.Contains(plain, name):
			set[name] = ""
			args = args[1:]
		case slices.Contains(withValue, name):
			if len(args) < 2 {
				return nil, nil, failed("%s needs a value", name)
			}
			set[name] = args[1]
			args = args[2:]
		default:
			return nil, nil, hinted("write -- before a first word that begins with -", "unknown flag %s", escape.Visible(name))
		}
	}
	return set, args, nil
}

// parseSpawn reads the flags of spawn into a Spec, without its command.
func parseSpawn(args []string) (spec proc.Spec, cmd []string, err error) {
	set, cmd, err := flags(args, []string{"-size", "-stdio"}, nil)
	if err != nil {
		return spec, nil, err
	}
	if len(cmd) == 0 {
		return spec, nil, failed("no program to start")
	}
	if s, ok := set["-size"]; ok {
		if spec.Size, err = ptyio.ParseSize(s); err != nil {
			return spec, nil, err
		}
	}
	if s, ok := set["-stdio"]; ok {
		if spec.Stdio, err = ptyio.ParseKind(s); err != nil {
			return spec, nil, fmt.Errorf("-stdio: %w", err)
		}
	}
	return spec, cmd, nil
}

func checkSpawn(c call) error {
	_, _, err := parseSpawn(c.args)
	return err
}

// chunked is the context under which programs are started.
func (s *state) chunked() context.Context {
	ctx := context.WithoutCancel(s.ctx) // they are ended by the test, in its order
	if cut := s.opts.Chunk.cutter(s.test.Name); cut != nil {
		ctx = bridge.WithPieces(ctx, cut)
	}
	return ctx
}

func (s *state) cmdSpawn(c call) error {
	flags, words, err := parseSpawn(c.args)
	if err != nil {
		return err
	}
	if p := s.programs[c.who]; p != nil {
		return hinted("write wait before, or give this one a name: @NAME spawn ...", "%s was spawned and not waited for", p.command())
	}
	spec := s.spec(nil)
	cmd, err := grammar.Command(words, s.cd)
	if err != nil {
		return err
	}
	spec.Args, spec.Size, spec.Stdio = cmd.Args, flags.Size, flags.Stdio
	console, err := expect.Spawn(s.chunked(), spec)
	if err != nil {
		return s.startError(err)
	}
	begun := s.log.now()
	console, watch := artifact.Follow(console, artifact.Options{Name: c.who, Command: spec.Args, Term: s.env["TERM"], Hide: s.veil.stream})
	options := expect.Options{Timeout: s.opts.Wait}
	var d *display
	if spec.Stdio != proc.Pipes {
		d = &display{Screen: watch.Screen()}
		options.Screen = d
	}
	p := &program{name: c.who, c: console.With(options), display: d, watch: watch, begun: begun, out: keep{most: mostPlain}, errs: keep{most: mostPlain}}
	for stream, to := range map[*bridge.Stream]io.Writer{console.Bridge().Output(): &p.out, console.Bridge().Stderr(): &p.errs} {
		if stream == nil {
			continue
		}
		r := stream.Reader("test", bridge.Block)
		p.copying.Go(func() { _, _ = bridge.Copy(to, r) }) // a keep takes everything
	}
	s.programs[c.who] = p
	return nil
}

// An expectation is what expect is asked to wait for.
type expectation struct {
	cases   []expect.Pattern
	timeout time.Duration // 0: the usual
	silent  bool          // <timeout> is among the cases
	screen  bool
}

func parseExpect(args []string) (e expectation, err error) {
	set, words, err := flags(args, []string{"-timeout"}, []string{"-screen"})
	if err != nil {
		return e, err
	}
	if t, ok := set["-timeout"]; ok {
		if e.timeout, err = duration(t); err != nil {
			return e, err
		}
	}
	_, e.screen = set["-screen"]
	if len(words) == 0 {
		return e, failed("no pattern to wait for")
	}
	for i, word := range words {
		if word == "<timeout>" {
			e.silent = true
			continue
		}
		if whole := torn(words[i:]); whole != "" {
			return e, hinted(fmt.Sprintf("write '%s'", strings.ReplaceAll(whole, "'", "''")), "the blanks part %s into several patterns", escape.Visible(whole))
		}
		p, err := grammar.Pattern(word)
		if err != nil {
			return e, err
		}
		if e.screen {
			p = onScreen(p)
		}
		e.cases = append(e.cases, p)
	}
	return e, nil
}

// torn returns the regular expression that words begin with, when it has blanks and was not quoted.
func torn(words []string) string {
	if !strings.HasPrefix(words[0], "/") || isRegexp(words[0]) {
		return ""
	}
	for i, word := range words[1:] {
		if strings.HasPrefix(word, "/") && word != "/" {
			return "" // another pattern
		}
		if whole := strings.Join(words[:i+2], " "); isRegexp(whole) {
			return whole
		}
	}
	return ""
}

// isRegexp reports whether a word is /re/ with its flags.
func isRegexp(word string) bool {
	p, err := grammar.Pattern(word)
	_, is := p.(expect.Regexp)
	return err == nil && is
}

// onScreen looks for a text or regular expression on the screen. The others mean the same there.
func onScreen(p expect.Pattern) expect.Pattern {
	switch p.(type) {
	case expect.Text, expect.Regexp:
		return expect.OnScreen(p)
	}
	return p
}

func checkExpect(c call) error {
	_, err := parseExpect(c.args)
	return err
}

func (s *state) cmdExpect(c call) error {
	e, err := parseExpect(c.args)
	if err != nil {
		return err
	}
	p, err := s.program(c)
	if err != nil {
		return err
	}
	if e.screen && p.display == nil {
		return failed("%s has no terminal, so there is no screen", p.command())
	}
	console := p.c
	if e.timeout != 0 {
		console = console.With(expect.Options{Timeout: e.timeout})
	}
	p.watch.Waits("", e.cases...)
	_, err = console.Expect(s.ctx, e.cases...)
	if e.silent && s.ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return s.withScreen(p, err, e)
}

// withScreen adds the screen to the error of a wait for the output of a program that draws one: its output is no text
// that a person could read.
func (s *state) withScreen(p *program, err error, e expectation) error {
	var dialog *expect.Error
	if e.screen || !errors.As(err, &dialog) {
		return err
	}
	what, text := s.seen(p)
	if what != "screen" {
		return err
	}
	lines, hint, hinted := strings.Cut(err.Error(), "\nhint: ")
	head := lines[:strings.Index(lines+"\n  sent ", "\n  sent ")]
	head = head[:strings.Index(head+"\n  program ", "\n  program ")]
	screen := (&problem{}).with(what, text).Error()
	for _, c := range e.cases {
		if !hinted && shows(p.display.Screen, c) {
			hint, hinted = "it is on the screen: write expect -screen", true
		}
	}
	if hinted {
		hint = "\nhint: " + hint
	}
	return &worded{head + screen + lines[len(head):] + hint, err}
}

// shows reports whether the screen shows a text or regular expression.
func shows(s *screen.Screen, p expect.Pattern) bool {
	switch p := p.(type) {
	case expect.Text:
		return strings.Contains(s.Text(), string(p))
	case expect.Regexp:
		re, err := regexp.Compile(string(p))
		return err == nil && re.MatchString(s.Text())
	}
	return false
}

func (s *state) cmdSend(c call) error {
	p, err := s.program(c)
	if err != nil {
		return err
	}
	text := strings.Join(c.args, "")
	p.escaped = c.cmd.name == "send" && strings.HasSuffix(text, "\x1b")
	if c.cmd.name == "send" {
		return p.c.Send(text)
	}
	return p.c.SendLine(text)
}

func checkKeys(c call) error {
	for _, name := range c.args {
		if err := grammar.Key(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) cmdSendKey(c call) error {
	p, err := s.program(c)
	if err != nil {
		return err
	}
	p.escaped = c.args[len(c.args)-1] == "esc"
	return p.c.SendKey(c.args...)
}

func parseSecret(args []string) (ref string, unproved bool, err error) {
	set, rest, err := flags(args, nil, []string{"-unproved"})
	if err != nil {
		return "", false, err
	}
	if len(rest) != 1 {
		return "", false, usageOf("sendsecret [-unproved] REF")
	}
	_, unproved = set["-unproved"]
	return rest[0], unproved, grammar.SecretRef(rest[0])
}

func checkSecret(c call) error {
	_, _, err := parseSecret(c.args)
	return err
}

func (s *state) cmdSendSecret(c call) error {
	ref, unproved, err := parseSecret(c.args)
	if err != nil {
		return err
	}
	p, err := s.program(c)
	if err != nil {
		return err
	}
	return p.c.With(expect.Options{UnprovedSecrets: unproved}).SendSecret(s.ctx, s.secret(ref))
}

// secret is where a reference of the script leads: a variable is first looked for in the test's own
// environment, and a file in the present folder. It is hidden in all that the test tells.
func (s *state) secret(ref string) expect.Secret {
	fetch := s.fetch(ref)
	return func(ctx context.Context) ([]byte, error) {
		value, err := fetch(ctx)
		if len(value) > 0 {
			s.veil.add(value)
		}
		return value, err
	}
}

func (s *state) fetch(ref string) expect.Secret {
	fetch := expect.SecretRef(ref)
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		if value, ok := s.env[name]; ok {
			fetch = func(context.Context) ([]byte, error) { return []byte(value), nil }
		}
	}
	if name, ok := strings.CutPrefix(ref, "file:"); ok {
		fetch = expect.SecretRef("file:" + s.abs(name))
	}
	return fetch
}

func (s *state) cmdSendEOF(c call) error {
	p, err := s.program(c)
	if err != nil {
		return err
	}
	return p.c.SendEOF()
}

func checkOn(c call) error {
	_, err := (&state{}).rule(c.args)
	return err
}

func (s *state) rule(args []string) (expect.Rule, error) {
	p, err := grammar.Pattern(args[0])
	if err != nil {
		return expect.Rule{}, err
	}
	reply, err := grammar.World{Secret: s.secret}.Reply(args[1])
	return expect.Rule{When: p, Do: reply.Do, Max: reply.Max}, err
}

func (s *state) cmdOn(c call) error {
	rule, err := s.rule(c.args)
	if err != nil {
		return err
	}
	p, err := s.program(c)
	if err != nil {
		return err
	}
	p.c.Always(rule)
	p.rules = true
	return nil
}

func checkResize(c call) error {
	_, err := ptyio.ParseSize(c.args[0])
	return err
}

func (s *state) cmdResize(c call) error {
	to, err := ptyio.ParseSize(c.args[0])
	if err != nil {
		return err
	}
	p, err := s.program(c)
	if err != nil {
		return err
	}
	if err := p.c.Bridge().Resize(to); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			return failed("%s has no terminal", p.command())
		}
		return err
	}
	return nil
}

func checkSignal(c call) error {
	_, err := proc.ParseSignal(c.args[0])
	return err
}

func (s *state) cmdSignal(c call) error {
	sig, err := proc.ParseSignal(c.args[0])
	if err != nil {
		return err
	}
	p, err := s.program(c)
	if err != nil {
		return err
	}
	return p.c.Bridge().Signal(sig)
}

// exitWanted is how a program has to end.
type exitWanted struct {
	status int
	any    bool // any but 0
}

// waitProgram waits for the end of a spawned program. Then stdout holds its plain output.
func (s *state) waitProgram(ctx context.Context, p *program, want exitWanted) error {
	p.watch.Waits("the end")
	if p.rules { // they act in waits only
		if _, err := p.c.Expect(ctx, expect.EOF); err != nil {
			return s.stillRuns(p, err)
		}
	}
	exit, err := p.c.Wait(ctx)
	var ended *proc.ExitError
	if err != nil && !errors.As(err, &ended) {
		return s.stillRuns(p, err)
	}
	delete(s.programs, p.name)
	s.ended[p.name], p.waited = p, s.number
	if err := p.close(); err != nil {
		return err
	}
	s.log.add(report.Event{At: s.log.now(), Kind: report.Exit, Program: p.name, Text: exit.String()})
	s.stdout, s.stderr, s.joined = p.plain(), p.errs.output(), p.c.Bridge().Stderr() == nil
	switch {
	case want.any && exit.Status() != 0, !want.any && exit.Status() == want.status:
		return nil
	case want.any:
		return failed("%s ended with %s", p.command(), exit).with(s.seen(p))
	}
	wanted := ""
	if want.status != 0 {
		wanted = ", not " + strconv.Itoa(want.status)
	}
	return failed("%s ended with %s%s", p.command(), exit, wanted).with(s.seen(p))
}

// stillRuns is the error of a wait for the end of a program, with what is to be seen of it: it may ask something.
func (s *state) stillRuns(p *program, err error) error {
	var dialog *expect.Error
	if !errors.As(err, &dialog) || !dialog.Timeout() {
		return err
	}
	late := hinted(dialog.Hint(), "%s did not end in %s", p.command(), brief(dialog.Elapsed)).with(s.seen(p))
	late.err, late.tail = err, stateOf(dialog)
	return late
}

// seen is what a person sees last of a program, and what that is: the screen, where it has drawn one, else the output.
func (s *state) seen(p *program) (what, text string) {
	if p.display != nil && drawn.Get().MatchString(p.out.output().text) && strings.TrimSpace(p.display.Screen.Text()) != "" {
		return "screen", s.veil.output(golden.Format(p.display.Screen, false))
	}
	text = s.veil.output(p.plain().text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n" // a prompt has none, and that is nothing to tell
	}
	return "output", text
}

// drawn finds what only full-screen programs do: they take the other screen, or move the cursor to a place of it.
var drawn = lazy.Regexp("\x1b\\[(\\?1049h|\\?47h|[0-9]+;[0-9]+H)")

// plain is what the program wrote without escape sequences. On pipes it is all it wrote.
func (p *program) plain() output {
	o := p.out.output()
	if p.c.Bridge().Stats().Peer.Terminal != "" {
		var f escape.Filter
		text := f.Plain(nil, []byte(o.text))
		o.text = string(append(text, f.Flush()...))
	}
	return o
}
