package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/nearest"
)

// ---- what is waited for

// A pattern is a case other than a text: re(…), EOF, TIMEOUT, WAITING, idle(…), screen(…). Patterns are
// compared with ==.
type pattern struct {
	shown string // as a script writes it
	p     expect.Pattern
	re    *regexpPattern // of re(…)
}

var (
	_ starlark.Comparable = pattern{}
	_ starlark.HasAttrs   = pattern{}
)

// timeout is TIMEOUT: for package expect a timeout is an error and no pattern.
var timeout = pattern{shown: "TIMEOUT"}

func (p pattern) String() string { return p.shown }
func (pattern) Type() string     { return "pattern" }
func (pattern) Freeze()          {}
func (pattern) Truth() starlark.Bool {
	return true
}
func (p pattern) Hash() (uint32, error) { return starlark.String(p.shown).Hash() }

func (p pattern) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	switch q := y.(pattern); op {
	case syntax.EQL:
		return p.shown == q.shown, nil
	case syntax.NEQ:
		return p.shown != q.shown, nil
	}
	return false, errors.New("patterns have no order")
}

// asCase reads one case of expect and its like.
func (t *task) asCase(v starlark.Value) (expect.Pattern, error) {
	switch v := v.(type) {
	case starlark.String:
		if v == "" {
			return nil, hinted{"an empty text matches at once", "write EOF to wait for the end, or WAITING for the moment when the program waits for input"}
		}
		return expect.Text(v), nil
	case pattern:
		return v.p, nil
	case rule:
		return t.asRule(v)
	case keyReply:
		if names := v.names(); len(names) == 1 {
			return expect.Key(names[0]), nil // of interact; expect itself says so elsewhere
		}
	case starlark.NoneType:
		return nil, hinted{"a case is None", "where it is a prompt: set it, spawn(…, prompt = …)"}
	case *starlark.List, starlark.Tuple:
		return nil, hinted{"a " + v.Type() + " is no case", "write the cases one after the other, or expect(*list)"}
	case starlark.Callable:
		return nil, hinted{v.Name() + " is a function and no case", "a function is an answer: on(case, " + v.Name() + ")"}
	case starlark.Bytes:
		return nil, hinted{"bytes are no case", "write a text, and view = \"raw\" to see every byte"}
	}
	return nil, hinted{shown(v) + " is no case", `a case is "text", re(…), EOF, TIMEOUT, WAITING, idle(…), screen(…) or on(case, reply)`}
}

// asCases reads the cases of a call. at is where TIMEOUT stands, or -1; for package expect the place of
// each is its own, in places.
func (t *task) asCases(list []starlark.Value) (cases []expect.Pattern, places []int, at int, err error) {
	at = -1
	for i, v := range list {
		if v == timeout {
			at = i
			continue
		}
		c, err := t.asCase(v)
		if err != nil {
			return nil, nil, 0, err
		}
		cases, places = append(cases, c), append(places, i)
	}
	return cases, places, at, nil
}

// ---- what is answered

// A rule is on(case, reply, max).
type rule struct {
	when, reply starlark.Value
	max         int
}

func (r rule) String() string             { return "on(" + r.when.String() + ", " + r.reply.String() + ")" }
func (rule) Type() string                 { return "rule" }
func (r rule) Freeze()                    { r.reply.Freeze() }
func (rule) Truth() starlark.Bool         { return true }
func (rule) Hash() (uint32, error)        { return 0, errors.New("a rule is no key") }
func (keyReply) Type() string             { return "key" }
func (keyReply) Freeze()                  {}
func (keyReply) Truth() starlark.Bool     { return true }
func (keyReply) Hash() (uint32, error)    { return 0, errors.New("a key is no key of a dict") }
func (secretReply) Type() string          { return "secret" }
func (secretReply) Freeze()               {}
func (secretReply) Truth() starlark.Bool  { return true }
func (secretReply) Hash() (uint32, error) { return 0, errors.New("a secret is no key of a dict") }

// A keyReply is key("down", "enter"): a reply, and one alone a case of interact.
type keyReply string // the names, with NUL between: values are compared

func newKeys(names []string) keyReply { return keyReply(strings.Join(names, "\x00")) }

func (k keyReply) names() []string { return strings.Split(string(k), "\x00") }

func (k keyReply) String() string { return `key("` + strings.Join(k.names(), `", "`) + `")` }

// A secretReply is secret("env:PW"): where it comes from, never what it is.
type secretReply struct {
	ref      string
	unproved bool
}

func (s secretReply) String() string { return `secret("` + s.ref + `")` }

// asRule makes the rule of package expect. An answer is given in the thread of whoever waits.
func (t *task) asRule(r rule) (expect.Pattern, error) {
	if r.when == timeout {
		return nil, hinted{"a timeout cannot be answered", "list TIMEOUT by itself and look at m.index"}
	}
	if _, ok := r.when.(rule); ok {
		return nil, hinted{"a rule in a rule", "write on(case, reply)"}
	}
	when, err := t.asCase(r.when)
	if err != nil {
		return nil, err
	}
	do, err := t.asAction(r.reply)
	return expect.Rule{When: when, Do: do, Max: r.max}, err
}

func (t *task) asAction(reply starlark.Value) (expect.Action, error) {
	switch reply := reply.(type) {
	case starlark.String:
		return expect.Line(string(reply)), nil
	case keyReply:
		return expect.Keys(reply.names()...), nil
	case secretReply:
		give := expect.Password(t.run.secret(reply.ref))
		if !reply.unproved {
			return give, nil
		}
		return func(ctx context.Context, c *expect.Console, m expect.Match) error {
			return give(ctx, c.With(expect.Options{UnprovedSecrets: true}), m)
		}, nil
	case pattern:
		if reply.p == expect.EOF {
			return func(_ context.Context, c *expect.Console, _ expect.Match) error { return c.SendEOF() }, nil
		}
	case starlark.Callable:
		return func(ctx context.Context, c *expect.Console, m expect.Match) error {
			return taskOf(ctx, t).answer(ctx, c, reply, m)
		}, nil
	}
	return nil, hinted{shown(reply) + " is no reply", `a reply is "a line", key(…), secret(…), EOF or a function of the match`}
}

// answer calls a function with the match. What it returns is done: True ends the wait, a reply is given,
// None and False go on.
func (t *task) answer(ctx context.Context, c *expect.Console, f starlark.Callable, m expect.Match) error {
	if ctx.Value(answering{}) == nil { // else this is an answer inside of an answer
		t.calls.Lock() // the conversations of a select answer side by side, and a thread does one thing at a time
		defer t.calls.Unlock()
	}
	outer, outerCtx := t.inside, t.ctx
	t.inside, t.ctx = append(slices.Clone(outer), c), context.WithValue(ctx, answering{}, true)
	defer func() { t.inside, t.ctx = outer, outerCtx }()
	v, err := starlark.Call(t.thread, f, starlark.Tuple{newMatch(m, m.Index, patternValue(m.Pattern))}, nil)
	switch {
	case err != nil:
		return err
	case v == starlark.True:
		return expect.Done
	case v == starlark.False || v == starlark.None:
		return nil
	}
	do, err := t.asAction(v)
	if _, again := v.(starlark.Callable); err != nil || again {
		return hinted{"the function " + f.Name() + " returned " + shown(v), "an answering function returns None to go on, True to end the wait, or a reply"}
	}
	return do(ctx, c, m)
}

// answering marks the context of waits inside of an answer.
type answering struct{}

// patternValue is a pattern of package expect as a script knows it.
func patternValue(p expect.Pattern) starlark.Value {
	switch p := p.(type) {
	case expect.Text:
		return starlark.String(p)
	case expect.Regexp:
		v, err := newRegexp(string(p))
		if err == nil {
			return v
		}
	case nil:
		return starlark.None
	}
	switch p {
	case expect.EOF:
		return pattern{shown: "EOF", p: p}
	case expect.Waiting:
		return pattern{shown: "WAITING", p: p}
	}
	return pattern{shown: p.String(), p: p}
}

func newIdle(d time.Duration) pattern {
	return pattern{shown: "idle(" + seconds(d).String() + ")", p: expect.Idle(d)}
}

// ---- what was found

// Values are compared with == of Go, so those that hold maps or slices are pointers.

// A match is what an expect found.
type match struct {
	record
	groups []string
	names  []string
}

var _ starlark.HasAttrs = (*match)(nil)

func newMatch(m expect.Match, index int, p starlark.Value) *match {
	v := &match{groups: m.Groups, record: record{kind: "match", fields: starlark.StringDict{
		"index": starlark.MakeInt(index), "pattern": p,
		"text": starlark.String(m.Text), "before": starlark.String(m.Before),
		"truncated": starlark.Bool(m.Truncated), "echo": starlark.Bool(m.Echo), "why": starlark.None,
	}}}
	if r, ok := p.(pattern); ok && r.re != nil {
		v.names = r.re.names
	}
	return v
}

func (m *match) String() string {
	return fmt.Sprintf("<match %v %v>", m.fields["pattern"], m.fields["text"])
}

func (m *match) AttrNames() []string { return append(m.record.AttrNames(), "group", "groups") }

func (m *match) Attr(name string) (starlark.Value, error) {
	switch name {
	case "group":
		return starlark.NewBuiltin("group", m.group), nil
	case "groups":
		return starlark.NewBuiltin("groups", m.all), nil
	}
	return m.record.Attr(name)
}

// group is m.group(1), m.group("name"), and m.group() for all of it.
func (m *match) group(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var which starlark.Value = starlark.MakeInt(0)
	if err := starlark.UnpackPositionalArgs("group", args, kwargs, 0, &which); err != nil {
		return nil, err
	}
	if m.groups == nil {
		if which == starlark.MakeInt(0) {
			return m.fields["text"], nil
		}
		return nil, hinted{fmt.Sprintf("group %v: what matched, %v, is no regular expression", which, m.fields["pattern"]), "write re(…) with brackets around the group"}
	}
	if name, ok := starlark.AsString(which); ok {
		i := slices.Index(m.names, name)
		if i <= 0 || i >= len(m.groups) {
			return nil, hinted{fmt.Sprintf("%v has no group %q", m.fields["pattern"], name), "write (?P<" + name + ">…) in it"}
		}
		return starlark.String(m.groups[i]), nil
	}
	i, err := starlark.AsInt32(which)
	if err != nil {
		return nil, fmt.Errorf("group: a number or a name is wanted, not %s", shown(which))
	}
	if i < 0 || i >= len(m.groups) {
		return nil, hinted{fmt.Sprintf("%v has no group %d", m.fields["pattern"], i), "groups count from 1, in the order of their brackets"}
	}
	return starlark.String(m.groups[i]), nil
}

// all is m.groups(): those of the brackets, as a tuple.
func (m *match) all(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackPositionalArgs("groups", args, kwargs, 0); err != nil {
		return nil, err
	}
	var list starlark.Tuple
	for _, g := range m.groups[min(1, len(m.groups)):] {
		list = append(list, starlark.String(g))
	}
	return list, nil
}

// ---- plain data

// A record is plain data with names: an exit, a result of parallel.
type record struct {
	kind   string
	fields starlark.StringDict
}

var _ starlark.HasAttrs = (*record)(nil)

func (r *record) String() string {
	var b strings.Builder
	for i, name := range r.fields.Keys() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s = %v", name, r.fields[name])
	}
	return r.kind + "(" + b.String() + ")"
}
func (r *record) Type() string          { return r.kind }
func (r *record) Freeze()               { r.fields.Freeze() }
func (*record) Truth() starlark.Bool    { return true }
func (r *record) Hash() (uint32, error) { return 0, fmt.Errorf("a %s is no key of a dict", r.kind) }
func (r *record) AttrNames() []string   { return r.fields.Keys() }

func (r *record) Attr(name string) (starlark.Value, error) {
	if v := r.fields[name]; v != nil {
		return v, nil
	}
	return nil, noAttribute(r.kind, name, r.AttrNames())
}

// An arm is p.when(…): one conversation of a select.
type arm struct {
	p     *program
	cases []starlark.Value
	opts  expect.Options
}

func (a *arm) String() string      { return "when(" + a.p.String() + ")" }
func (*arm) Type() string          { return "arm" }
func (*arm) Freeze()               {}
func (*arm) Truth() starlark.Bool  { return true }
func (*arm) Hash() (uint32, error) { return 0, errors.New("an arm is no key of a dict") }

// noAttribute is the error for x.name where x is a kind.
func noAttribute(kind, name string, names []string) error {
	what := fmt.Sprintf("a %s has no .%s", kind, name)
	if h := foreignAttributes()[name]; h != "" && (kind == "program" || kind == "match") {
		return hinted{what, h}
	}
	if near := nearest.Word(name, names); near != "" {
		return hinted{what, "did you mean ." + near + "?"}
	}
	return hinted{what, "it has ." + strings.Join(names, " .")}
}

// shown is a value in a message: what it is, and short.
func shown(v starlark.Value) string {
	s := v.String()
	const most = 60
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	switch v.(type) {
	case starlark.NoneType, starlark.Bool:
		return s
	}
	return v.Type() + " " + s
}
