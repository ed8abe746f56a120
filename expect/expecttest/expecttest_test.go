//go:build unix

package expecttest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/expect/expecttest"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/record"
)

// A trial is a test within a test, which may fail.
type trial struct {
	testing.TB
	dir      string
	name     string
	until    time.Time
	fatal    string
	errors   []string
	logs     []string
	cleanups []func()
}

func (t *trial) Helper()             {}
func (t *trial) Name() string        { return t.name }
func (t *trial) ArtifactDir() string { return t.dir }
func (t *trial) Cleanup(f func())    { t.cleanups = append(t.cleanups, f) }
func (t *trial) Failed() bool        { return t.fatal != "" || len(t.errors) > 0 }
func (t *trial) Errorf(format string, a ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, a...))
}
func (t *trial) Logf(format string, a ...any)   { t.logs = append(t.logs, fmt.Sprintf(format, a...)) }
func (t *trial) Fatalf(format string, a ...any) { t.Fatal(fmt.Sprintf(format, a...)) }
func (t *trial) Deadline() (time.Time, bool)    { return t.until, !t.until.IsZero() }
func (t *trial) Fatal(args ...any) {
	t.fatal = fmt.Sprint(args...)
	runtime.Goexit()
}

// try runs a test and its cleanups, in a folder of its own.
func try(t *testing.T, test func(t *trial)) *trial {
	t.Helper()
	inner := &trial{TB: t, dir: t.TempDir(), name: t.Name()}
	for _, f := range []func(){func() { test(inner) }, func() {
		for i := len(inner.cleanups) - 1; i >= 0; i-- {
			inner.cleanups[i]()
		}
	}} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
	return inner
}

// contains reports every part that is not there.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
}

const wizard = `
printf 'Project name: '; read name
printf 'Really %s? [Y/n] ' "$name"; read yes
stty -echo; printf 'Password: '; read pw; stty echo; printf '\nmade %s with %s\n' "$name" "${#pw}"
exit 3`

func TestADialog(t *testing.T) {
	c := expecttest.Spawn(t, proc.Command("sh", "-c", wizard))
	remove := c.Always(expect.On(expect.Text("[Y/n] "), expect.Line("y")))
	defer remove()
	c.Expect(expect.Text("Project name: "))
	c.SendLine("demo")
	c.Expect(expect.Text("Password: "))
	c.SendSecret(func(context.Context) ([]byte, error) { return []byte("hunter2"), nil })
	m := c.Expect(expect.Regexp(`made (\w+) with (\d)`))
	if m.Groups[1] != "demo" || m.Groups[2] != "7" {
		t.Errorf("got %+v", m)
	}
	if exit := c.Wait(3); exit.Code != 3 {
		t.Errorf("ended with %+v", exit)
	}
}

func TestCommandsKeysAndSignals(t *testing.T) {
	spec := proc.Command("sh")
	spec.Env = []string{"PS1=> ", "PATH=" + os.Getenv("PATH")}
	c := expecttest.Spawn(t, spec).With(expect.Options{Prompt: expect.Text("> ")})
	c.Expect(expect.Text("> "))
	if out := c.Command("echo $((6*7))"); out != "42\n" {
		t.Errorf("got %q", out)
	}
	c.Resize(proc.Size{Rows: 30, Cols: 100})
	if out := c.Command("stty size"); out != "30 100\n" {
		t.Errorf("got %q", out)
	}
	c.Send("trap 'echo caught; exit 4' USR1; echo ready; cat")
	c.SendKey("enter")
	c.Expect(expect.Text("ready\n"))
	c.Signal(syscall.SIGUSR1)
	c.SendEOF()
	c.Expect(expect.Text("caught"))
	c.Wait(4)
}

func TestAConversationOverASocket(t *testing.T) {
	a, b := net.Pipe()
	c := expecttest.Attach(t, expect.New(a, a))
	go func() {
		fmt.Fprint(b, "login: ")
		b.Close()
	}()
	c.Expect(expect.Text("login: "))
	c.Expect(expect.EOF)
}

// The tree is gone at the end of the test, and a Cleanup may still talk.
func TestTheTreeIsGone(t *testing.T) {
	dir := t.TempDir()
	var said string
	inner := try(t, func(t *trial) {
		c := expecttest.Spawn(t, proc.Command("sh", "-c", "echo $$ >"+dir+"/pid; sleep 1000 & echo started; read a; echo got $a; wait"))
		c.Expect(expect.Text("started"))
		t.Cleanup(func() {
			c.SendLine("bye")
			said = c.Expect(expect.Regexp("got .*")).Text
		})
	})
	if inner.Failed() || said != "got bye" {
		t.Errorf("%s %v; the program said %q", inner.fatal, inner.errors, said)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err == nil {
		t.Error("the program is still there")
	}
}

// A failure says what was wanted, what was done and what a person would have seen, and leaves files that say more.
func TestAFailureShowsWhatHappened(t *testing.T) {
	inner := try(t, func(t *trial) {
		c := expecttest.Spawn(t, proc.Command("sh", "-c", `
			printf '\033[2J\033[5;10Hin the middle\033[1;1H'; printf 'Password: '; stty -echo; read pw; stty echo
			printf '\n%s was it\n' "$pw"; printf 'Again: '; read a`))
		c = c.With(expect.Options{Timeout: 100 * time.Millisecond})
		slow := c.With(expect.Options{Timeout: 20 * time.Second})
		slow.Expect(expect.Text("Password: "))
		slow.SendSecret(func(context.Context) ([]byte, error) { return []byte("hunter2"), nil })
		slow.Expect(expect.Text("Again: "))
		c.Expect(expect.Text("never"), expect.Regexp("ever$"))
	})
	contains(t, inner.fatal, "expect: nothing matched in", `wanted   "never" /ever$/`, "transcript:\n", "send    [secret] <enter>",
		`wait    "Password: "`, "screen:\n  24x80 cursor 3,8\n", "|Again:", "         in the middle", "[secret] was it", "hint: go test -artifacts")
	if strings.Contains(inner.fatal, "hunter2") {
		t.Errorf("the secret shows:\n%s", inner.fatal)
	}
	for name, part := range map[string]string{
		"diagnosis.txt":  "expect: nothing matched in",
		"transcript.txt": `output  "\x1b[2J\x1b[5;10Hin the middle`,
		"timeline.txt":   `match   "Password: "`,
		"screen.txt":     "|         in the middle",
		"screen.svg":     "Again:",
		"recording.cast": `"m", "fail expect: nothing matched`,
	} {
		text, err := os.ReadFile(filepath.Join(inner.dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		contains(t, string(text), part)
		if strings.Contains(string(text), "hunter2") {
			t.Errorf("%s: the secret shows", name)
		}
	}
	f, err := os.Open(filepath.Join(inner.dir, "recording.cast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := record.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range r.All() {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestOtherFailures(t *testing.T) {
	tests := []struct {
		name  string
		test  func(t *trial)
		fatal []string
	}{
		{"no such program", func(t *trial) { expecttest.Spawn(t, proc.Command("./no-such-program")) }, []string{"start ./no-such-program"}},
		{"another status", func(t *trial) { expecttest.Spawn(t, proc.Command("sh", "-c", "exit 2")).Wait(0) }, []string{"wait: exit status 2, want 0"}},
		{"a status that was not wanted", func(t *trial) { expecttest.Spawn(t, proc.Command("true")).Wait(1) }, []string{"wait: exit status 0, want 1"}},
		{"the end", func(t *trial) { expecttest.Spawn(t, proc.Command("echo", "x")).Expect(expect.Text("y")) },
			[]string{"expect: the output ended before a match", "screen:\n  24x80 cursor 2,1\n  |x"}},
		{"a wrong key", func(t *trial) { expecttest.Spawn(t, proc.Command("cat")).SendKey("no-key") }, []string{"sendkey: "}},
		{"the test's own deadline", func(t *trial) {
			t.until = time.Now().Add(200 * time.Millisecond)
			expecttest.Spawn(t, proc.Command("cat")).Wait(0)
		}, []string{"wait: did not end in", "cat"}},
		{"a golden that is not there", func(t *trial) {
			expecttest.Spawn(t, proc.Command("sh", "-c", "sleep 0.1; echo the menu; read x")).Screen("none")
		},
			[]string{"screen none: testdata/TestOtherFailures/none.screen is not there", "\n  |the menu", "hint: SPAWNX_UPDATE=1 go test -run '^TestOtherFailures$' writes it"}},
		{"no name", func(t *trial) { expecttest.Spawn(t, proc.Command("cat")).Screen("../x") }, []string{"is no name of a screen"}},
	}
	for _, tt := range tests {
		inner := try(t, tt.test)
		if inner.fatal == "" || len(inner.errors) > 0 {
			t.Errorf("%s: fatal %q, %v", tt.name, inner.fatal, inner.errors)
		}
		contains(t, inner.fatal, tt.fatal...)
	}
}

// A check of the test's own that fails leaves the folder too.
func TestAFailureOfTheTestsOwnLeavesItsFolder(t *testing.T) {
	inner := try(t, func(t *trial) {
		c := expecttest.Spawn(t, proc.Command("echo", "hello"))
		c.Expect(expect.Text("hello"))
		t.Errorf("not good enough")
	})
	if text, err := os.ReadFile(filepath.Join(inner.dir, "transcript.txt")); err != nil || !strings.Contains(string(text), "hello") {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(inner.dir, "diagnosis.txt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a diagnosis of nothing: %v", err)
	}
}

// inFolder runs the test in a folder of its own, where its goldens are.
func inFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	return filepath.Join(dir, "testdata", t.Name())
}

const painted = `printf '\033[2J\033[Hname  \033[1mvalue\033[0m\r\nsize  42'; read a; printf '\033[2;7H43'; read a`

func TestScreensAreWrittenComparedAndMasked(t *testing.T) {
	dir := inFolder(t)
	file := filepath.Join(dir, "first.screen")
	paint := func(t *trial) { expecttest.Spawn(t, proc.Command("sh", "-c", painted)).Screen("first") }

	t.Setenv("SPAWNX_UPDATE", "1")
	if inner := try(t, paint); inner.Failed() || len(inner.logs) != 1 {
		t.Fatalf("%s %v %v", inner.fatal, inner.errors, inner.logs)
	}
	text, err := os.ReadFile(file)
	const want = "24x80 cursor 2,9\n|name  value\n|size  42\n"
	if err != nil || string(text) != want {
		t.Fatalf("got %q, %v", text, err)
	}
	masked := "|name  value\n|size  [..]\n"
	if err := os.WriteFile(file, []byte(masked), 0o600); err != nil {
		t.Fatal(err)
	}
	if inner := try(t, paint); inner.Failed() {
		t.Fatalf("%s %v", inner.fatal, inner.errors)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "[..]") {
		t.Errorf("the mask is gone: %q, %v", text, err)
	}
	t.Setenv("SPAWNX_UPDATE", "")
	if inner := try(t, paint); inner.Failed() {
		t.Errorf("%s %v", inner.fatal, inner.errors)
	}

	// It waits until the screen is so.
	if err := os.WriteFile(file, []byte("24x80 cursor 2,9\n|name  value\n|size  43\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inner := try(t, func(t *trial) {
		c := expecttest.Spawn(t, proc.Command("sh", "-c", painted))
		c.Expect(expect.OnScreen(expect.Text("42")))
		c.SendKey("enter")
		c.Screen("first")
		c.With(expect.Options{Timeout: 200 * time.Millisecond}).Screen("second")
	})
	contains(t, inner.fatal, "screen second: testdata")
	if err := os.WriteFile(filepath.Join(dir, "second.screen"), []byte("|name  value\n|size  44\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inner = try(t, func(t *trial) {
		expecttest.Spawn(t, proc.Command("sh", "-c", painted)).With(expect.Options{Timeout: 200 * time.Millisecond}).Screen("second")
	})
	contains(t, inner.fatal, "screen second: still differs after", "- |size  44", "+ |size  42", "unread", "transcript:")
}

func TestStylesAreCompared(t *testing.T) {
	dir := inFolder(t)
	style := func(t *trial) { expecttest.Spawn(t, proc.Command("sh", "-c", painted)).StyledScreen("styled") }
	t.Setenv("SPAWNX_UPDATE", "1")
	if inner := try(t, style); inner.Failed() {
		t.Fatalf("%s %v", inner.fatal, inner.errors)
	}
	file := filepath.Join(dir, "styled.screen")
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "=a bold") {
		t.Fatalf("got %q, %v", text, err)
	}
	t.Setenv("SPAWNX_UPDATE", "")
	if inner := try(t, style); inner.Failed() {
		t.Errorf("%s %v", inner.fatal, inner.errors)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "=a bold", "=a italic", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	inner := try(t, func(t *trial) {
		expecttest.Spawn(t, proc.Command("sh", "-c", painted)).With(expect.Options{Timeout: 300 * time.Millisecond}).StyledScreen("styled")
	})
	contains(t, inner.fatal, "italic", "bold")
}
