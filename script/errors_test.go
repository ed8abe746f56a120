//go:build unix

package script_test

import (
	"regexp"
	"strings"
	"testing"
)

var (
	pids  = regexp.MustCompile(`pid \d+`)
	times = regexp.MustCompile(`\b\d+(\.\d+)?(ms|µs|s)\b`)
)

// shape is an error without what differs from run to run.
func shape(err error) string {
	return times.ReplaceAllString(pids.ReplaceAllString(err.Error(), "pid N"), "T")
}

// The whole text, in the form that all of spawnx uses.
func TestErrorsInFull(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		status    int
		want      string
	}{
		{"a password that nobody answers", `
p = spawn(["sh", "-c", "printf 'Login: '; read x; stty -echo; printf \"admin@core1's password: \"; read x"])
p.expect("Login: ")
p.sendline("admin")
p.expect("Login: ", re("[>#] $"), timeout = 0.5)
`, 124, `t.star:4: expect: nothing matched in T
  wanted   "Login: " /[>#] $/
  unread   "admin@core1's password: "
  sent     "admin" <enter>, T ago
  program  sh -c printf 'Login: '; read x; stty -echo; printf "admin@c… (pid N) runs; waits for a password: echo is off, it reads its terminal (kernel)
hint: answer it: on("password: ", secret("env:NAME"))`},
		{"an end that is not listed", `
p = spawn(["sh", "-c", "echo 'no route to host'; exit 255"])
p.expect("password: ")
`, 1, `t.star:2: expect: the output ended before a match
  wanted   "password: "
  unread   "no route to host\n"
  program  sh -c "echo 'no route to host'; exit 255" (pid N) ended after T: exit status 255`},
		{"in a function", `
def login(p):
    p.expect("never")

def main():
    login(spawn(["echo", "x"]))

main()
`, 1, `t.star:2: expect: the output ended before a match
  wanted   "never"
  unread   "x\n"
  program  echo x (pid N) ended after T: exit status 0
  called   t.star:5
  called   t.star:7`},
		{"a status other than 0", `
p = spawn(["sh", "-c", "echo oh no; exit 3"])
p.wait()
`, 1, `t.star:2: wait: sh -c echo oh no; exit 3 ended: exit status 3
  unread   "oh no\n"
hint: where that is all right: x = p.wait(check = False), and look at x.status`},
		{"the same, asked for again", `
p = spawn(["sh", "-c", "exit 3"])
p.wait(check = False)
p.wait()
`, 1, `t.star:3: wait: sh -c exit 3 ended: exit status 3
hint: where that is all right: x = p.wait(check = False), and look at x.status`},
		{"a program that does not end", `
p = spawn(["sh", "-c", "printf 'more? '; read x"])
p.wait(timeout = 0.5)
`, 124, `t.star:2: wait: the program did not end in T
  unread   "more? "
  program  sh -c printf 'more? '; read x (pid N) runs; waits for input: it reads its terminal (kernel)`},
		{"a program that is not there", `spawn("no-such-program")`, 127, `t.star:1: start no-such-program: not found in PATH`},
		{"a program that cannot be run", `spawn("/etc/passwd")`, 126, ``},
		{"text that was given as an expression", `
p = spawn(["sh", "-c", "printf 'Sure? [Y/n] '; read x"])
p.expect(re("Sure\\? [Y/n]"), re("[Y/n] $"), timeout = 0.5)
`, 124, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, tt.src)
			if r.err == nil || r.status != tt.status {
				t.Fatalf("status %d, error %v", r.status, r.err)
			}
			if tt.want != "" && shape(r.err) != tt.want {
				t.Errorf("the error is\n%s\nwant\n%s", shape(r.err), tt.want)
			}
		})
	}
}

// Each kind of mistake is told with its place and what to do, in the words of scripts.
func TestMistakesWhileRunning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		src   string
		parts []string
	}{
		{`p = spawn(["sh", "-c", "printf a1b; read x"]); p.expect("a[0-9]b", timeout = 0.3)`, []string{`hint: "a[0-9]b" matches as a regular expression: write re(r"a[0-9]b")`}},
		{`p = spawn(["sh", "-c", "printf '[Y/n]X'; read x"]); p.expect(re("[Y/n]X"), timeout = 0.3); p = spawn(["sh", "-c", "printf '[Y/n]?'; read x"]); p.expect(re("[Y/n]?$Z"), timeout = 0.3)`, []string{`nothing matched`}},
		{`p = spawn(["sh", "-c", "printf '(x|y)'; read x"]); p.expect(re("(x|y)z|(x|y)\\b\\B|(x|y)"), timeout = 0.3); p.expect("never", timeout = 0.3)`, []string{`nothing matched`}},
		{`p = spawn(["sh", "-c", "printf 'a[b]'; read x"]); p.expect(re("a[b]"), timeout = 0.3)`, []string{`hint: "a[b]" is there as text: write it without re(…)`}},
		{`p = spawn("cat"); p.send("\x03")`, []string{"t.star:1: send: ", `hint: press it: p.sendkey("ctrl-c")`}},
		{`p = spawn("cat"); p.sendkey("ctrl-foo")`, []string{"t.star:1: sendkey: unknown key"}},
		{"p = spawn(\"cat\"  # (\nprint('''(''' ')', 1)\n", []string{"t.star:2: got identifier, want ','", "hint: the ( of line 1 is not closed"}},
		{"x = {'a': [1,\n2\n", []string{"want ']'", "hint: the [ of line 1 is not closed"}},
		{"print(1)\nprint(2\x00)\n", []string{"t.star:2: this is no text"}},
		{"print(1)\n\xff = 1", []string{"t.star:2: this is no text"}},
		{`a, b = args`, []string{"t.star:1: too few values to unpack", "hint: where these are args: spawnx script FILE ARG"}},
		{`args[0]`, []string{"t.star:1: index 0 out of range", "hint: where these are args: spawnx script FILE ARG"}},
		{`p = spawn("cat"); p.sendkey()`, []string{"sendkey: no key"}},
		{`p = spawn("cat"); p.expect()`, []string{"expect: nothing to wait for", "hint: write EOF"}},
		{`p = spawn("cat"); p.expect("")`, []string{"expect: an empty text matches at once"}},
		{`p = spawn("cat"); p.expect(["a", "b"])`, []string{"a list is no case", "expect(*list)"}},
		{`p = spawn("cat"); p.expect(5)`, []string{"int 5 is no case"}},
		{`p = spawn("cat"); p.expect(len)`, []string{"len is a function and no case", "on(case, len)"}},
		{`p = spawn("cat"); p.expect(p.prompt)`, []string{"a case is None", "spawn(…, prompt = …)"}},
		{`p = spawn("cat"); p.expect(on(TIMEOUT, "x"))`, []string{"a timeout cannot be answered"}},
		{`p = spawn("cat"); p.expect(on("x", 5))`, []string{"int 5 is no reply"}},
		{`p = spawn("cat"); p.expect(on(on("x", "y"), "z"))`, []string{"a rule in a rule"}},
		{`p = spawn("cat"); p.expect(on("x", "y", max = 0))`, []string{"max: 0 times"}},
		{`p = spawn("cat"); p.sendline("x"); p.expect(on("x", lambda m: 7), "never")`, []string{"the function lambda returned int 7", "hint: an answering function returns None"}},
		{`p = spawn("cat"); p.always("x")`, []string{"string \"x\" is no rule"}},
		{`p = spawn("cat"); p.interact(TIMEOUT)`, []string{"interact has no timeout"}},
		{`p = spawn("cat"); p.expect(key("enter"))`, []string{"hint: key(…) is a case of interact"}},
		{`p = spawn("cat"); p.expect("x", timeout = "abc")`, []string{`timeout: "abc" is no duration`, `"1m30s"`}},
		{`p = spawn("cat"); p.expect("x", timeout = -1)`, []string{"no duration", "None for no timeout"}},
		{`p = spawn("cat"); p.expect("x", timeout = True)`, []string{"timeout: a number of seconds is wanted, not True"}},
		{`p = spawn("cat"); p.expect("x", view = "screen")`, []string{`view: "plain" or "raw" is wanted`}},
		{`p = spawn("cat"); p.expect("x", timout = 3)`, []string{"expect: there is no argument timout=", "did you mean timeout=?"}},
		{`p = spawn("cat", cwd = "/")`, []string{"there is no argument cwd=", "write dir ="}},
		{`spawn()`, []string{"spawn: cmd is missing", "write spawn(cmd,"}},
		{`spawn([])`, []string{"no program is named"}},
		{`spawn(["echo", 5])`, []string{"texts are wanted, not int 5", "str(…)"}},
		{`spawn(5)`, []string{"cmd: a list or a text is wanted"}},
		{`spawn("echo a | cat")`, []string{"unquoted |", `["sh", "-c", "…"]`}},
		{`spawn("cat", stdio = "tty")`, []string{`stdio: "pty", "pipes", "pty-stderr", "pty-stdout" is wanted`}},
		{`spawn("cat", size = (1, 2, 3))`, []string{"size: (rows, columns) is wanted"}},
		{`spawn("cat", size = (3, 4), stdio = "pipes")`, []string{"size: there is no terminal"}},
		{`spawn("cat", env = {"A": 5})`, []string{"env: the value of A is no text", "str(…)"}},
		{`spawn("cat", env = {"A=B": "5"})`, []string{"env: a name is wanted"}},
		{`spawn("cat", prompt = 5)`, []string{"prompt: a \"text\" or re(…) is wanted"}},
		{`spawn("cat", dir = "/nowhere")`, []string{"/nowhere"}},
		{`p = spawn("cat"); p.expec("x")`, []string{"a program has no .expec", "did you mean .expect?"}},
		{`p = spawn("cat"); p.before`, []string{"a program has no .before", "m = p.expect(…), then m.before"}},
		{`p = spawn("cat"); p.isalive()`, []string{"a program has no .isalive", "p.wait()"}},
		{`p = spawn("cat"); p.sendcontrol("c")`, []string{`p.sendkey("ctrl-c")`}},
		{`p = spawn("cat"); p.name = 3`, []string{"a program has no .name"}},
		{`p = spawn("cat"); p.expect = 3`, []string{".expect of a program cannot be set"}},
		{`p = spawn("cat"); p.timeout = "x"`, []string{`timeout: "x" is no duration`}},
		{`p = spawn(["echo", "a"]); m = p.expect("a"); m.group(1)`, []string{"what matched, \"a\", is no regular expression"}},
		{`p = spawn(["echo", "a"]); m = p.expect(re("(a)")); m.group(2)`, []string{"has no group 2"}},
		{`p = spawn(["echo", "a"]); m = p.expect(re("(a)")); m.group("x")`, []string{`has no group "x"`, "(?P<x>…)"}},
		{`p = spawn(["echo", "a"]); m = p.expect("a"); m.befor`, []string{"a match has no .befor", ".before?"}},
		{`x = spawn("true").wait(); x.stat`, []string{"a exit has no .stat"}},
		{`p = spawn("cat"); p.signal("NOPE")`, []string{"there is no signal"}},
		{`p = spawn("cat", stdio = "pipes"); p.resize(3, 4)`, []string{"resize: "}},
		{`re("(")`, []string{"re: missing closing )"}},
		{`re("(?=a)")`, []string{"no looking ahead or behind"}},
		{`re(r"(a)\1")`, []string{"no references"}},
		{`secret("hunter2")`, []string{"that is no reference to a secret", "env:NAME"}},
		{`key("nope-key")`, []string{"key: unknown key"}},
		{`idle(None)`, []string{"idle: a number of seconds is wanted"}},
		{`screen(5)`, []string{"cannot stand on a screen"}},
		{`select()`, []string{"nothing to wait for"}},
		{`select(spawn("cat"))`, []string{"is no arm", "p.when(…)"}},
		{`print("a" + 1)`, []string{"unknown binary op: string + int", "write str(…) around the int"}},
		{`x = 5; x()`, []string{"t.star:1: "}},
		{"def f(n): return f(n + 1)\nf(0)", []string{"t.star:1: functions call each other too deep"}},
		{"def f(): print(later)\nf()\nlater = 1", []string{"global variable later referenced before assignment", "further down"}},
	} {
		r := run(t, tt.src)
		if r.err == nil {
			t.Errorf("%s: no error", tt.src)
			continue
		}
		if !strings.HasPrefix(r.err.Error(), "t.star:") {
			t.Errorf("%s: the error begins %q", tt.src, r.err)
		}
		for _, part := range tt.parts {
			if !strings.Contains(r.err.Error(), part) {
				t.Errorf("%s\nthe error says %v\nbut not %q", tt.src, r.err, part)
			}
		}
		for _, goName := range []string{"Options.", "SendKey(", "expect.", "Regexp("} {
			if strings.Contains(r.err.Error(), goName) {
				t.Errorf("%s\nthe error %q speaks of Go's %s", tt.src, r.err, goName)
			}
		}
	}
}

// Habits from Python, pexpect and Expect are told what to write instead, with the line.
func TestHabits(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"x = 1\ntry:\n    x()\nexcept Exception:\n    pass": "t.star:2: there are no exceptions\nhint: list what may come",
		"import pexpect":                    "t.star:1: there are no imports\nhint: what this is for is defined already",
		"from os import path":               "t.star:1: there are no imports",
		"class A:\n    pass":                "t.star:1: there are no classes",
		"with spawn('x') as p:\n    pass":   "t.star:1: there is no with",
		"def f():\n    global x\n    x = 1": "t.star:2: there is no global",
		"raise ValueError('x')":             "t.star:1: there are no exceptions\nhint: write fail(",
		"x = None\nif x is None: pass":      "t.star:2: there is no is\nhint: write ==",
		"x = None\nif x is not None: pass":  "t.star:2: there is no is\nhint: write !=",
		"h = 1\nprint(f'{h}')":              "t.star:2: there are no f-strings\nhint: write \"%s\" % x",
		"del x":                             "t.star:1: there is no del",
		"assert 1 == 1":                     "t.star:1: there is no assert",
		"print 'hello'":                     "t.star:1: print is a function",
		"def f():\n    yield 1":             "t.star:2: there is no yield",
		"if x = 1:\n  pass":                 "t.star:1: ",
		"x = 1\nif x == 1\n    print(1)":    "t.star:2: ",
		"child = pexpect.spawn('x')":        "t.star:1: pexpect is not defined\nhint: spawn and the others are defined already",
		"x = open('f')":                     "t.star:1: open is not defined\nhint: read_file(",
		"sys.exit(1)":                       "t.star:1: sys is not defined\nhint: args and exit(n)",
		"os.environ['x']":                   "t.star:1: os is not defined\nhint: env[",
		"time.sleep(1)":                     "t.star:1: time is not defined\nhint: sleep(",
		"p = spwan('x')":                    "t.star:1: spwan is not defined\nhint: did you mean spawn?",
		"prompt = 1\nprint(promt)":          "t.star:2: promt is not defined\nhint: did you mean prompt?",
		"expect('x')":                       "t.star:1: expect is not defined\nhint: p.expect(",
		"x = true":                          "t.star:1: true is not defined\nhint: True",
		"a = bcd\ne = fgh":                  "t.star:1: bcd is not defined\nt.star:2: fgh is not defined",
		"print('unclosed":                   "t.star:1: ",
		strings.Repeat("(", 100000):         "t.star:1: excessive nesting",
		strings.Repeat("-", 200000) + "1":   "t.star:1: excessive nesting",
		strings.Repeat("#\n", 200000):       "t.star:1: a script of 400000 bytes",
		"if __name__ == '__main__': pass":   "t.star:1: __name__ is not defined\nhint: a script begins at its first line",
		"p = spawn('x')\np.expect('try: it is not a habit'\n": "t.star:3: ",
		"@decorated\ndef f(): pass":                           "t.star:1: there are no decorators",
		"import os\nx = '''\nimport no\n'''\nprint(f'{x}')\nif x is None: pass # is\ntry:\n  y(**{})\nexcept: pass": "t.star:1: there are no imports\nhint: [..]t.star:5: there are no f-strings\nhint: [..]t.star:6: there is no is\nhint: [..]t.star:7: there are no exceptions\nhint: [..]t.star:9: there are no exceptions\n",
		"def f(x) -> int: pass": "t.star:1: there are no type annotations",
	} {
		r := run(t, src)
		if len(src) > 100 {
			src = src[:100] + "…"
		}
		if r.err == nil || !beginsLike(r.err.Error(), want) {
			t.Errorf("%s\nthe error is %v\nwant %q", src, r.err, want)
		}
		if r.status != 125 {
			t.Errorf("%s: status %d", src, r.status)
		}
	}
}

// beginsLike reports whether a text begins as want says, in which [..] is the rest of a line and its end.
func beginsLike(text, want string) bool {
	for i, part := range strings.Split(want, "[..]") {
		if i > 0 {
			_, text, _ = strings.Cut(text, "\n")
		}
		rest, ok := strings.CutPrefix(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}
