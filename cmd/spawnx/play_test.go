//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/record"
)

const castHeader = `{"version":3,"term":{"cols":40,"rows":5}}` + "\n"

// castFile makes a recording.
func castFile(t *testing.T, events string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.cast")
	if err := os.WriteFile(name, []byte(castHeader+events), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPlayAndScreenStatus(t *testing.T) {
	good := castFile(t, `[0, "o", "one\r\n"]`+"\n"+`[0.001, "o", "two"]`+"\n"+`[0, "x", "0"]`+"\n")
	cut := castFile(t, `[0, "o", "one"]`+"\n"+`[0.1, "o", "tw`)
	none := castFile(t, "")
	if err := os.WriteFile(none, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := cut + ": line 3, after 0s: the file ends in the middle of an event: what came then is missing"
	tests := []struct {
		args   []string
		status int
		out    string
		says   string // a part of stderr
	}{
		{[]string{"play", good}, 0, "one\r\ntwo", ""},
		{[]string{"play", "--speed", "10", "--idle-limit", "1ms", good}, 0, "one\r\ntwo", ""},
		{[]string{"play", cut}, 1, "one", missing},
		{[]string{"play", none}, 125, "", "not an asciicast recording"},
		{[]string{"play", "/no/such/file"}, 125, "", "no such file"},
		{[]string{"play"}, 125, "", "one FILE.cast is wanted"},
		{[]string{"play", "--speed", "0", good}, 125, "", "no speed"},
		{[]string{"screen", good}, 0, "one\ntwo\n", ""},
		{[]string{"screen", good, "--at", "0s"}, 0, "one\n", ""},
		{[]string{"screen", cut}, 1, "one\n", missing},
		{[]string{"screen", good, "-o", "x.gif"}, 125, "", "end it in .svg, .png or .txt"},
		{[]string{"screen", none}, 125, "", "not an asciicast recording"},
	}
	for _, tt := range tests {
		got := spawnxRun(t, nil, tt.args...)
		if got.status != tt.status || got.out != tt.out || !strings.Contains(got.err, tt.says) || tt.says == "" && got.err != "" {
			t.Errorf("%q: status %d, out %q, stderr %q", tt.args, got.status, got.out, got.err)
		}
	}
	for end, begin := range map[string]string{".svg": "<svg", ".png": "\x89PNG\r\n"} {
		picture := filepath.Join(t.TempDir(), "x"+end)
		got := spawnxRun(t, nil, "screen", "-o", picture, good)
		if data, err := os.ReadFile(picture); got.status != 0 || err != nil || !strings.Contains(string(data[:min(len(data), 200)]), begin) {
			t.Errorf("%s: %+v, %v", end, got, err)
		}
	}
	out := filepath.Join(t.TempDir(), "x.txt")
	if got := spawnxRun(t, nil, "screen", good, "-o", out); got.status != 0 {
		t.Errorf("got %+v", got)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "5x40 cursor 2,4\n|one\n|two\n" {
		t.Errorf("got %q, %v", text, err)
	}
}

// At a terminal the recording obeys keys, and leaves the terminal as it was.
func TestPlayAtATerminal(t *testing.T) {
	name := castFile(t, `[0, "o", "\u001b[?1049h\u001b[?25lone"]`+"\n"+`[1000, "o", "two"]`+"\n"+`[1000, "m", ""]`+"\n"+`[1000, "o", "three"]`+"\n")
	c := person(t, proc.Command("spawnx", "play", name))
	raw := c.With(expect.Options{View: expect.Raw})
	sees(t, raw, expect.Text("one"))
	presses(t, c, ".")
	sees(t, raw, expect.Text("two"))
	presses(t, c, "]", ".")
	sees(t, raw, expect.Text("three\x1b[m\x1b[?25h"))
	ends(t, c, 0)

	c = person(t, proc.Command("spawnx", "play", name))
	sees(t, c, expect.Text("one"))
	presses(t, c, "ctrl-c")
	ends(t, c, 130)
}

const asks = `
printf 'Name? '; read n
printf 'Age (1-99): '; read a
stty -echo; printf 'Password: '; read p; stty echo; echo
echo "hello $n, $a, ${#p} letters, $KIND"
exit 3`

// asked is a session at a terminal, recorded in each of the ways.
func asked(t *testing.T, file string) {
	t.Helper()
	c := person(t, proc.Spec{Args: []string{"spawnx", "run", "--record", file, "--env", "KIND=a test", "sh", "-c", strings.ReplaceAll(strings.TrimSpace(asks), "\n", "; ")}})
	sees(t, c, expect.Text("Name? "))
	presses(t, c, "A", "d", "x", "backspace", "a", "enter")
	sees(t, c, expect.Text("99): "))
	types(t, c, "36")
	sees(t, c, expect.Text("Password: "))
	types(t, c, "hunter2")
	sees(t, c, expect.Text("7 letters"))
	ends(t, c, 3)
}

func TestRecordKeepsNoSecretAndPlays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.cast")
	asked(t, file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), `"i", "h"`) {
		t.Errorf("the secret is in it:\n%s", text)
	}
	r, err := record.NewReader(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if h := r.Header(); h.Rows != 24 || h.Cols != 80 || !strings.HasPrefix(h.Command, "sh -c") {
		t.Errorf("the header is %+v", h)
	}
	var typed []string
	var last record.Event
	for e, err := range r.All() {
		if err != nil {
			t.Error(err)
		}
		if last = e; e.Kind == record.Input || e.Kind == record.Marker {
			typed = append(typed, string(e.Data))
		}
	}
	if got := strings.Join(typed, "|"); got != "Adx\x7fa\r|36\r|secret typed" || last.Kind != record.Exit || last.Status != 3 {
		t.Errorf("typed %q, ended with %+v", got, last)
	}
	got := spawnxRun(t, nil, "screen", file)
	if got.status != 0 || !strings.Contains(got.out, "Password:\nhello Ada, 36, 7 letters, a test\n") {
		t.Errorf("got %+v", got)
	}
	if again := spawnxRun(t, nil, "run", "--record", file, "true"); again.status != 125 || !strings.Contains(again.err, "is there already\nhint: remove it") {
		t.Errorf("got %+v", again)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// What a session was recorded as does the same again, and is what a person would have written.
func TestRecordWritesAScript(t *testing.T) {
	t.Setenv("PS1", "")
	t.Setenv("LANG", "")
	t.Setenv("TERM", "")
	file := filepath.Join(t.TempDir(), "x.star")
	asked(t, file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, text2, _ := strings.Cut(string(text), "env = ")
	want := `{"KIND": "a test"})
p.expect("Name? ")
p.sendline("Ada")
p.expect(re(r"Age \(\d+-\d+\): "))
p.sendline("36")
p.expect("Password: ")
p.sendsecret("env:PASSWORD")
p.expect(re(r"hello Ada, \d+, \d+ letters, a test"))
x = p.wait(check = False)
if x.status != 3:
    fail("status " + str(x.status) + ", not 3")
`
	if text2 != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	t.Setenv("PASSWORD", "geheim!")
	if got := spawnxRun(t, nil, "script", file); got.status != 0 {
		t.Errorf("got %+v from\n%s", got, text)
	}
}

func TestRecordWritesATest(t *testing.T) {
	t.Setenv("PS1", "")
	t.Setenv("LANG", "")
	t.Setenv("TERM", "")
	file := filepath.Join(t.TempDir(), "x.txtar")
	asked(t, file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, text2, _ := strings.Cut(string(text), "a test'\n")
	_, text2, _ = strings.Cut(text2, "\n")
	want := `expect 'Name? '
sendline Ada
expect '/Age \(\d+-\d+\): /'
sendline 36
expect 'Password: '
sendsecret env:PASSWORD
expect '/hello Ada, \d+, \d+ letters, a test/'
wait 3
`
	if text2 != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	t.Setenv("PASSWORD", "geheim!")
	if got := spawnxRun(t, nil, "test", file); got.status != 0 {
		t.Errorf("got %+v from\n%s", got, text)
	}
}

// Rules stand in what is written, and their secrets in nothing.
func TestRecordWithRules(t *testing.T) {
	t.Setenv("PASSWORD", "hunter2")
	dir := t.TempDir()
	const program = `stty -echo; printf 'Password: '; read p; stty echo; printf '\nwas %s\nGo on? [Y/n] ' $p; read y; echo $y`
	for _, name := range []string{"x.cast", "x.star", "x.txtar"} {
		file := filepath.Join(dir, name)
		got := spawnxRun(t, nil, "run", "--record", file, "--on", "Password: => <secret env:PASSWORD>", "--on", "/[[]Y.n[]]/ => <y><enter>", "sh", "-c", program)
		if got.status != 0 {
			t.Fatalf("%s: %+v", name, got)
		}
		text, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(text), "hunter2") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		again := map[string]string{"x.cast": "play", "x.star": "script", "x.txtar": "test"}[name]
		if name == "x.txtar" {
			t.Setenv("PASSWORD", "hunter2")
		}
		if got := spawnxRun(t, nil, again, file); got.status != 0 {
			t.Errorf("%s: %+v from\n%s", name, got, text)
		}
	}
}

// What a rule answered nobody need wait for; and a secret that the program shows is written down as any.
func TestRecordAfterRules(t *testing.T) {
	t.Setenv("PASSWORD", "hunter2")
	for _, tt := range []struct{ rule, program string }{
		{"n? => y", `printf 'n? '; read a`},
		{"Password: => <secret env:PASSWORD>", `stty -echo; printf 'Password: '; read p; stty echo; printf '\ndone %s\n' $p`},
	} {
		for kind, verb := range map[string]string{".star": "script", ".txtar": "test"} {
			file := filepath.Join(t.TempDir(), "x"+kind)
			if got := spawnxRun(t, nil, "run", "--record", file, "--on", tt.rule, "sh", "-c", tt.program); got.status != 0 {
				t.Fatalf("%s: %+v", tt.rule, got)
			}
			text, _ := os.ReadFile(file)
			if got := spawnxRun(t, nil, verb, file); got.status != 0 || strings.Contains(string(text), "hunter2") {
				t.Errorf("%s: %+v from\n%s", tt.rule, got, text)
			}
		}
	}
}

func TestWrongRecords(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"--record", "x.gif", "true"}, "end it in .cast"},
		{[]string{"--record", dir + "/x.txtar", "sh", "-c", "echo a\necho b"}, "holds a line end"},
		{[]string{"--record", dir + "/no/such/x.cast", "true"}, "record: open"},
	} {
		if got := spawnxRun(t, nil, append([]string{"run"}, tt.args...)...); got.status != 125 || !strings.Contains(got.err, tt.says) {
			t.Errorf("%q: %+v", tt.args, got)
		}
	}
	if got := spawnxRun(t, nil, "run", "--record", dir+"/x.cast", "no-such-program"); got.status != 127 {
		t.Errorf("got %+v", got)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestScreenOfANamedProgram(t *testing.T) {
	names(t)
	run := spawnxRun(t, nil, "run", "-d", "--name", "painter", "sh", "-c", `printf '\033[2J\033[2;5Hhere\033[1;1H'; read a`)
	if run.status != 0 {
		t.Fatalf("%+v", run)
	}
	if got := spawnxRun(t, nil, "expect", "painter", "here"); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	if got := spawnxRun(t, nil, "screen", "painter"); got.status != 0 || got.out != "\n    here\n" {
		t.Errorf("%+v", got)
	}
	if got := spawnxRun(t, nil, "screen", "painter", "--at", "1s"); got.status != 125 || !strings.Contains(got.err, "has no past") {
		t.Errorf("%+v", got)
	}
	if got := spawnxRun(t, nil, "screen", "nobody"); got.status != 1 || !strings.Contains(got.err, "painter") {
		t.Errorf("%+v", got)
	}
	if got := spawnxRun(t, nil, "screen"); got.status != 125 {
		t.Errorf("%+v", got)
	}
}
