//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A step is what a person does with a program: waits for a text, then types.
type step struct {
	sees  string
	types string   // key by key
	keys  []string // instead
}

// recordedAs is the session recorded as a file of this kind.
func recordedAs(t *testing.T, kind string, steps []step, command ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x"+kind)
	spec := proc.Command("spawnx", append([]string{"run", "--record", file}, command...)...)
	c := person(t, spec)
	for _, s := range steps {
		sees(t, c, expect.Text(s.sees))
		for _, r := range s.types {
			if err := c.Send(string(r)); err != nil {
				t.Fatal(err)
			}
			if r > ' ' { // a person sees what is typed, or nothing
				sees(t, c, expect.Text(string(r)), expect.Idle(50*time.Millisecond))
			}
		}
		presses(t, c, s.keys...)
	}
	if _, err := c.Wait(t.Context()); err != nil {
		t.Logf("it ended with %v", err)
	}
	return file
}

// Whatever kind of program it was, what was recorded runs.
func TestWhatIsRecordedRuns(t *testing.T) {
	for _, name := range []string{"LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES"} {
		t.Setenv(name, "")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rc"), []byte("PS1='ready$ '\nbind 'set enable-bracketed-paste off'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	both := []string{".star", ".txtar"}
	tests := []struct {
		name    string
		steps   []step
		command []string
		says    []string // of the script
		kinds   []string
	}{
		{"a shell", []step{
			{"ready$ ", "echo $((6*7))", []string{"enter"}}, {"42\n", "", nil}, {"ready$ ", "ech", []string{"backspace", "tab", "enter"}},
			{"ready$ ", "exit 3", []string{"enter"}},
		}, []string{"bash", "--noprofile", "--rcfile", dir + "/rc", "-i"}, []string{`p.expect("ready$ ")`, `p.sendline("echo $((6*7))")`, `p.sendkey("tab")`, "x.status != 3"}, both},
		{"a language", []step{{">>> ", "6*7", []string{"enter"}}, {"42\n", "", nil}, {">>> ", "", []string{"ctrl-d"}}},
			[]string{"python3", "-q"}, []string{`p.expect(">>> ")`, `p.sendline("6*7")`}, both[:1]},
		{"a full-screen program", []step{{"[New]", "ihello", []string{"esc"}}, {"", ":q!", []string{"enter"}}},
			[]string{"vim", "-u", "NONE", "--cmd", "set nocp noswapfile", dir + "/new"}, []string{`p.expect(screen(`, `hello")`, `p.sendkey("esc")`}, both[:1]},
		{"a program that reads lines", []step{{"", "b", []string{"enter"}}, {"", "a", []string{"enter", "ctrl-d"}}}, []string{"sort"},
			[]string{`p.sendline("b")`, "p.sendeof()"}, both[1:]},
	}
	for _, tt := range tests {
		for _, kind := range tt.kinds {
			file := recordedAs(t, kind, tt.steps, tt.command...)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.says {
				if kind == ".star" && !strings.Contains(string(text), want) {
					t.Errorf("%s: %s is missing in\n%s", tt.name, want, text)
				}
			}
			verb := map[string]string{".star": "script", ".txtar": "test"}[kind]
			if got := spawnxRun(t, nil, verb, file); got.status != 0 {
				t.Errorf("%s: %+v from\n%s", tt.name, got, text)
			}
		}
	}
}

// Over a relay the terminal does not tell that a password is asked for; that nothing is shown does.
func TestAPasswordOverARelayIsNotRecorded(t *testing.T) {
	const far = `stty -echo; printf "Password: "; read p; stty echo; printf "\nwelcome, %s letters\n" "${#p}"; printf "name: "; read n; echo "bye $n"`
	for _, kind := range []string{".cast", ".star", ".txtar"} {
		file := recordedAs(t, kind, []step{{"Password: ", "hunter2", []string{"enter"}}, {"7 letters\nname: ", "Ada", []string{"enter"}}},
			"script", "-qec", far, "/dev/null")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), `"i", "h"`) {
			t.Errorf("the password is in it:\n%s", text)
		}
		if kind == ".cast" {
			continue
		}
		if !strings.Contains(string(text), "unproved") || !strings.Contains(string(text), "Ada") {
			t.Errorf("got\n%s", text)
		}
		t.Setenv("PASSWORD", "geheim!")
		if got := spawnxRun(t, nil, map[string]string{".star": "script", ".txtar": "test"}[kind], file); got.status != 0 {
			t.Errorf("%+v from\n%s", got, text)
		}
	}
}
