package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.starlark.net/starlark"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// A program is what spawn and connect return. Several threads of a script may use it, as a Console.
type program struct {
	name    string
	base    *expect.Console // with no settings of the script's
	logs    []*masked
	logging sync.WaitGroup

	mu      sync.Mutex
	opts    expect.Options // those that hold for every call
	prompt  starlark.Value
	ended   *end             // once wait has seen it
	rules   []starlark.Value // of always
	display *display         // nil: the script needs none
}

var (
	_ starlark.HasAttrs    = (*program)(nil)
	_ starlark.HasSetField = (*program)(nil)
)

func (p *program) String() string        { return "<program " + p.name + ">" }
func (p *program) Type() string          { return "program" }
func (p *program) Truth() starlark.Bool  { return true }
func (p *program) Hash() (uint32, error) { return starlark.String(p.name).Hash() }

// Freeze leaves the program itself as it is: it is a handle, and safe for concurrent use. But the answers
// of its rules may then be given in any thread.
func (p *program) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rules {
		r.Freeze()
	}
}

func (p *program) AttrNames() []string {
	names := []string{"idle", "pid", "prompt", "timeout"}
	for name := range methods() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *program) Attr(name string) (starlark.Value, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch name {
	case "timeout":
		return seconds(p.opts.Timeout), nil
	case "idle":
		return seconds(p.opts.IdleTimeout), nil
	case "prompt":
		return p.prompt, nil
	case "pid":
		if pr := p.base.Bridge().Process(); pr != nil {
			return starlark.MakeInt(pr.PID()), nil
		}
		return starlark.None, nil
	}
	m, ok := methods()[name]
	if !ok {
		return nil, noAttribute("program", name, p.AttrNames())
	}
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return m.call(taskOfThread(thread), p, name, args, kwargs)
	}), nil
}

// SetField is p.timeout = 60: for the calls from then on.
func (p *program) SetField(name string, v starlark.Value) error {
	a := &arguments{values: map[string]starlark.Value{name: v}}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch name {
	case "timeout":
		if d := a.duration(name, 0, -1); a.err == nil {
			p.opts.Timeout = d
		}
	case "idle":
		if d := a.duration(name, 0, -1); a.err == nil {
			p.opts.IdleTimeout = d
		}
	case "prompt":
		prompt, err := asPrompt(v)
		if err != nil {
			return err
		}
		p.prompt, p.opts.Prompt = v, prompt
	default:
		if methods()[name].do == nil {
			return noAttribute("program", name, []string{"idle", "prompt", "timeout"})
		}
		return fmt.Errorf(".%s of a program cannot be set", name)
	}
	return a.err
}

// asPrompt reads a prompt: a text or an expression.
func asPrompt(v starlark.Value) (expect.Pattern, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.String:
		if v != "" {
			return expect.Text(v), nil
		}
	case pattern:
		if v.p == expect.Waiting {
			return nil, nil // as where none is set
		}
		if _, ok := v.p.(expect.Regexp); ok {
			return v.p, nil
		}
	}
	return nil, fmt.Errorf(`prompt: a "text" or re(…) is wanted, not %s`, shown(v))
}

// console is the conversation with the settings of one call: a zero field is the program's.
func (p *program) console(t *task, call expect.Options) *expect.Console {
	c := p.base
	for _, inner := range t.inside { // an answer speaks inside of the wait that it is given in
		if inner.Bridge() == c.Bridge() {
			c = inner
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.display == nil && t.run.screens.Load() {
		p.display = &display{s: screen.New(24, 80)} // it takes the size of the program's terminal
		p.opts.Screen = p.display
	}
	return c.With(p.opts).With(call)
}

// callOptions are timeout=, idle= and view= of a call.
func callOptions(a *arguments) expect.Options {
	return expect.Options{
		Timeout: a.duration("timeout", 0, -1), IdleTimeout: a.duration("idle", 0, -1), View: a.view("view"),
	}
}

// methods are those of a program.
func methods() map[string]builtin {
	theMethods.once.Do(func() {
		theMethods.all = map[string]builtin{
			"expect":     {"*cases, timeout=, idle=, view=", expectCases},
			"command":    {"line, timeout=, idle=", command},
			"send":       {"text", send},
			"sendline":   {"line=", sendline},
			"sendkey":    {"*names", sendkey},
			"sendsecret": {"ref, unproved=, timeout=", sendsecret},
			"sendeof":    {"", sendeof},
			"always":     {"*rules", always},
			"interact":   {"*cases", interact},
			"screen":     {"", screenText},
			"signal":     {"name", signal},
			"resize":     {"rows, cols", resize},
			"wait":       {"check=, timeout=", wait},
			"close":      {"", closeProgram},
			"when":       {"*cases, timeout=, idle=, view=", when},
		}
	})
	return theMethods.all
}

var theMethods table

func expectCases(t *task, p *program, a *arguments) (starlark.Value, error) {
	opts := callOptions(a)
	if a.err != nil {
		return nil, a.err
	}
	if len(a.rest) == 0 {
		return nil, hinted{"nothing to wait for", "write EOF to wait for the end, or WAITING for the moment when the program waits for input"}
	}
	cases, places, late, err := t.asCases(a.rest)
	if err != nil {
		return nil, err
	}
	if opts.Timeout == soon {
		_, _ = p.base.Bridge().Output().Flush() // what is there counts; an error comes again in the wait
	}
	m, err := p.console(t, opts).Expect(t.ctx, cases...)
	if v := timedOut(err, late); v != nil {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	return found(m, places, a.rest), nil
}

// found is a match with the place and the pattern that the script gave.
func found(m expect.Match, places []int, cases []starlark.Value) *match {
	if m.Index < 0 || m.Index >= len(places) { // a standing rule, or a key of interact that nobody listed
		return newMatch(m, -1, patternValue(m.Pattern))
	}
	i := places[m.Index]
	v := cases[i]
	if r, ok := v.(rule); ok {
		v = r.when
	}
	return newMatch(m, i, v)
}

// timedOut is the match of a TIMEOUT that stands at this place; nil where there is none, or another error.
func timedOut(err error, at int) *match {
	var e *expect.Error
	if at < 0 || !errors.As(err, &e) || !e.Timeout() || e.Op == "sendsecret" || strings.HasPrefix(e.Op, "send") {
		return nil
	}
	m := newMatch(expect.Match{Before: e.Unread}, at, timeout)
	var why []string
	for _, f := range e.Findings {
		why = append(why, f.String())
	}
	m.fields["why"] = starlark.String(strings.Join(why, "\n"))
	return m
}

func command(t *task, p *program, a *arguments) (starlark.Value, error) {
	line, opts := a.text("line"), callOptions(a)
	if a.err != nil {
		return nil, a.err
	}
	out, err := p.console(t, opts).Command(t.ctx, line)
	return starlark.String(strings.TrimSuffix(out, "\n")), err // as $(…) of a shell
}

func send(t *task, p *program, a *arguments) (starlark.Value, error) {
	text := a.text("text")
	if a.err != nil {
		return nil, a.err
	}
	return starlark.None, p.console(t, expect.Options{}).Send(text)
}

func sendline(t *task, p *program, a *arguments) (starlark.Value, error) {
	line := ""
	if a.given("line") {
		line = a.text("line")
	}
	if a.err != nil {
		return nil, a.err
	}
	return starlark.None, p.console(t, expect.Options{}).SendLine(line)
}

func sendkey(t *task, p *program, a *arguments) (starlark.Value, error) {
	names := a.texts()
	if a.err == nil && len(names) == 0 {
		a.err = hinted{"no key", `write p.sendkey("enter")`}
	}
	if a.err != nil {
		return nil, a.err
	}
	return starlark.None, p.console(t, expect.Options{}).SendKey(names...)
}

func sendsecret(t *task, p *program, a *arguments) (starlark.Value, error) {
	var s secretReply
	if v, ok := a.get("ref").(secretReply); ok {
		s = v
	} else {
		ref := a.text("ref")
		if a.err == nil {
			a.err = checkSecretRef(ref)
		}
		s.ref = ref
	}
	opts := expect.Options{UnprovedSecrets: a.flag("unproved", s.unproved), Timeout: a.duration("timeout", 0, -1)}
	if a.err != nil {
		return nil, a.err
	}
	return starlark.None, p.console(t, opts).SendSecret(t.ctx, t.run.secret(s.ref))
}

func sendeof(t *task, p *program, _ *arguments) (starlark.Value, error) {
	return starlark.None, p.console(t, expect.Options{}).SendEOF()
}

// always answers from now on, in whichever wait comes. What it returns ends that.
func always(t *task, p *program, a *arguments) (starlark.Value, error) {
	var rules []expect.Rule
	for _, v := range a.rest {
		r, ok := v.(rule)
		if !ok {
			return nil, hinted{shown(v) + " is no rule", "write p.always(on(case, reply))"}
		}
		made, err := t.asRule(r)
		if err != nil {
			return nil, err
		}
		rules = append(rules, made.(expect.Rule))
	}
	if len(rules) == 0 {
		return nil, hinted{"no rules", "write p.always(on(case, reply))"}
	}
	p.mu.Lock()
	p.rules = append(p.rules, a.rest...)
	p.mu.Unlock()
	if t != t.run.main { // another thread may wait when they are due
		p.Freeze()
	}
	remove := p.base.Always(rules...)
	return starlark.NewBuiltin("remove", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		remove()
		return starlark.None, starlark.UnpackPositionalArgs("remove", args, kwargs, 0)
	}), nil
}

func interact(t *task, p *program, a *arguments) (starlark.Value, error) {
	cases, places, late, err := t.asCases(a.rest)
	if err != nil {
		return nil, err
	}
	if late >= 0 {
		return nil, hinted{"interact has no timeout", "write idle(…), which matches when nothing came for that long"}
	}
	m, err := p.console(t, expect.Options{}).Interact(t.ctx, t.run.opts.Stdin, t.run.opts.Stdout, cases...)
	if err != nil {
		return nil, err
	}
	return found(m, places, a.rest), nil
}

// screenText is what the screen shows when the output has been quiet for a moment. Nothing is consumed.
func screenText(t *task, p *program, _ *arguments) (starlark.Value, error) {
	const atRest, atMost, never = 20 * time.Millisecond, 5 * time.Second, 1000 * time.Hour
	c := p.console(t, expect.Options{Timeout: atMost, IdleTimeout: atRest})
	_, err := c.Expect(t.ctx, expect.Idle(never))
	var e *expect.Error
	if errors.As(err, &e) && (e.Timeout() || errors.Is(e, io.EOF)) {
		err = nil
	}
	return starlark.String(p.display.Text()), err
}

// A display is a screen of a program, which several threads of the script may ask.
type display struct {
	mu sync.Mutex
	s  *screen.Screen
}

func (d *display) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.s.Write(b)
}

func (d *display) Text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.s.Text()
}

func (d *display) Settled() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.s.Settled()
}

func (d *display) Answers() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.s.Answers()
}

func (d *display) Resize(rows, cols int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.s.Resize(rows, cols)
}

func signal(_ *task, p *program, a *arguments) (starlark.Value, error) {
	var name string
	if n, err := starlark.AsInt32(a.get("name")); err == nil {
		name = fmt.Sprint(n)
	} else {
		name = a.text("name")
	}
	if a.err != nil {
		return nil, a.err
	}
	sig, err := proc.ParseSignal(name)
	if err != nil {
		return nil, hinted{err.Error(), `write "INT", "TERM", "HUP", "KILL" or another name`}
	}
	return starlark.None, p.base.Bridge().Signal(sig)
}

func resize(_ *task, p *program, a *arguments) (starlark.Value, error) {
	a.values["size"] = starlark.Tuple{a.values["rows"], a.values["cols"]}
	size := a.size("size")
	if a.err != nil {
		return nil, a.err
	}
	return starlark.None, p.base.Bridge().Resize(size)
}

// wait waits for the end. It reads what is left, under the standing rules, so that an error can show the
// last that the program said.
func wait(t *task, p *program, a *arguments) (starlark.Value, error) {
	check, limit := a.flag("check", true), a.duration("timeout", -1, -1)
	if a.err != nil {
		return nil, a.err
	}
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if ended != nil {
		return ended.exit(p, check)
	}
	c := p.console(t, expect.Options{Timeout: limit, IdleTimeout: -1})
	m, err := c.Expect(t.ctx, expect.EOF)
	if err != nil && !errors.Is(err, os.ErrClosed) { // after close there is still an exit
		return nil, waitError(err)
	}
	ctx := t.ctx
	if limit > 0 { // the output has ended, and the program not yet
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, scale.Duration(limit),
			fmt.Errorf("%s has ended its output and still runs after %s: %w", p.name, limit, context.DeadlineExceeded))
		defer cancel()
	}
	await := c.Wait
	if errors.Is(err, os.ErrClosed) {
		await = c.Bridge().Wait
	}
	exit, err := await(ctx)
	var status *proc.ExitError
	if err != nil && !errors.As(err, &status) {
		return nil, err
	}
	ended = &end{newExit(exit), err, m.Before}
	p.mu.Lock()
	p.ended = ended
	p.mu.Unlock()
	return ended.exit(p, check)
}

// An end is what wait has seen.
type end struct {
	x    *record
	err  error  // nil for the status 0
	last string // of the output
}

// exit is what wait returns.
func (e *end) exit(p *program, check bool) (starlark.Value, error) {
	if e.err != nil && check {
		return nil, &endError{name: p.name, err: e.err, last: e.last}
	}
	return e.x, nil
}

// newExit is what wait returns.
func newExit(e proc.Exit) *record {
	sig := starlark.Value(starlark.None)
	if e.Signal != 0 {
		sig = starlark.String(signalName(e.Signal))
	}
	return &record{kind: "exit", fields: starlark.StringDict{
		"status": starlark.MakeInt(e.Status()), "code": starlark.MakeInt(e.Code), "signal": sig,
	}}
}

// signalName is TERM for SIGTERM.
func signalName(s syscall.Signal) string {
	for _, name := range []string{"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
		"PIPE", "ALRM", "TERM", "XCPU", "XFSZ", "SYS"} {
		if n, err := proc.ParseSignal(name); err == nil && n == s {
			return name
		}
	}
	return fmt.Sprint(int(s))
}

func closeProgram(_ *task, p *program, _ *arguments) (starlark.Value, error) {
	return starlark.None, p.close()
}

// close ends the program with all that it started; one that was only connected to is left.
func (p *program) close() error {
	err := p.base.Close()
	p.logging.Wait()
	if errors.Is(err, net.ErrClosed) { // reader and writer were the same
		return nil
	}
	return err
}

func when(t *task, p *program, a *arguments) (starlark.Value, error) {
	opts := callOptions(a)
	if a.err == nil && len(a.rest) == 0 {
		a.err = errors.New("nothing to wait for")
	}
	return &arm{p, slices.Clone(a.rest), opts}, a.err
}

// words writes a command for people.
func words(args []string) string { return escape.Visible(strings.Join(args, " ")) }
