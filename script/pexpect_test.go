//go:build linux

package script_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func rowsText() string {
	var b strings.Builder
	for i := range 300 {
		b.WriteString("row " + strconv.Itoa(i+1) + "\n")
	}
	return b.String()
}

// Where docs/from.md says that something is the same, it is: the same program driven by pexpect, by
// Expect and by a script leaves the same.
func TestSameAsPexpectAndExpect(t *testing.T) {
	need(t, "expect")
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if python == "" && exec.Command(name, "-c", "import pexpect").Run() == nil {
			python = name
		}
	}
	if python == "" {
		t.Fatal("pexpect is missing: install the Debian package python3-pexpect")
	}
	// Each prints a line for each thing that is compared; \r\n is written as \n.
	const talk = `printf 'a? '; read a; printf 'b? '; read b; echo "got $a-$b"; printf 'files: 12\n'; exit 3`
	for _, tt := range []struct{ name, program, pexpect, tcl, ours string }{
		{"text, group, end, status", talk, `
c.expect_exact('a? '); show(c.before); c.sendline('one')
i = c.expect(['never', r'(\w)\? ']); show(i); show(c.match.group(1)); show(c.after); c.sendline('two')
c.expect(r'files: (\d+)'); show(c.match.group(1))
c.expect(pexpect.EOF); show(c.before); c.wait(); c.close(); show(c.exitstatus)
`, `
expect -ex {a? }; show ""; send "one\r"
expect -re {never} {show x} -re {(\w)\? } {show 1; show $expect_out(1,string); show $expect_out(0,string)}; send "two\r"
expect -re {files: (\d+)}; show $expect_out(1,string)
expect eof; show $expect_out(buffer); show [lindex [wait] 3]
`, `
m = p.expect("a? "); show(m.before); p.sendline("one")
m = p.expect("never", re(r"(\w)\? ")); show(m.index); show(m.group(1)); show(m.text); p.sendline("two")
show(p.expect(re(r"files: (\d+)")).group(1))
show(p.expect(EOF).before); show(p.wait(check = False).code)
`},
		{"the leftmost wins, then the earlier", `printf 'xxabyy\n'; read x`, `
show(c.expect_exact(['y', 'ab', 'a'])); show(c.before); show(c.after); show(c.expect_exact(['y', 'b', 'yy'])); show(c.before)
`, ``, `
m = p.expect("y", "ab", "a"); show(m.index); show(m.before); show(m.text); m = p.expect("y", "b", "yy"); show(m.index); show(m.before)
`},
		{"a timeout keeps what is there", `printf 'begun'; read x`, `
show(c.expect(['never', pexpect.TIMEOUT], timeout=1)); show(c.before); c.expect_exact('begun'); show(c.after)
`, `
set timeout 1; expect never {show 0} timeout {show 1}; show begun; expect -ex begun; show $expect_out(0,string)
`, `
m = p.expect("never", TIMEOUT, timeout = 1); show(m.index); show(m.before); show(p.expect("begun").text)
`},
		{"an end without a match", `echo bye`, `
show(c.expect(['never', pexpect.EOF])); show(c.before)
`, `
expect never {show 0} eof {show 1}; show $expect_out(buffer)
`, `
m = p.expect("never", EOF); show(m.index); show(m.before)
`},
		{"ctrl-c, end of input", `trap 'echo INT' INT; printf ready; while read x; do echo "=$x="; done; while read x; do echo "=$x="; done; echo over`, `
c.expect('ready'); c.sendcontrol('c'); c.expect('INT'); c.sendline('x'); c.expect('=x='); c.sendeof(); c.sendeof(); c.expect('over'); show('ok')
`, `
expect ready; send "\003"; expect INT; send "x\r"; expect =x=; send "\004"; send "\004"; expect over; show ok
`, `
p.expect("ready"); p.sendkey("ctrl-c"); p.expect("INT"); p.sendline("x"); p.expect("=x="); p.sendeof(); p.sendeof(); p.expect("over"); show("ok")
`},
		{"questions in a loop", `for i in 1 2 3; do printf 'more? '; read x; echo "<$x>"; done; printf 'done\n'`, `
n = 0
while True:
    i = c.expect_exact(['more? ', 'done'])
    if i == 1: break
    n += 1; c.sendline('y')
show(n)
`, `
set n 0; expect -ex {more? } {incr n; send "y\r"; exp_continue} done; show $n
`, `
n = []
p.expect(on("more? ", lambda m: [n.append(1), p.sendline("y")] and None), "done")
show(len(n))
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			program := write(t, filepath.Join(dir, "program.sh"), "stty -echo; echo start\n"+tt.program+"\n") // echo is not the same, on purpose
			r := run(t, `
def show(x): print(repr(str(x)))
p = spawn(["sh", args[0]])
p.expect("start\n")
`+tt.ours, program)
			if r.err != nil {
				t.Fatal(r.err)
			}
			py := write(t, filepath.Join(dir, "t.py"), fmt.Sprintf(`
import pexpect
def show(x): print('"' + str(x).replace('\r\n', '\n').replace('\n', '\\n') + '"')
c = pexpect.spawn('sh', [%q], encoding='utf-8', timeout=20)
c.expect('start\r\n')
`, program)+tt.pexpect)
			same(t, "pexpect", r.out, python, py)
			if tt.tcl == "" {
				return
			}
			tcl := write(t, filepath.Join(dir, "t.exp"), fmt.Sprintf(`
log_user 0; set timeout 20
proc show {x} { puts "\"[string map [list "\r\n" "\\n" "\n" "\\n"] $x]\"" }
spawn sh %s
expect "start\r\n"
`, program)+tt.tcl)
			same(t, "Expect", r.out, "expect", tcl)
		})
	}
}

func same(t *testing.T, who, ours string, command ...string) {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Stderr = &errs
	theirs, err := cmd.Output()
	if err != nil || string(theirs) != ours {
		t.Errorf("%s says\n%s%s%v\nwe say\n%s", who, theirs, errs.String(), err, ours)
	}
}
