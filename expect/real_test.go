package expect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// These tests drive the real programs, from Debian's packages (see test.sh).

// need says which program is missing: test.sh installs it.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		for _, dir := range []string{"/usr/sbin", "/sbin"} {
			if _, err := os.Stat(filepath.Join(dir, program)); err == nil {
				return filepath.Join(dir, program)
			}
		}
		t.Fatalf("%s is missing: run ./test.sh, which installs it", program)
	}
	return path
}

// A dialog is a Console in a test: what fails ends the test with the error,
// which tells all.
type dialog struct {
	t *testing.T
	*expect.Console
}

func drive(t *testing.T, s proc.Spec) dialog {
	t.Helper()
	need(t, s.Args[0])
	// A machine that runs many tests at once is slow; a wait that fails takes long all the same.
	c, err := expect.Spawn(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return dialog{t, c.With(expect.Options{Timeout: time.Minute})}
}

func (d dialog) expect(cases ...expect.Pattern) expect.Match {
	d.t.Helper()
	m, err := d.Expect(d.t.Context(), cases...)
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

func (d dialog) line(s string) {
	d.t.Helper()
	if err := d.SendLine(s); err != nil {
		d.t.Fatal(err)
	}
}

func (d dialog) keys(names ...string) {
	d.t.Helper()
	if err := d.SendKey(names...); err != nil {
		d.t.Fatal(err)
	}
}

func (d dialog) eof() {
	d.t.Helper()
	if err := d.SendEOF(); err != nil {
		d.t.Fatal(err)
	}
}

// ends waits for the end and demands its status.
func (d dialog) ends(status int) {
	d.t.Helper()
	exit, err := d.Wait(d.t.Context())
	var bad *proc.ExitError
	if err != nil && !errors.As(err, &bad) {
		d.t.Fatal(err)
	}
	if exit.Status() != status {
		d.t.Errorf("status %d, want %d", exit.Status(), status)
	}
}

// command runs a line at a prompt and returns what it printed.
func (d dialog) command(prompt, line string) string {
	d.t.Helper()
	out, err := d.With(expect.Options{Prompt: expect.Text(prompt)}).Command(d.t.Context(), line)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func env(extra ...string) []string { return append(os.Environ(), extra...) }

func TestBashJobControl(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"bash", "--norc", "--noprofile"}, Env: env("PS1=\\$ ", "HISTFILE=")})
	const prompt = "$ "
	if os.Geteuid() == 0 {
		d.expect(expect.Text("# "))
		d.line("PS1='$ '")
	}
	d.expect(expect.Regexp(`(?m)^\r?\$ `))
	d.line("cat")
	d.expect(expect.Text("cat\n"))
	d.expect(expect.Waiting) // cat prints no prompt
	d.line("hello cat")
	d.expect(expect.Text("hello cat\n")) // cat's, not the terminal's echo
	d.keys("ctrl-z")
	d.expect(expect.Text("Stopped"))
	d.expect(expect.Text(prompt))
	if out := d.command(prompt, "jobs"); !strings.Contains(out, "Stopped") {
		t.Errorf("jobs: %q", out)
	}
	d.line("fg")
	d.expect(expect.Text("cat\n"))
	d.expect(expect.Waiting)
	d.line("again")
	d.expect(expect.Text("again\n"))
	d.eof()
	d.expect(expect.Text(prompt))
	d.line("exit 5")
	d.ends(5)
}

// The prompt that people have: colours, a title, bracketed paste.
func TestBashWithTheUsualPrompt(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"bash", "--norc", "--noprofile"},
		Env: env(`PS1=\[\e]0;\u@\h\a\]\[\033[01;32m\]me@host\[\033[00m\]:\[\033[01;34m\]~\[\033[00m\]> `, "HISTFILE=")})
	d.expect(expect.Regexp(`me@host:~> $`))
	for i := range 20 {
		if out := d.command("me@host:~> ", fmt.Sprintf("echo $((%d*7))", i)); out != fmt.Sprintf("%d\n", i*7) {
			t.Fatalf("%d: %q", i, out)
		}
	}
	long := "echo " + strings.Repeat("0123456789 ", 15) + "end" // the line breaks at the edge of the terminal
	if out := d.command("me@host:~> ", long); out != strings.TrimPrefix(long, "echo ")+"\n" {
		t.Errorf("a long line: %q", out)
	}
	d.line("exit")
	d.ends(0)
}

func TestPython(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"python3", "-q", "-i"}, Env: env("PYTHON_BASIC_REPL=1", "PYTHONSTARTUP=")})
	d.expect(expect.Text(">>> "))
	d.line("for i in range(3):")
	d.expect(expect.Text("... "))
	d.line("    print('row', i)")
	d.expect(expect.Text("... "))
	if out := d.command(">>> ", ""); out != "row 0\nrow 1\nrow 2\n" {
		t.Errorf("block: %q", out)
	}
	d.line("import time; print('asleep'); time.sleep(600)")
	d.expect(expect.Text("asleep\n"))
	d.keys("ctrl-c")
	d.expect(expect.Text("KeyboardInterrupt\n>>> "))
	d.line("1/0")
	m := d.expect(expect.Regexp(`(?m)^(\w+Error): (.*)$`))
	if m.Groups[1] != "ZeroDivisionError" {
		t.Errorf("%q", m.Groups)
	}
	d.expect(expect.Text(">>> "))
	d.eof()
	d.ends(0)
}

const debuggee = `#include <stdio.h>
int main(void) {
	char name[100];
	printf("name? ");
	fflush(stdout);
	if (scanf("%99s", name) != 1) return 1;
	printf("hello %s\n", name);
	volatile unsigned long n = 0;
	for (;;) n++;
}
`

func TestGDB(t *testing.T) {
	need(t, "gdb")
	dir := t.TempDir()
	source := filepath.Join(dir, "loop.c")
	if err := os.WriteFile(source, []byte(debuggee), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(need(t, "gcc"), "-g", "-O0", "-o", filepath.Join(dir, "loop"), source).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	d := drive(t, proc.Spec{Args: []string{"gdb", "-q", "-nx", "./loop"}, Dir: dir, Env: env("DEBUGINFOD_URLS=")})
	const prompt = "(gdb) "
	d.expect(expect.Text(prompt))
	if out := d.command(prompt, "break 7"); !strings.Contains(out, "Breakpoint 1 at") {
		t.Errorf("break: %q", out)
	}
	d.line("run")
	d.expect(expect.Text("name? "))
	d.line("Ada")
	d.expect(expect.Text("Breakpoint 1, main"))
	d.expect(expect.Text(prompt))
	if out := d.command(prompt, "print name"); !strings.Contains(out, `= "Ada`) {
		t.Errorf("print: %q", out)
	}
	d.line("continue")
	d.expect(expect.Text("hello Ada\n"))
	d.keys("ctrl-c")
	d.expect(expect.Text("SIGINT"))
	d.expect(expect.Text(prompt))
	d.command(prompt, "frame function main") // it may have been caught inside printf
	if out := d.command(prompt, "info locals"); !strings.Contains(out, `name = "Ada`) || !strings.Contains(out, "\nn = ") {
		t.Errorf("info locals: %q", out)
	}
	// The pager stops a long answer; a rule answers it.
	remove := d.Always(expect.On(expect.Text("--Type <RET> for more, q to quit, c to continue without paging--"), expect.Keys("enter")))
	if out := d.command(prompt, "help data"); !strings.Contains(out, "Print value of expression") {
		t.Errorf("help: %d bytes", len(out))
	}
	remove()
	d.line("quit")
	d.expect(expect.Text("(y or n) "))
	d.line("y")
	d.ends(0)
}

func TestSQLite(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"sqlite3", "-batch", "-interactive"}})
	const prompt = "sqlite> "
	d.expect(expect.Text(prompt))
	d.line("create table t(n integer,")
	d.expect(expect.Text("...> "))
	d.command(prompt, "  word text);")
	d.command(prompt, "with recursive c(n) as (select 1 union all select n+1 from c where n < 50000) insert into t select n, 'row ' || n from c;")
	out := d.command(prompt, "select * from t;")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 50000 {
		t.Fatalf("%d rows", len(lines))
	}
	for i, l := range lines {
		if want := fmt.Sprintf("%d|row %d", i+1, i+1); l != want {
			t.Fatalf("row %d is %q", i, l)
		}
	}
	d.eof()
	d.ends(0)
}

func TestSSHKeygen(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	d := drive(t, proc.Command("ssh-keygen", "-q", "-t", "ed25519", "-f", key))
	secret := func(s string) expect.Secret {
		return func(context.Context) ([]byte, error) { return []byte(s), nil }
	}
	give := func(prompt, s string) {
		t.Helper()
		d.expect(expect.Text(prompt))
		if err := d.SendSecret(t.Context(), secret(s)); err != nil {
			t.Fatal(err)
		}
	}
	give("Enter passphrase", "correct horse")
	give("Enter same passphrase again: ", "wrong horse")
	d.expect(expect.Text("Passphrases do not match.  Try again."))
	give("Enter passphrase", "correct horse")
	give("Enter same passphrase again: ", "correct horse")
	d.ends(0)
	out, err := exec.Command("ssh-keygen", "-y", "-P", "correct horse", "-f", key).Output()
	if err != nil || !strings.HasPrefix(string(out), "ssh-ed25519 ") {
		t.Errorf("the key has another passphrase: %v", err)
	}
}

func TestEdIsSilent(t *testing.T) {
	dir := t.TempDir()
	d := drive(t, proc.Spec{Args: []string{"ed"}, Dir: dir})
	d.line("a")
	d.line("first line")
	d.line("second line")
	d.line(".")
	d.line("w notes")
	d.expect(expect.Text("23\n"))
	d.line("1,$n")
	d.expect(expect.Text("1\tfirst line\n2\tsecond line\n"))
	d.line("nonsense")
	d.expect(expect.Text("?\n"))
	d.line("q")
	d.ends(1) // ed remembers that it was not understood
	got, err := os.ReadFile(filepath.Join(dir, "notes"))
	if err != nil || string(got) != "first line\nsecond line\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLess(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	for i := range 500 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	text.WriteString("needle\n")
	for i := range 100 {
		fmt.Fprintf(&text, "after %d\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d := drive(t, proc.Spec{Args: []string{"less", "text"}, Dir: dir, Env: env("LESS=", "LESSOPEN=", "LESSSECURE=1")})
	d.expect(expect.Text("line 22"))
	if err := d.Send("/needle"); err != nil {
		t.Fatal(err)
	}
	d.keys("enter")
	d.expect(expect.Text("after 10"))
	d.expect(expect.Waiting) // less loses a change of size while it writes
	if err := d.Bridge().Resize(proc.Size{Rows: 40, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	d.expect(expect.Text("after 37"))
	d.keys("q")
	d.ends(0)
}

func TestGitAddPatch(t *testing.T) {
	need(t, "git")
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	file := filepath.Join(dir, "file")
	write := func(first, last string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(first+"\n"+strings.Repeat("same\n", 30)+last+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("one", "two")
	git("add", "file")
	git("commit", "-qm", "first")
	write("ONE", "TWO")
	d := drive(t, proc.Spec{Args: []string{"git", "-c", "color.ui=always", "add", "-p"}, Dir: dir, Env: env("GIT_PAGER=cat")})
	const question = "Stage this hunk [y,n,q,a,d,"
	m := d.expect(expect.Text(question))
	if !strings.Contains(m.Before, "\n-one\n+ONE\n") {
		t.Errorf("first hunk: %q", m.Before)
	}
	d.line("n")
	m = d.expect(expect.Text(question))
	if !strings.Contains(m.Before, "\n-two\n+TWO\n") {
		t.Errorf("second hunk: %q", m.Before)
	}
	d.line("y")
	d.ends(0)
	if diff := git("diff", "--cached", "--no-color"); strings.Contains(diff, "+ONE") || !strings.Contains(diff, "+TWO") {
		t.Errorf("staged:\n%s", diff)
	}
}

// su asks at /dev/tty for the password of a user that this test makes.
func TestSuAsksAtTheTerminal(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root can make a user to ask for")
		t.SkipNow()
	}
	const name, password = "spawnxtest", "right horse 7"
	need(t, "useradd")
	_ = exec.Command("userdel", "-rf", name).Run() // left by a test that was killed
	if out, err := exec.Command(need(t, "useradd"), "-m", "-s", "/bin/sh", name).CombinedOutput(); err != nil {
		t.Fatalf("useradd: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("userdel", "-rf", name).Run() })
	set := exec.Command(need(t, "chpasswd"))
	set.Stdin = strings.NewReader(name + ":" + password + "\n")
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("chpasswd: %v\n%s", err, out)
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	var log strings.Builder
	for _, attempt := range []struct {
		password string
		status   int
		says     string
	}{{"wrong horse 7", 1, "Authentication failure"}, {password, 7, "I am " + name}} {
		d := drive(t, proc.Spec{
			Args: []string{"su", name, "-c", "echo I am $(id -un); exit 7"}, Dir: "/",
			Credential: &proc.Credential{UID: uint32(uid), GID: uint32(gid)},
		})
		d.Transcript(&log)
		d.expect(expect.Text("Password: "))
		if err := d.SendSecret(t.Context(), func(context.Context) ([]byte, error) { return []byte(attempt.password), nil }); err != nil {
			t.Fatal(err)
		}
		d.expect(expect.Text(attempt.says))
		d.ends(attempt.status)
	}
	if strings.Contains(log.String(), "horse") {
		t.Errorf("a password shows:\n%s", log.String())
	}
}

// An sshd of the test's own, on loopback, and a key with a passphrase.
func TestSSH(t *testing.T) {
	need(t, "ssh")
	sshd := need(t, "sshd")
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, args := range [][]string{
		{"-q", "-t", "ed25519", "-N", "", "-f", file("host")},
		{"-q", "-t", "ed25519", "-N", "open sesame", "-f", file("key")},
	} {
		if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	pub, err := os.ReadFile(file("key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file("authorized"), pub, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where sshd separates its privileges
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	server := drive(t, proc.Spec{Stdio: proc.Pipes, Args: []string{
		sshd, "-D", "-e", "-f", "/dev/null", "-p", port, "-h", file("host"),
		"-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o", "StrictModes=no", "-o", "UsePAM=no",
		"-o", "AuthorizedKeysFile=" + file("authorized"), "-o", "PermitRootLogin=yes", "-o", "PrintMotd=no",
		"-o", "SetEnv=HOME=" + dir, // the startup files of whoever runs the tests may do anything
	}})
	awaitListening(t, server, port)

	d := drive(t, proc.Spec{Args: []string{
		"ssh", "-F", "/dev/null", "-p", port, "-i", file("key"), "-o", "UserKnownHostsFile=" + file("known"),
		"-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey", me.Username + "@127.0.0.1", "PS1='far> ' exec sh -i",
	}, Env: env("SSH_AUTH_SOCK=", "SSH_ASKPASS=", "DISPLAY=")})
	d.expect(
		expect.On(expect.Text("(yes/no"), expect.Line("yes")),
		expect.On(expect.Text("Enter passphrase for key"), expect.Password(func(context.Context) ([]byte, error) { return []byte("open sesame"), nil })),
		expect.Text("far> "))
	d.line("echo $((6*7)); exit 3")
	d.expect(expect.Text("42\n"))
	d.ends(3)
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// awaitListening waits until the server says so, on its standard error.
func awaitListening(t *testing.T, server dialog, port string) {
	t.Helper()
	r := server.Bridge().Stderr().Reader("test", 0)
	defer r.Close()
	r.SetReadDeadline(time.Now().Add(time.Minute))
	log := expect.New(r, io.Discard)
	if _, err := log.Expect(t.Context(), expect.Text("listening on 127.0.0.1 port "+port)); err != nil {
		t.Fatal(err)
	}
}

// What a program without a line editor repeats is its answer.
func TestCommandTakesAwayNoAnswer(t *testing.T) {
	for _, s := range []proc.Spec{
		{Args: []string{"cat"}}, {Args: []string{"cat"}, NoEcho: true}, {Args: []string{"cat"}, Stdio: proc.Pipes},
	} {
		d := drive(t, s)
		for _, line := range []string{"hello", "", "again"} {
			if out, err := d.Command(t.Context(), line); err != nil || out != line+"\n" {
				t.Errorf("%v: %q, %v", s, out, err)
			}
		}
	}
}

// No prompt is known: that the program waits for input is what ends an answer.
func TestCommandsWithoutAPrompt(t *testing.T) {
	const n = 200
	t.Run("bash", func(t *testing.T) {
		d := drive(t, proc.Spec{Args: []string{"bash", "--norc", "--noprofile"}, Env: env("HISTFILE=")})
		d.expect(expect.Waiting)
		for i := range n {
			out, err := d.Command(t.Context(), fmt.Sprintf("echo $((%d * 3)); printf 'no newline %d'", i, i))
			if want := fmt.Sprintf("%d\nno newline %d", i*3, i); err != nil || out != want {
				t.Fatalf("command %d: %q, want %q, %v", i, out, want, err)
			}
		}
	})
	t.Run("python3", func(t *testing.T) {
		d := drive(t, proc.Spec{Args: []string{"python3", "-q", "-i"}, Env: env("PYTHON_BASIC_REPL=1", "PYTHONSTARTUP=")})
		d.expect(expect.Waiting)
		for i := range n {
			out, err := d.Command(t.Context(), fmt.Sprintf("%d * 3", i))
			if want := fmt.Sprintf("%d\n", i*3); err != nil || out != want {
				t.Fatalf("expression %d: %q, want %q, %v", i, out, want, err)
			}
		}
	})
}

// A program that computes is not quiet, however long nothing comes.
func TestComputingIsNoPause(t *testing.T) {
	d := drive(t, proc.Command("bash", "-c", `printf 12; for ((i = 0; i < 60000; i++)); do :; done; printf '3\n'; cat`))
	if m := d.expect(expect.Regexp(`\d+`)); m.Text != "123" {
		t.Errorf("%q", m.Text)
	}
}

// The prompt that stands in a line, and so in what its editor shows of it, ends no answer, however the echo is cut.
func TestCommandsWithThePromptInThem(t *testing.T) {
	t.Run("bash", func(t *testing.T) {
		d := drive(t, proc.Spec{Args: []string{"bash", "--norc", "--noprofile"}, Env: env("HISTFILE=", "PS1=$ ")})
		d.expect(expect.Text("$ "))
		c := d.With(expect.Options{Prompt: expect.Text("ready> ")})
		for _, line := range []string{"PS1='ready> '", "echo $((6*7)) # ready> ready> ", "true"} {
			want := ""
			if strings.HasPrefix(line, "echo") {
				want = "42\n"
			}
			if out, err := c.Command(t.Context(), line); err != nil || out != want {
				t.Errorf("%s: %q, want %q, %v", line, out, want, err)
			}
		}
	})
	// An editor that shows the line byte by byte, with pauses.
	const editor = `
import os, sys, tty, time
tty.setraw(0)
while True:
    os.write(1, b"> ")
    line = b""
    while not line.endswith(b"\r"):
        c = os.read(0, 1)
        if not c: sys.exit()
        line += c
        os.write(1, c if c != b"\r" else b"\r\n")
        if c == b" ": time.sleep(0.05)
    os.write(1, b"did " + line[:-1].replace(b"> ", b"") + b"\r\n")
`
	t.Run("slow editor", func(t *testing.T) {
		d := drive(t, proc.Command("python3", "-c", editor))
		d.expect(expect.Text("> "))
		for _, prompt := range []expect.Pattern{expect.Text("> "), expect.Regexp(`> $`)} {
			c := d.With(expect.Options{Prompt: prompt})
			for _, line := range []string{"echo > file", "> x", "> ", "a > b > c", ""} {
				want := "did " + strings.ReplaceAll(line, "> ", "") + "\n"
				if out, err := c.Command(t.Context(), line); err != nil || out != want {
					t.Errorf("%s: %q, want %q, %v", line, out, want, err)
				}
			}
		}
	})
}
