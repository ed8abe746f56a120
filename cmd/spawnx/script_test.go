//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

func starFile(t *testing.T, src string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "t.star")
	if err := os.WriteFile(name, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestScriptVerb(t *testing.T) {
	file := starFile(t, "print(args, env['HOME'] != '')\nexit(len(args))\n")
	dialog := starFile(t, "p = spawn('cat')\np.expect('never', timeout = 0.1)\n")
	warned := starFile(t, "p = spawn('cat')\np.expect('a.*b')\n")
	wrong := starFile(t, "p = spawn('cat', cwd = '/')\np.expect('a.*b')\n")
	for _, tt := range []struct {
		name   string
		stdin  string
		args   []string
		status int
		out    string
		err    string // how it begins
	}{
		{"a file and its arguments", "", []string{file, "a", "-x", "--check"}, 3, `["a", "-x", "--check"] True` + "\n", ""},
		{"code", "", []string{"-e", "x = 6 * 7", "-e", "print(x, args)", "a"}, 0, "42 [\"a\"]\n", ""},
		{"our input", "print('from there', args)", []string{"-", "a"}, 0, "from there [\"a\"]\n", ""},
		{"a timeout", "", []string{dialog}, 124, "", dialog + ":2: expect: nothing matched in "},
		{"the default timeout", "", []string{"--timeout", "100ms", "-e", "spawn('cat').expect('never')"}, 124, "", "-e:1: expect: nothing matched in "},
		{"the default of silence", "", []string{"--idle-timeout", "100ms", "-e", "spawn('cat').expect('never')"}, 124, "", "-e:1: expect: no output for "},
		{"an end", "", []string{"-e", "spawn('true').expect('x')"}, 1, "", "-e:1: expect: the output ended before a match\n  wanted   \"x\"\n"},
		{"fail", "", []string{"-e", "fail('no way')"}, 1, "", "-e:1: no way\n"},
		{"no such program", "", []string{"-e", "spawn('no-such-program')"}, 127, "", "-e:1: start no-such-program: not found in PATH\n"},
		{"a program that cannot be run", "", []string{"-e", "spawn('/etc/passwd')"}, 126, "", "-e:1: start /etc/passwd: "},
		{"no script", "", []string{"-e", "import os"}, 125, "", "-e:1: there are no imports\nhint: "},
		{"nobody to ask", "", []string{"-e", "ask('x')"}, 1, "", "-e:1: ask: no terminal to ask at\n"},
		{"no secret to ask for", "", []string{"-e", "spawn(['sh', '-c', 'stty -echo; read x']).sendsecret('ask:x')"}, 1, "", "-e:1: sendsecret: no secret: no terminal to ask at\n"},
		{"a check with warnings", "", []string{"--check", warned}, 0, "", warned + ":2: warning: \"a.*b\" is a text"},
		{"a check with mistakes", "", []string{"--check", wrong}, 1, "", wrong + ":1: spawn: there is no argument cwd=\nhint: write dir =\n" + wrong + ":2: warning: "},
		{"a check that runs nothing", "", []string{"--check", file}, 0, "", ""},
		{"nothing", "", nil, 125, "", "spawnx: script: no script\nhint: write spawnx script FILE.star"},
		{"no such file", "", []string{"/nowhere.star"}, 125, "", "spawnx: script: open /nowhere.star: no such file or directory\n"},
		{"a name that is not there", "", []string{"-e", "connect('no-such-name')"}, 1, "", "-e:1: connect: "},
		{"a wrong flag", "", []string{"--chek", file}, 125, "", "spawnx: script: unknown flag --chek\nhint: did you mean --check?\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := spawnxRun(t, strings.NewReader(tt.stdin), append([]string{"script"}, tt.args...)...)
			if r.status != tt.status || r.out != tt.out || !strings.HasPrefix(r.err, tt.err) || tt.err == "" && r.err != "" {
				t.Errorf("status %d, output %q, errors %q\nwant %d, %q, %q", r.status, r.out, r.err, tt.status, tt.out, tt.err)
			}
		})
	}
}

// ctrl-c ends the script and its programs, and says nothing.
func TestScriptInterrupted(t *testing.T) {
	for name, rest := range map[string]string{"waiting": "p.expect('never', timeout = None)", "computing": "while True: pass", "sleeping": "sleep(1000)"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := person(t, proc.Command("spawnx", "script", "-e", "p = spawn(['sh', '-c', 'sleep 1000 & cat'])", "-e", "print('pid', p.pid, '.')", "-e", rest))
			pid := sees(t, c, expect.Regexp(`pid (\d+) \.`)).Groups[1]
			presses(t, c, "ctrl-c")
			if m := sees(t, c, expect.EOF); strings.TrimSpace(strings.ReplaceAll(m.Before, "^C", "")) != "" {
				t.Errorf("it says %q", m.Before)
			}
			ends(t, c, 130)
			n, _ := strconv.Atoi(pid)
			if err := syscall.Kill(n, 0); n == 0 || !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d is there: %v", n, err)
			}
		})
	}
}

// Where nobody reads what is printed any more, the script ends, and its programs with it.
func TestScriptWithoutAReader(t *testing.T) {
	out, err := exec.Command("bash", "-c", `spawnx script -e 'p = spawn("cat")' -e 'while True: print(p.pid)' | head -n 1; echo ${PIPESTATUS[0]}`).CombinedOutput()
	if lines := strings.Fields(string(out)); err != nil || len(lines) != 2 || lines[1] != "141" {
		t.Errorf("%v, output %q", err, out)
	}
	if r := spawnxRun(t, nil, "script", "-e", "print('x')"); r.status != 0 {
		t.Errorf("%+v", r)
	}
}

// The person at the terminal is asked, sees what the program writes, and takes over.
func TestScriptWithAPerson(t *testing.T) {
	c := person(t, proc.Command("spawnx", "script", "-e", `
name = ask("Your name? ")
p = spawn(["sh", "-c", "printf 'PIN: '; stty -echo; read a; stty echo; echo; echo got ${#a}; read b; echo said $b; read c"])
p.expect(on("PIN: ", secret("ask:PIN of " + name + ": ")), "got 4")
print("over to you")
m = p.interact("said hello")
print("back:", m.text)
m = p.interact(key("f2"), EOF)
print("left:", m.pattern)
`))
	sees(t, c, expect.Text("Your name? "))
	types(t, c, "Ada")
	sees(t, c, expect.Text("PIN of Ada: "))
	types(t, c, "1234")
	sees(t, c, expect.Text("over to you"))
	types(t, c, "hello")
	sees(t, c, expect.Text(`back: said hello`))
	presses(t, c, "f2")
	sees(t, c, expect.Text(`left: key("f2")`))
	ends(t, c, 0)
}

// A script speaks to a named program, and leaves it running.
func TestScriptConnects(t *testing.T) {
	names(t)
	if r := spawnxRun(t, nil, "run", "-d", "--name", "sh1", "--env", "PS1=ready> ", "sh"); r.status != 0 {
		t.Fatalf("%+v", r)
	}
	for _, want := range []string{"42", "42"} {
		r := spawnxRun(t, nil, "script", "-e", "p = connect('sh1', prompt = 'ready> ')", "-e", "p.expect(p.prompt)", "-e", "print(p.command('echo $((6*7))'))")
		if r.status != 0 || r.out != want+"\n" {
			t.Errorf("%+v", r)
		}
	}
}
