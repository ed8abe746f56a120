package clitest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/internal/clitest/report"
	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/proc"
)

func TestMain(m *testing.M) {
	proc.MaybeShim()
	dir, err := os.MkdirTemp("", "clitest")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state")) // what is remembered is not the user's
	temporary := filepath.Join(dir, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		panic(err)
	}
	os.Setenv("TMPDIR", temporary)
	code := m.Run()
	if left, _ := os.ReadDir(temporary); len(left) > 0 {
		fmt.Println("the tests left", left)
		code = 1
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// A quiet Watcher is told and says nothing.
type quiet struct{}

func (quiet) Start(report.Result) {}
func (quiet) Done(report.Result)  {}

// runScript runs a test with this text, as x.txtar.
func runScript(t *testing.T, text string, opts Options) (result report.Result, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.txtar")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return runFile(t, path, opts), path
}

func runFile(t *testing.T, path string, opts Options) report.Result {
	t.Helper()
	results := runAll(t, []*Test{readAs(t, path, "x.txtar")}, opts)
	if len(results) != 1 {
		t.Fatalf("%d results", len(results))
	}
	return results[0]
}

func readAs(t *testing.T, path, name string) *Test {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	test := parse(name, data)
	test.path = path
	return test
}

func runAll(t *testing.T, tests []*Test, opts Options) []report.Result {
	t.Helper()
	out, err := Run(t.Context(), tests, opts, quiet{})
	if err != nil {
		t.Fatal(err)
	}
	return out.Results
}

// passes are scripts that must pass: what the commands mean.
var passes = []struct{ name, script string }{
	{"words", `
exec printf '%s|' a 'b c' 'don''t' d'e f'g '' #no comment
stdout '^a\|b c\|don''t\|de fg\|\|$'
exec printf %s a#b # a comment
stdout '^a#b$'
exec printf %s 'router# '
stdout '^router# $'
`},
	{"variables", `
env NAME=a.b EMPTY=
exec printf '%s|' $NAME ${NAME} '$NAME' x${NAME}y $EMPTY $NONE $$ ${/} ${:} ${NAME@R}
stdout '^a\.b\|a\.b\|\$NAME\|xa\.by\|\|\|\$\|/\|:\|a\\\.b\|$'
stdout ${NAME@R}
env
env NAME
exec printf a.b
stdout ^${NAME@R}$
`},
	{"the environment is fixed", `
exec sh -c 'echo $TERM $LANG $TZ $SHELL; cd "$HOME" && pwd; cd "$TMPDIR" && pwd; cd "$WORK"; pwd; ls -A "$WORK" "$HOME" "$TMPDIR"'
stdout '^xterm-256color C.UTF-8 UTC /bin/sh$'
exec env
! stdout ^SECRET_OF_OURS=
! stdout ^CI=
stdout ^PWD=$WORK$
! stdout ^[/:$]=
`},
	{"exec and what came", `
exec sh -c 'echo out; echo err >&2'
stdout ^out$
stderr ^err$
! stdout err
stdout -count=1 o
! exec false
! stdout .
! stderr .
! exec no-such-program
exec cat
! stdout .
`},
	{"stdin", `
stdin in
exec cat
cmp stdout in
stdin stdout
exec tr a-z A-Z
stdout ^HELLO$
exec cat
! stdout .
exec sh -c 'echo e >&2'
stdin stderr
exec cat
stdout e
-- in --
hello
`},
	{"a large stdin that nobody reads", `
exec sh -c 'yes | head -c 300000'
stdin stdout
exec true
exec sh -c 'yes | head -c 300000'
stdin stdout
exec wc -c
stdout 300000
`},
	{"in the background", `
exec sh -c 'echo one; echo e1 >&2' &
! exec sh -c 'echo two; exit 3' &
! stdout .
wait
stdout '^one\ntwo\n$'
stderr ^e1$
exec sh -c 'echo named' &n1&
exec sleep 1000 &long&
wait n1
stdout ^named$
kill -INT long
exec sleep 1000 &
`},
	{"killed", `
! exec sleep 1000 &a&
! exec sleep 1000 &
kill
wait
! exec sleep 1000 &b&
kill -KILL b
wait b
`},
	{"files", `
mkdir d/e f
cp a.txt b.txt
cmp a.txt b.txt
cp a.txt b.txt d
exists d/a.txt d/b.txt
! exists d/c.txt nope
mv b.txt c.txt
! exists b.txt
exists c.txt
chmod 444 c.txt
exists -readonly c.txt
! cmp a.txt other.txt
rm d c.txt
! exists d c.txt
rm gone
symlink link -> a.txt
cmp link a.txt
cd f
exists ../a.txt
cd $WORK
exec cat a.txt
cp stdout s.txt
cmp s.txt a.txt
grep -count=2 l a.txt
grep ^hello$ a.txt
! grep bye a.txt
cmpenv want.txt a.txt
unquote quoted
grep '^-- x --$' quoted
unix2dos a.txt
exec od -c a.txt
stdout '\\r'
exists sub/dir/x
-- a.txt --
hello
-- other.txt --
other
-- want.txt --
hello
-- quoted --
>-- x --
>text
-- sub/dir/x --
`},
	{"cmpenv", `
env WHO=me
exec echo hello me
cmpenv stdout want
! cmp stdout want
-- want --
hello $WHO
`},
	{"conditions", `
[unix] exec echo unix
stdout unix
[!unix] exec no-such-program
[linux] [exec:sh] exec echo both
[exec:no-such-program] exec no-such-program
[!exec:no-such-program] exec echo without
stdout without
[short] stop
[go1.1] [!go1.999] [gc] exec echo go
stdout go
[symlink] symlink x -> y
`[1:]},
	{"stop", "exec true\nstop 'that is all'\nexec false\n"},
	{"a dialog", `
spawn cat
sendline hello
expect hello
send wor
sendline ld
expect /w(or|no)ld/ nothing
sendeof
wait
stdout '^hello\nhello\nworld\nworld\n$'
`},
	{"a status", `
spawn sh -c 'exit 3'
wait 3
spawn sh -c 'kill -TERM $$'
wait 143
spawn sh -c 'exit 4'
! wait
spawn true
wait 0
wait
`},
	{"everything is waited for", `
spawn sh -c 'echo spawned'
exec echo one &
exec echo two &
wait
stdout '^spawned\none\ntwo\n$'
`},
	{"several programs", `
@a spawn cat
@b spawn -stdio pipes cat
spawn cat
@a sendline one
@b sendline two
sendline three
@a expect one
@b expect two
expect three
@a sendeof
@a wait
stdout one
@b sendeof
@b wait
stdout ^two$
sendeof
wait
stdout three
`},
	{"errors apart", `
spawn -stdio pipes sh -c 'echo out; echo err >&2'
wait
stdout ^out$
stderr ^err$
`},
	{"keys, signals, sizes", `
spawn -size 10x33 python3 prog.py
expect '10 33'
sendkey ctrl-c
expect int
signal INT
expect int
resize 12x34
expect '12 34'
wait 7
-- prog.py --
import os, signal
size = lambda: os.write(1, b"%d %d\n" % os.get_terminal_size()[::-1])
def resized(*_):
    size()
    os._exit(7)
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"int\n"))
signal.signal(signal.SIGWINCH, resized)
size()
while True:
    signal.pause()
`},
	{"secrets", `
env PW=sesame
spawn sh -c 'stty -echo; printf "Password: "; read x; stty echo; echo; echo "got ${#x}"'
expect 'Password: '
sendsecret env:PW
expect 'got 6'
wait
spawn sh -c 'stty -echo; printf "Password: "; read x; stty echo; echo; echo "got ${#x}"'
expect 'Password: '
sendsecret file:pw
expect 'got 4'
wait
spawn -stdio pipes sh -c 'read x; echo "got ${#x}"'
sendsecret -unproved env:PW
expect 'got 6'
wait
-- pw --
four
`},
	{"standing answers", `
spawn sh -c 'for i in 1 2 3; do printf "more? [y/n] "; read a; echo "<$a>"; done; exit 5'
on '[y/n]' y
expect '\<y>'
wait 5
stdout -count=3 '<y>'
`},
	{"patterns", `
spawn sh -c 'echo /etc/; printf "name> "; read x; echo "<eof>"'
expect '\/etc/'
expect <waiting>
sendline x
expect '\<eof>'
expect <eof>
wait
spawn cat
expect -timeout 200ms nothing <timeout>
expect '<idle 10ms>'
`},
	{"again and again", `
spawn sh -c 'sleep 0.2; echo there >file; sleep 1000'
retry 20s exists file
retry 20s grep there file
retry 1s ! exists nothing
retry 20s exec sh -c 'echo x >>tries; test $(wc -l <tries) = 3'
@s spawn cat
@s sendline hi
retry 5s @s expect hi
`},
	{"screens", `
spawn -size 5x20 sh -c 'printf "\033[31mred\033[m plain\r\n漢字\033[?25l"; read x; printf "\033[2J\033[Hnew"'
screen first
screen -styles styled
screen masked
sendline
screen rows
expect -screen new
wait
screen rows
-- first.screen --
5x20 cursor hidden
|red plain
|漢字
-- styled.screen --
|red plain
:aaa
|漢字
=a fg=1
-- masked.screen --
|r[..]n
...
-- rows.screen --
|new
`},
	{"a screen of a program that has ended", `
spawn echo hello
wait
screen end
-- end.screen --
|hello
`},
	{"paste and mouse", `
spawn bash --norc -c 'stty raw -echo; printf "\033[?2004h\033[?1000h\033[?1006hready"; head -c 35 | od -An -c | tr -d " \n"; stty sane; echo; echo done'
expect -screen ready
paste ab
mouse click 3,10
mouse scrolldown 1,1
expect '033[200~ab033[201~033[<0;10;3M033[<0;10;3m'
`},
	{"a program that asks its terminal", `
spawn bash --norc -c 'stty raw -echo; printf "\033[c"; IFS= read -r -d c x; stty sane; printf "%q\n" "$x"'
expect '[?'
wait
`},
}

func TestWhatPasses(t *testing.T) {
	t.Setenv("SECRET_OF_OURS", "1")
	for _, tt := range passes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if r, _ := runScript(t, tt.script, Options{}); r.Outcome != report.Passed {
				t.Errorf("%s: %s", r.Outcome, r.Attempts[0].Error)
			}
		})
	}
}

// The same tests pass when reads are cut to a byte, and to random pieces.
func TestWhatPassesInPieces(t *testing.T) {
	var tests []*Test
	for _, tt := range passes {
		tests = append(tests, parse(tt.name, []byte(tt.script)))
	}
	for _, chunk := range []string{"1", "random:7"} {
		c, err := ParseChunk(chunk)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runAll(t, tests, Options{Chunk: c}) {
			if r.Outcome != report.Passed {
				t.Errorf("--chunk %s: %s: %s: %s", chunk, r.Name, r.Outcome, r.Attempts[0].Error)
			}
		}
	}
}

// messages are scripts that must fail, and what is said then. [..] is any text, a line ... any lines.
var messages = []struct{ script, want string }{
	// mistakes found before anything runs
	{"exec true\nexec 'a", "x.txtar:2: a quote is not closed\nhint: write '' for a quote between quotes: 'don''t'"},
	{"exce true", "x.txtar:1: unknown command \"exce\"\nhint: did you mean exec?"},
	{"python3 x.py", "x.txtar:1: unknown command \"python3\"\nhint: to run a program: exec python3"},
	{"!exec true", "x.txtar:1: unknown command \"!exec\"\nhint: write a blank behind the !"},
	{"ttyin x", "x.txtar:1: unknown command \"ttyin\"\nhint: there is a terminal: spawn the program, and sendline what it shall read"},
	{"sleep 5", "x.txtar:1: unknown command \"sleep\"\nhint: wait for what shall happen: expect, screen, or retry 5s COMMAND"},
	{"!", "x.txtar:1: no command in this line"},
	{"! ! exec true", "x.txtar:1: ! stands twice in this line"},
	{"[unix]", "x.txtar:1: no command after the condition"},
	{"[moon] exec true", "x.txtar:1: unknown condition \"moon\"\nhint: known are [unix] [linux] and other systems, [amd64] and other processors, [exec:PROGRAM] [net] [root] [short] [symlink] [link], and [!...] of each"},
	{"[exec:] exec true", "x.txtar:1: unknown condition \"exec:\"\nhint: [..]"},
	{"@ spawn x", "x.txtar:1: \"@\" is no name of a program\nhint: write @NAME spawn ..., with letters, digits and _"},
	{"@a @b spawn x", "x.txtar:1: a line speaks to one program: @a or @b"},
	{"@a exec true", "x.txtar:1: exec speaks to no program: @a has no meaning here"},
	{"! retry 5s exec true", "x.txtar:1: ! stands before retry\nhint: write retry D ! COMMAND"},
	{"retry 5s retry 5s exec true", "x.txtar:1: retry stands twice in this line"},
	{"retry 5 exec true", "x.txtar:1: retry: \"5\" is no duration\nhint: write retry 30s COMMAND"},
	{"retry 5s", "x.txtar:1: usage: retry DURATION COMMAND..."},
	{"! spawn x", "x.txtar:1: unsupported: ! spawn"},
	{"! expect x", "x.txtar:1: unsupported: ! expect\nhint: expect what comes instead; for silence '<idle 2s>', for a program that wants input '<waiting>'"},
	{"spawn", "x.txtar:1: usage: [@NAME] spawn [-size 24x80] [-stdio pty|pipes|pty-stderr|pty-stdout] CMD..."},
	{"spawn -size 5 x", "x.txtar:1: spawn: size \"5\" is not ROWSxCOLS, as in 24x80"},
	{"spawn -size", "x.txtar:1: spawn: -size needs a value"},
	{"spawn -size 5x5", "x.txtar:1: spawn: no program to start"},
	{"spawn -tty x", "x.txtar:1: spawn: unknown flag -tty\nhint: write -- before a first word that begins with -"},
	{"spawn -stdio x y", "x.txtar:1: spawn: -stdio: \"x\" is none of pty, pipes, pty-stderr, pty-stdout"},
	{"expect", "x.txtar:1: usage: [@NAME] expect [-timeout 5s] [-screen] PATTERN..."},
	{"expect -timeout 5 x", "x.txtar:1: expect: \"5\" is no duration"},
	{"expect -screen", "x.txtar:1: expect: no pattern to wait for"},
	{"expect /(/", "x.txtar:1: expect: pattern /(/: error parsing regexp: missing closing ): `(`\nhint: for this very text write '\\/(/'"},
	{"expect /a +\\d b/", "x.txtar:1: expect: the blanks part /a +\\d b/ into several patterns\nhint: write '/a +\\d b/'"},
	{"expect /a b/i x", "x.txtar:1: expect: the blanks part /a b/i into several patterns\nhint: write '/a b/i'"},
	{"expect <moon>", "x.txtar:1: expect: <moon> is no pattern\nhint: for this very text write '\\<moon>'"},
	{"sendkey ctrl-moon", "x.txtar:1: sendkey: [..]\n..."},
	{"send two words", "x.txtar:1: usage: [@NAME] send TEXT"},
	{"sendsecret secret", "x.txtar:1: sendsecret: [..]\n..."},
	{"sendsecret -x env:A", "x.txtar:1: sendsecret: unknown flag -x\n..."},
	{"on a", "x.txtar:1: usage: [@NAME] on PATTERN REPLY"},
	{"on a '<moon>'", "x.txtar:1: on: <moon> is no reply\nhint: for this very text write '\\<moon>'"},
	{"signal MOON", "x.txtar:1: signal: [..]"},
	{"resize 5", "x.txtar:1: resize: size \"5\" is not ROWSxCOLS, as in 24x80"},
	{"wait 256", "x.txtar:1: wait: 256 is no status: it is 0 to 255"},
	{"wait a-b", "x.txtar:1: usage: [@NAME] [!] wait [STATUS|NAME]"},
	{"! wait 3", "x.txtar:1: wait: ! and a status contradict each other"},
	{"screen a.screen", "x.txtar:1: screen: a.screen: the name is written without .screen\nhint: write screen a"},
	{"mouse jump 1,1", "x.txtar:1: mouse: the mouse cannot \"jump\"\nhint: write click, press, release, move, scrollup, scrolldown"},
	{"mouse click up 1,1", "x.txtar:1: mouse: \"up\" is no button\nhint: write left, middle or right"},
	{"mouse click 1", "x.txtar:1: mouse: \"1\" is no place on the screen\nhint: write ROW,COLUMN, counted from 1: 3,10"},
	{"exec &", "x.txtar:1: usage: [!] exec PROGRAM [ARG...] [&|&NAME&]"},
	{"kill -MOON", "x.txtar:1: kill: [..]"},
	{"kill a b", "x.txtar:1: usage: kill [-SIGNAL] [NAME]"},
	{"chmod 999 x", "x.txtar:1: chmod: \"999\" is no mode\nhint: write it in octal, such as 644"},
	{"env =x", "x.txtar:1: env: \"=x\" has no name"},
	{"exists -readonly", "x.txtar:1: usage: [!] exists [-readonly] FILE..."},
	{"symlink a b c", "x.txtar:1: usage: symlink FILE -> TARGET"},
	{"cmp a a", "x.txtar:1: cmp: a file is always equal to itself"},
	{"stdout '('", "x.txtar:1: stdout: \"(\": error parsing regexp: missing closing ): `(`\nhint: it is a regular expression; a backslash takes a character as it is"},
	{"stdout -count=0 x", "x.txtar:1: stdout: -count=0 is no number from 1 on"},
	{"! stdout -count=1 x", "x.txtar:1: stdout: -count has no meaning behind !"},
	{"grep x", "x.txtar:1: usage: [!] grep [-count=N] REGEXP FILE"},
	{"grep -count=1 x", "x.txtar:1: usage: [!] grep [-count=N] REGEXP FILE"},
	{"exec true\n-- a --\n-- b --\n-- a --\n", "x.txtar:4: a second file \"a\": the first is in line 2"},
	{"exec true\n-- a.screen --\nhello\n", "x.txtar:3: a.screen: [..]"},
	{"\x00", "x.txtar:1: this is no text"},

	{"exec true && exec false", "x.txtar:1: exec: there is no shell here: && would be an argument\nhint: one command a line, or exec sh -c '...'; as an argument write '&&'"},
	{"exec echo $HOME | cat", "x.txtar:1: exec: there is no shell here: | would be an argument\n..."},
	{"exec sh -c 'echo a'; stdout a", "x.txtar:1: exec: there is no shell here: [..]\n..."},
	{"exec echo a; stdout a", "x.txtar:1: exec: there is no shell here: a; would be an argument\n..."},
	{"spawn cat <in", "x.txtar:1: spawn: there is no shell here: <in would be an argument\n..."},
	{"exec ls 2>/dev/null", "x.txtar:1: exec: there is no shell here: 2>/dev/null would be an argument\n..."},
	{"exec true & exec true", "x.txtar:1: exec: there is no shell here: & would be an argument\n..."},
	{"exec sh -c \"echo it's b\"", "x.txtar:1: a quote is not closed\n..."},
	{"exec sh -c \"echo a b\"", "x.txtar:1: quotes are single: double ones hold no words together\nhint: write 'echo a b'"},
	{"expect \"a b\" c", "x.txtar:1: quotes are single: double ones hold no words together\nhint: write 'a b'"},
	{"# a heading only", "x.txtar:1: no command is in this test\nhint: begin it with commands, such as exec or spawn; skip leaves a test out"},
	{"", "x.txtar:1: no command is in this test\n..."},
	{"run true", "x.txtar:1: unknown command \"run\"\nhint: write exec PROGRAM..., and stdout PATTERN behind it"},
	{"sendcontrol c", "x.txtar:1: unknown command \"sendcontrol\"\nhint: write sendkey ctrl-c"},
	{"@test \"x\" {", "x.txtar:1: @test is of another tool\nhint: write each test as a file of its own; a heading begins with #"},
	{"exce true\nexec true\nsend\n-- a.screen --\nx\n", "x.txtar:1: unknown command \"exce\"\nhint: did you mean exec?\nx.txtar:3: usage: [@NAME] send TEXT\nx.txtar:5: a.screen: [..]"},

	// what goes wrong in a run
	{"exec echo ready\nstdout \"ready\"", "x.txtar:2: stdout: no match for `\"ready\"`\n  output   ready\nhint: quotes are single; double ones are part of the text: write 'ready'"},
	{"spawn echo ready\nexpect \"ready\"", "x.txtar:2: expect: [..]\n...\nhint: quotes are single; double ones are part of the text: write 'ready'"},
	{"spawn echo a\nwait\nsendline x", "x.txtar:3: sendline: echo a has ended: line 2 waited for it\nhint: what it wrote is in stdout; to speak to it, do so before the wait"},
	{"exec ./x.sh\n-- x.sh --\necho a\n", "x.txtar:1: exec: [..]\nhint: write before: chmod 755 x.sh"},
	{"spawn ./x.sh\n-- x.sh --\necho a\n", "x.txtar:1: spawn: [..]\nhint: write before: chmod 755 x.sh"},
	{"exec printf 'a \\t\\n'\ncmp stdout want\n-- want --\na\n", "x.txtar:2: cmp: stdout and want differ (- want, + stdout)\n  diff     - a\n           + a\\x20\\t"},
	{"env PW=a\nspawn sh -c 'stty -echo; printf \"P: \"; read x; printf \"P: \"; read x'\non 'P: ' '<secret env:PW>'\nwait", "x.txtar:4: wait: [..]asked again[..]\n...\nhint: wrong password? A secret is given once; '<secret 2 env:NAME>' gives it twice"},
	{"spawn printf 'x\\n\\r3\\nsqlite> '\nexpect '/^3$/m'", "x.txtar:2: expect: [..]\n...\nhint: a carriage return stands in the output where it would match: write \\r? there"},
	{"exec true\n-- ../a --\n", "x.txtar:2: file \"../a\" would lie outside of the test's folder"},
	{"exec false", "x.txtar:1: exec: false ended with exit status 1\n  stdout   (nothing)\n  stderr   (nothing)"},
	{"exec sh -c 'echo out; echo \"e\x1b[1m\" >&2; exit 3'", "x.txtar:1: exec: sh -c \"echo out; [..]\" ended with exit status 3\n  stdout   out\n  stderr   e\\x1b[1m"},
	{"! exec echo hello", "x.txtar:1: exec: echo hello succeeded\n  stdout   hello\n  stderr   (nothing)"},
	{"exec no-such-program", "x.txtar:1: exec: [..]no-such-program[..]not found[..]\n..."},
	{"exec ./x\n-- x --\n#!/no/such\n", "x.txtar:1: exec: [..]\n..."},
	{"exec printf 'one\\ntwo\\n'\nstdout three", "x.txtar:2: stdout: no match for `three`\n  output   one\n           two"},
	{"exec printf 'a+b'\nstdout 'a+b'", "x.txtar:2: stdout: no match for `a+b`\n  output   a+b\nhint: it is there as text: write 'a\\+b'"},
	{"exec echo one\n! stdout on", "x.txtar:2: stdout: `on` matches: \"on\"\n  output   one"},
	{"exec echo one\n! stderr .\nstderr -count=1 x", "x.txtar:3: stderr: no match for `x`\n  output   (nothing)\n  stdout   one"},
	{"exec sh -c 'echo out; echo oops >&2'\nstdout three", "x.txtar:2: stdout: no match for `three`\n  output   out\n  stderr   oops"},
	{"grep -count=2 a f\n-- f --\na\nb\n", "x.txtar:1: grep: 1 matches for `a` in f, not 2\n  file     a\n           b"},
	{"grep a nope", "x.txtar:1: grep: nope is not there"},
	{"exec printf 'a\\nb\\nc\\n'\ncmp stdout want\n-- want --\na\nx\nc\n", "x.txtar:2: cmp: stdout and want differ (- want, + stdout)\n  diff       a\n           - x\n           + b\n             c"},
	{"cmp a b\n-- a --\n1\n-- b --\n1\n2\n", "x.txtar:1: cmp: a and b differ (- b, + a)\n  diff       1\n           - 2"},
	{"exec printf 'a'\ncmp stdout want\n-- want --\na\n", "x.txtar:2: cmp: stdout and want differ (- want, + stdout)\n  diff     - a\n           + a (no line end)"},
	{"! cmp a b\n-- a --\n-- b --\n", "x.txtar:1: cmp: a and b are equal"},
	{"cp a b c\n-- a --\n-- b --\n", "x.txtar:1: cp: c is no folder"},
	{"cp nope b", "x.txtar:1: cp: nope is not there"},
	{"mkdir d\ncp d e", "x.txtar:2: cp: d is a folder"},
	{"cd nope", "x.txtar:1: cd: nope is not there"},
	{"cd a\n-- a --\n", "x.txtar:1: cd: a is no folder"},
	{"exists a b\n-- a --\n", "x.txtar:1: exists: b is not there"},
	{"! exists a\n-- a --\n", "x.txtar:1: exists: a is there"},
	{"mkdir d\n! exists d", "x.txtar:2: exists: the folder d is there"},
	{"exists -readonly a\n-- a --\n", "x.txtar:1: exists: a may be written (mode 0644)"},
	{"mv a b", "x.txtar:1: mv: a is not there"},
	{"rm ..", "x.txtar:1: rm: .. is, or holds, the test's own folder"},
	{"symlink a -> b\nsymlink a -> c", "x.txtar:2: symlink: a: file exists"},
	{"unquote a\n-- a --\nx\n", "x.txtar:1: unquote: a: is not quoted: a line does not begin with >"},
	{"stdin nope", "x.txtar:1: stdin: nope is not there"},
	{"exec sleep 100 &a&\nexec sleep 100 &a&", "x.txtar:2: exec: &a& runs already"},
	{"kill b", "x.txtar:1: kill: no program &b& runs in the background\nhint: start it with: exec PROGRAM... &b&"},
	{"wait b", "x.txtar:1: wait: no program &b& runs in the background\nhint: start it with: exec PROGRAM... &b&"},
	{"exec false &\nwait", "x.txtar:2: wait: false ended with exit status 1\n  stdout   (nothing)\n  stderr   (nothing)"},
	{"! exec true &x&\nwait x", "x.txtar:2: wait: true succeeded\n  stdout   (nothing)\n  stderr   (nothing)"},
	{"expect x", "x.txtar:1: expect: no program was spawned\nhint: write spawn CMD... before"},
	{"wait 3", "x.txtar:1: wait: no program was spawned\nhint: write spawn CMD... before"},
	{"@a wait", "x.txtar:1: wait: there is no program @a\nhint: write @a spawn CMD... before"},
	{"@a spawn cat\nsendline x", "x.txtar:2: sendline: no program was spawned without a name\nhint: this line speaks to the unnamed program; write @a before it"},
	{"spawn cat\nspawn cat", "x.txtar:2: spawn: cat was spawned and not waited for\nhint: write wait before, or give this one a name: @NAME spawn ..."},
	{"spawn no-such-program", "x.txtar:1: spawn: [..]no-such-program[..]not found[..]\n..."},
	{"spawn sh -c 'echo oops; exit 3'\nwait", "x.txtar:2: wait: sh -c \"echo oops; exit 3\" ended with exit status 3\n  output   oops"},
	{"spawn true\nwait 2", "x.txtar:2: wait: true ended with exit status 0, not 2\n  output   (nothing)"},
	{"spawn true\n! wait", "x.txtar:2: wait: true ended with exit status 0\n  output   (nothing)"},
	{"spawn cat\nexpect -timeout 100ms hello /wor.d/", "x.txtar:2: expect: nothing matched in [..]\n  wanted   \"hello\" /wor.d/\n  unread   \"\"\n  program  cat (pid [..]) runs; waits for input: it reads its terminal (kernel)"},
	{"spawn echo bye\nexpect hello", "x.txtar:2: expect: the output ended before a match\n  wanted   \"hello\"\n  unread   \"bye\\n\"\n  program  echo bye (pid [..]) ended after [..]: exit status 0"},
	{"spawn cat\nsendline '[Y/n]'\nexpect -timeout 100ms '/[Y/n]!/' ", "x.txtar:3: expect: nothing matched in [..]\n..."},
	{"spawn echo '[Y/n] ok'\nexpect '/[Y/n] ok/'", "x.txtar:2: expect: the output ended before a match\n...\nhint: \"[Y/n] ok\" is there as text: write '[Y/n] ok' without slashes"},
	{"spawn sh -c 'stty -echo; printf \"Pass: \"; read x'\nexpect 'Pass: '\nexpect -timeout 1s x", "x.txtar:3: expect: nothing matched in [..]\n...\nhint: answer it: sendsecret env:NAME"},
	{"@a spawn cat\n@a send '\x03'", "x.txtar:2: send: byte 1 (\"\\x03\") would be taken by the terminal as the key [..]\nhint: @a sendkey ctrl-c"},
	{"env PW=x\nspawn -stdio pipes cat\nsendsecret env:PW", "x.txtar:3: sendsecret: [..]\n...\nhint: sendsecret -unproved types it all the same"},
	{"spawn sh -c 'echo oops >&2'\nwait\nstderr oops", "x.txtar:3: stderr: no match for `oops`\n  output   (nothing)\nhint: its errors came on its terminal, in stdout; spawn -stdio pty-stderr parts them"},
	{"spawn -stdio pipes cat\nresize 5x5", "x.txtar:2: resize: cat has no terminal"},
	{"spawn -stdio pipes cat\nexpect -screen x", "x.txtar:2: expect: cat has no terminal, so there is no screen"},
	{"spawn -stdio pipes cat\nscreen x", "x.txtar:2: screen: cat has no terminal, so there is no screen"},
	{"spawn cat\nmouse click 1,1", "x.txtar:2: mouse: cat has not asked for the mouse\nhint: wait until it has: expect or screen before"},
	{"spawn -size 3x20 echo hello\nscreen x", "x.txtar:2: screen: there is no x.screen in this file\n  screen   3x20 cursor [..]\n           |hello\nhint: spawnx test -u x.txtar writes it"},
	{"spawn -size 3x20 echo hello\nscreen x\n-- x.screen --\n3x20 cursor 2,1\n|bye\n", "x.txtar:2: screen: x differs, and the program has ended (- expected, + shown)\n  screen   - |bye\n           + |hello\nhint: if it should look like this: spawnx test -u x.txtar"},
	{"spawn echo hello\nwait\nscreen x\n-- x.screen --\n|bye\n", "x.txtar:3: screen: x differs, and the program has ended (- expected, + shown)\n  screen   - |bye\n           + |hello\nhint: if it should look like this: spawnx test -u x.txtar"},
	{"spawn -size 3x20 sh -c 'echo oops; exit 3'\nscreen x\n-- x.screen --\n|bye\n", "x.txtar:2: screen: x differs, and the program has ended with exit status 3 (- expected, + shown)\n  screen   - |bye\n           + |oops"},
	{"retry 100ms exists nope", "x.txtar:1: retry: no success in 100ms ([..] tries), at last: exists: nope is not there"},
	{"on x y", "x.txtar:1: on: no program was spawned\nhint: write spawn CMD... before"},
	{"env CMD=nope\n$CMD x", "x.txtar:2: unknown command \"nope\"\nhint: to run a program: exec nope"},
	{"env RE=(\nstdout $RE", "x.txtar:2: stdout: \"(\": error parsing regexp: missing closing ): `(`\nhint: [..]"},
	{"exec pwd\nstdout nothing", "x.txtar:2: stdout: no match for `nothing`\n  output   $WORK"},
}

func TestMessages(t *testing.T) {
	for _, tt := range messages {
		t.Run(strings.SplitN(tt.script, "\n", 2)[0], func(t *testing.T) {
			t.Parallel()
			r, _ := runScript(t, tt.script, Options{})
			if r.Outcome != report.Failed {
				t.Fatalf("%s: %s\nwant: %s", tt.script, r.Outcome, tt.want)
			}
			if err := golden.Lines(tt.want, r.Attempts[0].Error); err != nil {
				t.Errorf("%s\n%v", tt.script, err)
			}
		})
	}
}

// A wait that takes too long fails after its time, whatever it waits for; and a test as a whole does.
func TestTimeouts(t *testing.T) {
	short := Options{Wait: 50 * time.Millisecond}
	whole := Options{Timeout: 100 * time.Millisecond}
	for _, tt := range []struct {
		script string
		opts   Options
		want   string
	}{
		{"spawn cat\nexpect x", short, "x.txtar:2: expect: nothing matched in [..]\n..."},
		{"spawn sh -c 'echo licence; printf \"Continue? \"; read a'\nexpect -timeout 30s Continue\nwait", short,
			"x.txtar:3: wait: sh -c \"echo licence; printf \\\"Continue? \\\"; read a\" did not end in [..]\n  output   licence\n           Continue?\n  program  sh -c [..] waits for input: [..]"},
		{"spawn cat\non x y\nwait", short, "x.txtar:3: wait: cat did not end in [..]\n  output   (nothing)\n  program  cat (pid [..]) runs; [..]"},
		{"spawn -size 3x20 sh -c 'printf \"\\033[2;3Hmenu\"; read a'\nexpect -timeout 30s menu\nwait", short,
			"x.txtar:3: wait: [..] did not end in [..]\n  screen   3x20 cursor 2,7\n           |\n           |  menu\n  program  sh [..]"},
		{"spawn -size 3x20 sh -c 'printf \"\\033[2;3Hme\\033[2;5Hnu\"; read a'\nexpect -timeout 30s nu\nexpect menu", short,
			"x.txtar:3: expect: nothing matched in [..]\n  wanted   \"menu\"\n  unread   \"\"\n  screen   3x20 cursor 2,7\n           |\n           |  menu\n  program  sh [..]\nhint: it is on the screen: write expect -screen"},
		{"exec sleep 1000 &\nwait", short, "x.txtar:2: wait: sleep 1000 still runs after [..]s\n  stdout   (nothing)\n  stderr   (nothing)\n  program  sleep 1000 (pid [..]) [..]sleeps[..]"},
		{"spawn -size 2x9 cat\nsendline hallo\nscreen a\n-- a.screen --\n|hello\n...\n", short,
			"x.txtar:3: screen: a still differs after [..] (- expected, + shown)\n  screen   - |hello\n           + |hallo\n...\n  sent     \"hallo\" <enter>, [..] ago\n  program  cat (pid [..]) runs; [..]\nhint: if it should look like this: spawnx test -u x.txtar"},
		{"exec sleep 1000", whole, "x.txtar:1: exec: the test did not end in 100ms\n  stdout   (nothing)\n  stderr   (nothing)\n  program  sleep 1000 (pid [..]) [..]"},
		{"spawn cat\nexpect x", whole, "x.txtar:2: expect: the test did not end in 100ms\n  wanted   \"x\"\n  unread   \"\"\n  program  cat (pid [..]) runs[..]"},
		{"retry 1h exists x", whole, "x.txtar:1: retry: the test did not end in 100ms"},
	} {
		t.Run(tt.script, func(t *testing.T) {
			t.Parallel()
			r, _ := runScript(t, tt.script, tt.opts)
			if r.Outcome != report.Failed {
				t.Fatalf("%s", r.Outcome)
			}
			if err := golden.Lines(tt.want, r.Attempts[0].Error); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRestless(t *testing.T) {
	for _, tt := range []struct {
		quiet, waited time.Duration
		want          bool
	}{
		{0, time.Second, true}, {249 * time.Millisecond, time.Second, true}, {250 * time.Millisecond, time.Second, false},
		{499 * time.Millisecond, time.Minute, true}, {500 * time.Millisecond, time.Minute, false}, {50 * time.Millisecond, 50 * time.Millisecond, false},
	} {
		if got := restless(tt.quiet, tt.waited); got != tt.want {
			t.Errorf("quiet for %s of %s: %v", tt.quiet, tt.waited, got)
		}
	}
}

func TestSkip(t *testing.T) {
	r, _ := runScript(t, "exec sleep 1000 &\nskip 'no moon'\nexec false\n", Options{})
	if r.Outcome != report.Skipped || r.Reason != "no moon" {
		t.Errorf("%s %q", r.Outcome, r.Reason)
	}
}

// Nothing of a test is left: no process, whatever it did to get away, and no file.
func TestNothingIsLeft(t *testing.T) {
	mark := fmt.Sprintf(".%d%d", os.Getpid(), time.Now().UnixNano()) // of our sleeps, among others on the machine
	script := strings.ReplaceAll(`
exec sh -c 'setsid sh -c "sleep 1000MARK & echo started" </dev/null >/dev/null 2>&1 &'
spawn sh -c 'trap "" HUP TERM; setsid sleep 1001MARK & sleep 1002MARK'
exec sleep 1003MARK &
exec sh -c 'mkdir -p d/e; echo x >d/e/f; chmod 500 d/e d; echo $WORK'
stdout '^(.*)$'
exec false
`, "MARK", mark)
	r, _ := runScript(t, script, Options{})
	if r.Outcome != report.Failed {
		t.Fatal(r.Outcome)
	}
	for _, seconds := range []string{"1000", "1001", "1002", "1003"} {
		if pid := running(t, "sleep", seconds+mark); pid != "" {
			t.Errorf("sleep %s still runs: %s", seconds, pid)
		}
	}
}

// running returns a process with these arguments.
func running(t *testing.T, args ...string) string {
	t.Helper()
	want := strings.Join(args, "\x00") + "\x00"
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range all {
		data, _ := os.ReadFile(name)
		if string(data) == want {
			return name
		}
	}
	return ""
}

// A daemon that an exec leaves lives until the end of the test.
func TestDaemonLives(t *testing.T) {
	r, _ := runScript(t, `
exec sh -c '(while sleep 0.01; do date >>ticks; done) >/dev/null 2>&1 </dev/null &'
retry 20s exists ticks
rm ticks
retry 20s exists ticks
`, Options{})
	if r.Outcome != report.Passed {
		t.Errorf("%s: %s", r.Outcome, r.Attempts[0].Error)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tests := []*Test{parse("a", []byte("exec sleep 1000\n")), parse("b", []byte("exec sleep 1000\n"))}
	begun := starts(func() { cancel() })
	out, err := Run(ctx, tests, Options{Jobs: 1}, begun)
	if err != nil || len(out.Results) != 1 || out.Results[0].Outcome != report.Failed {
		t.Errorf("%+v, %v", out, err)
	}
}

type starts func()

func (f starts) Start(report.Result) { f() }
func (starts) Done(report.Result)    {}
