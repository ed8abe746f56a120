//go:build unix

package testscriptcmds_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spawnx/spawnx/expect/expecttest/testscriptcmds"
)

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Cmds: testscriptcmds.Cmds})
}

// The tests that the project compares with its own are testscript's, and pass with it.
func TestCompared(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../../../examples/cli-tests/testscript"})
}

// A runner is a T in which scripts may fail.
type runner struct {
	log    strings.Builder
	failed bool
}

type stop struct{}

func (r *runner) Skip(...any)       { panic(stop{}) }
func (r *runner) Fatal(args ...any) { r.FailNow() }
func (r *runner) Parallel()         {}
func (r *runner) Log(args ...any)   { r.log.WriteString(strings.TrimSuffix(join(args), "\n") + "\n") }
func (r *runner) FailNow()          { r.failed = true; panic(stop{}) }
func (r *runner) Verbose() bool     { return false }
func (r *runner) Run(_ string, f func(testscript.T)) {
	defer func() {
		if e := recover(); e != nil && e != any(stop{}) {
			panic(e)
		}
	}()
	f(r)
}

func join(args []any) string {
	var b strings.Builder
	for _, a := range args {
		b.WriteString(a.(string))
	}
	return b.String()
}

func TestFailuresSayWhatHappened(t *testing.T) {
	tests := []struct{ script, says string }{
		{"spawn cat\nexpect -timeout 100ms never", `wanted   "never"`},
		{"spawn sh -c 'printf here; read a'\nexpect here\nexpect -timeout 100ms there", "|here"},
		{"spawn sh -c 'exit 3'\nspawned", "exit status 3, want 0"},
		{"expect x", "hint: spawn CMD"},
		{"expect @srv x", "hint: spawn @srv CMD"},
		{"spawn cat\nspawn cat", "a program runs already"},
		{"spawn no-such-program", "start no-such-program: not found in PATH"},
		{"! spawn cat", "cannot be negated"},
		{"spawn cat\nsendkey no-key", "no-key"},
		{"spawn cat\nexpect '<none>'", "hint"},
		{"spawn cat\nsendline a\nscreen -timeout 1s s", "flag provided but not defined"},
		{"spawn cat\nsendsecret -unproved env:NONE", "the script has no such variable"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.txtar"), []byte(tt.script+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := new(runner)
		r.Run("", func(r testscript.T) {
			testscript.RunT(r, testscript.Params{Dir: dir, Cmds: testscriptcmds.Cmds})
		})
		if !r.failed || !strings.Contains(r.log.String(), tt.says) {
			t.Errorf("%s: failed %v, want %q in\n%s", tt.script, r.failed, tt.says, r.log.String())
		}
	}
}
