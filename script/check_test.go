//go:build unix

package script_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/script"
)

// found are the first lines of what a check finds, without the file.
func found(t *testing.T, src string) (lines []string) {
	t.Helper()
	p, err := script.Load("t.star", []byte(src))
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	for _, e := range p.Check() {
		line, _, _ := strings.Cut(strings.TrimPrefix(e.Error(), "t.star:"), "\n")
		lines = append(lines, line)
	}
	return lines
}

func TestCheckFinds(t *testing.T) {
	t.Parallel()
	const p = "p = spawn('x')\n"
	const m = p + "m = p.expect('a', re('b(?P<n>c)'), EOF)\n"
	for _, tt := range []struct{ src, want string }{
		// arguments
		{p + "p.expect('x', timout = 3)", "2: expect: there is no argument timout="},
		{p + "p.expect()", "2: expect: nothing is given"},
		{p + "p.wait(True, 3, 4)", "2: wait: 1 arguments too many"},
		{p + "p.send()", "2: send: text is missing"},
		{"spawn()", "1: spawn: cmd is missing"},
		{"spawn('x', cwd = '/')", "1: spawn: there is no argument cwd="},
		{"on('x')", "1: on: reply is missing"},
		{"def f(q):\n    q.sendline('x', 'y')", "2: sendline: 1 arguments too many"},
		{"parallel(jobs = 3, f = print)", "1: parallel: items is missing"},
		// names
		{p + "p.expec('x')", "2: a program has no .expec"},
		{p + "print(p.before)", "2: a program has no .before"},
		{m + "print(m.befor)", "3: a match has no .befor"},
		{p + "p.close", "2: .close is named and not called"},
		{p + "p.foo = 3", "2: a program has no .foo"},
		{p + "p.wait = 3", "2: .wait of a program cannot be set"},
		// groups and places
		{m + "m.group(2)", "3: there is no group 2 in the cases of the expect"},
		{m + "m.group('x')", `3: there is no group "x" in the cases of the expect`},
		{p + "m = p.expect('a')\nm.group(1)", "3: no case of the expect is a regular expression"},
		{m + "if m.index == 3: pass", "3: the expect has no case 3"},
		// patterns
		{p + "p.expect('Login', 'Login: ')", `2: "Login: " can never match: "Login" stands before it, and matches at the same place or earlier`},
		{p + "p.expect('a', 'b', 'a')", `2: "a" can never match: "a" stands before it, and matches at the same place or earlier`},
		{p + "m = p.expect(EOF, 'a', EOF)", "2: EOF can never match: EOF stands before it, and matches at the same place or earlier"},
		{p + "p.expect(re('x'), on(re('x'), 'y'))", `2: re("x") can never match: re("x") stands before it, and matches at the same place or earlier`},
		{p + "p.always(on('More', key('space')), on('More--', key('q')))", `2: "More--" can never match: "More" stands before it, and matches at the same place or earlier`},
		{p + "p.expect(['a', 'b'])", "2: a list is no case"},
		{p + "p.expect('')", "2: an empty text matches at once"},
		{p + "p.expect(on(TIMEOUT, 'x'))", "2: a timeout cannot be answered"},
		{p + "p.expect('a.*b')", `2: warning: "a.*b" is a text, and looks like a regular expression`},
		{p + `p.expect(r"\d+ files")`, `2: warning: "\\d+ files" is a text, and looks like a regular expression`},
		{p + "p.expect('[>#] ')", `2: warning: "[>#] " is a text, and looks like a regular expression`},
		{p + "p.expect(on('(yes|no)', 'yes'), 'x')", `2: warning: "(yes|no)" is a text, and looks like a regular expression`},
		{p + "p.expect('^Login')", `2: warning: "^Login" is a text, and looks like a regular expression`},
		{"spawn('x', prompt = r'\\$ $')", `1: warning: "\\$ $" is a text, and looks like a regular expression`},
		{p + "p.prompt = '[0-9]> '", `2: warning: "[0-9]> " is a text, and looks like a regular expression`},
		{"screen('[a-z]')", `1: warning: "[a-z]" is a text, and looks like a regular expression`},
		// what is none
		{"re('(')", "1: missing closing ): `(`"},
		{"key('enterr')", `1: unknown key "enterr", the nearest is "enter"`},
		{p + "p.sendkey('up', 'ctrl-enter-x')", `2: unknown key "ctrl-enter-x"`},
		{"secret('hunter2')", "1: that is no reference to a secret"},
		{p + "p.sendsecret('hunter2')", "2: that is no reference to a secret"},
		{p + "p.expect('x', timeout = '3 s')", `2: "3 s" is no duration`},
		{p + "p.expect('x', timeout = -1)", "2: a negative number is no duration"},
		{p + "p.timeout = 'x'", `2: "x" is no duration`},
		{"spawn('a | b')", `1: command "a | b": it has an unquoted |`},
		{"spawn('a', stdio = 'tty')", `1: stdio: "pty", "pipes", "pty-stderr", "pty-stdout" is wanted, not "tty"`},
		{"spawn('a', size = '24')", `1: size "24" is not ROWSxCOLS, as in 24x80`},
		{p + "p.expect('x', view = 'screen')", `2: view: "plain" or "raw" is wanted, not "screen"`},
		{p + "p.signal('NOPE')", `2: there is no signal "NOPE"`},
		// secrets
		{p + "p.expect('Password: ')\np.sendline('hunter2')", "3: warning: a secret in plain sight"},
		{p + "m = p.expect(re('(?i)password: $'))\np.send('hunter2')", "3: warning: a secret in plain sight"},
		{p + "p.expect(on('passphrase', 'hunter2'), 'x')", "2: warning: a secret in plain sight"},
		{p + "p.sendline(env['DB_PASSWORD'])", "2: warning: the secret DB_PASSWORD is sent as plain text: errors and logs would show it"},
		{p + "p.sendline(env.get('TOKEN', ''))", "2: warning: the secret TOKEN is sent as plain text: errors and logs would show it"},
		{"spawn(['mysql', '--password=hunter2'])", "1: warning: a secret in plain sight: --password, which everybody on the machine can read"},
		{"spawn('mysql --password=hunter2')", "1: warning: a secret in plain sight: --password, which everybody on the machine can read"},
		{"spawn('x', env = {'PGPASSWORD': 'hunter2'})", "1: warning: a secret in plain sight: PGPASSWORD"},
		// answers that nobody looks at
		{p + "p.expect('x', TIMEOUT)", "2: warning: TIMEOUT is listed, and nothing looks at which case it was"},
		{p + "p.expect('x', EOF)", "2: warning: EOF is listed, and nothing looks at which case it was"},
	} {
		if got := found(t, tt.src); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s\nfinds %q\nwant  %q", tt.src, got, tt.want)
		}
	}
}

// What is right, or cannot be known, is left alone.
func TestCheckLetsPass(t *testing.T) {
	t.Parallel()
	const p = "p = spawn('x')\n"
	for _, src := range []string{
		p + "p.expect('[Y/n] ', '(yes/no)? ', 'Proceed [confirm]', '[...]', 'C:\\\\>', 'a+b', 'what?', '50%', '$ ', '# ', '>>> ', '^C', '*** ', 'a|b', '[sudo] password for ')",
		p + "p.expect('Login: ', 'Login')",
		p + "p.expect('b', 'ab')",
		p + "cases = ['a', EOF]\nm = p.expect(*cases)\nm.group(3)\nif m.index == 7: pass",
		p + "m = p.expect('x')\nm = select(p.when('y'))[1]\nm.group(3)",
		"def f(p, m): return m.group(9), p.anything",
		p + "p.expect(on('x', 'y'), EOF)",
		p + "p.expect(EOF)",
		p + "m = p.expect('x', TIMEOUT)",
		p + "if p.expect('x', TIMEOUT).index == 1: pass",
		p + "p.expect('Password: ')\np.sendsecret('env:PW')",
		p + "def word(): return 'x'\np.expect('Password: ')\np.sendline(word())",
		p + "p.expect('Password: ')\np.sendline('')",
		p + "p.sendline(env['HOME'])",
		p + "p.expect('x', timeout = None, idle = '2s')",
		p + "kw = {'timeout': 3}\np.expect('x', **kw)",
		"{}.get('x')\n[].index(1) if False else 0\n'x'.join([])",
		"for p in [spawn('x')]:\n    p.whatever()",
		"p = spawn('x')\np = 5\np.whatever",
		p + "p.timeout = 3\np.prompt = re('x')\np.idle = None",
		p + "r = re('a(b)').search('ab')\nr.group(1)",
	} {
		if got := found(t, src); len(got) != 0 {
			t.Errorf("%s\nfinds %q", src, got)
		}
	}
}

// Mistakes and warnings come in the order of the lines.
func TestCheckInOrder(t *testing.T) {
	t.Parallel()
	got := found(t, "p = spawn('x', cwd = '/')\nm = p.expect('a')\np.expect('.*')\nm.group(1)\n")
	var lines []string
	for _, g := range got {
		lines = append(lines, g[:1])
	}
	if fmt.Sprint(lines) != "[1 3 4]" {
		t.Errorf("found in lines %v: %q", lines, got)
	}
}

// Whatever a file holds, reading and checking it ends, and says so with a place.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"p = spawn('x', prompt = re('x'))\nm = p.expect('a', re('(?P<b>c)'), TIMEOUT, on('x', secret('env:A')))\nm.group('b')\n",
		"for r in parallel(f, [1], jobs = 2): print(r.item)\ndef f(x):\n    while True:\n        if x: break\n    return [y for y in x if y]\n",
		"try:\n    x\nexcept: pass", "f'x'", "((((", "load('x.star', 'y')", "p.expect(p, *p, **p)", "lambda x: x.group(1)", "'\\x00\xff'", "x is not y",
		"p = spawn(size = '0x0', env = {'PASSWORD': 'a', 1: 2}, cmd = [1, 'x'])", "a, (b, c.d), e[1] = 1, (2, 3), 4", "on(on(re()), key())", "p.group(1)(2).group",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if strings.Contains(src, "load") {
			return // of files that are none of ours
		}
		p, err := script.Load("t.star", []byte(src))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "t.star:") {
				t.Errorf("%q: %v", src, err)
			}
			return
		}
		for _, e := range p.Check() {
			if e.Line < 1 || !strings.HasPrefix(e.Error(), "t.star:") {
				t.Errorf("%q: %v", src, e)
			}
		}
	})
}
