//go:build linux

// Package scripts_test runs the example scripts, and what docs/scripts.md and docs/from.md show.
package scripts_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/script"
)

var (
	root string // of the clone
	bin  string // where spawnx is
)

func TestMain(m *testing.M) { os.Exit(withSpawnx(m.Run)) }

func withSpawnx(run func() int) int {
	var err error
	if root, err = filepath.Abs("../.."); err != nil {
		panic(err)
	}
	if bin, err = os.MkdirTemp("", "spawnx"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "build", "-o", bin, "./cmd/spawnx")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	os.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return run()
}

// A result is what a command left.
type result struct {
	out, err string
	status   int
}

// runs runs a command in a folder, without a terminal.
func runs(t *testing.T, dir string, env []string, words ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil || cmd.ProcessState == nil {
		t.Fatalf("%q: %v, output %q, errors %q", words, err, out.String(), errs.String())
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// good is one that must end well.
func good(t *testing.T, dir string, env []string, words ...string) string {
	t.Helper()
	r := runs(t, dir, env, words...)
	if r.status != 0 {
		t.Fatalf("%q: status %d\n%s%s", words, r.status, r.out, r.err)
	}
	return r.out
}

// What the tour says is what it promises.
func TestTour(t *testing.T) {
	out := good(t, root, nil, "spawnx", "script", "examples/tour.star")
	for _, want := range []string{
		"it greeted Ada and wrote 3 files", "You typed [secret], 11 letters.", "6 * 7 = 42", "2 + 2 = 4",
		`holds its output back: 6 bytes in its stdio buffer: "HELLO\n"`, "and now it writes HELLO", "That was it.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the tour does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "open-sesame") {
		t.Errorf("the tour shows the password:\n%s", out)
	}
}

// No example holds a mistake, nor anything doubtful.
func TestExamplesAreClean(t *testing.T) {
	files, _ := filepath.Glob("*.star")
	files = append(files, "../tour.star")
	if len(files) < 5 {
		t.Fatalf("only %q", files)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		clean(t, file, string(src))
	}
}

// clean checks a piece of a script.
func clean(t *testing.T, name, src string) {
	t.Helper()
	p, err := script.Load(name, []byte(src))
	if err != nil {
		t.Errorf("%s\n%v", src, err)
		return
	}
	for _, e := range p.Check() {
		t.Errorf("%s\n%v", src, e)
	}
}

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRouters(t *testing.T) {
	dir := t.TempDir()
	router := write(t, filepath.Join(dir, "router"), `#!/bin/sh
[ "$1" != r2 ] || { echo "no route to $1"; exit 1; }
stty -echo; printf 'Password: '; read pw; echo; [ "$pw" = abc ] || exit 2; stty echo
printf '%s# ' "$1"
while read line; do
	echo "line 1 of $line"
	printf -- '--More--'; stty -icanon -echo; dd bs=1 count=1 >/dev/null 2>&1; stty icanon echo; echo
	echo "line 2"
	printf '%s# ' "$1"
done
`, 0o755)
	r := runs(t, dir, []string{"REACH=" + router, "PW=abc"}, "spawnx", "script", filepath.Join(root, "examples/scripts/routers.star"), "show version", "r1", "r2", "r3")
	if r.status != 1 || r.err != "" {
		t.Errorf("status %d, errors %q", r.status, r.err)
	}
	for _, want := range []string{
		"== r1\nline 1 of show version\n\nline 2\n== r2\n", "routers.star:8: expect: the output ended before a match", `no route to r2\n`,
		"== r3\nline 1 of show version\n\nline 2\n",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("not there: %q\n%s", want, r.out)
		}
	}
}

func TestInstaller(t *testing.T) {
	dir := t.TempDir()
	star := filepath.Join(root, "examples/scripts/install.star")
	known := write(t, filepath.Join(dir, "known"), `
printf 'Continue? [Y/n] '; read a; printf 'Press ENTER '; read b; printf 'Password: '; stty -echo; read c; stty echo
echo "done $a ${#c}"`, 0o600)
	if out := good(t, dir, []string{"PW=abc"}, "spawnx", "script", star, "sh", known); !strings.HasSuffix(out, "done y 3\r\n") {
		t.Errorf("prints %q", out)
	}
	unknown := write(t, filepath.Join(dir, "unknown"), `printf 'Continue? [Y/n] '; read a; printf 'Which disk? '; read c; echo done`, 0o600)
	if r := runs(t, dir, nil, "spawnx", "script", star, "sh", unknown); r.status != 1 || !strings.Contains(r.err, "install.star:5: unknown question:  Which disk? ") {
		t.Errorf("%+v", r)
	}
}

// ---- ssh

const pw = "c0rrect-horse"

// sshServer starts an sshd of the test's own, which knows a user with a password, a menu and a dump, and
// returns the folder with an ssh that finds it under the name db1.
func sshServer(t *testing.T) (dir string) {
	t.Helper()
	for _, name := range []string{"ssh", "ssh-keygen", "/usr/sbin/sshd", "useradd", "chpasswd", "sftp"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%v: install openssh-server, openssh-client and passwd", err)
		}
	}
	dir = t.TempDir()
	user := fmt.Sprintf("spawnx%d", os.Getpid()%100000)
	home := filepath.Join("/tmp", user)
	command(t, "", "useradd", "-m", "-d", home, "-s", "/bin/bash", user)
	t.Cleanup(func() {
		_ = exec.Command("pkill", "-KILL", "-u", user).Run() // there may be none
		if out, err := exec.Command("userdel", "-r", "-f", user).CombinedOutput(); err != nil {
			t.Logf("userdel: %v %s", err, out)
		}
	})
	command(t, user+":"+pw, "chpasswd")
	write(t, home+"/menu", `#!/bin/sh
echo '1) status'; echo '2) restart'; echo '3) files'
printf 'Choice: '; read c
case $c in 3) exec sftp -D "/usr/lib/openssh/sftp-server -d `+home+`/dumps" x ;; esac
`, 0o755)
	write(t, home+"/dumps/dump.sql", strings.Repeat("INSERT 1;\n", 1234), 0o644)
	write(t, home+"/.bashrc", "PS1='\\u@\\h$ '\nbind 'set enable-bracketed-paste off'\ncd\n", 0o644)
	command(t, "", "chown", "-R", user, home)

	for _, key := range []string{"host"} {
		command(t, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key))
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where sshd separates its privileges
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close() // for sshd to listen there
	server := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", port, "-h", filepath.Join(dir, "host"),
		"-o", "ListenAddress=127.0.0.1", "-o", "UsePAM=no", "-o", "PidFile=none", "-o", "PasswordAuthentication=yes", "-o", "PrintLastLog=no", "-o", "PrintMotd=no")
	var says bytes.Buffer
	server.Stderr = &says
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill() // it never ends by itself
		_ = server.Wait()
		if t.Failed() {
			t.Logf("sshd: %s", says.String())
		}
	})
	for {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_, _ = io.ReadFull(conn, make([]byte, 4)) // it says SSH-
			_ = conn.Close()
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("sshd does not listen")
		}
	}
	write(t, filepath.Join(dir, "ssh"), fmt.Sprintf(`#!/bin/sh
exec /usr/bin/ssh -F /dev/null -p %s -l %s -o HostKeyAlias=db1 -o HostName=127.0.0.1 -o UserKnownHostsFile=%s/known -o GlobalKnownHostsFile=/dev/null -o PreferredAuthentications=password -o NumberOfPasswordPrompts=2 "$@"
`, port, user, dir), 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

func command(t *testing.T, stdin string, words ...string) {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", words, err, out)
	}
}

// The ported script does on a real server what the one that it was ported from does.
func TestPortedScript(t *testing.T) {
	dir := sshServer(t)
	theirs := []string{pexpectPython(t), filepath.Join(root, "examples/scripts/backup.py")}
	ours := []string{"spawnx", "script", filepath.Join(root, "examples/scripts/backup.star")}
	const want = "dump.sql has 12340 bytes\n"
	for _, words := range [][]string{theirs, ours} {
		_ = os.Remove(filepath.Join(dir, "known")) // each meets the host for the first time
		_ = os.Remove(filepath.Join(dir, "session.log"))
		if out := good(t, dir, []string{"DB_PW=" + pw}, append(words, "db1", "dump.sql")...); out != want {
			t.Errorf("%q prints %q", words, out)
		}
		log, err := os.ReadFile(filepath.Join(dir, "session.log"))
		if err != nil || !bytes.Contains(log, []byte("Choice: ")) || bytes.Contains(log, []byte(pw)) {
			t.Errorf("%q: the log is %q, %v", words, log, err)
		}
		if r := runs(t, dir, []string{"DB_PW=" + pw}, append(words, "db1", "none.sql")...); r.status != 1 || !strings.Contains(r.err, "none.sql is not there") {
			t.Errorf("%q, a file that is not there: %+v", words, r)
		}
		if r := runs(t, dir, []string{"DB_PW=wrong"}, append(words, "db1", "dump.sql")...); r.status != 1 {
			t.Errorf("%q, a wrong password: %+v", words, r)
		}
	}
}

func TestLogin(t *testing.T) {
	dir := sshServer(t)
	good(t, dir, []string{"PW=" + pw}, "spawnx", "script", filepath.Join(root, "examples/scripts/login.star"), "db1")
	if r := runs(t, dir, []string{"PW=wrong"}, "spawnx", "script", filepath.Join(root, "examples/scripts/login.star"), "db1"); r.status != 1 || r.err != filepath.Join(root, "examples/scripts/login.star")+":11: refused\n" {
		t.Errorf("a wrong password: %+v", r)
	}
}

// pexpectPython is a Python that has pexpect.
func pexpectPython(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(python, "-c", "import pexpect").Run() == nil {
			return python
		}
	}
	t.Fatal("pexpect is missing: install the Debian package python3-pexpect")
	return ""
}

// ---- the pages

// A piece is a fenced part of a page.
type piece struct {
	line           int
	language, file string
	text           string
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)(?: file=(\\S+))?\n(.*?)^```$")

func pieces(t *testing.T, page string) (list []piece) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range fence.FindAllSubmatchIndex(text, -1) {
		p := piece{line: bytes.Count(text[:at[6]], []byte("\n")) + 1, language: string(text[at[2]:at[3]]), text: string(text[at[6]:at[7]])}
		if at[4] >= 0 {
			p.file = string(text[at[4]:at[5]])
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		t.Fatalf("%s shows nothing", page)
	}
	return list
}

// What the page shows of a file is the file.
func TestPagesShowTheFiles(t *testing.T) {
	for _, page := range []string{"scripts.md", "from.md"} {
		for _, p := range pieces(t, page) {
			if p.file == "" {
				continue
			}
			if file, err := os.ReadFile(filepath.Join(root, p.file)); err != nil || string(file) != p.text {
				t.Errorf("%s:%d is not %s (%v)", page, p.line, p.file, err)
			}
		}
	}
}

// Every script of the pages is clean, and runs.
func TestScriptsOfThePages(t *testing.T) {
	for _, page := range []string{"scripts.md", "from.md"} {
		for _, p := range pieces(t, page) {
			if p.language != "python" || p.file != "" {
				continue
			}
			t.Run(fmt.Sprintf("%s line %d", page, p.line), func(t *testing.T) {
				clean(t, page, p.text)
				s, err := script.Load(page, []byte(p.text))
				if err != nil {
					return // said above
				}
				t.Chdir(t.TempDir())
				var out bytes.Buffer
				if _, err := s.Run(t.Context(), script.Options{Env: os.Environ(), Stdin: strings.NewReader("exit\n"), Stdout: &out}); err != nil {
					t.Errorf("%s\n%v\n%s", p.text, err, out.String())
				}
			})
		}
	}
}
