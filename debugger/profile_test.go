//go:build linux

package debugger_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// Each real debugger runs a program that asks for a name: it starts, stops at a
// breakpoint, answers, complains, lets the program read from its own terminal, and
// is interrupted in an endless loop, by the front end and by ^C at the program's
// terminal.
func TestProfiles(t *testing.T) {
	tests := []struct {
		profile, file, text string
		build               []string // in the file's folder
		program             string   // instead of the file
		breakpoint          string
		stops               int // the line
		ask, answers        string
		wrong               string
		clear               string
		tty                 bool
	}{
		{profile: "pdb", file: "prog.py", text: "name = input('name? ')\nprint('hello', name)\nn = 7\nn += 1\nimport time\nwhile True:\n\tprint('looping', flush=True); time.sleep(.01)\n",
			breakpoint: "break 3", stops: 3, ask: "p name", answers: "'Ada'", wrong: "p nonsense_", clear: "clear 1", tty: true},
		{profile: "perl", file: "prog.pl", text: "$| = 1;\nprint 'name? ';\nmy $name = <STDIN>;\nour $n = 7;\nprint \"hello $name\";\nwhile (1) { print \"looping\\n\"; select(undef, undef, undef, .01) }\n",
			breakpoint: "b 5", stops: 5, ask: "p $n * 6", answers: "42", wrong: "b 999", clear: "B 5", tty: true},
		{profile: "node", file: "prog.js", text: "const n = 7;\nlet m = n + 1;\nconsole.log('hello', m);\nconsole.log('looping');\nfor (;;) m++;\n",
			breakpoint: "setBreakpoint(3)", stops: 3, ask: "exec('m * 2')", answers: "16", wrong: "exec('nonsense_')", clear: "clearBreakpoint('prog.js', 3)"},
		{profile: "lldb", file: "prog.c", text: strings.Replace(askingC, "while (name[0] == 'l' && go_on) usleep(1000);", "for (;; usleep(10000)) puts(\"looping\");", 1), build: []string{"cc", "-g", "-O0", "-o", "prog", "prog.c"}, program: "prog",
			breakpoint: "breakpoint set --file prog.c --line 11", stops: 11, ask: "print count * 6", answers: "42", wrong: "nonsense", clear: "breakpoint delete 1", tty: true},
		{profile: "dlv", file: "prog.go", text: "package main\n\nimport (\n\t\"fmt\"\n\t\"time\"\n)\n\nfunc main() {\n\tvar name string\n\tfmt.Print(\"name? \")\n\tfmt.Scan(&name)\n\tn = 7\n\tfmt.Println(\"hello\", name, n)\n\tfor ; ; time.Sleep(10 * time.Millisecond) {\n\t\tfmt.Println(\"looping\")\n\t}\n}\n\nvar n int\n",
			build: []string{"go", "build", "-gcflags", "-N -l", "-o", "prog", "prog.go"}, program: "prog",
			breakpoint: "break prog.go:13", stops: 13, ask: "print main.n", answers: "7", wrong: "nonsense", clear: "clear 1", tty: true},
		{profile: "jdb", file: "Prog.java", text: "public class Prog {\n\tpublic static void main(String[] a) {\n\t\tint n = 7;\n\t\tn++;\n\t\tSystem.out.println(\"looping\");\n\t\tfor (;;) n++;\n\t}\n}\n",
			build: []string{"javac", "-g", "Prog.java"}, program: "Prog",
			breakpoint: "stop at Prog:4", stops: 4, ask: "print n", answers: "7", wrong: "nonsense", clear: "clear Prog:4"},
	}
	for _, tt := range tests {
		t.Run(tt.profile, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, tt.file)
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
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
			if all := d.State().Breakpoints; len(all) != 1 || all[0].Line != tt.stops || all[0].Path != file {
				t.Errorf("breakpoints %+v; %s", all, console(d))
			}
			if (d.TTY() != nil) != tt.tty {
				t.Fatalf("tty: %v", d.TTY())
			}
			// goes on: debuggers with one prompt answer when the program has stopped
			goOn := func(name string) {
				command := d.Profile().Commands[name]
				if d.Profile().Async {
					do(t, d, command)
				} else {
					go func() { _, _ = d.Do(t.Context(), command) }()
				}
				events.until("running")
			}
			out := d.Console()
			if tt.tty {
				out = d.TTY()
			}
			person := expect.Attach(out)
			defer person.Close()
			shows := func(text string) {
				t.Helper()
				if _, err := person.Expect(t.Context(), expect.Text(text)); err != nil {
					t.Fatalf("%v; %s", err, console(d))
				}
				if s := d.State(); s.Phase != debugger.Running {
					t.Errorf("while it runs: %+v", s)
				}
			}
			goOn("run")
			if tt.tty {
				shows("name? ")
				if _, err := d.TTY().Input().Write([]byte("Ada\r")); err != nil {
					t.Fatal(err)
				}
			}
			if e := events.until("stopped"); e.Line != tt.stops || e.Path != file {
				t.Errorf("%+v; %s", e, console(d))
			}
			events.until("prompt")
			if r := do(t, d, tt.ask); !strings.Contains(r.Text, tt.answers) || strings.Contains(r.Text, tt.ask) {
				t.Errorf("%s: %q", tt.ask, r.Text)
			}
			if r, err := d.Do(t.Context(), tt.wrong); err != nil || r.OK || r.Text == "" {
				t.Errorf("%s: %+v, %v", tt.wrong, r, err)
			}
			do(t, d, tt.clear)
			if all := d.State().Breakpoints; len(all) != 0 {
				t.Errorf("still %+v; %s", all, console(d))
			}
			goOn("continue")
			shows("looping")
			if err := d.Interrupt(t.Context()); err != nil {
				t.Fatal(err)
			}
			events.until("stopped")
			events.until("prompt")
			if !tt.tty {
				return
			}
			goOn("continue")
			shows("looping")
			if _, err := d.TTY().Input().Write([]byte{0x03}); err != nil {
				t.Fatal(err)
			}
			events.until("stopped")
		})
	}
}

// A profile of the user's own, for a debugger that nobody here knows.
func TestAUsersProfile(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	write := func(name, text string) {
		t.Helper()
		dir := filepath.Join(config, "spawnx", "debuggers")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := prog(t, "mydb.py", `import os, sys
tty, program = open(sys.argv[1], 'w'), sys.argv[2]
line, option = 0, None
while True:
    print(end='mydb> ', flush=True)
    command, _, word = sys.stdin.readline().strip().partition(' ')
    if command == 'set': option = word
    elif command == 'option': print('option is', option, 'in', os.environ['MYDB'])
    elif command == 'next':
        line += 1
        print('the program is at line', line, file=tty, flush=True)
        print(f'at {program}:{line}')
    elif command == 'break': print(f'breakpoint 1 at {program}:{word}')
    elif command == 'end': print('the program has ended, status 3')
    elif command == 'more':
        try:
            print(end='... ', flush=True)
            sys.stdin.readline()
        except KeyboardInterrupt:
            print('\ngiven up')
    else: print('bad:', command)
`)
	write("mydb", `{
	"name": "mydb", "about": "a test", "args": ["python3", "`+script+`", "{tty}", "{program}"],
	"env": ["MYDB=environment"], "init": ["set pager"],
	"prompt": "^mydb> $", "continuation": "^\\.\\.\\. $", "run": "^(?:next|end)", "location": "^at (?P<file>\\S+):(?P<line>\\d+)$",
	"breakpoint": "^breakpoint (?P<id>\\d+) at (?P<file>\\S+):(?P<line>\\d+)$",
	"exited": "^the program has ended, status (?P<status>\\d+)", "failed": "^bad: ", "commands": {"continue": "next"}
}`)
	write("broken", `{"name": "broken", "args": ["x"], "prompt": "("}`)
	write("wrong", `{"name": "wrong", "args": ["x"], "prompt": "x", "promt": ""}`)
	for name, want := range map[string]string{
		"broken": filepath.Join(config, "spawnx/debuggers/broken.json") + `: "prompt": error parsing regexp`,
		"wrong":  `unknown field "promt"`,
	} {
		if _, err := debugger.LookupProfile(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all := debugger.Profiles(); !slices.Contains(all, "mydb") || !slices.Contains(all, "gdb") {
		t.Errorf("%q", all)
	}
	program := prog(t, "prog.txt", "1\n2\n")
	d := start(t, "mydb", proc.Command(program))
	events := listen(t, d)
	if e := events.until("state"); e.State.Commands["continue"] != "next" {
		t.Errorf("%+v", e.State)
	}
	if r := do(t, d, "option"); r.Text != "option is pager in environment\n" {
		t.Errorf("%q", r.Text)
	}
	do(t, d, "break 2")
	if e := events.until("breakpoint"); e.Breakpoint.ID != "1" || e.Breakpoint.Line != 2 || e.Breakpoint.Path != program {
		t.Errorf("%+v", e.Breakpoint)
	}
	do(t, d, "next")
	if e := events.until("stopped"); e.Line != 1 || e.Path != program {
		t.Errorf("%+v", e)
	}
	if r, err := d.Do(t.Context(), "nonsense"); err != nil || r.OK || r.Text != "bad: nonsense\n" {
		t.Errorf("%+v, %v", r, err)
	}
	events.until("prompt")
	if r, err := d.Do(t.Context(), "more"); err != nil || r.OK || !strings.Contains(r.Text, "give it at the console") {
		t.Errorf("%+v, %v", r, err)
	}
	person := expect.Attach(d.Console())
	defer person.Close()
	if _, err := person.Expect(t.Context(), expect.Text("given up\nmydb> ")); err != nil {
		t.Fatal(err)
	}
	var busy *debugger.BusyError
	r, err := d.Do(t.Context(), "end")
	for errors.As(err, &busy) { // what the person sees, it has yet to read itself
		runtime.Gosched()
		r, err = d.Do(t.Context(), "end")
	}
	if err != nil || !r.OK {
		t.Errorf("%+v, %v", r, err)
	}
	if e := events.until("exited"); e.Status == nil || *e.Status != 3 {
		t.Errorf("%+v", e)
	}
	// what somebody is typing is not mixed up with what a front end says
	type_ := func(s string) {
		t.Helper()
		if _, err := d.Console().Input().Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	type_("opti")
	if _, err := person.Expect(t.Context(), expect.Text("mydb> opti")); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Do(t.Context(), "option"); !errors.As(err, &busy) {
		t.Errorf("into a line that was begun: %+v, %v", r, err)
	}
	type_("on\r")
	if e := events.until("output"); e.Text != "option is pager in environment\n" {
		t.Errorf("%+v", e)
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
