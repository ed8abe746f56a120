package proc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("OURS", "1")
	t.Setenv("KEPT", "2")
	t.Setenv("PWD", "/ours")
	if err := os.Unsetenv("TERM"); err != nil {
		t.Fatal(err)
	}
	const term = "TERM=xterm-256color"
	for _, tt := range []struct {
		name string
		spec Spec
		want []string
	}{
		{"none", Spec{Env: []string{}, Stdio: Pipes}, nil},
		{"none, on a terminal", Spec{Env: []string{}}, []string{term}},
		{"given", Spec{Env: []string{"A=1", "B=2"}, Stdio: Pipes}, []string{"A=1", "B=2"}},
		{"the last one wins", Spec{Env: []string{"A=1", "B=2", "A=3", "B="}, Stdio: Pipes}, []string{"A=3", "B="}},
		{"a terminal type that is given", Spec{Env: []string{"TERM=dumb"}}, []string{"TERM=dumb"}},
		{"an empty terminal type is one", Spec{Env: []string{"TERM="}}, []string{"TERM="}},
		{"TERMINAL is not TERM", Spec{Env: []string{"TERMINAL=x"}}, []string{"TERMINAL=x", term}},
		{"a pipe for the input", Spec{Env: []string{}, Stdio: PTYStdout}, []string{term}},
		{"kept", Spec{EnvKeep: []string{"KEPT", "NONE"}, Stdio: Pipes}, []string{"KEPT=2"}},
		{"kept and given", Spec{EnvKeep: []string{"KEPT", "OURS"}, Env: []string{"OURS=3"}, Stdio: Pipes}, []string{"KEPT=2", "OURS=3"}},
		{"nothing kept", Spec{EnvKeep: []string{}, Stdio: Pipes}, nil},
		{"PWD of another folder", Spec{EnvKeep: []string{"PWD"}, Dir: "/tmp", Stdio: Pipes}, []string{"PWD=/tmp"}},
		{"PWD that is given", Spec{EnvKeep: []string{"PWD"}, Dir: "/tmp", Env: []string{"PWD=/x"}, Stdio: Pipes}, []string{"PWD=/x"}},
		{"no PWD where none was", Spec{EnvKeep: []string{"KEPT"}, Dir: "/tmp", Stdio: Pipes}, []string{"KEPT=2"}},
		{"PWD is not added to what is given", Spec{Env: []string{"A=1"}, Dir: "/tmp", Stdio: Pipes}, []string{"A=1"}},
	} {
		got, err := environment(tt.spec)
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) || err != nil {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	t.Run("ours", func(t *testing.T) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		got := mustOutput(t, Spec{Args: []string{"env"}, Dir: dir})
		for _, want := range []string{"OURS=1", "KEPT=2", term, "PWD=" + dir} {
			if strings.Count("\n"+got, "\n"+want+"\n") != 1 {
				t.Errorf("%q once is not in %q", want, got)
			}
		}
		if strings.Count("\n"+got, "\nPWD=") != 1 {
			t.Errorf("PWD is there twice: %q", got)
		}
	})
	t.Run("none reaches the program", func(t *testing.T) {
		if got := mustOutput(t, Spec{Args: []string{"env"}, Env: []string{}, Stdio: Pipes}); got != "" {
			t.Errorf("%q; want nothing", got)
		}
	})
}
