//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/session"
)

var heavy = flag.Bool("heavy", false, "run the long versions of the tests")

// names gives the test a folder for names of its own, as a login gives it to a user. What still runs there is
// stopped at the end. The path is short, as that of a socket must be.
func names(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "x")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("XDG_STATE_HOME", dir)
	t.Cleanup(func() {
		for _, info := range listed(t) {
			if info.Running {
				does(t, 0, "stop", info.Name)
			}
			if _, err := os.Lstat(filepath.Join(dir, "spawnx", info.Name)); err == nil {
				spawnxRun(t, nil, "wait", info.Name)
			}
		}
		endLingering(dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
}

// folder gives the test a folder for names, too. What still runs there at the end was left on purpose.
func folder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Cleanup(func() { endLingering(dir) })
}

// endLingering ends those that run here still, for up to a minute, since nobody has asked them for a status: another
// has their name. Where there is no /proc they take their minute.
func endLingering(dir string) {
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range all {
		env, err := os.ReadFile(file)
		if err != nil || !strings.Contains("\x00"+string(env), "\x00XDG_RUNTIME_DIR="+dir+"\x00") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGTERM) // it may have ended just now
		}
	}
}

// does runs spawnx and wants this status; it returns what was printed.
func does(t *testing.T, status int, args ...string) string {
	t.Helper()
	got := spawnxRun(t, nil, args...)
	if got.status != status {
		t.Fatalf("spawnx %q: status %d, want %d\nstdout %s\nstderr %s", args, got.status, status, got.out, got.err)
	}
	return got.out
}

func listed(t *testing.T) (all []session.Info) {
	t.Helper()
	for line := range strings.Lines(does(t, 0, "list", "--json")) {
		var info session.Info
		if err := json.Unmarshal([]byte(line), &info); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, info)
	}
	return all
}

// alive reports whether a process is there that is no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !errors.Is(err, os.ErrNotExist)
	}
	return !strings.Contains(string(stat[strings.LastIndexByte(string(stat), ')'):]), ") Z")
}

func runShell(t *testing.T, name string, flags ...string) {
	t.Helper()
	args := slices.Concat([]string{"run", "-d", "--name", name, "--env", "PS1=ready$ ", "--env", "HISTFILE=", "--env", "TERM=dumb", "--grace", "0"}, flags,
		[]string{"bash", "--norc", "--noprofile", "-i"})
	does(t, 0, args...)
}

// The life of a named program, by all verbs, each from a process of its own without a terminal.
func TestNamedProgram(t *testing.T) {
	names(t)
	runShell(t, "sh", "--prompt", "ready$ ")
	if got := does(t, 0, "expect", "sh", "ready$ "); got != "ready$ \n" {
		t.Errorf("expect: %q", got)
	}
	does(t, 0, "sendline", "sh", "echo $((6*7))")
	if got := does(t, 0, "expect", "--print", "json", "sh", "no", `/(?P<n>\d\d)\n/`); !strings.Contains(got, `"named":{"n":"42"}`) ||
		!strings.Contains(got, `"index":1`) {
		t.Errorf("expect --print json: %s", got)
	}
	does(t, 0, "expect", "sh", "ready$ ")
	if got := does(t, 0, "command", "sh", "echo one; echo two"); got != "one\ntwo\n" {
		t.Errorf("command: %q", got)
	}
	does(t, 0, "send", "sh", "echo sp")
	does(t, 0, "send", "sh", "--", "awnx")
	does(t, 0, "sendkey", "sh", "enter")
	if got := does(t, 0, "expect", "--print", "before", "sh", "/^spawnx\n/m"); strings.Contains(got, "two") {
		t.Errorf("expect goes on behind command: %q", got)
	}
	does(t, 0, "expect", "sh", "ready$ ")
	does(t, 0, "expect", "--as", "other", "sh", "42") // its own place: from the start
	does(t, 0, "resize", "sh", "30x100")
	if got := does(t, 0, "command", "sh", "stty size"); got != "30 100\n" {
		t.Errorf("size: %q", got)
	}
	does(t, 0, "command", "sh", "trap 'echo got it' USR1")
	does(t, 0, "signal", "sh", "SIGUSR1")
	does(t, 0, "sendkey", "sh", "enter")
	does(t, 0, "expect", "sh", "got it")

	all := listed(t)
	if len(all) != 1 || all[0].Name != "sh" || !all[0].Running || all[0].PID == 0 || all[0].TTY == "" || all[0].Prompt != "ready$ " {
		t.Errorf("list: %+v", all)
	}
	if got := does(t, 0, "list"); !strings.Contains(got, "sh    runs") {
		t.Errorf("list: %s", got)
	}
	does(t, 124, "expect", "--timeout", "10ms", "sh", "nothing of the kind")
	if got := does(t, 0, "expect", "--timeout", "10ms", "--print", "pattern", "sh", "nothing of the kind", "<timeout>"); got != "<timeout>\n" {
		t.Errorf("a listed timeout: %q", got)
	}
	does(t, 124, "wait", "--timeout", "10ms", "sh")
	does(t, 0, "sendline", "sh", "exit 7")
	if got := does(t, 0, "expect", "--print", "pattern", "sh", "<eof>"); got != "<eof>\n" {
		t.Errorf("expect <eof>: %q", got)
	}
	does(t, 7, "wait", "sh")
	does(t, 1, "wait", "sh")
	if all := listed(t); len(all) != 0 {
		t.Errorf("list at the end: %+v", all)
	}
}

// A command may follow the start at once: it waits until the program is ready, with a prompt and without.
func TestCommandAtOnce(t *testing.T) {
	names(t)
	for name, flags := range map[string][]string{"known": {"--prompt", ">>> "}, "not": nil} {
		does(t, 0, slices.Concat([]string{"run", "-d", "--name", name, "--env", "TERM=dumb", "--grace", "0"}, flags, []string{"python3", "-q"})...)
		for range 3 {
			if got := does(t, 0, "command", name, "6*7"); got != "42\n" {
				t.Errorf("prompt %s: %q", name, got)
			}
		}
	}
}

// What goes wrong is said, by every verb, with a status and what to do.
func TestNamedErrors(t *testing.T) {
	names(t)
	does(t, 0, "run", "-d", "--name", "cat", "--stdio", "pipes", "cat")
	does(t, 0, "run", "-d", "--name", "dog", "cat")
	tests := []struct {
		args   []string
		status int
		says   string // in stderr
	}{
		{[]string{"run", "--name", "cat", "cat"}, 1, "cat runs already"},
		{[]string{"run", "-d", "--name", "cat", "cat"}, 1, "cat runs already"},
		{[]string{"run", "-d", "--name", "new1", "no-such-program"}, 127, "start no-such-program: not found"},
		{[]string{"run", "-d", "--name", "new2", "/"}, 126, "start /: "},
		{[]string{"run", "-d", "--name", "new3", "--fifo", "/dev/null", "cat"}, 125, "fifo /dev/null"},
		{[]string{"run", "-d", "--name", "new4", "--listen", "nowhere", "cat"}, 125, "listen at nowhere: it is none of spawnx:PATH, spawnx:HOST:PORT, unix:PATH, tcp:HOST:PORT and ws:HOST:PORT"},
		{[]string{"run", "-d", "--name", "new5", "--listen", "tcp:192.0.2.1:0", "cat"}, 125, "loopback"},
		{[]string{"run", "-d", "--name", "new6", "--log", "/no/such/log", "cat"}, 125, "log: open"},
		{[]string{"list", "cat"}, 125, `"cat" is too much`},
		{[]string{"attach"}, 125, "a NAME is wanted\nhint: spawnx list"},
		{[]string{"attach", "no"}, 1, "no is not running\n  running  cat  dog"},
		{[]string{"attach", "--take", "--read-only", "cat"}, 125, "take"},
		{[]string{"attach", "cat", "dog"}, 125, `"dog" is too much`},
		{[]string{"send", "no", "x"}, 1, "no is not running"},
		{[]string{"send", "cat"}, 125, "the TEXT is missing\nhint: spawnx send [FLAGS] NAME TEXT"},
		{[]string{"send", "cat", "a", "b"}, 125, `"b" is too much`},
		{[]string{"send", "dog", "a\x03b"}, 1, "hint: spawnx sendkey dog ctrl-c\n"},
		{[]string{"send", "dog", strings.Repeat("x", 5000)}, 1, "send dog: "},
		{[]string{"sendline", "no", "x"}, 1, "no is not running"},
		{[]string{"sendkey", "dog", "ctlr-c"}, 125, "ctlr-c"},
		{[]string{"sendkey", "no", "up"}, 1, "no is not running"},
		{[]string{"sendsecret", "dog", "hunter2"}, 125, "sendsecret: "},
		{[]string{"sendsecret", "dog"}, 125, "the REF is missing"},
		{[]string{"sendsecret", "--timeout", "10ms", "dog", "env:HOME"}, 124, "still shows what is typed"},
		{[]string{"sendsecret", "cat", "env:HOME"}, 1, "-unproved"},
		{[]string{"sendsecret", "no", "env:HOME"}, 1, "no is not running"},
		{[]string{"sendsecret", "dog", "env:NO_SUCH_VARIABLE"}, 1, "sendsecret dog: secret \"env:NO_SUCH_VARIABLE\": the variable is not set"},
		{[]string{"sendsecret", "dog", "file:/nonexistent"}, 1, "no such file"},
		{[]string{"run", "-d", "--name", "no", "--listen", "tcp:7777", "cat"}, 125, "listen at tcp:7777: address 7777: missing port"},
		{[]string{"expect", "--timeout", "10ms", "dog", "--", "-text"}, 124, `wanted   "-text"`},
		{[]string{"expect", "dog", "text", "--timeout", "1s"}, 125, "--timeout stands behind NAME"},
		{[]string{"expect", "dog", "text", "--timeout=1s"}, 125, "hint: flags come before NAME"},
		{[]string{"sendsecret", "--colour", "no", "env:HOME"}, 125, "unknown flag --colour"},
		{[]string{"sendeof", "no"}, 1, "no is not running"},
		{[]string{"expect", "cat"}, 125, "the PATTERN is missing"},
		{[]string{"expect", "cat", "/(/"}, 125, "pattern /(/"},
		{[]string{"expect", "cat", "<none>"}, 125, `write '\<none>'`},
		{[]string{"expect", "cat", "<timeout>"}, 125, "<timeout> alone only waits"},
		{[]string{"expect", "--print", "all", "cat", "x"}, 125, `--print "all"`},
		{[]string{"expect", "--from", "here", "cat", "x"}, 125, `--from "here"`},
		{[]string{"expect", "--timeout", "5", "cat", "x"}, 125, "write 5s"},
		{[]string{"expect", "--screen", "dog", "<waiting>"}, 125, "nothing that a screen shows"},
		{[]string{"expect", "no", "x"}, 1, "no is not running"},
		{[]string{"expect", "--timeout", "10ms", "cat", "never"}, 124, "\n  wanted   \"never\"\n  unread   "},
		{[]string{"expect", "--idle-timeout", "10ms", "cat", "never"}, 124, "expect cat: "},
		{[]string{"command", "--prompt", "/(/", "cat", "x"}, 125, "--prompt: pattern /(/"},
		{[]string{"command", "--prompt", "$ ", "--timeout", "10ms", "cat", "line"}, 124, "command cat: "},
		{[]string{"command", "no", "x"}, 1, "no is not running"},
		{[]string{"wait", "no"}, 1, "no is not running"},
		{[]string{"wait"}, 125, "a NAME is wanted"},
		{[]string{"signal", "cat"}, 125, "the SIGNAL is missing"},
		{[]string{"command", "cat", "x", "--timeout", "5s"}, 125, "--timeout stands behind NAME\nhint: flags come before NAME: spawnx command [FLAGS] NAME LINE"},
		{[]string{"signal", "cat", "KILLL"}, 125, "KILLL"},
		{[]string{"signal", "no", "KILL"}, 1, "no is not running"},
		{[]string{"signal", "cat", "-9"}, 125, "signal: -9 is no flag\nhint: spawnx signal NAME 9"},
		{[]string{"signal", "-HUP", "cat"}, 125, "hint: spawnx signal NAME HUP"},
		{[]string{"signal", "--taken", "cat"}, 125, "unknown flag --taken"},
		{[]string{"expect", "--as", strings.Repeat("x", 65), "cat", "x"}, 125, "it has 65 bytes, 64 are the most"},
		{[]string{"run", "--name", "", "cat"}, 125, "--name \"\": the name is empty"},
		{[]string{"stop", "spawnx:example.org"}, 125, "has no port\nhint: write spawnx:HOST:PORT"},
		{[]string{"wait", "--fingerprint", "abc", "cat"}, 125, `--fingerprint "abc": 64 hexadecimal digits are wanted`},
		{[]string{"sendline", "no", "--", "--x"}, 1, "no is not running"},
		{[]string{"sendkey", "dog", "--", "ctlr-c"}, 125, "ctlr-c"},
		{[]string{"command", "no", "--", "-x"}, 1, "no is not running"},
		{[]string{"resize", "dog", "80"}, 125, "resize: "},
		{[]string{"resize", "cat", "24x80"}, 1, "resize cat: it has no terminal"},
		{[]string{"resize", "no", "24x80"}, 1, "no is not running"},
		{[]string{"stop", "no"}, 1, "no is not running"},
		{[]string{"stop", "tcp:localhost:1"}, 125, "is no name"},
		{[]string{"expect", "--screen", "cat", "x"}, 1, "expect cat: it has no terminal"},
		{[]string{"expect", "spawnx:/no/such/socket", "x"}, 1, "join spawnx:/no/such/socket"},
	}
	t.Run("all", func(t *testing.T) {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%.60q", tt.args), func(t *testing.T) {
				t.Parallel()
				got := spawnxRun(t, nil, tt.args...)
				if got.status != tt.status || got.out != "" || !strings.HasPrefix(got.err, "spawnx: ") || !strings.Contains(got.err, tt.says) {
					t.Errorf("status %d, stdout %q, stderr:\n%s\nwant %d, %q", got.status, got.out, got.err, tt.status, tt.says)
				}
			})
		}
	})
	if all := listed(t); len(all) != 2 {
		t.Errorf("left: %+v", all)
	}
}

// A status is kept, and does not keep the name from anybody.
func TestKeptStatus(t *testing.T) {
	names(t)
	for i := range 3 {
		got := spawnxRun(t, nil, "run", "-d", "--name", "x", "sh", "-c", fmt.Sprintf("exit %d", i+4))
		want := ""
		if i > 0 {
			want = fmt.Sprintf("spawnx: run: the x before had ended with exit status %d, which nobody had asked for: it is forgotten now\nhint: spawnx wait x in between\n", i+3)
		}
		if got.status != 0 || got.err != want || got.out != "" {
			t.Errorf("%d: %+v, want %s", i, got, want)
		}
		does(t, 0, "expect", "x", "<eof>")
	}
	if all := listed(t); len(all) != 1 || all[0].Exit == nil {
		t.Fatalf("list: %+v", all)
	}
	if got := does(t, 0, "list"); !strings.Contains(got, "exit status 6") {
		t.Errorf("list: %s", got)
	}
	does(t, 6, "wait", "x")
	does(t, 0, "run", "-d", "--name", "x", "sh", "-c", "kill -9 $$")
	does(t, 137, "wait", "x")
	does(t, 0, "run", "-d", "--name", "x", "sleep", "1000")
	does(t, 0, "stop", "x")
	does(t, 143, "wait", "x")
	// Without -d the person has seen how it ended.
	does(t, 5, "run", "--name", "x", "sh", "-c", "exit 5")
	does(t, 1, "wait", "x")
}

// Without -d the person sits at it, and others join.
// What is done to a program that has ended is refused: its terminal, which is still there, would take it.
func TestNamedHasEnded(t *testing.T) {
	names(t)
	refused := func(want string, words ...string) {
		t.Helper()
		got := spawnxRun(t, nil, words...)
		want = "spawnx: " + words[0] + " " + words[1] + ": " + want
		if got.status != 1 || !strings.HasPrefix(got.err, want) {
			t.Errorf("spawnx %q: status %d, %s\nwant %s", words, got.status, got.err, want)
		}
	}
	does(t, 0, "run", "-d", "--name", "over", "sh", "-c", "exit 3")
	eventually(t, "it has ended", func() bool { return !listed(t)[0].Running })
	for _, words := range [][]string{{"send", "over", "x"}, {"sendline", "over", "x"}, {"sendkey", "over", "enter"}, {"sendeof", "over"},
		{"resize", "over", "5x10"}, {"signal", "over", "INT"}, {"command", "over", "x"}, {"why", "over"}} {
		refused("it has ended: exit status 3", words...)
	}
	does(t, 3, "wait", "over")

	does(t, 0, "run", "-d", "--name", "again", "--restart", "always", "sh", "-c", "exit 3")
	eventually(t, "it pauses for seconds", func() bool { return time.Until(listed(t)[0].RestartAt) > 3*time.Second })
	for _, words := range [][]string{{"sendline", "again", "x"}, {"signal", "again", "INT"}, {"why", "again"}} {
		refused("it has ended, and starts again in ", words...)
	}
}

func TestNamedInTheForeground(t *testing.T) {
	names(t)
	sh := shell(t)
	types(t, sh, "spawnx run --name py python3 -q")
	sees(t, sh, expect.Text(">>> "))
	does(t, 0, "sendline", "py", "6*7")
	sees(t, sh, expect.Text("42"))
	sees(t, sh, expect.Text(">>> "))
	types(t, sh, "'ab' * 3")
	sees(t, sh, expect.Text("'ababab'"))
	does(t, 0, "expect", "py", "'ababab'")
	does(t, 0, "sendline", "py", "exit(3)")
	sees(t, sh, prompt)
	types(t, sh, "echo status $?")
	sees(t, sh, expect.Text("status 3"))
}

// Who attaches sees the screen, drives, leaves, and finds everything again; the terminal is given back.
func TestAttach(t *testing.T) {
	names(t)
	runShell(t, "sh")
	does(t, 0, "expect", "sh", "ready$ ")
	sh := shell(t)
	types(t, sh, "stty -a >before; spawnx attach sh")
	sees(t, sh, expect.Text("ready$ "))
	types(t, sh, "x=kept; stty size")
	sees(t, sh, expect.Text("24 80"))
	presses(t, sh, `ctrl-\`)
	sees(t, sh, prompt)
	types(t, sh, `echo status $?; stty -a | cmp before - && echo same; rm before`)
	sees(t, sh, expect.Text("status 0\nsame\n"))
	sees(t, sh, prompt)

	types(t, sh, "spawnx attach sh")
	sees(t, sh, expect.Text("ready$ "))
	types(t, sh, "echo x is $x")
	sees(t, sh, expect.Text("x is kept"))

	// The seat is taken: who has no terminal to watch at is told so.
	if got := spawnxRun(t, nil, "attach", "sh"); got.status != 1 || !strings.Contains(got.err, "drives it\nhint: --take") {
		t.Errorf("a second driver: %+v", got)
	}
	other := shell(t)
	types(t, other, "spawnx attach sh")
	sees(t, other, expect.Text("you watch"))
	sees(t, other, expect.Text("x is kept"))
	types(t, other, "echo not typed")
	sees(t, other, expect.Text("you watch, what you type is lost"))
	presses(t, other, `ctrl-\`)
	sees(t, other, prompt)
	types(t, other, "spawnx attach --take sh")
	sees(t, other, expect.Text("x is kept"))
	types(t, other, "echo by the other")
	sees(t, sh, expect.Text("\nby the other"))
	types(t, sh, "echo not typed")
	sees(t, sh, expect.Text("you watch, what you type is lost"))
	types(t, other, "exit 9")
	sees(t, other, prompt)
	types(t, other, "echo status $?")
	sees(t, other, expect.Text("status 9"))
	sees(t, sh, prompt)
	types(t, sh, "echo status $?")
	m := sees(t, sh, expect.Text("status 9"))
	if strings.Contains(m.Before, "not typed") {
		t.Error("what an observer typed reached the program")
	}
	does(t, 9, "wait", "sh")
}

// attach without a terminal is a pipe to the program, and its status.
func TestAttachOnPipes(t *testing.T) {
	names(t)
	does(t, 0, "run", "-d", "--name", "bc", "--stdio", "pipes", "bc", "-q")
	got := spawnxRun(t, strings.NewReader("6*7\nquit\n"), "attach", "bc")
	if got.out != "42\n" || got.status != 0 || got.err != "" {
		t.Errorf("%+v", got)
	}
}

// A full-screen program is driven by its screen, and attached in the middle.
func TestNamedFullScreen(t *testing.T) {
	names(t)
	dir := t.TempDir()
	does(t, 0, "run", "-d", "--name", "ed", "--dir", dir, "vim", "-u", "NONE", "-N", "notes.txt")
	does(t, 0, "expect", "--screen", "ed", `/"notes.txt" \[New\]/`)
	does(t, 0, "sendkey", "ed", "i")
	does(t, 0, "expect", "--screen", "ed", "--", "-- INSERT --")
	does(t, 0, "send", "ed", "hello from afar")
	does(t, 0, "expect", "--screen", "ed", "hello from afar")
	sh := shell(t)
	types(t, sh, "spawnx attach ed")
	sees(t, sh, expect.Text("hello from afar"))
	presses(t, sh, `ctrl-\`)
	// The shell's screen is back.
	raw := sh.With(expect.Options{View: expect.Raw})
	sees(t, raw, expect.Text("\x1b[?1049l"))
	sees(t, sh, prompt)
	types(t, sh, "spawnx attach ed")
	sees(t, sh, expect.Text("hello from afar"))
	presses(t, sh, "esc", ":", "x", "enter")
	sees(t, sh, prompt)
	if text, err := os.ReadFile(filepath.Join(dir, "notes.txt")); string(text) != "hello from afar\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	does(t, 0, "wait", "ed")
}

// A secret goes in where the terminal hides it, and shows nowhere.
func TestNamedSecret(t *testing.T) {
	names(t)
	t.Setenv("PW", "open sesame")
	does(t, 0, "run", "-d", "--name", "ask", "sh", "-c",
		`stty -echo; printf 'Password: '; read -r p; stty echo; echo; echo "length ${#p}"`)
	does(t, 0, "expect", "ask", "Password: ")
	does(t, 0, "sendsecret", "ask", "env:PW")
	if got := does(t, 0, "expect", "--print", "before", "ask", "length 11"); strings.Contains(got, "sesame") {
		t.Errorf("shown: %q", got)
	}
	does(t, 0, "wait", "ask")
	does(t, 0, "run", "-d", "--name", "pipe", "--stdio", "pipes", "sh", "-c", `read -r p; echo "length ${#p}"; read -r p`)
	does(t, 0, "sendsecret", "-unproved", "pipe", "env:PW")
	does(t, 0, "expect", "pipe", "length 11")
	does(t, 0, "sendsecret", "--unproved", "pipe", "env:PW")
	does(t, 0, "wait", "pipe")
}

// The other doors: bare bytes for nc, fifos for cat and echo.
func TestDoors(t *testing.T) {
	names(t)
	dir := t.TempDir()
	sock, fifos := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "s.sock"), filepath.Join(dir, "f")
	got := does(t, 0, "run", "-d", "--name", "cat", "--stdio", "pipes", "--listen", "unix:"+sock, "--listen", "tcp:127.0.0.1:0", "--fifo", fifos, "cat")
	if !strings.HasPrefix(got, "listens at unix:"+sock+"\nlistens at tcp:127.0.0.1:") {
		t.Errorf("printed %q", got)
	}
	sh := func(script string, args ...string) string {
		t.Helper()
		out, err := exec.Command("bash", append([]string{"-ec", script, "bash"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	// Any old tool, and again.
	for i := range 3 {
		line := fmt.Sprintf("by fifo %d", i)
		if got := sh(`echo "$1" >"$2/in"; head -n1 <"$2/out"`, line, fifos); got != line+"\n" {
			t.Errorf("fifo: %q", got)
		}
	}
	const ask = `coproc nc -U "$1"; echo by nc >&${COPROC[1]}
		while read -r l <&${COPROC[0]}; do echo "$l"; [ "$l" != "by nc" ] || break; done; kill $COPROC_PID`
	if got := sh(ask, sock); !strings.HasSuffix(got, "by nc\n") {
		t.Errorf("nc: %q", got)
	}
	for _, info := range listed(t) {
		if !slices.ContainsFunc(info.Doors, func(d string) bool { return strings.HasPrefix(d, "fifo:"+fifos) }) {
			t.Errorf("doors: %q", info.Doors)
		}
	}
	does(t, 0, "sendeof", "cat")
	does(t, 0, "wait", "cat")
	for _, path := range []string{fifos, sock} {
		eventually(t, path+" is removed", func() bool {
			_, err := os.Lstat(path)
			return errors.Is(err, os.ErrNotExist)
		})
	}
}

// eventually waits for what nobody announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Over the network with a token, by the same verbs.
func TestNamedOverTheNetwork(t *testing.T) {
	names(t)
	printed := does(t, 0, "run", "-d", "--name", "cat", "--listen", "spawnx:127.0.0.1:0", "cat")
	told := map[string]string{}
	for line := range strings.Lines(printed) {
		what, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		told[what] = strings.TrimPrefix(value, "at ")
	}
	address := told["listens"]
	if address == "" || told["token"] == "" || told["fingerprint"] == "" {
		t.Fatalf("printed %q", printed)
	}
	got := spawnxRun(t, nil, "sendline", "--fingerprint", told["fingerprint"], address, "hello")
	if got.status == 0 || !strings.Contains(got.err, "SPAWNX_TOKEN") {
		t.Errorf("without a token: %+v", got)
	}
	t.Setenv("SPAWNX_TOKEN", "wrong")
	if got = spawnxRun(t, nil, "sendline", "--fingerprint", told["fingerprint"], address, "hello"); got.status == 0 {
		t.Error("a wrong token")
	}
	t.Setenv("SPAWNX_TOKEN", told["token"])
	if got = spawnxRun(t, nil, "sendline", address, "hello"); got.status == 0 {
		t.Error("without a fingerprint")
	}
	does(t, 0, "sendline", "--fingerprint", told["fingerprint"], address, "hello")
	does(t, 0, "expect", "cat", "hello\n")
	t.Setenv("OTHER", told["token"])
	t.Setenv("SPAWNX_TOKEN", "wrong")
	does(t, 0, "stop", "--token", "env:OTHER", "--fingerprint", told["fingerprint"], address)
	does(t, 143, "wait", "cat")
}

// A token that could be guessed opens no door that everybody can reach, that for WebSockets included.
func TestAShortTokenIsRefused(t *testing.T) {
	names(t)
	t.Setenv("SPAWNX_TOKEN", "short")
	for _, door := range []string{"ws:127.0.0.1:0", "spawnx:127.0.0.1:0"} {
		got := spawnxRun(t, nil, "run", "-d", "--name", "x", "--stdio", "pipes", "--listen", door, "cat")
		if got.status != 125 || !strings.Contains(got.err, "the token has 5 characters; 22 is the least") {
			t.Errorf("%s: %+v", door, got)
		}
	}
}

// The frames of the protocol come by a WebSocket, too, for who has the token, and not for any page of a browser.
func TestNamedByWebSocket(t *testing.T) {
	names(t)
	t.Setenv("SPAWNX_TOKEN", "0123456789abcdef0123456789abcdef")
	printed := does(t, 0, "run", "-d", "--name", "cat", "--listen", "ws:127.0.0.1:0", "cat")
	host, ok := strings.CutPrefix(strings.TrimSpace(printed), "listens at ws:")
	if !ok {
		t.Fatalf("printed %q", printed)
	}
	says := func(hello string, header http.Header) (answer string, refused int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		c, res, err := websocket.Dial(ctx, "ws://"+host, &websocket.DialOptions{HTTPHeader: header, Host: header.Get("Host")})
		if err != nil {
			if res == nil {
				t.Fatal(err)
			}
			return "", res.StatusCode
		}
		defer c.CloseNow()
		conn := websocket.NetConn(ctx, c, websocket.MessageBinary)
		conn.Write(append([]byte{1, 0, 0, byte(len(hello))}, hello...))
		head := make([]byte, 4)
		io.ReadFull(conn, head)
		payload := make([]byte, int(head[2])<<8|int(head[3]))
		io.ReadFull(conn, payload)
		return string(payload), 0
	}
	const good = `{"spawnx":1,"token":"0123456789abcdef0123456789abcdef"}`
	if answer, _ := says(good, nil); !strings.Contains(answer, `"epoch":`) {
		t.Errorf("welcomed with %q", answer)
	}
	if answer, _ := says(`{"spawnx":1,"token":"0123456789abcdef"}`, nil); !strings.Contains(answer, `"code":"token"`) {
		t.Errorf("with a wrong token: %q", answer)
	}
	if _, refused := says(good, http.Header{"Origin": {"http://example.org"}}); refused != http.StatusForbidden {
		t.Errorf("from another page: %d", refused)
	}
	if _, refused := says(good, http.Header{"Host": {"example.org"}}); refused != http.StatusMisdirectedRequest {
		t.Errorf("by another name: %d", refused)
	}
	got := spawnxRun(t, nil, "run", "-d", "--name", "x", "--listen", "ws:0.0.0.0:0", "cat")
	if got.status != 125 || !strings.Contains(got.err, "listen at ws:0.0.0.0:0: ") {
		t.Errorf("beyond this machine: %+v", got)
	}
	does(t, 0, "stop", "cat")
	does(t, 143, "wait", "cat")
}

// Rules, logs and restarts go on in the one that is detached.
func TestDetachedDialog(t *testing.T) {
	names(t)
	log := filepath.Join(t.TempDir(), "log")
	t.Setenv("PW", "open sesame")
	does(t, 0, "run", "-d", "--name", "x", "--log", log, "--on", "Name? => Ada", "--on", "Password: => <secret env:PW>", "sh", "-c",
		`printf 'Name? '; read n; stty -echo; printf 'Password: '; read p; stty echo; echo; echo "$p, $n"; exit 4`)
	does(t, 4, "wait", "x")
	eventually(t, "the log is complete", func() bool {
		text, _ := os.ReadFile(log)
		return strings.Contains(string(text), ", Ada")
	})
	if text, _ := os.ReadFile(log); strings.Contains(string(text), "sesame") {
		t.Errorf("log: %q", text)
	}
	does(t, 0, "run", "-d", "--name", "x", "--timeout", "10ms", "sleep", "1000")
	does(t, 143, "wait", "x")
	does(t, 0, "run", "-d", "--name", "x", "--restart", "always", "sh", "-c", "echo up; read x")
	does(t, 0, "expect", "x", "up")
	does(t, 0, "sendline", "x", "")
	does(t, 0, "expect", "x", "up")
	does(t, 0, "stop", "x")
}

// Nothing of ours is held open by what was left running: not our output, not a descriptor that we were handed.
func TestDetachedHoldsNothing(t *testing.T) {
	names(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("spawnx", "run", "-d", "--name", "x", "sleep", "1000")
	cmd.ExtraFiles = []*os.File{w}
	out, err := cmd.CombinedOutput() // returns at the end of the pipe
	w.Close()
	if err != nil || len(out) != 0 {
		t.Fatalf("%v, %q", err, out)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d, %v", n, err)
	}
}

// The death of the server takes all with it and is in nobody's way.
func TestServerIsKilled(t *testing.T) {
	names(t)
	rounds, programs := 2, 3
	if *heavy {
		rounds, programs = 50, 20
	}
	dir := t.TempDir()
	var longest time.Duration // until nothing was left
	const script = `
		echo $$ >>"$1"
		(setsid sh -c 'trap "" TERM HUP INT; echo $$ >>"$1"; while :; do sleep 100; done' sh "$1" &) # a daemon
		nohup sh -c 'echo $$ >>"$1"; sleep 1000' sh "$1" >/dev/null 2>&1 &
		trap "" TERM HUP
		echo ready
		while :; do sleep 100; done`
	for round := range rounds {
		pids := filepath.Join(dir, fmt.Sprint(round))
		for i := range programs {
			name := fmt.Sprintf("p%d", i)
			does(t, 0, "run", "-d", "--name", name, "--fifo", filepath.Join(dir, name), "sh", "-c", script, "sh", pids)
			does(t, 0, "expect", name, "ready")
		}
		eventually(t, "all have said who they are", func() bool {
			text, _ := os.ReadFile(pids)
			return strings.Count(string(text), "\n") == 3*programs
		})
		for _, info := range listed(t) {
			if err := syscall.Kill(info.ServerPID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(pids)
		if err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the end of "+word, func() bool { return !alive(pid) })
		}
		longest = max(longest, time.Since(killed))
		if all := listed(t); len(all) != 0 {
			t.Fatalf("round %d: left in the list: %+v", round, all)
		}
	}
	t.Logf("nothing was left after %v at most", longest)
	if *heavy && longest > 2*time.Second { // the promise, to be seen on a quiet machine
		t.Errorf("something lived on for %v", longest)
	}
	for i := range programs {
		name := fmt.Sprintf("p%d", i)
		does(t, 0, "run", "-d", "--name", name, "--fifo", filepath.Join(dir, name), "true")
		does(t, 0, "wait", name)
	}
}

// The names are completed.
func TestCompleteNames(t *testing.T) {
	names(t)
	does(t, 0, "run", "-d", "--name", "editor", "cat")
	for _, verb := range []string{"attach", "send", "expect", "command", "wait", "signal", "stop", "sendsecret"} {
		if got := does(t, 0, "__complete", verb, ""); !strings.HasPrefix(got, "editor\tcat\n:4") {
			t.Errorf("%s: %q", verb, got)
		}
	}
	if got := does(t, 0, "__complete", "signal", "editor", ""); !strings.HasPrefix(got, "HUP\n") {
		t.Errorf("signals: %q", got)
	}
}
