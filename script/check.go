package script

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// Check finds mistakes that Load lets pass, without running anything: wrong arguments, patterns that can
// never match, groups that no pattern has, keys, expressions and references that are none. What is only
// doubtful has Warning set: texts that look like regular expressions, secrets in plain sight, answers that
// nobody looks at. They come in the order of the lines. What load names is checked, too.
func (p *Program) Check() []*Error { return p.check(map[string]bool{p.name: true}) }

func (p *Program) check(seen map[string]bool) []*Error {
	c := &checker{name: p.name, values: map[*syntax.Ident][]syntax.Expr{}, seen: seen}
	syntax.Walk(p.file, func(n syntax.Node) bool { c.learn(n); return true })
	syntax.Walk(p.file, func(n syntax.Node) bool { c.look(n); return true })
	slices.SortStableFunc(c.found, func(a, b *Error) int {
		if a.File != b.File {
			return 0
		}
		return a.Line - b.Line
	})
	return c.found
}

// A checker looks at one file. It knows no more of a variable than what is assigned to it everywhere in
// the file: where one of the values is not plain to see, it says nothing.
type checker struct {
	name   string
	values map[*syntax.Ident][]syntax.Expr // by the first place of a variable; nil among them: not known
	seen   map[string]bool                 // files
	found  []*Error
}

func (c *checker) mistake(at syntax.Node, err error) {
	start, _ := at.Span()
	c.found = append(c.found, &Error{File: c.name, Line: int(start.Line), Col: int(start.Col), Err: err, static: true})
}

func (c *checker) warn(at syntax.Node, what, hint string) {
	c.mistake(at, hinted{what, hint})
	c.found[len(c.found)-1].Warning = true
}

// ---- what variables hold

func (c *checker) learn(n syntax.Node) {
	switch n := n.(type) {
	case *syntax.AssignStmt:
		if n.Op != syntax.EQ {
			c.unknown(n.LHS)
			break
		}
		if id, ok := n.LHS.(*syntax.Ident); ok {
			c.assign(id, n.RHS)
		} else {
			c.unknown(n.LHS)
		}
	case *syntax.ForStmt:
		c.unknown(n.Vars)
	case *syntax.ForClause:
		c.unknown(n.Vars)
	case *syntax.DefStmt:
		c.assign(n.Name, nil)
		c.unknown(n.Params...)
	case *syntax.LambdaExpr:
		c.unknown(n.Params...)
	case *syntax.LoadStmt:
		for _, id := range n.To {
			c.assign(id, nil)
		}
		for _, id := range n.From {
			c.assign(id, nil)
		}
	}
}

func (c *checker) unknown(list ...syntax.Expr) {
	for _, e := range list {
		syntax.Walk(e, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Ident:
				c.assign(n, nil)
			case *syntax.DotExpr, *syntax.IndexExpr: // that changes a part of what the variable holds
				return false
			}
			return true
		})
	}
}

func (c *checker) assign(id *syntax.Ident, v syntax.Expr) {
	if b, ok := id.Binding.(*resolve.Binding); ok && b.First != nil {
		c.values[b.First] = append(c.values[b.First], v)
	}
}

// calls are the calls that give a variable its values; nil where one is something else.
func (c *checker) calls(e syntax.Expr) (list []*syntax.CallExpr) {
	id, ok := e.(*syntax.Ident)
	if !ok {
		return nil
	}
	b, ok := id.Binding.(*resolve.Binding)
	if !ok || b.First == nil {
		return nil
	}
	for _, v := range c.values[b.First] {
		call, ok := v.(*syntax.CallExpr)
		if !ok {
			return nil
		}
		list = append(list, call)
	}
	return list
}

// function is the name of the builtin that a call calls, or "".
func function(e syntax.Expr) string {
	call, ok := e.(*syntax.CallExpr)
	if !ok {
		return ""
	}
	return predeclared(call.Fn)
}

func predeclared(e syntax.Expr) string {
	id, ok := e.(*syntax.Ident)
	if !ok {
		return ""
	}
	if b, ok := id.Binding.(*resolve.Binding); ok && b.Scope == resolve.Predeclared {
		return id.Name
	}
	return ""
}

// method is the name of the program's method that a call calls, or "". No type of Starlark's has one of
// these names.
func method(call *syntax.CallExpr) string {
	if dot, ok := call.Fn.(*syntax.DotExpr); ok && methods()[dot.Name.Name].do != nil {
		return dot.Name.Name
	}
	return ""
}

// isProgram reports whether an expression is a variable that holds programs only.
func (c *checker) isProgram(e syntax.Expr) bool {
	calls := c.calls(e)
	return calls != nil && !slices.ContainsFunc(calls, func(call *syntax.CallExpr) bool {
		name := function(call)
		return name != "spawn" && name != "connect"
	})
}

// waits are the calls of expect that a variable is the match of; nil where one is not plain to see.
func (c *checker) waits(e syntax.Expr) []*syntax.CallExpr {
	calls := c.calls(e)
	for _, call := range calls {
		if method(call) != "expect" || !plain(call) {
			return nil
		}
	}
	return calls
}

// plain reports whether all arguments stand in the call itself.
func plain(call *syntax.CallExpr) bool {
	return !slices.ContainsFunc(call.Args, func(e syntax.Expr) bool {
		u, ok := e.(*syntax.UnaryExpr)
		return ok && (u.Op == syntax.STAR || u.Op == syntax.STARSTAR)
	})
}

// positional are the arguments without a name.
func positional(call *syntax.CallExpr) (list []syntax.Expr) {
	for _, e := range call.Args {
		if _, _, ok := keyword(e); !ok {
			list = append(list, e)
		}
	}
	return list
}

func keyword(e syntax.Expr) (name string, value syntax.Expr, ok bool) {
	b, ok := e.(*syntax.BinaryExpr)
	if !ok || b.Op != syntax.EQ {
		return "", nil, false
	}
	id, ok := b.X.(*syntax.Ident)
	if !ok {
		return "", nil, false
	}
	return id.Name, b.Y, true
}

// argument is the value of a parameter in a call; nil where it is not given.
func (b builtin) argument(call *syntax.CallExpr, name string) syntax.Expr {
	list := positional(call)
	for i, p := range b.parameters() {
		if p.rest {
			break
		}
		if p.name == name && i < len(list) {
			return list[i]
		}
	}
	for _, e := range call.Args {
		if key, v, ok := keyword(e); ok && key == name {
			return v
		}
	}
	return nil
}

// text is the value of a text that is written out.
func text(e syntax.Expr) (string, bool) {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return text(e.X)
	case *syntax.Literal:
		s, ok := e.Value.(string)
		return s, ok && e.Token == syntax.STRING
	}
	return "", false
}

// ---- what is looked at

func (c *checker) look(n syntax.Node) {
	switch n := n.(type) {
	case *syntax.CallExpr:
		c.call(n)
	case *syntax.DotExpr:
		c.attribute(n)
	case *syntax.ExprStmt:
		c.statement(n)
	case *syntax.AssignStmt:
		c.assignment(n)
	case *syntax.BinaryExpr:
		c.comparison(n)
	case *syntax.LoadStmt:
		c.load(n)
	case *syntax.File:
		c.block(n.Stmts)
	case *syntax.DefStmt:
		c.block(n.Body)
	case *syntax.IfStmt:
		c.block(n.True)
		c.block(n.False)
	case *syntax.ForStmt:
		c.block(n.Body)
	case *syntax.WhileStmt:
		c.block(n.Body)
	}
}

func (c *checker) call(call *syntax.CallExpr) {
	name, b := predeclared(call.Fn), builtin{}
	if b = functions()[name]; b.do == nil {
		if name = method(call); name == "" {
			c.group(call)
			return
		}
		b = methods()[name]
	}
	if !c.arguments(name, b, call) {
		return
	}
	for _, key := range []string{"timeout", "idle", "duration"} {
		c.duration(b.argument(call, key))
	}
	switch name {
	case "spawn":
		c.spawn(b, call)
	case "connect":
		c.prompt(b.argument(call, "prompt"))
	case "expect", "when", "interact":
		c.cases(positional(call))
	case "always":
		c.cases(positional(call))
	case "on":
		c.rule(b.argument(call, "case"), b.argument(call, "reply"))
	case "screen":
		c.looksLikeRegexp(b.argument(call, "case"))
	case "re":
		if s, ok := text(b.argument(call, "pattern")); ok {
			if _, err := newRegexp(s); err != nil {
				c.mistake(call, err)
			}
		}
	case "key", "sendkey":
		for _, e := range positional(call) {
			if s, ok := text(e); ok {
				if err := checkKey(s); err != nil {
					c.mistake(e, err)
				}
			}
		}
	case "secret", "sendsecret":
		ref := b.argument(call, "ref")
		if s, ok := text(ref); ok {
			if err := checkSecretRef(s); err != nil {
				c.mistake(ref, err)
			}
		}
	case "signal":
		if s, ok := text(b.argument(call, "name")); ok {
			if _, err := proc.ParseSignal(s); err != nil {
				c.mistake(call, err)
			}
		}
	case "sendline", "send":
		c.plainSecret(positional(call))
	}
	if view := b.argument(call, "view"); view != nil {
		if s, ok := text(view); ok && views()[s] == 0 {
			c.mistake(view, fmt.Errorf(`view: "plain" or "raw" is wanted, not %q`, s))
		}
	}
}

// arguments checks names and numbers of arguments.
func (c *checker) arguments(name string, b builtin, call *syntax.CallExpr) bool {
	params := b.parameters()
	places, rest := 0, false
	for _, p := range params {
		rest = rest || p.rest
		if !p.rest && !p.byName {
			places++
		}
	}
	ok := true
	wrong := func(at syntax.Node, err error) {
		c.mistake(at, named(name, err))
		ok = false
	}
	given := map[string]bool{}
	for _, e := range call.Args {
		if key, _, is := keyword(e); is {
			given[key] = true
			if err := b.accepts(name, key); err != nil {
				wrong(e, err)
			}
		}
	}
	if !plain(call) {
		return ok
	}
	list := positional(call)
	usage := "write " + name + "(" + b.params + ")"
	if len(list) > places && !rest {
		wrong(call, hinted{fmt.Sprintf("%d arguments too many", len(list)-places), usage})
	}
	for i, p := range params {
		if !p.rest && !p.optional && i >= len(list) && !given[p.name] {
			wrong(call, hinted{p.name + " is missing", usage})
		}
	}
	if rest && len(list) == 0 && (name == "expect" || name == "sendkey" || name == "key" || name == "select" || name == "when") {
		wrong(call, hinted{"nothing is given", usage})
	}
	return ok
}

func (c *checker) duration(e syntax.Expr) {
	var v starlark.Value
	switch e := e.(type) {
	case *syntax.Literal:
		s, ok := e.Value.(string)
		if !ok {
			return // a number
		}
		v = starlark.String(s)
	case *syntax.UnaryExpr:
		if _, ok := e.X.(*syntax.Literal); ok && e.Op == syntax.MINUS {
			c.mistake(e, hinted{"a negative number is no duration", "write None for no timeout"})
		}
		return
	default:
		return
	}
	if _, err := asDuration(v); err != nil {
		c.mistake(e, err)
	}
}

func (c *checker) spawn(b builtin, call *syntax.CallExpr) {
	cmd := b.argument(call, "cmd")
	if s, ok := text(cmd); ok {
		if _, err := proc.ParseCommand(s); err != nil {
			c.mistake(cmd, fmt.Errorf("%s", inScriptWords(err, err.Error())))
		}
		c.secretInCommand(cmd, strings.Fields(s))
	}
	if list, ok := cmd.(*syntax.ListExpr); ok {
		var words []string
		for _, e := range list.List {
			s, _ := text(e)
			words = append(words, s)
		}
		c.secretInCommand(cmd, words)
	}
	if v := b.argument(call, "stdio"); v != nil {
		if s, ok := text(v); ok && !slices.Contains(kinds, s) {
			c.mistake(v, fmt.Errorf(`stdio: "%s" is wanted, not %q`, strings.Join(kinds, `", "`), s))
		}
	}
	if v := b.argument(call, "size"); v != nil {
		if s, ok := text(v); ok {
			if _, err := ptyio.ParseSize(s); err != nil {
				c.mistake(v, err)
			}
		}
	}
	if d, ok := b.argument(call, "env").(*syntax.DictExpr); ok {
		for _, e := range d.List {
			entry := e.(*syntax.DictEntry)
			key, _ := text(entry.Key)
			if value, ok := text(entry.Value); ok && value != "" && secretName.Get().MatchString(key) {
				c.warn(entry.Value, "a secret in plain sight: "+key, `take it from our environment: env["`+key+`"], or from a file`)
			}
		}
	}
	c.prompt(b.argument(call, "prompt"))
}

func (c *checker) prompt(e syntax.Expr) {
	if s, ok := text(e); ok && s != "" {
		c.looksLikeRegexp(e)
	}
}

// ---- cases

func (c *checker) cases(list []syntax.Expr) {
	var texts []string // those before, as a script writes them
	plain, ends := 0, 0
	for _, e := range list {
		shown, literal := "", ""
		when := e
		if call, ok := e.(*syntax.CallExpr); ok && function(call) == "on" {
			when = functions()["on"].argument(call, "case")
		} else {
			plain++
		}
		if s, ok := text(when); ok {
			literal, shown = s, escape.Quote(s)
			if s == "" {
				c.mistake(when, hinted{"an empty text matches at once", "write EOF, or WAITING"})
			}
			if when == e { // a rule's is looked at by itself
				c.looksLikeRegexp(e)
			}
		} else if name := predeclared(when); name == "EOF" || name == "TIMEOUT" || name == "WAITING" {
			shown = name
			ends++
		} else if function(when) == "re" {
			if s, ok := text(functions()["re"].argument(when.(*syntax.CallExpr), "pattern")); ok {
				shown = "re(" + escape.Quote(s) + ")"
			}
		} else if _, ok := when.(*syntax.ListExpr); ok {
			c.mistake(when, hinted{"a list is no case", "write the cases one after the other, or expect(*list)"})
		}
		for _, earlier := range texts {
			if hides(earlier, shown, literal) {
				c.mistake(when, hinted{shown + " can never match: " + earlier + " stands before it, and matches at the same place or earlier", "put the longer one first"})
				break
			}
		}
		if shown != "" {
			texts = append(texts, shown)
		}
	}
}

// hides reports whether an earlier case always wins against a later one.
func hides(earlier, later, literal string) bool {
	if earlier == later {
		return true
	}
	if literal == "" || !strings.HasPrefix(earlier, `"`) {
		return false
	}
	return strings.HasPrefix(strings.TrimSuffix(later, `"`), strings.TrimSuffix(earlier, `"`))
}

func (c *checker) rule(when, reply syntax.Expr) {
	c.looksLikeRegexp(when)
	if predeclared(when) == "TIMEOUT" {
		c.mistake(when, hinted{"a timeout cannot be answered", "list TIMEOUT by itself and look at m.index"})
	}
	question, _ := text(when)
	if function(when) == "re" {
		question, _ = text(functions()["re"].argument(when.(*syntax.CallExpr), "pattern"))
	}
	if s, ok := text(reply); ok && s != "" && asksForSecret.Get().MatchString(question) {
		c.warn(reply, "a secret in plain sight", `write secret("env:NAME"), or "file:PATH", "cmd:COMMAND", "ask:PROMPT"`)
	}
	c.plainSecret([]syntax.Expr{reply})
}

// regexpMarks are what no text of a program holds as a rule, but many an expression does.
var regexpMarks = lazy.Regexp(`\.[*+]|\\[dDwWsSbB.*+?()\[\]$^|]|\(\?|\[\^|\[[a-zA-Z0-9]-[a-zA-Z0-9]|\([^()]*\|[^()]*\)|\{\d+,?\d*\}|^\^[A-Za-z][a-z]|^\^[^A-Z@\[\]\\^_?].`)

// classOfMarks is a class such as [>#] or [$#%].
var classOfMarks = lazy.Regexp(`\[([^\w\s\[\]/]{2,})\]`)

func (c *checker) looksLikeRegexp(e syntax.Expr) {
	s, ok := text(e)
	if !ok {
		return
	}
	looks := regexpMarks.Get().MatchString(s)
	for _, m := range classOfMarks.Get().FindAllStringSubmatch(s, -1) {
		looks = looks || strings.Trim(m[1], m[1][:1]) != "" // not [...]
	}
	if looks {
		c.warn(e, escape.Quote(s)+" is a text, and looks like a regular expression", "write re(r"+quoteRaw(s)+")")
	}
}

// quoteRaw writes s as the text behind an r.
func quoteRaw(s string) string {
	if strings.ContainsAny(s, "\"\n\x00") {
		return "'" + s + "'"
	}
	return `"` + s + `"`
}

// ---- secrets

var (
	secretName    = lazy.Regexp(`(?i)^(.*_)?(pass(word|wd|phrase)?|pw|pwd|secret|token|api_?key|pin)$|(?i)(password|passwd|passphrase|secret|_token)`)
	asksForSecret = lazy.Regexp(`(?i)pass(word|phrase|code)|\bpin\b|secret|assword`)
	secretFlag    = lazy.Regexp(`(?i)^--?(password|passwd|passphrase|pass|token|secret|api-?key)=.+`)
)

func (c *checker) secretInCommand(at syntax.Node, words []string) {
	for _, w := range words {
		if flag, _, _ := strings.Cut(w, "="); secretFlag.Get().MatchString(w) {
			c.warn(at, "a secret in plain sight: "+flag+", which everybody on the machine can read", "leave it out and answer the question: p.sendsecret(\"env:NAME\")")
		}
	}
}

// plainSecret finds env["PASSWORD"] that is sent as any other text.
func (c *checker) plainSecret(list []syntax.Expr) {
	for _, e := range list {
		name := ""
		switch e := e.(type) {
		case *syntax.IndexExpr:
			if predeclared(e.X) == "env" {
				name, _ = text(e.Y)
			}
		case *syntax.CallExpr:
			if dot, ok := e.Fn.(*syntax.DotExpr); ok && predeclared(dot.X) == "env" && len(e.Args) > 0 {
				name, _ = text(e.Args[0])
			}
		}
		if name != "" && secretName.Get().MatchString(name) {
			c.warn(e, "the secret "+name+" is sent as plain text: errors and logs would show it",
				`write p.sendsecret("env:`+name+`"), or on(…, secret("env:`+name+`"))`)
		}
	}
}

// block finds a password that is typed as a line behind the wait for its prompt.
func (c *checker) block(list []syntax.Stmt) {
	asked := false
	for _, s := range list {
		var e syntax.Expr
		switch s := s.(type) {
		case *syntax.ExprStmt:
			e = s.X
		case *syntax.AssignStmt:
			e = s.RHS
		}
		call, ok := e.(*syntax.CallExpr)
		if !ok {
			asked = false
			continue
		}
		switch name := method(call); name {
		case "expect":
			asked = false
			for _, e := range positional(call) {
				if function(e) == "re" {
					e = functions()["re"].argument(e.(*syntax.CallExpr), "pattern")
				}
				q, _ := text(e)
				asked = asked || asksForSecret.Get().MatchString(q)
			}
		case "sendline", "send":
			if v, ok := text(methods()[name].argument(call, map[string]string{"sendline": "line", "send": "text"}[name])); ok && v != "" && asked {
				c.warn(call, "a secret in plain sight", `write p.sendsecret("env:NAME"), or "file:PATH", "cmd:COMMAND", "ask:PROMPT"`)
			}
			asked = false
		default:
			asked = false
		}
	}
}

// ---- what is done with the answers

func (c *checker) statement(s *syntax.ExprStmt) {
	if dot, ok := s.X.(*syntax.DotExpr); ok && methods()[dot.Name.Name].do != nil &&
		(dot.Name.Name != "signal" || c.isProgram(dot.X)) { // an exit has a .signal, too
		c.mistake(s.X, hinted{"." + dot.Name.Name + " is named and not called", "write ." + dot.Name.Name + "(" + methods()[dot.Name.Name].params + ")"})
		return
	}
	call, ok := s.X.(*syntax.CallExpr)
	if !ok || method(call) != "expect" {
		return
	}
	plain, ends := 0, ""
	for _, e := range positional(call) {
		if name := predeclared(e); name == "TIMEOUT" || name == "EOF" {
			ends = name
		}
		if function(e) != "on" {
			plain++
		}
	}
	if ends == "TIMEOUT" || ends == "EOF" && plain > 1 {
		c.warn(s.X, ends+" is listed, and nothing looks at which case it was", "write m = p.expect(…) and look at m.index or m.pattern; or leave it out, and it ends the script")
	}
}

// attribute finds names that a program or a match does not have.
func (c *checker) attribute(dot *syntax.DotExpr) {
	name := dot.Name.Name
	switch {
	case c.isProgram(dot.X):
		p := &program{}
		if known := p.AttrNames(); !slices.Contains(known, name) {
			c.mistake(dot, noAttribute("program", name, known))
		}
	case c.waits(dot.X) != nil:
		if known := anyMatch().AttrNames(); !slices.Contains(known, name) {
			c.mistake(dot, noAttribute("match", name, known))
		}
	}
}

// anyMatch has what every match has.
func anyMatch() *match {
	return &match{record: record{kind: "match", fields: starlark.StringDict{
		"index": nil, "pattern": nil, "text": nil, "before": nil, "truncated": nil, "echo": nil, "why": nil,
	}}}
}

func (c *checker) assignment(n *syntax.AssignStmt) {
	dot, ok := n.LHS.(*syntax.DotExpr)
	if !ok {
		return
	}
	switch dot.Name.Name {
	case "prompt":
		c.prompt(n.RHS)
	case "timeout", "idle":
		c.duration(n.RHS)
	default:
		if c.isProgram(dot.X) && methods()[dot.Name.Name].do != nil {
			c.mistake(dot, hinted{"." + dot.Name.Name + " of a program cannot be set", "timeout, idle and prompt can"})
		}
	}
}

// group finds m.group(2) where no pattern has a second one.
func (c *checker) group(call *syntax.CallExpr) {
	dot, ok := call.Fn.(*syntax.DotExpr)
	if !ok || dot.Name.Name != "group" || len(call.Args) != 1 {
		return
	}
	waits := c.waits(dot.X)
	literal, ok := call.Args[0].(*syntax.Literal)
	if waits == nil || !ok {
		return
	}
	var names []string
	most := -1
	for _, wait := range waits {
		for _, e := range positional(wait) {
			if rule, ok := e.(*syntax.CallExpr); ok && function(e) == "on" {
				e = functions()["on"].argument(rule, "case")
			}
			_, isText := text(e)
			if name := predeclared(e); isText || name == "EOF" || name == "TIMEOUT" || name == "WAITING" || function(e) == "idle" {
				continue
			}
			re, ok := e.(*syntax.CallExpr)
			if !ok || function(e) != "re" {
				return // who knows
			}
			s, ok := text(functions()["re"].argument(re, "pattern"))
			p, err := newRegexp(s)
			if !ok || err != nil {
				return
			}
			most = max(most, p.re.re.NumSubexp())
			names = append(names, p.re.names...)
		}
	}
	switch v := literal.Value.(type) {
	case int64:
		if most < 0 && v > 0 {
			c.mistake(call, hinted{"no case of the expect is a regular expression", "write re(…) with brackets around the group"})
		} else if v > int64(most) && v > 0 {
			c.mistake(call, hinted{fmt.Sprintf("there is no group %d in the cases of the expect", v), "groups count from 1, in the order of their brackets"})
		}
	case string:
		if v == "" || !slices.Contains(names, v) {
			c.mistake(call, hinted{fmt.Sprintf("there is no group %q in the cases of the expect", v), "write (?P<" + v + ">…) in one of them"})
		}
	}
}

// comparison finds m.index == 2 where there are two cases.
func (c *checker) comparison(b *syntax.BinaryExpr) {
	dot, ok := b.X.(*syntax.DotExpr)
	if !ok || b.Op != syntax.EQL || dot.Name.Name != "index" {
		return
	}
	literal, ok := b.Y.(*syntax.Literal)
	n, isInt := int64(0), false
	if ok {
		n, isInt = literal.Value.(int64)
	}
	waits := c.waits(dot.X)
	if !isInt || waits == nil {
		return
	}
	most := 0
	for _, wait := range waits {
		most = max(most, len(positional(wait)))
	}
	if n >= int64(most) {
		c.mistake(b, hinted{fmt.Sprintf("the expect has no case %d", n), "cases count from 0"})
	}
}

// ---- other files

func (c *checker) load(n *syntax.LoadStmt) {
	name, _ := n.Module.Value.(string)
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(c.name), name)
	}
	if c.seen[name] {
		return
	}
	c.seen[name] = true
	src, err := os.ReadFile(name)
	if err != nil {
		c.mistake(n, err)
		return
	}
	p, err := Load(name, src)
	if err != nil {
		c.found = append(c.found, errorsIn(err)...)
		return
	}
	c.found = append(c.found, p.check(c.seen)...)
	defined := map[string]bool{}
	for _, g := range p.file.Module.(*resolve.Module).Globals {
		defined[g.First.Name] = true
	}
	for _, id := range n.From {
		if !defined[id.Name] {
			c.mistake(id, fmt.Errorf("%s defines no %s", name, id.Name))
		}
	}
}

// errorsIn takes apart what Load returns.
func errorsIn(err error) []*Error {
	switch err := err.(type) {
	case *Error:
		return []*Error{err}
	case interface{ Unwrap() []error }:
		var list []*Error
		for _, e := range err.Unwrap() {
			list = append(list, errorsIn(e)...)
		}
		return list
	}
	return nil
}
