//go:build linux

package debugger_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// Each real debugger runs a program that asks for a name: it starts, stops at a
// breakpoint, answers, lets the program read from its own terminal, and tells of
// the end.
func TestProfiles(t *testing.T) {
	tests := []struct {
		profile, file, text string
		build               []string // in the file's folder
		program             string   // instead of the file
		breakpoint          string
		stops               int // the line
		first               []string
		ask, answers        string
		tty                 bool
		after               string // the end of the program, in the output
	}{
		{profile: "pdb", file: "prog.py", text: "name = input('name? ')\nprint('hello', name)\nn = 7\nn += 1\n",
			breakpoint: "break 3", stops: 3, first: []string{"continue"}, ask: "p n", answers: "NameError", tty: true},
		{profile: "perl", file: "prog.pl", text: "$| = 1;\nprint 'name? ';\nmy $name = <STDIN>;\nour $n = 7;\nprint \"hello $name\";\n",
			breakpoint: "b 5", stops: 5, first: []string{"c"}, ask: "p $n * 6", answers: "42", tty: true},
		{profile: "node", file: "prog.js", text: "const n = 7;\nlet m = n + 1;\nconsole.log('hello', m);\n",
			breakpoint: "setBreakpoint(3)", stops: 3, first: []string{"cont"}, ask: "exec('m * 2')", answers: "16"},
		{profile: "lldb", file: "prog.c", text: askingC, build: []string{"cc", "-g", "-O0", "-o", "prog", "prog.c"}, program: "prog",
			breakpoint: "breakpoint set --file prog.c --line 11", stops: 11, first: []string{"run"}, ask: "print count * 6", answers: "42", tty: true},
		{profile: "dlv", file: "prog.go", text: "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar name string\n\tfmt.Print(\"name? \")\n\tfmt.Scan(&name)\n\tn = 7\n\tfmt.Println(\"hello\", name, n)\n}\n\nvar n int\n",
			build: []string{"go", "build", "-gcflags", "all=-N -l", "-o", "prog", "prog.go"}, program: "prog",
			breakpoint: "break prog.go:10", stops: 10, first: []string{"continue"}, ask: "print main.n", answers: "7", tty: true},
		{profile: "jdb", file: "Prog.java", text: "public class Prog {\n\tpublic static void main(String[] a) {\n\t\tint n = 7;\n\t\tn++;\n\t\tSystem.out.println(n);\n\t}\n}\n",
			build: []string{"javac", "-g", "Prog.java"}, program: "Prog",
			breakpoint: "stop at Prog:4", stops: 4, first: []string{"run"}, ask: "print n", answers: "7"},
	}
	for _, tt := range tests {
		t.Run(tt.profile, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if tt.build != nil {
				cmd := exec.CommandContext(t.Context(), tt.build[0], tt.build[1:]...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			program := tt.program
			if program == "" {
				program = tt.file
			} else if tt.profile != "jdb" {
				program = "./" + program
			}
			d := start(t, tt.profile, proc.Spec{Args: []string{program}, Dir: dir})
			events := listen(t, d)
			do(t, d, tt.breakpoint)
			if (d.TTY() != nil) != tt.tty {
				t.Fatalf("tty: %v", d.TTY())
			}
			if tt.tty {
				person := expect.Attach(d.TTY())
				defer person.Close()
				for _, command := range tt.first {
					go func() { _, _ = d.Do(t.Context(), command) }() // answers when the program stops
				}
				if _, err := person.Expect(t.Context(), expect.Text("name? ")); err != nil {
					t.Fatalf("%v; %s", err, console(d))
				}
				if s := d.State(); s.Phase != debugger.Running {
					t.Errorf("while it asks: %+v", s)
				}
				if err := person.SendLine("Ada"); err != nil {
					t.Fatal(err)
				}
			} else {
				for _, command := range tt.first {
					do(t, d, command)
				}
			}
			events.until("running")
			if e := events.until("stopped"); e.Line != tt.stops {
				t.Errorf("%+v; %s", e, console(d))
			}
			events.until("prompt")
			if r := do(t, d, tt.ask); !strings.Contains(r.Text, tt.answers) || strings.Contains(r.Text, tt.ask) {
				t.Errorf("%s: %q", tt.ask, r.Text)
			}
		})
	}
}

func TestUnknownProfile(t *testing.T) {
	_, err := debugger.Start(t.Context(), "softice", proc.Command("true"))
	if err == nil || !strings.Contains(err.Error(), `no profile "softice" (there are bashdb, dlv, gdb, jdb, lldb, node, pdb, perl)`) {
		t.Error(err)
	}
}

func TestADebuggerThatEndsAtOnce(t *testing.T) {
	_, err := debugger.Start(t.Context(), "pdb", proc.Command("/no/such/program.py"))
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Error(err)
	}
}
