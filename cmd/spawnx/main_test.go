//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// The test binary is spawnx when it is called by that name, as the tests do.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "spawnx" {
		main()
	}
	proc.MaybeShim()
	os.Exit(withSpawnxInPath(m.Run))
}

func withSpawnxInPath(run func() int) int {
	dir, err := os.MkdirTemp("", "spawnx")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "spawnx")); err != nil {
		panic(err)
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")) // else the race detector delays every exit by a second
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return run()
}

// A result is what a run of spawnx on pipes left.
type result struct {
	out, err string
	status   int
}

// spawnxRun runs spawnx with these arguments, on pipes and without a terminal, and stdin as its input; nil is /dev/null.
func spawnxRun(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute) // clean-up calls it, too
	defer cancel()
	cmd := exec.CommandContext(ctx, "spawnx", args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	cmd.SysProcAttr = ownSession()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("spawnx %q: %v, stderr %q", args, err, errs.String())
	}
	return result{out.String(), errs.String(), proc.Exit{Code: cmd.ProcessState.ExitCode()}.Status()}
}

// person sits at a terminal and has started a command there.
func person(t *testing.T, spec proc.Spec) *expect.Console {
	t.Helper()
	c, err := expect.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// sees waits for the first of the patterns.
func sees(t *testing.T, c *expect.Console, cases ...expect.Pattern) expect.Match {
	t.Helper()
	m, err := c.Expect(t.Context(), cases...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func types(t *testing.T, c *expect.Console, line string) {
	t.Helper()
	if err := c.SendLine(line); err != nil {
		t.Fatal(err)
	}
}

func presses(t *testing.T, c *expect.Console, keys ...string) {
	t.Helper()
	if err := c.SendKey(keys...); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end and wants this status.
func ends(t *testing.T, c *expect.Console, status int) {
	t.Helper()
	exit, err := c.Wait(t.Context())
	var ended *proc.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if exit.Status() != status {
		t.Errorf("status %d, want %d", exit.Status(), status)
	}
}

const prompt = expect.Text("at your service> ")

// shell is an interactive bash with job control, in which spawnx is in PATH.
func shell(t *testing.T, env ...string) *expect.Console {
	t.Helper()
	spec := proc.Command("bash", "--norc", "--noprofile", "-i")
	spec.Env = append(os.Environ(), "PS1="+string(prompt), "HISTFILE=", "INPUTRC=/dev/null")
	spec.Env = append(spec.Env, env...)
	spec.Grace = -1 // an interactive shell does not listen to TERM
	c := person(t, spec)
	types(t, c, "bind 'set enable-bracketed-paste off'")
	sees(t, c, prompt)
	sees(t, c, prompt)
	return c
}

// A verb that is made alone is the one that was asked for, and says the same of itself.
func TestVerbsAreMadeAlone(t *testing.T) {
	said := func(root *cobra.Command, verb string) string {
		var b strings.Builder
		root.SetOut(&b)
		root.SetArgs([]string{verb, "--help"})
		err := root.Execute() // sendsecret takes no flags
		return fmt.Sprint(b.String(), err)
	}
	for _, v := range verbs {
		if name := v.make().Name(); name != v.name {
			t.Errorf("%s is listed as %s", name, v.name)
		}
		if alone, all := said(rootOf([]string{v.name}), v.name), said(newRoot(), v.name); alone != all {
			t.Errorf("%s --help: alone\n%s\namong all\n%s", v.name, alone, all)
		}
	}
}

// What cannot be written is no success.
func TestOurOutputIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txtar"), []byte("exec true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"help", "run --help", "doctor", "test a.txtar", "test --tap a.txtar", "test --json - a.txtar", "why $$", "script -e 'print(1)'"} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "spawnx "+line+" >/dev/full")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_STATE_HOME="+dir)
		said, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != ourselves || !strings.Contains(string(said), "no space left on device") {
			t.Errorf("%s: %v, %s", line, err, said)
		}
	}
}

// Where the folder for temporary files is missing, test says what to do.
func TestNoTemporaryFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txtar")
	if err := os.WriteFile(file, []byte("exec true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", "/no/such")
	if got := spawnxRun(t, nil, "test", file); got.status != 125 || !strings.HasPrefix(got.err, "spawnx: the folder for temporary files: lstat /no: ") || !strings.Contains(got.err, "\nhint: TMPDIR names one") {
		t.Errorf("%+v", got)
	}
}
