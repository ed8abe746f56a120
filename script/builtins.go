package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// functions are those that a script may call; methods (program.go) those of a program.
func functions() map[string]builtin {
	theFunctions.once.Do(func() {
		theFunctions.all = map[string]builtin{
			"spawn":      {"cmd, stdio=, size=, dir=, env=, timeout=, idle=, prompt=, log=", spawn},
			"connect":    {"addr, timeout=, idle=, prompt=, log=, enter=", connect},
			"re":         {"pattern", re},
			"idle":       {"duration", idle},
			"screen":     {"case", screenCase},
			"on":         {"case, reply, max=", on},
			"key":        {"*names", key},
			"secret":     {"ref, unproved=", newSecret},
			"print":      {"*values, sep=, end=", printValues},
			"log":        {"*values", logValues},
			"exit":       {"status=", exit},
			"fail":       {"message", fail},
			"ask":        {"prompt", ask},
			"read_file":  {"path", readFile},
			"write_file": {"path, text, append=", writeFile},
			"sleep":      {"duration", sleep},
			"select":     {"*arms", selectArms},
			"parallel":   {"f, items, jobs=", parallel},
		}
	})
	return theFunctions.all
}

var theFunctions table

// A table is filled when it is first used: all that is made at the start of spawnx, all its verbs wait for.
type table struct {
	once sync.Once
	all  map[string]builtin
}

// constants are the other names; args and env differ from run to run.
func constants() starlark.StringDict {
	return starlark.StringDict{
		"EOF":     pattern{shown: "EOF", p: expect.EOF},
		"TIMEOUT": timeout,
		"WAITING": pattern{shown: "WAITING", p: expect.Waiting},
		"args":    starlark.None,
		"env":     starlark.None,
	}
}

func isPredeclared(name string) bool { return functions()[name].do != nil || constants()[name] != nil }

// names are all that a script finds defined, Starlark's own included.
func names() []string {
	return slices.Concat(slices.Collect(maps.Keys(functions())), slices.Collect(maps.Keys(constants())), starlark.Universe.Keys())
}

// globals are the names with their values in this run.
func (r *run) globals() starlark.StringDict {
	all := constants()
	for name, b := range functions() {
		all[name] = starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return b.call(taskOfThread(thread), nil, name, args, kwargs)
		})
	}
	var args []starlark.Value
	for _, a := range r.opts.Args {
		args = append(args, starlark.String(a))
	}
	all["args"] = starlark.NewList(args)
	r.freezing = append(r.freezing, all["args"])
	env := starlark.NewDict(len(r.opts.Env))
	for _, kv := range r.opts.Env {
		if name, value, ok := strings.Cut(kv, "="); ok {
			_ = env.SetKey(starlark.String(name), starlark.String(value)) // fails for frozen dicts only
		}
	}
	env.Freeze() // changing it would change nothing
	all["env"] = env
	return all
}

// call runs a builtin. What it says of itself begins with its name, as the errors of package expect do.
func (b builtin) call(t *task, p *program, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	a, err := b.bind(name, args, kwargs)
	if err == nil {
		if err = context.Cause(t.ctx); err == nil {
			var v starlark.Value
			if v, err = b.do(t, p, a); err == nil {
				return v, nil
			}
		}
	}
	return nil, named(name, err)
}

// ---- programs

func spawn(t *task, _ *program, a *arguments) (starlark.Value, error) {
	spec, err := asCommand(a.values["cmd"])
	if err != nil {
		return nil, err
	}
	spec.Stdio, spec.Size = a.stdio("stdio"), a.size("size")
	if a.get("dir") != nil {
		spec.Dir = a.text("dir")
	}
	p, log, err := t.newProgram(a)
	if err != nil {
		return nil, err
	}
	if spec.Stdio == proc.Pipes && spec.Size != (proc.Size{}) {
		return nil, hinted{"size: there is no terminal", `leave out stdio = "pipes"`}
	}
	if spec.Env, err = t.run.environment(a.get("env")); err != nil {
		return nil, err
	}
	p.name = words(spec.Args)
	// The program outlives ctx until the script is at its end: Run stops it.
	p.base, err = expect.Spawn(context.WithoutCancel(t.ctx), spec)
	if err != nil {
		return nil, err
	}
	return p, t.begin(p, log)
}

// newProgram reads what spawn and connect have in common.
func (t *task) newProgram(a *arguments) (p *program, log string, err error) {
	o := t.run.opts
	p = &program{prompt: starlark.None, opts: expect.Options{
		Timeout: a.duration("timeout", o.Timeout, -1), IdleTimeout: a.duration("idle", o.IdleTimeout, -1),
	}}
	if p.opts.Timeout == 0 {
		p.opts.Timeout = defaultTimeout
	}
	if v := a.get("prompt"); v != nil {
		p.prompt = v
		if p.opts.Prompt, err = asPrompt(v); err != nil {
			return nil, "", err
		}
	}
	if a.get("log") != nil {
		log = a.text("log")
	}
	return p, log, a.err
}

const defaultTimeout = 30 * time.Second

// begin enters a program that has begun, and copies what it writes to where it shall go.
func (t *task) begin(p *program, log string) error {
	r := t.run
	r.mu.Lock()
	r.programs = append(r.programs, p)
	r.mu.Unlock()
	t.programs = append(t.programs, p)
	p.console(t, expect.Options{}) // its screen, where there is one, sees all
	b := p.base.Bridge()
	if log != "" {
		w, end, err := r.openLog(log)
		if err != nil {
			_ = p.close() // the error says it
			return err
		}
		p.copyTo(r, b.Output(), w, end)
	}
	if errs := b.Stderr(); errs != nil { // as any command's
		p.copyTo(r, errs, printer{r, r.opts.Stderr}, func() {})
	}
	return nil
}

// asCommand reads cmd: a list is taken as it is, a text is split.
func asCommand(v starlark.Value) (proc.Spec, error) {
	switch v := v.(type) {
	case starlark.String:
		return proc.ParseCommand(string(v))
	case *starlark.List, starlark.Tuple:
		var args []string
		for w := range starlark.Elements(v.(starlark.Iterable)) {
			s, ok := starlark.AsString(w)
			if !ok {
				return proc.Spec{}, hinted{"cmd: texts are wanted, not " + shown(w), "write str(…) around it"}
			}
			args = append(args, s)
		}
		if len(args) == 0 {
			return proc.Spec{}, errors.New("cmd: no program is named")
		}
		return proc.Spec{Args: args}, nil
	}
	return proc.Spec{}, fmt.Errorf("cmd: a list or a text is wanted, not %s", shown(v))
}

// environment is ours with what env adds; None takes a variable away.
func (r *run) environment(v starlark.Value) ([]string, error) {
	if v == nil {
		return r.opts.Env, nil
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		return nil, fmt.Errorf("env: a dict is wanted, not %s", shown(v))
	}
	ours := r.opts.Env
	if ours == nil {
		ours = os.Environ()
	}
	all := slices.Clone(ours)
	for _, kv := range d.Items() {
		name, ok := starlark.AsString(kv[0])
		if !ok || name == "" || strings.Contains(name, "=") {
			return nil, fmt.Errorf("env: a name is wanted, not %s", shown(kv[0]))
		}
		all = slices.DeleteFunc(all, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		if kv[1] == starlark.None {
			continue
		}
		value, ok := starlark.AsString(kv[1])
		if !ok {
			return nil, hinted{"env: the value of " + name + " is no text but " + shown(kv[1]), "write str(…) around it"}
		}
		all = append(all, name+"="+value)
	}
	return all, nil
}

func connect(t *task, _ *program, a *arguments) (starlark.Value, error) {
	addr := a.text("addr")
	enter := ""
	if a.get("enter") != nil {
		enter = a.text("enter")
	}
	p, log, err := t.newProgram(a)
	if err != nil {
		return nil, err
	}
	p.name, p.opts.Enter = escape.Visible(addr), enter
	base, prompt, err := t.run.open(t.ctx, addr, p.opts.Timeout)
	if err != nil {
		return nil, err
	}
	p.base = base
	if prompt != nil && !a.given("prompt") {
		p.prompt, p.opts.Prompt = patternValue(prompt), prompt
	}
	return p, t.begin(p, log)
}

// open opens an address: bare bytes of a socket here, all else by whoever knows it, and the prompt.
func (r *run) open(ctx context.Context, addr string, limit time.Duration) (c *expect.Console, prompt expect.Pattern, err error) {
	for _, network := range []string{"unix", "tcp"} {
		where, ok := strings.CutPrefix(addr, network+":")
		if !ok {
			continue
		}
		if limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, scale.Duration(limit))
			defer cancel()
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, where)
		if err != nil {
			return nil, nil, dialError(addr, err)
		}
		return expect.New(conn, conn), nil, nil
	}
	if line, ok := strings.CutPrefix(addr, "tty:"); ok {
		c, err := openLine(line)
		return c, nil, err
	}
	if r.opts.Connect == nil {
		return nil, nil, hinted{fmt.Sprintf("%q cannot be connected to from here", addr), "write unix:PATH, tcp:HOST:PORT or tty:DEVICE,SPEED"}
	}
	return r.opts.Connect(ctx, addr)
}

// dialError says why an address cannot be connected to, without the names of the calls that tried.
func dialError(addr string, err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) {
		err = dial.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return fmt.Errorf("%s: %w", escape.Visible(addr), err)
}

// openLine opens a serial line, DEVICE,SPEED. Its Enter is that of a terminal.
func openLine(s string) (*expect.Console, error) {
	device, baud, _ := strings.Cut(s, ",")
	speed, err := strconv.Atoi(baud)
	if err != nil || device == "" || speed <= 0 {
		return nil, hinted{fmt.Sprintf("%q is no serial line", "tty:"+s), "write tty:DEVICE,115200"}
	}
	line, err := ptyio.OpenLine(device, speed)
	if err != nil {
		return nil, err
	}
	return expect.New(line, line).With(expect.Options{Enter: "\r"}), nil
}

// ---- cases and replies

func re(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	text := a.text("pattern")
	if a.err != nil {
		return nil, a.err
	}
	return newRegexp(text)
}

func idle(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	d := a.duration("duration", 0, 0)
	if a.err == nil && d == 0 {
		a.err = errors.New("a number of seconds is wanted, not None")
	}
	return newIdle(d), a.err
}

func screenCase(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	v := a.values["case"]
	if text, ok := v.(starlark.String); ok && text != "" {
		return pattern{shown: "screen(" + v.String() + ")", p: expect.OnScreen(expect.Text(text))}, nil
	}
	if p, ok := v.(pattern); ok && p.re != nil {
		return pattern{shown: "screen(" + p.shown + ")", p: expect.OnScreen(p.p), re: p.re}, nil
	}
	return nil, hinted{shown(v) + " cannot stand on a screen", `write screen("text") or screen(re(…))`}
}

func on(t *task, _ *program, a *arguments) (starlark.Value, error) {
	r := rule{when: a.values["case"], reply: a.values["reply"], max: a.number("max", 0)}
	if a.err == nil && a.get("max") != nil && r.max < 1 {
		a.err = hinted{fmt.Sprintf("max: %d times", r.max), "leave it out for no limit"}
	}
	if a.err != nil {
		return nil, a.err
	}
	_, err := t.asRule(r) // what is wrong with it is said where it stands
	return r, err
}

func key(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	names := a.texts()
	if a.err == nil && len(names) == 0 {
		a.err = hinted{"no key", `write key("enter")`}
	}
	for _, name := range names {
		if err := checkKey(name); a.err == nil {
			a.err = err
		}
	}
	return newKeys(names), a.err
}

func newSecret(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	s := secretReply{ref: a.text("ref"), unproved: a.flag("unproved", false)}
	if a.err == nil {
		a.err = checkSecretRef(s.ref)
	}
	return s, a.err
}

// ---- what is said to people

// joined writes values as print does.
func joined(values starlark.Tuple, sep string) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(sep)
		}
		if s, ok := starlark.AsString(v); ok {
			b.WriteString(s)
		} else if raw, ok := v.(starlark.Bytes); ok {
			b.WriteString(string(raw))
		} else {
			b.WriteString(v.String())
		}
	}
	return b.String()
}

func printValues(t *task, _ *program, a *arguments) (starlark.Value, error) {
	sep, end := " ", "\n"
	if a.get("sep") != nil {
		sep = a.text("sep")
	}
	if a.get("end") != nil {
		end = a.text("end")
	}
	if a.err != nil {
		return nil, a.err
	}
	return starlark.None, t.run.print(t.run.opts.Stdout, joined(a.rest, sep)+end)
}

func logValues(t *task, _ *program, a *arguments) (starlark.Value, error) {
	return starlark.None, t.run.print(t.run.opts.Stderr, escape.Visible(joined(a.rest, " "))+"\n")
}

func exit(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	status := a.number("status", 0)
	if a.err == nil && (status < 0 || status > 255) {
		a.err = fmt.Errorf("a status from 0 to 255 is wanted, not %d", status)
	}
	if a.err != nil {
		return nil, a.err
	}
	return nil, exitError(status)
}

func fail(t *task, _ *program, a *arguments) (starlark.Value, error) {
	return nil, failError(joined(starlark.Tuple{a.values["message"]}, ""))
}

// ErrNobody: a script asks, and there is no terminal to ask at.
var errNobody = errors.New("no terminal to ask at")

func ask(t *task, _ *program, a *arguments) (starlark.Value, error) {
	prompt := a.text("prompt")
	if a.err != nil {
		return nil, a.err
	}
	if t.run.opts.Ask == nil {
		return nil, errNobody
	}
	answer, err := t.run.opts.Ask(t.ctx, prompt)
	return starlark.String(answer), err
}

// ---- files and time

func readFile(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	path := a.text("path")
	if a.err != nil {
		return nil, a.err
	}
	text, err := os.ReadFile(path)
	return starlark.String(text), err
}

func writeFile(_ *task, _ *program, a *arguments) (starlark.Value, error) {
	path, text, more := a.text("path"), a.text("text"), a.flag("append", false)
	if a.err != nil {
		return nil, a.err
	}
	how := os.O_TRUNC
	if more {
		how = os.O_APPEND
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, 0o666)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(f, text)
	return starlark.None, errors.Join(err, f.Close())
}

func sleep(t *task, _ *program, a *arguments) (starlark.Value, error) {
	d := a.duration("duration", 0, 0)
	if a.err != nil {
		return nil, a.err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return starlark.None, nil
	case <-t.ctx.Done():
		return nil, context.Cause(t.ctx)
	}
}

// ---- several programs

// selectArms waits for the first match of several programs, and returns which arm it was, and the match.
func selectArms(t *task, _ *program, a *arguments) (starlark.Value, error) {
	var (
		arms   []expect.Arm
		given  []*arm
		places [][]int
		late   = -1 // the arm that lists TIMEOUT
		at     int
	)
	for i, v := range a.rest {
		w, ok := v.(*arm)
		if !ok {
			return nil, hinted{shown(v) + " is no arm", "write select(p.when(…), q.when(…))"}
		}
		cases, place, timeoutAt, err := t.asCases(w.cases)
		if err != nil {
			return nil, err
		}
		if timeoutAt >= 0 && late < 0 {
			late, at = i, timeoutAt
		}
		arms, given, places = append(arms, w.p.console(t, w.opts).When(cases...)), append(given, w), append(places, place)
	}
	if len(arms) == 0 {
		return nil, hinted{"nothing to wait for", "write select(p.when(…), q.when(…))"}
	}
	i, m, err := expect.Select(t.ctx, arms...)
	if late >= 0 {
		if v := timedOut(err, at); v != nil {
			return starlark.Tuple{starlark.MakeInt(late), v}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return starlark.Tuple{starlark.MakeInt(i), found(m, places[i], given[i].cases)}, nil
}

// parallel calls f with every item, some at the same time, and returns what became of each, in order.
// What f can reach is frozen before: several threads read it. The programs that an item began end with
// it, unless it returned them.
func parallel(t *task, _ *program, a *arguments) (starlark.Value, error) {
	f, ok := a.values["f"].(starlark.Callable)
	if !ok {
		a.bad("f", "a function", a.values["f"])
	}
	items, ok := a.values["items"].(starlark.Iterable)
	if !ok {
		a.bad("items", "a list", a.values["items"])
	}
	jobs := a.number("jobs", 5)
	if jobs < 1 {
		a.bad("jobs", "a number above 0", a.get("jobs"))
	}
	if a.err != nil {
		return nil, a.err
	}
	t.run.freeze(f)
	items.Freeze()
	ctx, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)
	var (
		work    sync.WaitGroup
		slots   = make(chan struct{}, jobs)
		results []starlark.Value
	)
	for item := range starlark.Elements(items) {
		results = append(results, nil)
		_ = item
	}
	i := 0
	for item := range starlark.Elements(items) {
		place := &results[i]
		i++
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			v, err := t.one(ctx, f, item)
			var end exitError
			if errors.As(err, &end) {
				cancel(end) // the whole script's
			}
			*place = t.run.result(item, v, err)
		})
	}
	work.Wait()
	return starlark.NewList(results), context.Cause(ctx)
}

// freeze makes what a function can reach unchangeable: the script's global values, its own, its defaults.
// What was loaded is so already.
func (r *run) freeze(f starlark.Callable) {
	f.Freeze()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.freezing {
		v.Freeze()
	}
	if f, ok := f.(*starlark.Function); ok {
		f.Globals().Freeze()
	}
}

// one calls f with one item in a thread of its own.
func (t *task) one(ctx context.Context, f starlark.Callable, item starlark.Value) (v starlark.Value, err error) {
	own := t.run.newTask(ctx)
	v, err = starlark.Call(own.thread, f, starlark.Tuple{item}, nil)
	keep := map[*program]bool{}
	if err == nil {
		programsIn(v, keep, 0)
	}
	own.programs = slices.DeleteFunc(own.programs, func(p *program) bool { return keep[p] })
	closeAll(own.programs)
	t.run.forget(own.programs)
	return v, err
}

// programsIn finds the programs in a value.
func programsIn(v starlark.Value, found map[*program]bool, depth int) {
	switch v := v.(type) {
	case *program:
		found[v] = true
	case *starlark.Dict:
		for _, kv := range v.Items() {
			programsIn(kv[1], found, depth)
		}
	case starlark.Iterable:
		if depth > 3 { // deeper nobody hides one
			return
		}
		for e := range starlark.Elements(v) {
			programsIn(e, found, depth+1)
		}
	}
}

// result is what became of one item.
func (r *run) result(item, v starlark.Value, err error) *record {
	res := &record{kind: "result", fields: starlark.StringDict{"item": item, "value": starlark.None, "error": starlark.None}}
	if err != nil {
		res.fields["error"] = starlark.String(r.explain(err).Error())
	} else {
		res.fields["value"] = v
	}
	return res
}

// ---- load

// load reads another file of functions: load("lib.star", "login"). Paths count from the folder of the
// file that says so. A file is read once.
func (r *run) load(thread *starlark.Thread, name string) (starlark.StringDict, error) {
	from := thread.CallFrame(0).Pos.Filename()
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(from), name)
	}
	m := r.modules[name] // load is a statement of the main thread only
	if m == nil {
		m = &module{err: fmt.Errorf("%s loads itself", name)}
		r.modules[name] = m
		m.globals, m.err = r.read(thread, name)
	}
	return m.globals, m.err
}

func (r *run) read(thread *starlark.Thread, name string) (starlark.StringDict, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p, err := Load(name, src)
	if err != nil {
		return nil, err
	}
	if p.screens {
		r.screens.Store(true)
	}
	globals, err := p.code.Init(thread, r.globals())
	globals.Freeze() // several threads may use it
	return globals, err
}
