package expect_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A timeout says what the program is doing instead.
func TestATimeoutSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		args []string
		see  string // printed before it is in the state
		kind diag.Kind
		says []string
	}{
		{[]string{"python3", "-c", "import getpass; getpass.getpass('Code: ')"}, "Code: ", diag.KindPassword,
			[]string{"expect: nothing matched in ", `wanted   "never"`, `unread   ""`, "waits for a password: echo is off", "hint: answer it with a secret"}},
		{[]string{"sh", "-c", "echo hi; exec cat"}, "hi\n", diag.KindInput, []string{"program  ", "waits for input: it reads its terminal (kernel)"}},
		{[]string{"sh", "-c", "echo hi; while :; do :; done"}, "hi\n", diag.KindComputes, []string{"computes"}},
		{[]string{"sh", "-c", "echo hi; exec sleep 600"}, "hi\n", diag.KindSleeps, []string{"sleeps for"}},
	} {
		d := drive(t, proc.Spec{Args: tt.args})
		d.expect(expect.Text(tt.see))
		if tt.kind == diag.KindInput {
			d.expect(expect.Waiting)
		}
		_, err := d.With(expect.Options{Timeout: 300 * time.Millisecond}).Expect(t.Context(), expect.Text("never"))
		var e *expect.Error
		if !errors.As(err, &e) || !e.Timeout() {
			t.Fatalf("%v: %v", tt.args, err)
		}
		if len(e.Findings) == 0 || e.Findings[0].Kind != tt.kind {
			t.Errorf("%v: %v", tt.args, e.Findings)
		}
		for _, s := range tt.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%v: %q is missing in\n%v", tt.args, s, err)
			}
		}
	}
}

func TestAnErrorAfterTheEndTellsTheStatus(t *testing.T) {
	d := drive(t, proc.Command("sh", "-c", "echo oops; exit 3"))
	_, err := d.Expect(t.Context(), expect.Text("never"))
	var e *expect.Error
	if !errors.As(err, &e) || !errors.Is(err, io.EOF) || e.Exit == nil || e.Exit.Code != 3 {
		t.Fatalf("%v", err)
	}
	for _, s := range []string{"expect: the output ended before a match\n", `unread   "oops\n"`, "ended after ", "exit status 3"} {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q is missing in\n%v", s, err)
		}
	}
}

// The other reading of a pattern may be what was meant.
func TestAMissHintsAtTheOtherReading(t *testing.T) {
	d := drive(t, proc.Command("sh", "-c", `printf 'Proceed [Y/n] '; cat`))
	quick := dialog{t, d.With(expect.Options{Timeout: 200 * time.Millisecond})}
	if _, err := quick.Expect(t.Context(), expect.Regexp(`[y/n] $`+"x")); err == nil || strings.Contains(err.Error(), "is there as text") {
		t.Errorf("%v", err)
	}
	if _, err := quick.Expect(t.Context(), expect.Regexp(`Proceed [Y/n] `)); err == nil || !strings.Contains(err.Error(), "is there as text") {
		t.Errorf("%v", err)
	}
	if _, err := quick.Expect(t.Context(), expect.Text(`Proceed .*`)); err == nil || !strings.Contains(err.Error(), "matches as a regular expression") {
		t.Errorf("%v", err)
	}
}

// What a terminal would take as a key, or cut, is refused before it is sent.
func TestSendsThatWouldNotArriveAreRefused(t *testing.T) {
	d := drive(t, proc.Command("sh", "-c", "echo ready; exec cat"))
	d.expect(expect.Text("ready\n"))
	d.expect(expect.Waiting)
	for _, s := range []string{"a\x03b", "\x04", "\x1a", "x\x7f", "\x13", strings.Repeat("x", 5000)} {
		if err := d.Send(s); !errors.Is(err, expect.ErrRefused) {
			t.Errorf("%.10q: %v", s, err)
		}
	}
	if err := d.Send("\x03"); err == nil || !strings.Contains(err.Error(), `hint: SendKey("ctrl-c")`) {
		t.Errorf("%v", err)
	}
	if err := d.Send(strings.Repeat("x", 4000)); err != nil {
		t.Fatal(err)
	}
	if err := d.Send(strings.Repeat("x", 100)); !errors.Is(err, expect.ErrRefused) {
		t.Errorf("a line that is too long in pieces: %v", err)
	}
	d.line("y")
	d.expect(expect.Text(strings.Repeat("x", 4000) + "y\n"))
	many := strings.Repeat(strings.Repeat("z", 99)+"\n", 200)
	if err := d.Send(many); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		d.expect(expect.Text(strings.Repeat("z", 99) + "\n"))
	}
	d.eof()
	d.ends(0)
}

// A program that ends instead of reading its password does not keep the one
// who gives it waiting, and what would be cut is not typed.
func TestSecretsThatCannotArrive(t *testing.T) {
	secret := func(s string) expect.Secret {
		return func(context.Context) ([]byte, error) { return []byte(s), nil }
	}
	d := drive(t, proc.Command("sh", "-c", "printf 'Password: '; read line; exit 3"))
	d.expect(expect.Text("Password: "))
	gave := make(chan error, 1)
	go func() { gave <- d.With(expect.Options{Timeout: -1}).SendSecret(t.Context(), secret("hunter2")) }()
	d.line("") // its end
	if err := <-gave; err == nil || !strings.Contains(err.Error(), "the program has ended") {
		t.Errorf("%v", err)
	}
	d.ends(3)
	d = drive(t, proc.Command("sh", "-c", "stty -echo; echo ready; exec cat"))
	d.expect(expect.Text("ready\n"))
	for _, s := range []string{"two\nlines", "a\x03b", strings.Repeat("x", 5000)} {
		if err := d.SendSecret(t.Context(), secret(s)); !errors.Is(err, expect.ErrRefused) {
			t.Errorf("%.10q: %v", s, err)
		}
	}
}

// The terminal's echo is not output; what the program writes itself is.
func TestTheEchoIsLeftOut(t *testing.T) {
	d := drive(t, proc.Command("sh", "-c", `printf 'name? '; read n; echo "hello $n"; printf 'again? '; read n; echo "bye $n"`))
	d.expect(expect.Text("name?")) // a blank is left unread
	d.line("Ada")
	m := d.expect(expect.Text("Ada"))
	if m.Before != " hello " {
		t.Errorf("before %q", m.Before)
	}
	d.expect(expect.Text("again? "))
	d.line("Bob")
	if m = d.expect(expect.EOF); m.Before != "bye Bob\n" {
		t.Errorf("before %q", m.Before)
	}
	// With echo off from the start nothing is taken away.
	d = drive(t, proc.Spec{Args: []string{"cat"}, NoEcho: true})
	d.line("hello")
	d.expect(expect.Text("hello\n"))
}

// A match inside what a line editor shows of the line that was sent says so.
func TestAMatchInAnEditorsEchoSaysSo(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"bash", "--norc", "--noprofile"}, Env: env("HISTFILE=")})
	d.expect(expect.Waiting)
	d.line("echo marker")
	if m := d.expect(expect.Text("marker")); !m.Echo {
		t.Errorf("the first is an echo: %+v", m)
	}
	if m := d.expect(expect.Text("marker")); m.Echo {
		t.Errorf("the second is none: %+v", m)
	}
}

// With a pipe for input a terminal for output is no one's to type at.
func TestATerminalForOutputOnly(t *testing.T) {
	d := drive(t, proc.Spec{Args: []string{"cat"}, Stdio: proc.PTYStdout})
	if err := d.Send("a\x03b" + strings.Repeat("x", 5000)); err != nil {
		t.Fatal(err)
	}
	d.line("")
	d.expect(expect.Text("a\x03b" + strings.Repeat("x", 5000) + "\n"))
	d.eof()
	d.ends(0)
}
