//go:build unix

package script_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/script"
)

// asker is a program that asks for two things and tells what it got.
const asker = `p = spawn(["sh", "-c", "printf 'a? '; read a; printf 'b? '; read b; echo $a-$b; printf 'c? '; read c; echo end"])
`

func TestCasesAndReplies(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"texts and the one that matched", asker + `m = p.expect("b? ", "a? ")
print(m.index, m.pattern == "a? ", m.text, repr(m.before))`, "1 True a?  \"\"\n"},
		{"an expression and its groups", `p = spawn(["echo", "port 8080 open"])
m = p.expect(re(r"port (?P<n>\d+) (\w+)"))
print(m.group(1), m.group("n"), m.group(2), m.group(), m.groups())`, "8080 8080 open port 8080 open (\"8080\", \"open\")\n"},
		{"patterns are compared", `p = spawn(["echo", "x"])
prompt = re("x")
m = p.expect(prompt, EOF)
print(m.pattern == prompt, m.pattern == EOF, m.pattern != EOF, m.pattern == re("x"))`, "True False True True\n"},
		{"cursor keys as the program asked for them", `p = spawn(["sh", "-c", "stty raw -echo; printf '\\033[?1hready'; dd bs=3 count=1 2>/dev/null | tr '\\033' E; printf ' end'"])
p.expect("ready")
p.sendkey("down")
print(p.expect(" end").before)`, "EOB\n"},
		{"the end as a case", `p = spawn(["echo", "all of it"])
m = p.expect("nothing", EOF)
print(m.index, m.pattern == EOF, repr(m.before), repr(m.text))`, "1 True \"all of it\\n\" \"\"\n"},
		{"a timeout as a case keeps what is there", `p = spawn(["sh", "-c", "printf begun; read x"])
p.expect(WAITING, timeout = 5) if False else None
m = p.expect("never", TIMEOUT, timeout = "1s")
print(m.index, m.pattern == TIMEOUT, m.before, p.expect("begun").text)`, "1 True begun begun\n"},
		{"waiting", asker + `m = p.expect(WAITING)
print(repr(m.before), m.pattern == WAITING)`, "\"a? \" True\n"},
		{"idle", `p = spawn(["sh", "-c", "printf quiet; read x"])
m = p.expect("never", idle(0.3))
print(m.index, m.before, m.pattern)`, "1 quiet idle(0.3)\n"},
		{"rules answer on the way", asker + `m = p.expect(on("a? ", "1"), on("b? ", "2"), "c? ")
print(m.index, repr(m.before))`, "2 \"1-2\\n\"\n"},
		{"keys as replies", asker + `m = p.expect(on("a? ", key("x", "enter")), on("b? ", key("y", "enter")), "c? ")
print(repr(m.before))`, "\"x-y\\n\"\n"},
		{"the end as a reply", `p = spawn(["sh", "-c", "printf 'more? '; cat; echo over"])
p.expect(on("more? ", EOF), "over")
print("ok")`, "ok\n"},
		{"a function as a reply", asker + `asked = []
def answer(m):
    asked.append(m.text)
    p.sendline(str(len(asked)))
m = p.expect(on(re("[ab]\\? "), answer), "c? ")
print(asked, m.index, repr(m.before))`, "[\"a? \", \"b? \"] 1 \"1-2\\n\"\n"},
		{"a function that ends the wait", asker + `m = p.expect(on("a? ", "1"), on("b? ", lambda m: True), "c? ")
print(m.index, m.pattern, m.text)`, "1 b?  b? \n"},
		{"a function that returns its reply", asker + `m = p.expect(on("a? ", lambda m: "A"), on("b? ", lambda m: key("B", "enter")), "c? ")
print(repr(m.before))`, "\"A-B\\n\"\n"},
		{"a function that waits itself", asker + `def both(m):
    p.sendline("1")
    p.expect("b? ")
    p.sendline("2")
m = p.expect(on("a? ", both), "c? ")
print(m.index, repr(m.before))`, "1 \"1-2\\n\"\n"},
		{"a function in a function", asker + `def second(m):
    p.sendline("2")
def first(m):
    p.sendline("1")
    p.expect(on("b? ", second), "c? ")
    return True
m = p.expect(on("a? ", first))
print(m.index, m.text)`, "0 a? \n"},
		{"standing rules", asker + `stop = p.always(on("a? ", "1"), on("b? ", "2"))
m = p.expect("c? ")
print(m.index, repr(m.before))
stop()
p.sendline("3")
print(p.wait().status)`, "0 \"1-2\\n\"\n0\n"},
		{"a standing rule ends a wait", asker + `p.always(on("a? ", lambda m: True))
m = p.expect("never")
print(m.index, m.text)`, "-1 a? \n"},
		{"wait answers the standing rules", asker + `p.always(on(re("[abc]\\? "), "x"))
print(p.wait())`, "exit(code = 0, signal = None, status = 0)\n"},
		{"everything else that is sent", asker + `p.expect("a? "); p.send("on"); p.sendline("e")
p.expect("b? "); p.sendkey("t", "w", "o", "enter"); p.expect("one-two\nc? "); p.sendline(); p.sendeof(); print(p.wait().code)`, "0\n"},
		{"settings of a program", `p = spawn("cat", timeout = "1m30s", idle = 5, prompt = re("x"))
print(p.timeout, p.idle, p.prompt)
p.timeout, p.idle, p.prompt = 2.5, None, "$ "
print(p.timeout, p.idle, p.prompt, type(p.pid), type(p))`, "90 5 re(\"x\")\n2.5 None $  int program\n"},
		{"pipes, and errors apart", `p = spawn(["sh", "-c", "echo bad >&2; cat; test -t 0 || echo no terminal"], stdio = "pipes")
p.send("in\n"); p.sendeof()
print(p.expect(EOF).before)`, "in\nno terminal\n\n"},
		{"size, folder, environment", `p = spawn(["sh", "-c", "stty size; pwd; echo $A-$HOME-"], size = (30, 100), dir = "/", env = {"A": "1", "HOME": None})
print(p.expect(EOF).before)`, "30 100\n/\n1--\n\n"},
		{"resize and signals", `p = spawn(["sh", "-c", "trap 'stty size; exit' WINCH; trap 'echo usr1' USR1; echo ready; while :; do read x; done"])
p.expect("ready"); p.signal("USR1"); p.expect("usr1"); p.resize(33, 99); print(p.expect(re("33 99")).text)`, "33 99\n"},
		{"how it ended", `print(spawn(["sh", "-c", "exit 3"]).wait(check = False))
p = spawn("cat"); p.signal("KILL"); x = p.wait(check = False); print(x.status, x.signal, x.code); print(p.wait(check = False) == x, p.wait(check = False).status)`,
			"exit(code = 3, signal = None, status = 3)\n137 KILL -1\nTrue 137\n"},
		{"how it ended after a close", `p = spawn("cat"); p.close(); p.close(); print(p.wait(check = False).signal)`, "TERM\n"},
		{"what is there already", `p = spawn(["sh", "-c", "printf abc; read x"])
while p.expect(TIMEOUT, timeout = 0).before != "abc": pass
print(p.expect("b", timeout = 0).text, p.expect("never", TIMEOUT, timeout = 0).before)`, "b c\n"},
		{"commands", `p = spawn("sh", prompt = "ready> ", env = {"PS1": "ready> "})
p.expect(p.prompt)
print(p.command("echo $((6*7))"), repr(p.command("printf 'a\\nb\\n'")))`, "42 \"a\\nb\"\n"},
		{"commands without a prompt", `p = spawn(["sh", "-c", "while read x; do echo =$x=; done"])
p.expect(WAITING)
print(p.command("one"), p.command("two"))`, "=one= =two=\n"},
		{"the raw view", `p = spawn(["printf", "\\033[31mred\\n"])
print(repr(p.expect(re("r.*\\n"), view = "raw").text), repr(p.expect(EOF).before))`, "\"red\\r\\n\" \"\"\n"},
		{"control flow at the top", `n = 0
while n < 3:
    n += 1
for i in range(2):
    if i: n = n + 10
def fact(n): return 1 if n < 2 else n * fact(n - 1)
print(n, fact(20), set([1, 1]))`, "13 2432902008176640000 set([1])\n"},
		{"expressions on texts", `r = re(r"(\w+)=(\d+)")
m = r.search("x a=1 b=2")
print(m.group(1), m.before, r.search("none"), r.findall("a=1 b=2"), re("\\d").findall("a1b2"), r.sub("${2}", "a=1"))`, "a x  None [(\"a\", \"1\"), (\"b\", \"2\")] [\"1\", \"2\"] 1\n"},
		{"print", `print("a", 1, [2], None, sep = "-", end = "!\n")
print()`, "a-1-[2]-None!\n\n"},
		{"a list of cases", `p = spawn(["echo", "b"]); cases = ["a", "b"]
print(p.expect(*cases).index)`, "1\n"},
		{"the same rule again", `p = spawn(["sh", "-c", "for i in 1 2 3; do printf 'again? '; read x; done; echo done"])
print(p.expect(on("again? ", "y"), "done").index)`, "1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			says(t, tt.src, tt.want)
		})
	}
}

func TestScreens(t *testing.T) {
	t.Parallel()
	says(t, `
p = spawn(["sh", "-c", "printf '\\033[2J\\033[3;5Hhere\\033[1;1Htop'; read x; printf '\\033[3;5Hgone'; read x"])
m = p.expect(screen("here"))
print(m.text, repr(m.pattern), repr(p.screen()))
p.sendline()
print(p.expect(screen(re("g(.)ne"))).group(1))
`, "here screen(\"here\") \"top\\n\\n    here\"\no\n")
}

func TestSeveralPrograms(t *testing.T) {
	t.Parallel()
	says(t, `
p, q = spawn("cat"), spawn("cat")
q.sendline("second")
i, m = select(p.when("first", TIMEOUT), q.when("nothing", "second"))
print(i, m.index, m.text)
i, m = select(p.when("first", TIMEOUT, timeout = 0.2), q.when("never"))
print(i, m.index, m.pattern)
`, "1 1 second\n0 1 TIMEOUT\n")
	says(t, `
def ask(n):
    p = spawn(["sh", "-c", "read n; echo got $n; test $n != 3"])
    p.sendline(n)
    m = p.expect(re("got (.*)\n"))
    p.wait()
    return m.group(1)
for r in parallel(ask, ["1", "2", "3", "4"], jobs = 3):
    print(r.item, r.value, (r.error or "fine").splitlines()[0].split(" ended")[-1])
`, "1 1 fine\n2 2 fine\n3 None : exit status 1\n4 4 fine\n")
}

// What runs side by side shares nothing that can be changed, and the error says what to do.
func TestParallelFreezes(t *testing.T) {
	t.Parallel()
	says(t, `
found = []
def f(x):
    found.append(x)
print(parallel(f, [1])[0].error)
`, "t.star:3: append: cannot append to frozen list\nhint: parallel works on several items at once, so what it shares is frozen (env always is): return the value, and collect r.value\n")
	ends(t, `parallel(print, 5)`, 1, "items: a list is wanted, not int 5")
	ends(t, `parallel(print, [1], jobs = 0)`, 1, "jobs: a number above 0 is wanted")
}

// A program that an item of a parallel began ends with it, unless it is what the item returned.
func TestParallelEndsItsPrograms(t *testing.T) {
	t.Parallel()
	says(t, `
pids = []
def left(x):
    return spawn("cat").pid
def kept(x):
    return [spawn("cat")]
gone = parallel(left, [1])[0].value
p = parallel(kept, [1])[0].value[0]
print(spawn(["sh", "-c", "kill -0 " + str(gone)]).wait(check = False).code)
p.sendline("alive"); print(p.expect("alive").text)
`, "1\nalive\n")
}

func TestExit(t *testing.T) {
	t.Parallel()
	for src, status := range map[string]int{
		"exit()": 0, "exit(7)": 7, "exit(status = 3)": 3, "def f(): exit(4)\nf()": 4,
		"p = spawn('cat'); p.sendline('x'); p.expect(on('x', lambda m: exit(5)), 'never')": 5,
		"parallel(lambda x: exit(6), [1, 2])":                                              6,
	} {
		if r := run(t, src+"\nprint('not reached')"); r.err != nil || r.status != status || r.out != "" {
			t.Errorf("%s: status %d, error %v, output %q", src, r.status, r.err, r.out)
		}
	}
	ends(t, "exit(256)", 1, "t.star:1: exit: a status from 0 to 255 is wanted")
	ends(t, "fail('no ' + 'way')", 1, "t.star:1: no way")
}

// Whatever ends the script, its programs are gone when Run returns.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"end": "", "exit": "exit(0)", "fail": "fail('x')", "error": "1 / 0", "timeout": "p.expect('never', timeout = 0.1)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, `
p = spawn(["sh", "-c", "sleep 1000 & echo $!; cat"])
q = spawn("cat", stdio = "pipes")
b = spawn("bash --norc")
b.expect(WAITING)
print(p.expect(re("(\\d+)\n")).group(1), p.pid, q.pid, b.pid)
`+end)
			pids := strings.Fields(r.out)
			if len(pids) != 4 {
				t.Fatalf("output %q, error %v", r.out, r.err)
			}
			for _, pid := range pids {
				if alive(pid) {
					t.Errorf("process %s is there", pid)
				}
			}
		})
	}
}

// alive reports whether a process runs: one that its parent has not collected does not.
func alive(pid string) bool {
	out, _ := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	return len(out) > 0 && out[0] != 'Z'
}

// The end of the context ends every wait, also a loop that waits for nothing.
func TestCanceled(t *testing.T) {
	t.Parallel()
	why := errors.New("enough")
	for name, src := range map[string]string{
		"expect":   `p = spawn("cat"); print(p.pid); p.expect("never", timeout = None)`,
		"answer":   `p = spawn("cat"); p.sendline("x"); p.expect(on("x", lambda m: [print(p.pid), p.expect("never", timeout = None)]))`,
		"wait":     `p = spawn("cat"); print(p.pid); p.wait()`,
		"sleep":    `p = spawn("cat"); print(p.pid); sleep(1000)`,
		"loop":     "p = spawn('cat'); print(p.pid)\nwhile True: pass",
		"select":   `p = spawn("cat"); print(p.pid); select(p.when("never", timeout = None))`,
		"parallel": "p = spawn('cat'); print(p.pid)\nparallel(lambda x: sleep(1000), [1, 2, 3])",
		"secret":   `p = spawn("cat"); print(p.pid); p.sendsecret("env:HOME", timeout = None)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			begun := &signalWriter{first: func() { cancel(why) }}
			r := runWith(t, ctx, script.Options{Stdout: begun}, src)
			if !errors.Is(r.err, why) {
				t.Errorf("error %v", r.err)
			}
			if pid := strings.TrimSpace(begun.text.String()); pid == "" || alive(pid) {
				t.Errorf("process %q is there", pid)
			}
		})
	}
}

type signalWriter struct {
	text  bytes.Buffer
	first func()
}

func (w *signalWriter) Write(p []byte) (int, error) {
	defer w.first()
	return w.text.Write(p)
}

func TestConnect(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "s")
	for _, network := range []string{"unix", "tcp"} {
		addr := map[string]string{"unix": where, "tcp": "127.0.0.1:0"}[network]
		l, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Write([]byte("220 ready\r\n"))
			line := make([]byte, 100)
			n, _ := conn.Read(line)
			_, _ = conn.Write([]byte("you said " + strconv.Quote(string(line[:n])) + "\r\n"))
		}()
		says(t, `
p = connect("`+network+`:`+l.Addr().String()+`", enter = "\r\n")
p.expect("220 ready\r\n")
p.sendline("quit")
print(p.expect(re("you said (.*)\r\n"), timeout = 10).group(1), p.expect(EOF).before, p.pid)
p.close()
`, "\"quit\\r\\n\"  None\n")
	}
	ends(t, `connect("unix:`+where+`x")`, 1, "t.star:1: connect: unix:"+where+"x: no such file")
	ends(t, `connect("tcp:127.0.0.1:1")`, 1, "t.star:1: connect: tcp:127.0.0.1:1: connection refused")
	ends(t, `connect("elsewhere")`, 1, `"elsewhere" cannot be connected to from here`)
}

// What connect does not know itself it leaves to its opener.
func TestConnectElsewhere(t *testing.T) {
	t.Parallel()
	asked := ""
	r := runWith(t, t.Context(), script.Options{Connect: func(_ context.Context, addr string) (*expect.Console, expect.Pattern, error) {
		asked = addr
		a, b := net.Pipe()
		go func() { _, _ = b.Write([]byte("hello")); b.Close() }()
		return expect.New(a, a), expect.Regexp("[$#] $"), nil
	}}, `p = connect("db"); print(p.expect(EOF).before, p.prompt, connect("db", prompt = ">").prompt, connect("db", prompt = None).prompt)`)
	if r.err != nil || r.out != "hello re(\"[$#] $\") > None\n" || asked != "db" {
		t.Errorf("%+v, asked for %q", r, asked)
	}
}

func TestFilesArgumentsAndEnvironment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f")
	r := runWith(t, t.Context(), script.Options{
		Args: []string{"one", file}, Env: []string{"A=1", "B=x=y"},
		Ask: func(_ context.Context, prompt string) (string, error) { return "answer to " + prompt, nil },
	}, `
write_file(args[1], "a\n"); write_file(args[1], "b\n", append = True)
print(read_file(args[1]), args[0], env["A"], env.get("B"), env.get("C", "none"), ask("what? "))
log("not", "shown\x1b[1m")
`)
	if want := "a\nb\n one 1 x=y none answer to what? \n"; r.err != nil || r.out != want {
		t.Errorf("error %v\nprints %q\nwant   %q", r.err, r.out, want)
	}
	if r.log != "not shown\\x1b[1m\n" {
		t.Errorf("logs %q", r.log)
	}
	ends(t, `read_file("/nowhere")`, 1, "t.star:1: read_file: open /nowhere: no such file")
	ends(t, `ask("x")`, 1, "t.star:1: ask: no terminal to ask at")
	ends(t, `env["NOPE"]`, 1, `key "NOPE" not in dict`, `hint: write .get("NOPE", default)`)
	ends(t, `env["A"] = "1"`, 1, "frozen")
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("lib.star", "print('once')\ndef hi(p):\n    p.expect('hi', timeout = 0.1)\n")
	write("self.star", "load('self.star', 'x')\n")
	write("bad.star", "x = 1\ny = z\n")
	src := "load('lib.star', 'hi')\nload('lib.star', again = 'hi')\nhi(spawn(['echo', 'hi']))\nagain(spawn('cat'))\n"
	p, err := script.Load(filepath.Join(dir, "main.star"), []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	status, err := p.Run(t.Context(), script.Options{Stdout: &out})
	if out.String() != "once\n" || status != 124 || err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, "lib.star")+":3: expect: ") ||
		!strings.Contains(err.Error(), "\n  called   "+filepath.Join(dir, "main.star")+":4") {
		t.Errorf("prints %q, status %d, error %v", out.String(), status, err)
	}
	for src, want := range map[string]string{
		"load('self.star', 'x')":  "loads itself",
		"load('bad.star', 'x')":   "bad.star:2: z is not defined",
		"load('none.star', 'x')":  "no such file",
		"load('lib.star', 'hey')": "hey",
	} {
		p, err := script.Load(filepath.Join(dir, "main.star"), []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(t.Context(), script.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", src, err, want)
		}
		if found := p.Check(); len(found) == 0 {
			t.Errorf("%s: the check finds nothing", src)
		}
	}
}

// The output of a program goes where log= says, as it was written, and secrets masked.
func TestLog(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "log")
	src := `
p = spawn(["printf", "one\\033[1m two\\n"], log = args[0])
p.wait()
p = spawn(["echo", "shown"], log = "-")
p.wait()
`
	r := run(t, src, file)
	if r.err != nil || r.out != "shown\r\n" {
		t.Errorf("error %v, prints %q", r.err, r.out)
	}
	if got, _ := os.ReadFile(file); string(got) != "one\x1b[1m two\r\n" {
		t.Errorf("the log is %q", got)
	}
	ends(t, `spawn("echo", log = "/dev/full").wait()`, 125, "t.star: log: write /dev/full: no space left on device")
	ends(t, `spawn("echo", log = "/dev/full").wait(); exit(3)`, 3, "t.star: log: write /dev/full: no space left on device")
	ends(t, `spawn("cat", log = "/nowhere/x")`, 1, "t.star:1: spawn: log: open /nowhere/x")
}

const password = `p = spawn(["sh", "-c", "stty -echo; printf 'Password: '; read x; stty echo; echo; echo got $x"], log = args[0])
`

// A secret is shown nowhere: not in what is printed, logged, written in an error, or in a log.
func TestSecretsDoNotShow(t *testing.T) {
	t.Setenv("SPAWNX_TEST_PW", "tr0ub4dor")
	file := filepath.Join(t.TempDir(), "log")
	for name, give := range map[string]string{
		"a rule":            `m = p.expect(on("Password: ", secret("env:SPAWNX_TEST_PW")), EOF)`,
		"sendsecret":        `p.expect("Password: "); p.sendsecret("env:SPAWNX_TEST_PW"); m = p.expect(EOF)`,
		"of a rule's value": `s = secret("env:SPAWNX_TEST_PW"); p.expect("Password: "); p.sendsecret(s); m = p.expect(EOF)`,
		"from a function":   `m = p.expect(on("Password: ", lambda m: secret("env:SPAWNX_TEST_PW")), EOF)`,
	} {
		r := run(t, password+give+`
print(m.before)
log(m.before, secret("env:SPAWNX_TEST_PW"))
def f(x): fail(m.before)
print(parallel(f, [1])[0].error)
fail(m.before)
`, file)
		log, _ := os.ReadFile(file)
		all := r.out + r.log + string(log)
		if r.err != nil {
			all += r.err.Error()
		}
		if strings.Contains(all, "tr0ub4dor") || strings.Count(all, "[secret]") < 5 || r.status != 1 {
			t.Errorf("%s: status %d:\n%s", name, r.status, all)
		}
	}
}

func TestSecretsAreGivenOnceAndSafely(t *testing.T) {
	t.Setenv("SPAWNX_TEST_PW", "tr0ub4dor")
	twice := `p = spawn(["sh", "-c", "stty -echo; for i in 1 2; do printf 'Password: '; read x; echo; done; echo ok"])
`
	ends(t, twice+`p.expect(on("Password: ", secret("env:SPAWNX_TEST_PW")), "ok")`, 1,
		`asked again: "Password: "`, "hint: a secret is given once", "max = 2")
	says(t, twice+`print(p.expect(on("Password: ", secret("env:SPAWNX_TEST_PW"), max = 2), "ok").text)`, "ok\n")
	ends(t, `p = spawn("cat"); p.sendsecret("env:SPAWNX_TEST_PW", timeout = 0.1)`, 124, "the terminal still shows what is typed", "nothing was sent")
	ends(t, `p = spawn("cat", stdio = "pipes"); p.sendsecret("env:SPAWNX_TEST_PW")`, 1, "hint: where you know that it will not be shown: unproved = True")
	says(t, `p = spawn("cat", stdio = "pipes"); p.sendsecret("env:SPAWNX_TEST_PW", unproved = True); print(p.expect(re(".+\n")).text)`, "[secret]\n\n")
	says(t, `p = spawn(["sh", "-c", "echo go; cat"], stdio = "pipes"); print(p.expect(on("go", secret("env:SPAWNX_TEST_PW", unproved = True)), re("tr.*r")).text)`, "[secret]\n")
	ends(t, `spawn("cat").sendsecret("env:SPAWNX_TEST_NO_SUCH", unproved = True)`, 1, "SPAWNX_TEST_NO_SUCH")
}

// A serial line: here a terminal that a program lends us.
func TestConnectToALine(t *testing.T) {
	t.Parallel()
	says(t, `
p = spawn(["sh", "-c", "tty; exec sleep 1000"])
q = connect("tty:" + p.expect(re("/dev/\\S+\n")).text.strip() + ",9600")
q.sendline("out")
print(repr(p.expect("out\r", view = "raw").text))
p.send("in")
print(q.expect("in").text)
q.close()
`, "\"out\\r\"\nin\n")
	ends(t, `connect("tty:/dev/null")`, 1, `"tty:/dev/null" is no serial line`, "tty:DEVICE,115200")
}
