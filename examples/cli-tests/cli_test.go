//go:build linux

// Package clitests compares tests of programs: ours with those of bats, tui-test and testscript.
package clitests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	t.Parallel()
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

// Those of tui-test pass, too, in a copy: npm and it leave much.
func TestTUITest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline"},
		{"npx", "--no-install", "tui-test"},
	} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = filepath.Join(dir, "tui-test")
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
}

// Ours are the shortest, and the table says how long they are.
func TestLines(t *testing.T) {
	page := readme(t)
	for _, name := range []string{"bash", "sqlite3", "git", "vim", "curses"} {
		ours, bats, tui := lines(t, "spawnx/"+name+".txtar"), lines(t, "bats/"+name+".bats"), lines(t, "tui-test/"+name+".test.ts")
		snapshot := 0
		if file := "tui-test/__snapshots__/" + name + ".test.ts.snap"; exists(file) {
			snapshot = lines(t, file)
		}
		if ours >= bats || ours >= tui+snapshot {
			t.Errorf("%s: %d lines, bats %d, tui-test %d and %d", name, ours, bats, tui, snapshot)
		}
		row := fmt.Sprintf("| %s | %d | %d | %d ", name, ours, bats, tui)
		if snapshot > 0 {
			row += fmt.Sprintf("and a snapshot of %d ", snapshot)
		}
		if file := "testscript/" + name + ".txtar"; exists(file) {
			row += fmt.Sprintf("| %d, no dialog |", lines(t, file))
		}
		if !strings.Contains(page, row) {
			t.Errorf("the page lacks %s", row)
		}
	}
}

func readme(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
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

// The ways in which the page breaks the tests: in each file that has it, what is replaced by what.
var broken = []struct{ heading, test, from, to, bats, batsTo string }{
	{"It says something else", "bash", "expect 42", "expect 43", `expect "42"`, `expect "43"`},
	{"It waits for something else", "sqlite3", "n int);", "n int)", "n int);", "n int)"},
	{"It crashes", "curses", "curses.KEY_DOWN", "curses.KEY_DWN", "/../menu.py", "/menu.py"},
}

var fence = regexp.MustCompile("(?ms)^```(spawnx|bats)\n(.*?)^```$")

// The failures are what the page shows.
func TestFailures(t *testing.T) {
	t.Parallel()
	page := readme(t)
	for _, b := range broken {
		t.Run(b.test, func(t *testing.T) {
			t.Parallel()
			_, part, _ := strings.Cut(page, "\n## "+b.heading+"\n")
			part, _, _ = strings.Cut(part, "\n## ")
			shown := map[string]string{}
			for _, m := range fence.FindAllStringSubmatch(part, -1) {
				shown[m[1]] = strings.TrimSuffix(m[2], "\n")
			}
			if len(shown) != 2 {
				t.Fatalf("the page shows %q", shown)
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, b.test+".txtar"), replaced(t, "spawnx/"+b.test+".txtar", b.from, b.to))
			_, got, _ := strings.Cut(fails(t, dir, bin, "test", "--wait-timeout", "3s", b.test+".txtar"), "\n") // FAIL
			got, _, _ = strings.Cut(got, "\n  left ")
			want := strings.NewReplacer("in 3s", "in 3[..]", "3s ago", "3[..] ago", "4711", "[..]").Replace(shown["spawnx"])
			if err := golden.Lines(want, got); err != nil {
				t.Errorf("ours: %v", err)
			}

			if b.test == "curses" {
				write(t, filepath.Join(dir, "menu.py"), replaced(t, "menu.py", b.from, b.to))
			}
			bats := strings.NewReplacer("set timeout 30", "set timeout 3", "seq 100", "seq 30").Replace(replaced(t, "bats/"+b.test+".bats", b.bats, b.batsTo))
			write(t, filepath.Join(dir, b.test+".bats"), bats)
			_, got, _ = strings.Cut(fails(t, dir, "bats", b.test+".bats"), "\n") // the plan
			if got = escapes.ReplaceAllString(strings.TrimSuffix(got, "\n"), ""); got != shown["bats"] {
				t.Errorf("bats says\n%s", got)
			}
		})
	}
}

var escapes = regexp.MustCompile("\x1b")

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replaced is a file with the first of something replaced.
func replaced(t *testing.T, file, from, to string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), from) {
		t.Fatalf("%s: %v, no %s", file, err, from)
	}
	return strings.Replace(string(data), from, to, 1)
}

// fails is what a command prints that fails.
func fails(t *testing.T, dir string, words ...string) string {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err == nil {
		t.Fatalf("%q passes:\n%s", words, out)
	}
	return string(out)
}
