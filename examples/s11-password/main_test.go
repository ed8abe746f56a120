//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// With a terminal for its output grep says what it has found. On pipes it does not, and the error shows what it
// holds back.
func TestWhatGrepHoldsBack(t *testing.T) {
	const line = "1:an apple a day\n"
	if said, err := early(t.Context(), proc.PTYStdout); err != nil || said != line {
		t.Errorf("with a terminal: %q, %v; want %q", said, err, line)
	}
	said, err := early(t.Context(), proc.Pipes)
	var timeout *expect.Error
	if said != "" || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("on pipes: %q, %v; want a timeout", said, err)
	}
	held := slices.IndexFunc(timeout.Findings, func(f diag.Finding) bool { return f.Kind == diag.KindHeld })
	if held < 0 || timeout.Findings[held].Held != line {
		t.Errorf("the findings do not show what is held back:\n%v", err)
	}
}

const word = "correct horse battery staple"

func secret(context.Context) ([]byte, error) { return []byte(word), nil }

// The password arrives and is in no transcript.
func TestLogin(t *testing.T) {
	var transcript bytes.Buffer
	greeting, err := login(t.Context(), &transcript, secret)
	if err != nil {
		t.Fatal(err)
	}
	if greeting != "welcome, 28 letters\n" {
		t.Errorf("the program greets with %q", greeting)
	}
	if s := transcript.String(); strings.Contains(s, word) || !strings.Contains(s, "[secret]") {
		t.Errorf("the transcript:\n%s", s)
	}
}

// Nor does the terminal show it, whoever looks, nor a command line.
func TestPasswordShowsNowhere(t *testing.T) {
	c, err := expect.Spawn(t.Context(), proc.Command("sh", "-c", program))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	screen := c.Bridge().Output().Reader("screen", bridge.Block)
	if _, err := c.Expect(t.Context(), expect.Text("Password: ")); err != nil {
		t.Fatal(err)
	}
	if err := c.SendSecret(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if args, err := os.ReadFile("/proc/self/cmdline"); err != nil || bytes.Contains(args, []byte(word)) {
		t.Errorf("our command line: %q, %v", args, err)
	}
	if _, err := c.Expect(t.Context(), expect.EOF); err != nil {
		t.Fatal(err)
	}
	if shown, err := io.ReadAll(screen); err != nil || strings.Contains(string(shown), word) || !strings.Contains(string(shown), "28 letters") {
		t.Errorf("the terminal showed %q, %v", shown, err)
	}
}

// A password that is wrong is not given again, and the error that says so does not show it.
func TestAskedAgain(t *testing.T) {
	c, err := expect.Spawn(t.Context(), proc.Command("sh", "-c", "while :; do"+program+"exec <&1; done"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Expect(t.Context(), expect.On(expect.Text("Password: "), expect.Password(secret)))
	if !errors.Is(err, expect.ErrRepeated) || strings.Contains(err.Error(), word) {
		t.Errorf("error %v, want that it was asked again", err)
	}
}

// A program that leaves the echo on gets no password.
func TestEchoLeftOn(t *testing.T) {
	c, err := expect.Spawn(t.Context(), proc.Command("sh", "-c", "printf 'Password: '; read -r p; echo $p"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Expect(t.Context(), expect.Text("Password: ")); err != nil {
		t.Fatal(err)
	}
	err = c.With(expect.Options{Timeout: 50 * time.Millisecond}).SendSecret(t.Context(), secret)
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), word) {
		t.Errorf("error %v, want that the echo is on", err)
	}
	if err := c.SendLine("nothing"); err != nil { // what the program gets shows that nothing was sent before
		t.Fatal(err)
	}
	if m, err := c.Expect(t.Context(), expect.EOF); err != nil || m.Before != "nothing\n" {
		t.Errorf("the program got %q, %v", m.Before, err)
	}
}
