//go:build linux

package script_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%v: test.sh names its Debian package", err)
		}
	}
}

// Programs that people drive, in the words that the documentation gives for them.
func TestRealPrograms(t *testing.T) {
	need(t, "bash", "python3", "sqlite3", "gdb", "vim", "cc", "bc", "less")
	for _, tt := range []struct{ name, src, want string }{
		{"bash", `
p = spawn("bash --norc --noprofile", prompt = "ready> ", env = {"PS1": "ready> "})
p.expect(p.prompt)
print(p.command("for i in 1 2 3; do echo $i; done"))
p.sendline("sleep 100"); p.expect(idle(0.2)); p.sendkey("ctrl-c"); p.expect(p.prompt)
print(p.command("echo $?"))
p.sendline("exit 4"); print(p.wait(check = False).code)
`, "1\n2\n3\n130\n4\n"},
		{"python3", `
p = spawn("python3 -q", prompt = ">>> ", env = {"PYTHON_BASIC_REPL": "1"})
p.expect(p.prompt)
print(p.command("6*7"), p.command("[x for x in 'ab']"))
p.sendline("def f(x):"); p.expect("... "); p.sendline("  return x + 1"); p.expect("... "); p.sendline(); p.expect(p.prompt)
print(p.command("f(1)"))
p.sendline("n = input('na' + 'me? ')"); p.expect(on("name? ", "Ada"), p.prompt)
p.sendline("1/0"); print(p.expect(re("(\\w+Error): (.*)\n")).group(1)); p.expect(p.prompt)
p.sendeof(); p.wait()
`, "42 ['a', 'b']\n2\nZeroDivisionError\n"},
		{"python3's getpass", `
p = spawn(["python3", "-c", "import getpass; print(len(getpass.getpass('PIN: ')))"])
print(p.expect(on("PIN: ", secret("cmd:echo 12345")), re("\\d+\n")).text.strip()); p.wait()
`, "5\n"},
		{"sqlite3", `
p = spawn("sqlite3 :memory:", prompt = "sqlite> ")
p.expect(p.prompt)
p.command("create table t(n int);")
for i in range(5): p.command("insert into t values(%d);" % i)
print(p.command("select sum(n), count(*) from t;"))
print(p.command("selec;").startswith("Parse error"))
p.sendline(".exit"); p.wait(check = False)
`, "10|5\nTrue\n"},
		{"bc", `
p = spawn("bc -q"); p.expect(WAITING)
print(p.command("2^64"), p.command("5/2")); p.sendeof(); p.wait()
`, "18446744073709551616 2\n"},
		{"vim", `
p = spawn(["vim", "-u", "NONE", "-i", "NONE", "-N", args[0]])
p.expect(screen("~")); p.sendkey("i"); p.send("one"); p.sendkey("enter"); p.send("two")
p.expect(screen("-- INSERT --")); p.expect(screen(re("one\ntwo"))); p.sendkey("esc"); p.sendline(":x"); p.wait()
print(read_file(args[0]), end = "")
`, "one\ntwo\n"},
		{"less", `
p = spawn(["less", args[1]], env = {"LESS": None})
p.expect(screen("row 1\nrow 2")); p.sendkey("G"); p.expect(screen(re("row 300\n.*END"))); p.sendkey("q"); p.wait()
print("ok")
`, "ok\n"},
		{"gdb", `
p = spawn(["gdb", "-q", "-nx", args[2]], prompt = "(gdb) ")
p.always(on("--Type <RET>", key("enter")), on("(y or n) ", "y"))
p.expect(p.prompt)
print("Breakpoint 1 at" in p.command("break main"))
p.sendline("run"); m = p.expect(re("Breakpoint 1, main"), "Error"); p.expect(p.prompt)
print(m.index, p.command("print 6*7"))
p.sendline("quit"); p.wait()
`, "True\n0 $1 = 42\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			rows := write(t, filepath.Join(dir, "rows"), rowsText())
			program := filepath.Join(dir, "program")
			if tt.name == "gdb" {
				source := write(t, program+".c", "int main(void) { return 0; }\n")
				if out, err := exec.Command("cc", "-g", "-o", program, source).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			r := run(t, tt.src, filepath.Join(dir, "new"), rows, program)
			if r.err != nil || r.out != tt.want {
				t.Errorf("error %v\nprints %q\nwant   %q", r.err, r.out, tt.want)
			}
		})
	}
}

// What docs/from.md says of pxssh and replwrap: a prompt that the line itself sets, and a line that asks for more.
func TestPromptThatALineSets(t *testing.T) {
	t.Parallel()
	says(t, `
sh = spawn("bash --norc --noprofile", prompt = re("[$#] $"))
sh.expect(sh.prompt)
sh.prompt = "ready> "
sh.command("PS1='ready> '")
print(sh.command("echo $((6*7))"))
py = spawn("python3 -q", prompt = ">>> ", env = {"PYTHON_BASIC_REPL": "1"})
print(py.command("for i in [1, 2]: print(i)\n"))
`, "42\n... \n1\n2\n")
}
