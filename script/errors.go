package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/keys"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/internal/nearest"
	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/proc"
)

// An Error is what ended a script, or what is wrong with it. Its text begins with the place.
type Error struct {
	File      string
	Line, Col int // from 1; 0 where it is not known
	Err       error
	Warning   bool // of Check: doubtful, and perhaps right

	text   string   // instead of Err's: masked, and in the words of scripts
	calls  []string // the places from which the function was called, innermost first
	static bool     // found before the script ran, or behind its end
}

func (e *Error) Unwrap() error { return e.Err }

// Error returns the whole text. Its first line alone says where, what and why; the state of the dialog
// and a hint may follow.
func (e *Error) Error() string {
	text := e.text
	if text == "" {
		text = e.Err.Error()
	}
	text, hint, hasHint := strings.Cut(text, "\nhint: ")
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	fmt.Fprintf(&b, ": %s%s", map[bool]string{true: "warning: "}[e.Warning], text)
	for _, place := range e.calls {
		b.WriteString("\n  called   " + place)
	}
	if hasHint {
		b.WriteString("\nhint: " + hint)
	}
	return b.String()
}

// Exit statuses that are not the script's own.
const (
	didNotWork = 1
	lateStatus = 124
	ourselves  = 125 // what was never a script
	cannotRun  = 126
	notFound   = 127
)

// Status is the exit status that the error stands for: 124 for a timeout, 126 and 127 for a program that
// cannot be started, 125 for what was found before the script ran or behind its end and for output of ours
// that could not be written, else 1.
func (e *Error) Status() int {
	var start *proc.StartError
	var dialog *expect.Error
	switch {
	case e.static, errors.Is(e.Err, ErrOutput):
		return ourselves
	case errors.As(e.Err, &start):
		if start.Stage == "lookup" && errors.Is(start, fs.ErrNotExist) {
			return notFound
		}
		return cannotRun
	case errors.As(e.Err, &dialog) && dialog.Timeout(), errors.Is(e.Err, context.DeadlineExceeded):
		return lateStatus
	}
	return didNotWork
}

// hinted is an error with what to do about it.
type hinted struct{ what, hint string }

func (e hinted) Error() string { return e.what + "\nhint: " + e.hint }

// failError is fail(message).
type failError string

func (e failError) Error() string { return string(e) }

// named puts the builtin's name before what it says, unless the error begins with what it did.
func named(name string, err error) error {
	var (
		eval   *starlark.EvalError
		dialog *expect.Error
		start  *proc.StartError
		ended  *endError
		exit   exitError
		failed failError
		syn    *Error
	)
	switch {
	case errors.As(err, &eval), errors.As(err, &dialog), errors.As(err, &start), errors.As(err, &ended),
		errors.As(err, &exit), errors.As(err, &failed), errors.As(err, &syn):
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// An endError: the program ended in a way that wait does not let pass.
type endError struct {
	name string
	err  error
	last string // the end of its output
}

func (e *endError) Error() string {
	text := fmt.Sprintf("wait: %s ended: %v", e.name, e.err)
	if e.last != "" {
		text += "\n  unread   " + escape.Quote(escape.Tail(e.last, 2000))
	}
	return text + "\nhint: where that is all right: x = p.wait(check = False), and look at x.status"
}
func (e *endError) Unwrap() error { return e.err }

// waitError is the error of waiting for the end of the output, as one of wait.
func waitError(err error) error {
	var e *expect.Error
	if !errors.As(err, &e) {
		return err
	}
	e.Op = "wait"
	return err
}

// explain makes what a person sees of an error of the script: where the innermost line of the script is,
// what happened there, in the words of scripts, secrets masked.
func (r *run) explain(err error) *Error {
	var done *Error
	if errors.As(err, &done) {
		return done // of a file that was loaded, or of an item of a parallel
	}
	e := &Error{File: r.program.name, Line: 1, Err: err, text: err.Error()}
	for rest := err; ; { // the innermost knows the line
		var eval *starlark.EvalError
		if !errors.As(rest, &eval) {
			break
		}
		e.place(eval.CallStack)
		e.text, rest = eval.Msg, eval.Unwrap()
	}
	e.text = r.masked(inScriptWords(e.Err, e.text))
	return e
}

// place finds where in the script it was.
func (e *Error) place(stack starlark.CallStack) {
	e.calls = nil
	first := true
	for _, frame := range slices.Backward(stack) {
		pos := frame.Pos
		if !pos.IsValid() || pos.Line == 0 || pos.Filename() == "<builtin>" {
			continue
		}
		if first {
			e.File, e.Line, e.Col, first = pos.Filename(), int(pos.Line), int(pos.Col), false
			continue
		}
		const most = 5
		if len(e.calls) < most {
			e.calls = append(e.calls, fmt.Sprintf("%s:%d", pos.Filename(), pos.Line))
		} else if len(e.calls) == most {
			e.calls = append(e.calls, "…")
		}
	}
}

// inScriptWords writes an error as one who writes scripts would say it.
func inScriptWords(err error, text string) string {
	var dialog *expect.Error
	if errors.As(err, &dialog) {
		text = dialog.Error()
		if hint := dialog.Hint(); hint != "" {
			text = strings.TrimSuffix(text, "\nhint: "+hint)
		}
		if dialog.Op == "wait" {
			text = withoutWanted(text)
		}
		if hint := scriptHint(dialog); hint != "" {
			text += "\nhint: " + hint
		}
		return text
	}
	text = strings.Replace(text, "Starlark computation cancelled: "+tooManyCalls, tooManyCalls, 1)
	text = strings.Replace(text, "write sh -c '…'", `write ["sh", "-c", "…"]`, 1)
	if strings.Contains(text, "\nhint: ") {
		return text
	}
	for _, h := range runtimeHints {
		if re := h.re.Get(); re.MatchString(text) {
			return text + "\nhint: " + re.ReplaceAllString(re.FindString(text), h.hint)
		}
	}
	return text
}

func withoutWanted(text string) string {
	lines := strings.Split(text, "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "  wanted ") })
	lines[0] = strings.Replace(lines[0], "nothing matched in", "the program did not end in", 1)
	return strings.Join(lines, "\n")
}

var (
	asText   = lazy.Regexp(`^(".*") is there as text: it was given as a regular expression$`)
	asRegexp = lazy.Regexp(`^(".*") matches as a regular expression: it was given as text$`)
	sendsKey = lazy.Regexp(`^SendKey\((".*")\)$`)
)

// scriptHint is what to do about a failed wait, for people who write scripts.
func scriptHint(e *expect.Error) string {
	hint := e.Hint()
	switch {
	case asText.Get().MatchString(hint):
		return asText.Get().ReplaceAllString(hint, "$1 is there as text: write it without re(…)")
	case asRegexp.Get().MatchString(hint):
		text := asRegexp.Get().FindStringSubmatch(hint)[1]
		return text + " matches as a regular expression: write re(r" + text + ")"
	case sendsKey.Get().MatchString(hint):
		return sendsKey.Get().ReplaceAllString(hint, "press it: p.sendkey($1)")
	case errors.Is(e, expect.ErrNoPrompt):
		return `set a prompt: p.prompt = re(r"[$#>] $"), or spawn(…, prompt = …)`
	case errors.Is(e, expect.ErrUnproved):
		return "where you know that it will not be shown: unproved = True"
	case errors.Is(e, expect.ErrRepeated):
		return "a secret is given once, as a second time may lock an account; on(case, secret(…), max = 2) gives it twice"
	case strings.Contains(e.Error(), "keys can be waited for in Interact only"):
		return "key(…) is a case of interact; the reply of a rule is on(case, key(…))"
	}
	for _, f := range e.Findings {
		if f.Kind == diag.KindPassword {
			return fmt.Sprintf("answer it: on(%s, secret(\"env:NAME\"))", question(e.Unread))
		}
	}
	hint = strings.Replace(hint, "--stdio pty-stdout", `spawn(…, stdio = "pty-stdout")`, 1)
	return strings.TrimSuffix(hint, ", or --unbuffered") // a flag of run
}

// question is the question at the end of a text, as a script would name it.
func question(unread string) string {
	text := unread[strings.LastIndexByte(unread, '\n')+1:]
	if i := strings.LastIndex(strings.TrimRight(text, " "), " "); i >= 0 {
		text = text[i+1:]
	} else if i := strings.LastIndex(text, "'s "); i >= 0 {
		text = text[i+3:]
	}
	if strings.TrimSpace(text) == "" {
		text = "assword: "
	}
	return escape.Quote(text)
}

// runtimeHints say what to write instead of what Starlark does not do.
var runtimeHints = []struct {
	re   lazy.Regexp
	hint string
}{
	{lazy.Regexp(`unknown binary op: string \+ (\w+)`), "write str(…) around the $1"},
	{lazy.Regexp(`unknown binary op: (\w+) \+ string`), "write str(…) around the $1"},
	{lazy.Regexp(`cannot .* frozen (\w+)|frozen (\w+)`), "parallel works on several items at once, so what it shares is frozen (env always is): return the value, and collect r.value"},
	{lazy.Regexp(`key "(\w+)" not in dict`), `write .get("$1", default) where it may be missing`},
	{lazy.Regexp(`global variable (\w+) referenced before assignment`), "$1 is set further down, or not on this way"},
	{lazy.Regexp(`local variable (\w+) referenced before assignment`), "a function that assigns $1 has a $1 of its own: give it another name, or return the value"},
	{lazy.Regexp(`^too few values to unpack.*|^index \d+ out of range: empty list`), "where these are args: spawnx script FILE ARG..., one for each"},
	{lazy.Regexp(`string has no \.format_map.*`), `write "%s" % x, or "{}".format(x)`},
	{lazy.Regexp(`^no terminal to ask at|: no terminal to ask at`), "run it at a terminal, or take the answer from args or env"},
}

// ---- mistakes that are seen without running

// foreign tells of words of Python, and of pexpect, that mean nothing here.
var foreign = []struct {
	line lazy.Regexp // of the line that the parser does not understand
	what string
	hint string
}{
	{lazy.Regexp(`^\s*(try|except|finally)\b`), "there are no exceptions", "list what may come, TIMEOUT and EOF too, and look at m.index; what is not listed ends the script"},
	{lazy.Regexp(`^\s*raise\b`), "there are no exceptions", `write fail("…")`},
	{lazy.Regexp(`^\s*(import\b|from\s+\S+\s+import\b)`), "there are no imports", `what this is for is defined already; functions of another file: load("lib.star", "name")`},
	{lazy.Regexp(`^\s*class\b`), "there are no classes", "write functions, and keep data in dicts"},
	{lazy.Regexp(`^\s*(async\s+)?with\b`), "there is no with", "programs are stopped at the end of the script; p.close() stops one before"},
	{lazy.Regexp(`^\s*(global|nonlocal)\b`), "there is no $1", "return the value, or keep it in a dict"},
	{lazy.Regexp(`^\s*del\b`), "there is no del", "write d.pop(key)"},
	{lazy.Regexp(`^\s*assert\b`), "there is no assert", `write if not …: fail("…")`},
	{lazy.Regexp(`\bis\s+not\b`), "there is no is", "write !="},
	{lazy.Regexp(`\sis\s`), "there is no is", "write =="},
	{lazy.Regexp(`\byield\b`), "there is no yield", "return a list"},
	{lazy.Regexp(`\b(await|async)\b`), "there is no $1", "select(…) waits for several programs, parallel(…) works on several things at once"},
	{lazy.Regexp(`\b[fF][rR]?["']`), "there are no f-strings", `write "%s" % x, or "{}".format(x)`},
	{lazy.Regexp(`\b[uU]["']`), "there are no u-strings", "every string is Unicode text"},
	{lazy.Regexp(`^\s*print\s+["'\w]`), "print is a function", "write print(…)"},
	{lazy.Regexp(`:=`), "there is no :=", "assign on a line of its own"},
	{lazy.Regexp(`\)\s*->`), "there are no type annotations", "leave them out"},
	{lazy.Regexp(`^\s*@`), "there are no decorators", "call the function"},
	{lazy.Regexp(`\*\*`), "there is no **", "multiply"},
	{lazy.Regexp(`^\s*(if|elif|while|for|else|def)\b[^:]*$`), "", "the line ends with a colon"},
}

// undefined says what to write instead of names that Python, pexpect or Expect define.
func undefinedHints() map[string]string {
	return map[string]string{
		"open": `read_file("…") and write_file("…", text)`, "input": `ask("…")`, "raw_input": `ask("…")`, "getpass": `secret("ask:…")`,
		"sys": "args and exit(n) are defined already", "os": `env["NAME"] is defined already`, "time": "sleep(seconds)",
		"pexpect": "spawn and the others are defined already: spawn(…), EOF, TIMEOUT", "replwrap": "p.command(line)", "pxssh": `spawn(["ssh", host])`,
		"subprocess": "spawn(…) and p.wait()", "run": `p = spawn(cmd), p.expect(on("question", "answer"), EOF)`,
		"Exception": "there are no exceptions", "isinstance": `type(x) == "string"`, "format": `"{}".format(x)`, "sum": "add in a loop",
		"round": "int(x + 0.5)", "map": "[f(x) for x in list]", "filter": "[x for x in list if f(x)]", "null": "None", "true": "True", "false": "False", "nil": "None",
		"expect": "p.expect(…), where p is what spawn returned", "send": "p.send(…), where p is what spawn returned",
		"sendline": "p.sendline(…), where p is what spawn returned", "interact": "p.interact(), where p is what spawn returned",
		"wait": "p.wait(), where p is what spawn returned", "close": "p.close(), where p is what spawn returned",
		"regexp": `re(r"…")`, "Text": `a text stands for itself: "…"`, "Waiting": "WAITING", "eof": "EOF", "timeout": "TIMEOUT, or timeout = seconds of a call",
		"ExceptionPexpect": "there are no exceptions", "socket": `connect("tcp:HOST:PORT")`, "threading": "parallel(f, items)", "logging": "log(…)",
		"string": `"…".join(…), .split(), .strip() and others are methods of texts`, "__name__": "a script begins at its first line: call main()",
	}
}

// foreignAttributes say what to write instead of what a program or a match has in pexpect.
func foreignAttributes() map[string]string {
	return map[string]string{
		"before": "m = p.expect(…), then m.before", "after": "m = p.expect(…), then m.text", "match": "m = p.expect(…), then m.group(1)",
		"expect_exact": `p.expect("…"): a text is taken exactly`, "expect_list": "p.expect(*list)", "sendcontrol": `p.sendkey("ctrl-c")`, "sendintr": `p.sendkey("ctrl-c")`,
		"isalive": "p.wait() waits for the end; EOF is a case of p.expect", "exitstatus": "x = p.wait(check = False), then x.code", "signalstatus": "x = p.wait(check = False), then x.signal",
		"status": "x = p.wait(check = False), then x.status", "terminate": "p.close()", "kill": `p.signal("TERM")`, "logfile": `spawn(…, log = "FILE"), or log = "-" for our output`,
		"logfile_read": `spawn(…, log = "-")`, "logfile_send": `spawn(…, log = "FILE")`, "setwinsize": "p.resize(rows, cols)", "getwinsize": "it is what size = says, 24x80 unless set",
		"waitnoecho": `p.sendsecret("env:NAME") waits for it`, "setecho": "our own echo is left out of what cases see", "delaybeforesend": "not needed: wait for what you answer",
		"read": "p.expect(EOF).before", "readline": `p.expect("\n").before`, "readlines": `p.expect(EOF).before.splitlines()`, "read_nonblocking": "p.expect(TIMEOUT, timeout = 0).before",
		"write": "p.send(text)", "writelines": "p.send(text)", "run_command": "p.command(line)", "maxread": "not needed", "searchwindowsize": "not needed", "eof": "EOF is a case of p.expect",
		"child_fd": "not there", "buffer": "p.expect(TIMEOUT, timeout = 0).before", "match_index": "m = p.expect(…), then m.index", "start": "m.before is what came before", "end": "not there",
		"login": `p = spawn(["ssh", host])`, "logout": `p.sendline("exit")`, "set_unique_prompt": `p.command("PS1='…'")`, "password": "p.sendsecret(…)",
		"stdout": "m = p.expect(EOF), then m.before", "returncode": "x = p.wait(check = False), then x.code",
	}
}

// foreignArguments are those of pexpect's spawn and expect.
func foreignArguments() map[string]string {
	return map[string]string{
		"cwd": "write dir =", "dimensions": "write size = (24, 80)", "encoding": "leave it out: texts are UTF-8", "codec_errors": "leave it out", "echo": "leave it out: our own echo is not seen by cases",
		"logfile": `write log = "FILE", or log = "-" for our output`, "maxread": "leave it out", "searchwindowsize": "leave it out", "withexitstatus": "x = p.wait(check = False), then x.status",
		"events": "write p.expect(on(\"question\", \"answer\"), EOF)", "shell": `write spawn(["sh", "-c", "…"])`, "preexec_fn": "leave it out", "async_": "select(…) waits for several programs",
		"ignore_sighup": `write spawn(["nohup", "…"])`, "text": "leave it out: texts are UTF-8", "input": "write p.send(text), p.sendeof()", "exact": "leave it out: a text is taken exactly",
	}
}

// syntaxError makes an *Error of what the parser or the resolver says, with a hint where it is a habit
// from Python.
func syntaxError(name string, src []byte, pos syntax.Position, msg string) *Error {
	e := &Error{File: name, Line: max(int(pos.Line), 1), Col: int(pos.Col), static: true}
	if id, ok := strings.CutPrefix(msg, "undefined: "); ok {
		id, near, _ := strings.Cut(strings.TrimSuffix(id, "?)"), " (did you mean ")
		e.Err = undefined(id, near)
		return e
	}
	if strings.HasPrefix(msg, "got newline") && e.Line > 1 && e.Col <= 1 { // the line is over then
		e.Line, e.Col = e.Line-1, 0
	}
	line := lineOf(src, e.Line)
	for _, f := range foreign {
		if m := f.line.Get().FindStringSubmatchIndex(line); m != nil && !inString(line, m[0]) {
			what := string(f.line.Get().ExpandString(nil, f.what, line, m))
			if what == "" {
				what = msg
			}
			e.Err = hinted{what, f.hint}
			return e
		}
	}
	e.Err = errors.New(msg)
	if bracket, at := openBracket(src, e.Line); at != 0 && at < e.Line && strings.HasPrefix(msg, "got ") {
		e.Err = hinted{msg, fmt.Sprintf("the %c of line %d is not closed", bracket, at)}
	}
	return e
}

// openBracket is the innermost bracket that is open where a line begins, and the line where it stands; 0: none.
func openBracket(src []byte, before int) (bracket byte, at int) {
	type open struct {
		bracket byte
		line    int
	}
	var all []open
	quote := ""
	line := 1
	for i := 0; i < len(src) && line < before; i++ {
		rest := string(src[i:min(i+3, len(src))])
		switch c := src[i]; {
		case c == '\n':
			if line++; len(quote) == 1 {
				quote = ""
			}
		case quote != "" && c == '\\':
			i++
		case quote != "" && strings.HasPrefix(rest, quote):
			i += len(quote) - 1
			quote = ""
		case quote != "":
		case c == '#':
			for i+1 < len(src) && src[i+1] != '\n' {
				i++
			}
		case rest == `"""` || rest == "'''":
			quote = rest
			i += 2
		case c == '"' || c == '\'':
			quote = string(c)
		case strings.IndexByte("([{", c) >= 0:
			all = append(all, open{c, line})
		case strings.IndexByte(")]}", c) >= 0 && len(all) > 0:
			all = all[:len(all)-1]
		}
	}
	if len(all) == 0 {
		return 0, 0
	}
	last := all[len(all)-1]
	return last.bracket, last.line
}

// mostHabits are told of a script.
const mostHabits = 20

// withHabits adds to the error at which the parser stopped, where it is a habit from Python, the habits in the lines
// behind it: all their words are reserved, so that none of them can mean anything.
func withHabits(name string, src []byte, err error) error {
	var first *Error
	var known hinted
	if !errors.As(err, &first) || !errors.As(first.Err, &known) {
		return err
	}
	all := []error{err}
	text := "" // whether a text of several lines goes on, and what ends it
	number := 0
	for line := range strings.SplitSeq(string(src), "\n") {
		number++
		within := text != ""
		for _, quotes := range []string{`"""`, "'''"} {
			switch n := strings.Count(line, quotes); {
			case n%2 == 0:
			case text == quotes:
				text = ""
			case text == "":
				text = quotes
			}
		}
		if within || number <= first.Line || len(all) == mostHabits {
			continue
		}
		at := syntax.MakePosition(&name, int32(number), 1)
		habit := syntaxError(name, src, at, "")
		if h, ok := habit.Err.(hinted); ok && h.what != "" && !strings.Contains(h.what, "**") {
			all = append(all, habit)
		}
	}
	return errors.Join(all...)
}

func undefined(id, near string) error {
	what := id + " is not defined"
	if h := undefinedHints()[id]; h != "" {
		return hinted{what, h}
	}
	if near == "" {
		near = nearest.Word(id, names())
	}
	if near != "" {
		return hinted{what, "did you mean " + near + "?"}
	}
	return errors.New(what)
}

func lineOf(src []byte, n int) string {
	for line := range strings.SplitSeq(string(src), "\n") {
		if n--; n == 0 {
			return line
		}
	}
	return ""
}

// inString reports whether the byte at i stands in a string or a comment of its line, roughly.
func inString(line string, i int) bool {
	quote := byte(0)
	for j := 0; j < i && j < len(line); j++ {
		switch c := line[j]; {
		case quote != 0 && c == '\\':
			j++
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && c == '#':
			return true
		}
	}
	return quote != 0
}

// checkKey says what is wrong with the name of a key.
func checkKey(name string) error {
	_, err := keys.Encode(name, keys.Modes{})
	return err
}

// checkSecretRef says what is wrong with a reference, and does not repeat it: it could be the secret.
func checkSecretRef(ref string) error {
	if _, err := secret.Parse(ref); err != nil {
		return hinted{"that is no reference to a secret", `write "env:NAME", "file:PATH", "fd:N", "cmd:COMMAND" or "ask:PROMPT"`}
	}
	return nil
}
