package script

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/nearest"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A builtin is a function, or a method of a program, with its parameters as a Python programmer would
// write them down: "line, timeout=, *cases". A name alone must be given, one with = may, * takes all that
// come without a name; those behind it must be given by name.
type builtin struct {
	params string
	do     func(t *task, p *program, a *arguments) (starlark.Value, error) // p is nil for a function
}

// A parameter is one of a builtin's.
type parameter struct {
	name           string
	optional, rest bool
	byName         bool // it stands behind the *
}

func (b builtin) parameters() (list []parameter) {
	behind := false
	for word := range strings.FieldsSeq(strings.ReplaceAll(b.params, ",", " ")) {
		rest := strings.HasPrefix(word, "*")
		list = append(list, parameter{
			name: strings.Trim(word, "*="), optional: strings.HasSuffix(word, "="), rest: rest, byName: behind,
		})
		behind = behind || rest
	}
	return list
}

// bind sorts what a call gives into parameters. The error of a wrong name says what was meant.
func (b builtin) bind(name string, args starlark.Tuple, kwargs []starlark.Tuple) (*arguments, error) {
	a := &arguments{values: map[string]starlark.Value{}}
	list := b.parameters()
	for _, p := range list {
		switch {
		case p.rest:
			a.rest, args = args, nil
		case len(args) > 0 && !p.byName:
			a.values[p.name], args = args[0], args[1:]
		}
	}
	if len(args) > 0 {
		return nil, hinted{fmt.Sprintf("%d arguments too many", len(args)), "write " + name + "(" + b.params + ")"}
	}
	for _, kv := range kwargs {
		key := string(kv[0].(starlark.String))
		if err := b.accepts(name, key); err != nil {
			return nil, err
		}
		if _, ok := a.values[key]; ok {
			return nil, fmt.Errorf("%s= is given twice", key)
		}
		a.values[key] = kv[1]
	}
	for _, p := range list {
		if _, ok := a.values[p.name]; !ok && !p.optional && !p.rest {
			return nil, hinted{p.name + " is missing", "write " + name + "(" + b.params + ")"}
		}
	}
	return a, nil
}

// accepts says what is wrong with an argument called key.
func (b builtin) accepts(name, key string) error {
	var names []string
	for _, p := range b.parameters() {
		if p.name == key && !p.rest {
			return nil
		}
		if !p.rest {
			names = append(names, p.name)
		}
	}
	hint := "write " + name + "(" + b.params + ")"
	if near := nearest.Word(key, names); near != "" {
		hint = "did you mean " + near + "=?"
	}
	if h := foreignArguments()[key]; h != "" {
		hint = h
	}
	return hinted{"there is no argument " + key + "=", hint}
}

// arguments are those of one call. The first that is not what it should be is err.
type arguments struct {
	values map[string]starlark.Value
	rest   starlark.Tuple
	err    error
}

func (a *arguments) bad(name, want string, v starlark.Value) {
	if a.err == nil {
		a.err = fmt.Errorf("%s: %s is wanted, not %s", name, want, shown(v))
	}
}

// get returns an argument; nil when it was not given or is None.
func (a *arguments) get(name string) starlark.Value {
	if v := a.values[name]; v != starlark.None {
		return v
	}
	return nil
}

// given reports whether an argument was given at all, None too.
func (a *arguments) given(name string) bool { return a.values[name] != nil }

func (a *arguments) text(name string) string {
	v := a.get(name)
	if v == nil {
		if a.given(name) {
			a.bad(name, "a text", starlark.None)
		}
		return ""
	}
	s, ok := starlark.AsString(v)
	if !ok {
		a.bad(name, "a text", v)
	}
	return s
}

func (a *arguments) texts() (list []string) {
	for _, v := range a.rest {
		s, ok := starlark.AsString(v)
		if !ok {
			a.bad("argument", "a text", v)
		}
		list = append(list, s)
	}
	return list
}

func (a *arguments) flag(name string, def bool) bool {
	v := a.get(name)
	if v == nil {
		return def
	}
	b, ok := v.(starlark.Bool)
	if !ok {
		a.bad(name, "True or False", v)
	}
	return bool(b)
}

func (a *arguments) number(name string, def int) int {
	v := a.get(name)
	if v == nil {
		return def
	}
	n, err := starlark.AsInt32(v)
	if err != nil {
		a.bad(name, "a whole number", v)
	}
	return n
}

// duration is an argument that is a time; none says what None stands for.
func (a *arguments) duration(name string, def, none time.Duration) time.Duration {
	v, ok := a.values[name]
	if !ok {
		return def
	}
	if v == starlark.None {
		return none
	}
	d, err := asDuration(v)
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("%s: %w", name, err)
	}
	return d
}

// soon is the time that stands for 0: what is there already is looked at, and hardly more.
const soon = 10 * time.Millisecond

// asDuration reads a number of seconds, or a text such as "1m30s".
func asDuration(v starlark.Value) (time.Duration, error) {
	if s, ok := starlark.AsString(v); ok {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, hinted{fmt.Sprintf("%q is no duration", s), `write a number of seconds, or "1m30s"`}
		}
		return max(d, soon), nil
	}
	f, ok := starlark.AsFloat(v)
	if _, isBool := v.(starlark.Bool); !ok || isBool {
		return 0, fmt.Errorf("a number of seconds is wanted, not %s", shown(v))
	}
	if !(f >= 0 && f < 1e9) {
		hint := "write None for no timeout"
		return 0, hinted{fmt.Sprintf("%v seconds are no duration", f), hint}
	}
	return max(time.Duration(f*float64(time.Second)), soon), nil
}

// seconds is a duration as scripts see it.
func seconds(d time.Duration) starlark.Value {
	switch {
	case d <= 0:
		return starlark.None
	case d%time.Second == 0:
		return starlark.MakeInt64(int64(d / time.Second))
	}
	return starlark.Float(d.Seconds())
}

func (a *arguments) size(name string) (size proc.Size) {
	v := a.get(name)
	if v == nil {
		return size
	}
	size, err := asSize(v)
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("%s: %w", name, err)
	}
	return size
}

func asSize(v starlark.Value) (proc.Size, error) {
	if s, ok := starlark.AsString(v); ok {
		return ptyio.ParseSize(s)
	}
	seq, ok := v.(starlark.Indexable)
	if ok && seq.Len() == 2 {
		rows, err1 := starlark.AsInt32(seq.Index(0))
		cols, err2 := starlark.AsInt32(seq.Index(1))
		if err1 == nil && err2 == nil {
			return ptyio.ParseSize(fmt.Sprintf("%dx%d", rows, cols))
		}
	}
	return proc.Size{}, fmt.Errorf("(rows, columns) is wanted, not %s", shown(v))
}

func views() map[string]expect.View {
	return map[string]expect.View{"plain": expect.Plain, "raw": expect.Raw}
}

func (a *arguments) view(name string) expect.View {
	v := a.get(name)
	if v == nil {
		return 0
	}
	s, _ := starlark.AsString(v)
	if views()[s] == 0 {
		a.bad(name, `"plain" or "raw"`, v)
	}
	return views()[s]
}

var kinds = []string{"pty", "pipes", "pty-stderr", "pty-stdout"}

func (a *arguments) stdio(name string) proc.Stdio {
	v := a.get(name)
	if v == nil {
		return proc.PTY
	}
	s, _ := starlark.AsString(v)
	k, err := ptyio.ParseKind(s)
	if err != nil {
		a.bad(name, `"`+strings.Join(kinds, `", "`)+`"`, v)
	}
	return k
}

// Words are the calls that a script can make, as they would be written down: "spawn(cmd, stdio=, …)" and,
// for a program, "p.expect(*cases, …)"; and the names that are no calls. They are sorted.
func Words() (list []string) {
	for name, b := range functions() {
		list = append(list, name+"("+b.params+")")
	}
	for name, b := range methods() {
		list = append(list, "p."+name+"("+b.params+")")
	}
	for name := range constants() {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
