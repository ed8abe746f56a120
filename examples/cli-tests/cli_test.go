//go:build linux

// Package clitests compares tests of programs: ours with those of bats and testscript.
package clitests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/internal/golden"
)

var bin string // spawnx

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "clitests")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin = filepath.Join(dir, "spawnx")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/spawnx").CombinedOutput(); err != nil {
		panic(string(out))
	}
	os.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state")) // beside the binary, whose name is that of our folder there
	return m.Run()
}

// All pass: ours, whole and with reads of a byte, and those of the others.
func TestAllPass(t *testing.T) {
	for _, command := range [][]string{
		{bin, "test", "spawnx", "testscript"},
		{bin, "test", "--chunk", "1", "spawnx"},
		{"bats", "bats"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
}

// Ours are the shortest, and the table says how long they are.
func TestLines(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bash", "sqlite3", "git", "vim", "curses"} {
		ours, bats := lines(t, "spawnx/"+name+".txtar"), lines(t, "bats/"+name+".bats")
		if ours >= bats {
			t.Errorf("%s: %d lines, bats %d", name, ours, bats)
		}
		if row := fmt.Sprintf("| %s | %d | %d |", name, ours, bats); !strings.Contains(string(page), row) {
			t.Errorf("the page lacks %s", row)
		}
	}
	for _, name := range []string{"sqlite3", "git"} {
		if row := fmt.Sprintf("| %d, no dialog |", lines(t, "testscript/"+name+".txtar")); !strings.Contains(string(page), row) {
			t.Errorf("the page lacks %s", row)
		}
	}
}

func lines(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data, _, _ = bytes.Cut(data, []byte("-- menu.py --\n")) // what is tested
	return bytes.Count(data, []byte("\n"))
}

// A failure says what the page shows.
func TestFailure(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "spawnx tells\n\n")
	want, _, _ := strings.Cut(rest, "\n\nand leaves")
	want = strings.NewReplacer("\n    ", "\n", "in 1s", "in 1[..]", "1s ago", "1[..] ago", "4711", "[..]").Replace("\n" + want)
	script, err := os.ReadFile("spawnx/bash.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	broken := strings.Replace(string(script), "expect 42", "expect -timeout 1s 43", 1)
	if err := os.WriteFile(filepath.Join(dir, "bash.txtar"), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "test", "bash.txtar")
	cmd.Dir = dir
	out, _ := cmd.Output() // the status is that of a failure
	_, got, _ := strings.Cut(string(out), "\n")
	got, _, _ = strings.Cut(got, "\n  left ")
	if err := golden.Lines(strings.TrimPrefix(want, "\n"), got); err != nil {
		t.Error(err)
	}
}
