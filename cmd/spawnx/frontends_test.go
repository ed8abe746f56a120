//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

const loopingC = `static int twice(int n)
{
	int result = n * 2;
	return result; /* here it stops */
}
int main(void)
{
	for (volatile int i = 1;; i++)
		twice(i);
}
`

// debugged starts a gdb that others will join, and returns the folder of its program.
func debugged(t *testing.T) (dir string) {
	t.Helper()
	standIn, err := filepath.Abs("../../examples/s10-gdb-frontend/gdb")
	if err != nil {
		t.Fatal(err)
	}
	folder(t)
	t.Setenv("DEBUGINFOD_URLS", "")
	t.Setenv("SPAWNX_DEBUG", "prog")
	t.Setenv("STAND_IN", standIn)
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prog.c"), []byte(loopingC), 0o600); err != nil {
		t.Fatal(err)
	}
	cc := exec.CommandContext(t.Context(), "cc", "-g", "-O0", "-o", "prog", "prog.c")
	cc.Dir = dir
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r := spawnxRun(t, nil, "debug", "-d", "gdb", filepath.Join(dir, "prog")); r.status != 0 || !strings.HasPrefix(r.out, "console      spawnx attach prog\nfront ends   /") {
		t.Fatalf("%+v", r)
	}
	t.Cleanup(func() { spawnxRun(t, nil, "stop", "prog") })
	if got := does(t, 0, "command", "prog.console", "print 6*7"); got != "$1 = 42\n" { // gdb listens to others besides its console
		t.Errorf("command: %q", got)
	}
	return dir
}

// A frontEnd is one with windows, at a terminal.
func frontEnd(t *testing.T, args ...string) *expect.Console {
	t.Helper()
	spec := proc.Command(args[0], args[1:]...)
	spec.Size = proc.Size{Rows: 50, Cols: 100}
	spec.Env = append(os.Environ(), "HOME="+t.TempDir())
	spec.Grace = -1
	return person(t, spec).With(expect.Options{Screen: screen.New(50, 100)})
}

// events asks at the events of the debugger, and returns its first line, the state.
func stateOf(t *testing.T) string {
	t.Helper()
	line, _, _ := strings.Cut(spawnxRun(t, strings.NewReader(`{"id":1,"do":""}`+"\n"), "attach", "prog.events").out, "\n")
	return line
}

// Front ends that nobody here has written drive a gdb that they have not started, unmodified.
func TestFrontEnds(t *testing.T) {
	onScreen := func(text string) expect.Pattern { return expect.OnScreen(expect.Text(text)) }

	t.Run("cgdb", func(t *testing.T) {
		debugged(t)
		c := frontEnd(t, "sh", "-c", `exec cgdb -d "$STAND_IN"`)
		sees(t, c, onScreen("New UI allocated"))
		types(t, c, "break 4")
		sees(t, c, onScreen("Breakpoint 1 at"))
		types(t, c, "run")
		sees(t, c, onScreen("/* here it stops */")) // the source
		sees(t, c, onScreen("Breakpoint 1, twice"))
		if s := stateOf(t); !strings.Contains(s, `"phase":"stopped","reason":"breakpoint"`) || !strings.Contains(s, `"line":4`) {
			t.Error(s)
		}
	})
	t.Run("vim", func(t *testing.T) {
		dir := debugged(t)
		c := frontEnd(t, "vim", "-u", "NONE", "-i", "NONE", "-N", "--cmd", "let g:termdebugger = $STAND_IN", "-c", "packadd termdebug", "-c", "Termdebug", dir+"/prog.c")
		sees(t, c, onScreen("New UI allocated"))
		types(t, c, "break 4")
		sees(t, c, onScreen("Breakpoint 1 at"))
		types(t, c, "run")
		sees(t, c, onScreen("Breakpoint 1, twice"))
		presses(t, c, "ctrl-w") // from the console's window to a command of vim, which uses the machine interface
		types(t, c, ":Evaluate n*21")
		sees(t, c, onScreen(`"n*21": 21`))
		if s := stateOf(t); !strings.Contains(s, `"phase":"stopped","reason":"breakpoint"`) || !strings.Contains(s, `"line":4`) {
			t.Error(s)
		}
	})
	t.Run("pygdbmi", func(t *testing.T) {
		dir := debugged(t)
		if err := os.Symlink(os.Getenv("STAND_IN"), dir+"/gdb"); err != nil { // it is "gdb", in PATH
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "python3", "-c", likePygdbmi)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasSuffix(string(out), "value=\"42\"\n") {
			t.Errorf("%v: %s", err, out)
		}
		if s := stateOf(t); !strings.Contains(s, `"phase":"stopped","reason":"breakpoint"`) || !strings.Contains(s, `"line":4`) {
			t.Error(s)
		}
	})
}

// What pygdbmi's GdbController does: it starts gdb by this command, on pipes without a buffer, of which it reads what is
// there, without waiting for more.
const likePygdbmi = `
import fcntl, os, select, subprocess
gdb = subprocess.Popen(["gdb", "--nx", "--quiet", "--interpreter=mi3"], shell=False, stdout=subprocess.PIPE, stdin=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
fd = gdb.stdout.fileno()
fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
seen = b""
def write(command, until):
    global seen
    seen = b""
    gdb.stdin.write((command + "\n").encode())
    gdb.stdin.flush()
    while until not in seen:
        if not select.select([fd], [], [], 60)[0]: raise SystemExit(f"no {until} after {command}: {seen}")
        seen += gdb.stdout.read()
write("-break-insert prog.c:4", b"^done,bkpt=")
write("-exec-run", b'*stopped,reason="breakpoint-hit"')
write("7-data-evaluate-expression n*42", b"7^done")
print(seen[seen.index(b"value"):].split(b"\n")[0].decode())
gdb.terminate()
gdb.wait()
`
