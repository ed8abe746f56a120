package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The test binary plays the whole program, and its child.
func TestMain(m *testing.M) {
	if len(os.Args) == 1 && os.Getenv("S04") == "parent" || len(os.Args) == 2 && (os.Args[1] == "ask" || os.Args[1] == "answer") {
		main()
		return
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")) // else the race detector delays every exit by a second
	os.Exit(m.Run())
}

// The two-question dialog, as the parent tells it on standard error.
var dialog = regexp.MustCompile(`^(?:\S+: )?Parent got: "Child (\d+) got: \[Hello 1 from parent (\d+)\]\\n"\n` +
	`(?:\S+: )?Parent got: "Child (\d+) got: \[Hello 2 from parent (\d+)\]\\n"\n$`)

func check(t *testing.T, told string) {
	t.Helper()
	m := dialog.FindStringSubmatch(told)
	if m == nil || m[1] != m[3] || m[2] != m[4] || m[1] == m[2] {
		t.Errorf("told: %q", told)
	}
}

// In Go: our own descriptors are rewired, and given back.
func TestRewired(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "S04=parent")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	check(t, errs.String())
	if want := "parent: the child has ended: exit status 0\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

// On the command line: the same two programs, joined.
func TestLinked(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "spawnx")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "github.com/spawnx/spawnx/cmd/spawnx").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	self := "'" + strings.ReplaceAll(os.Args[0], "'", `'\''`) + "'"
	for _, flags := range [][]string{nil, {"--tee", os.DevNull}, {"--stdio", "pty"}} {
		cmd := exec.Command(bin, append(append([]string{"link"}, flags...), self+" ask", self+" answer")...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Run(); err != nil {
			t.Errorf("%v: %v: %s", flags, err, errs.String())
		}
		check(t, strings.ReplaceAll(errs.String(), "\r", ""))
	}
}
