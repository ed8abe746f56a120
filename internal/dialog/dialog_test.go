package dialog

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/record"
)

const ms = time.Millisecond

var (
	lines = Mode{Canonical: true, Echo: true} // a terminal as it starts
	quiet = Mode{Canonical: true}             // a password prompt
	raw   = Mode{}                            // a line editor, a full-screen program, a relay
)

// A happening is a key or a piece of output.
type happening struct {
	key, out string
	mode     Mode
}

func presses(mode Mode, s string) (all []happening) {
	for _, r := range s {
		all = append(all, happening{key: string(r), mode: mode})
	}
	return all
}

// echoed are keys that the program shows.
func echoed(s string) (all []happening) {
	for _, k := range presses(raw, s) {
		all = append(all, k, happening{out: k.key})
	}
	return all
}

func out(s string) []happening { return []happening{{out: s}} }

func together(parts ...[]happening) (all []happening) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// recorded is what becomes of them: what was typed, <secret> for each secret.
func recorded(all []happening) string {
	var t Typing
	var b strings.Builder
	write := func(events []record.Event) {
		for _, e := range events {
			if e.Kind == Secret || e.Kind == Unproved {
				b.WriteString("<secret>")
			}
			b.Write(e.Data)
		}
	}
	for i, h := range all {
		if h.key != "" {
			write(t.Key(time.Duration(i)*ms, []byte(h.key), h.mode))
		} else {
			write(t.Output(time.Duration(i)*ms, []byte(h.out)))
		}
	}
	write(t.End())
	return b.String()
}

func TestWhatOfTheKeysIsRecorded(t *testing.T) {
	tests := []struct {
		name string
		all  []happening
		want string
	}{
		{"lines", together(presses(lines, "ab\x7fc\r"), presses(lines, "d\r")), "ab\x7fc\rd\r"},
		{"a password", presses(quiet, "hunter2\r"), "<secret>"},
		{"the echo goes off within a line", together(presses(lines, "hu"), presses(quiet, "nter2\r")), "<secret>"},
		{"a password given up", together(presses(quiet, "hunt\x03"), presses(lines, "x\r")), "\x03x\r"},
		{"a password that the session ends within", presses(quiet, "hunter2"), "<secret>"},
		{"the end of the input", presses(lines, "\x04"), "\x04"},
		{"an empty line at a password prompt", presses(quiet, "\r"), "\r"},

		{"a line editor", together(echoed("ls -l"), presses(raw, "\r"), out("\r\nfile\r\n$ ")), "ls -l\r"},
		{"a line editor that gets a line at once", together([]happening{{key: "ls -l\r", mode: raw}}, out("ls -l\r\nfile\r\n$ ")), "ls -l\r"},
		{"the same with an echo in pieces", together([]happening{{key: "ls -l\r", mode: raw}}, out("l"), out("s -"), out("l\r\nfile\r\n$ ")), "ls -l\r"},
		{"a password, then an output that begins like it", together([]happening{{key: "hunter2\r", mode: raw}}, out("\r\nhu"), out("man$ ")), "<secret>"},
		{"a password, then one letter of it and no more", together([]happening{{key: "hunter2\r", mode: raw}}, out("\r\nh")), "<secret>"},
		{"several lines at once", together([]happening{{key: "1+1\r2+2\rx\r", mode: raw}}, out("1+"), out("1\r\n2\r\n>>> "), out("2+2\r\n4\r\n>>> x\r\n")), "1+1\r2+2\rx\r"},
		{"a password and what is typed ahead", together([]happening{{key: "hunter2\rls\r", mode: raw}}, out("\r\nWelcome\r\n$ "), out("ls\r\nfile\r\n")), "<secret>ls\r"},
		{"keys behind a line that is not known", together([]happening{{key: "hunter2\r\r", mode: raw}, {key: "\x1b[A", mode: raw}}, out("\r\nWelcome\r\n$ ")), "<secret>\r\x1b[A"},
		{"a line typed ahead of much output", together([]happening{{key: "make\rls\r", mode: raw}}, out("make\r\n"), out(strings.Repeat("cc -c x\r\n", 5000)), out("$ ls\r\nx\r\n")), "make\rls\r"},
		{"a password typed ahead of all", together([]happening{{key: "su\rhunter2\rid\r", mode: raw}}, out("su\r\nPassword: "), out("\r\n# id\r\nuid=0\r\n# ")), "su\r<secret>id\r"},
		{"a line given up, then one", together(presses(raw, "wh\x03for:\r"), out("wh\r\n^C\r\n>>> for:\r\n... ")), "wh\x03for:\r"},
		{"a password given up over a relay", together(presses(raw, "hunter2\x03"), out("\r\n$ "), presses(raw, "ls\r"), out("ls\r\n")), "\x03ls\r"},
		{"a password over a relay", together(presses(raw, "hunter2\r"), out("\r\n"), out("Welcome to this host\r\n$ ")), "<secret>"},
		{"the same at once", together([]happening{{key: "hunter2\r", mode: raw}}, out("\r\n"), out("Last login: today\r\n$ ")), "<secret>"},
		{"a shell with colours behind it", together(presses(raw, "hunter2\r"), out("\r\n\x1b[?2004h\x1b[1m$ \x1b[0m")), "<secret>"},
		{"a password with a slip", together(presses(raw, "hx\x7funter2\r"), out("\r\n"), out("$ ")), "<secret>"},
		{"a password with stars", together(presses(raw, "h"), out("*"), presses(raw, "u"), out("*"), presses(raw, "n\r"), out("\r\nok")), "<secret>"},
		{"stars and a cursor that moves", together(presses(raw, "h"), out("*"), out("\x1b[5;3H"), presses(raw, "u"), out("*\x1b[5;4H"), presses(raw, "nter\r"), out("****\r\nok")), "<secret>"},
		{"stars behind a cursor that moves", together(presses(raw, "geheim"), out("\x1b[5;3H"), out("\x1b[1;1HPass\x1b[5;3H"), out("******"), presses(raw, "\r"), out("\x1b[24;1H")), "<secret>"},
		{"stars beside other text", together(presses(raw, "hi"), out("**\x1b[1;1Hthis is a hint"), presses(raw, "gh\r"), out("**\r\nok")), "<secret>"},
		{"an editor that marks a changed text", together(presses(raw, "hi there"), out("\x1b[1;60Hf.txt *\x1b[2;1Hhi there"), presses(raw, "\x0f\r"), out("\x1b[22;1HWrote 1 line")), "hi there\x0f\r"},
		{"the same, key by key", together(presses(raw, "h"), out("\x1b[1;60Hf.txt *\x1b[2;1Hh"), presses(raw, "i"), out("i"), presses(raw, "\x0f\r"), out("\x1b[22;1HWrote 1 line")), "hi\x0f\r"},
		{"two passwords", together(presses(raw, "one\r"), presses(raw, "two\r"), out("\r\nok")), "<secret><secret>"},
		{"a line editor behind a password", together(presses(raw, "pw\r"), out("\r\n$ "), echoed("id"), presses(raw, "\r"), out("\r\nuid=0\r\n")), "<secret>id\r"},

		{"keys of a full-screen program", together(presses(raw, "j"), out("\x1b[5;1H"), presses(raw, "j"), out("\x1b[6;1H"), presses(raw, ":q\r")), "jj:q\r"},
		{"arrows", []happening{{key: "\x1b[A", mode: raw}, {out: "x"}, {key: "\x1b[B\x1b[B", mode: raw}}, "\x1b[A\x1b[B\x1b[B"},
		{"what a terminal says by itself", []happening{{key: "\x1b[1;1R\x1b[?62;22cj\x1b]11;rgb:0/0/0\x07\x1b[Ik\x1b[<0;3;4M\x1bP1$r0m\x1b\\", mode: raw}, {out: "\x1b[5;1H"}}, "jk"},
		{"a single key, unseen", presses(raw, "q"), "q"},
		{"Enter alone", together(presses(raw, "\r"), presses(raw, "\r")), "\r\r"},
	}
	for _, tt := range tests {
		if got := recorded(tt.all); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// at makes a recording: "> " is typed, else it is output; one millisecond apart.
func at(lines ...string) (events []record.Event) {
	for i, line := range lines {
		e := record.Event{Time: time.Duration(i) * ms, Kind: record.Output, Data: []byte(line)}
		if typed, ok := strings.CutPrefix(line, "> "); ok {
			e.Kind, e.Data = record.Input, []byte(typed)
		}
		if ruled, ok := strings.CutPrefix(line, "rule "); ok {
			e.Kind, e.Data = Ruled, []byte(ruled)
		}
		if line == "> secret" {
			e.Kind, e.Data = Secret, nil
		}
		events = append(events, e)
	}
	return events
}

// A character of several bytes is one key and in one event, also where each key is told at once.
func TestCharactersStayWhole(t *testing.T) {
	var ty Typing
	ty.Key(0, []byte("i"), raw)
	ty.Output(0, []byte("i"))
	var got []string
	for _, e := range ty.Key(0, []byte("é漢\xff👍x"), raw) {
		got = append(got, string(e.Data))
	}
	if want := []string{"é", "漢", "\xff", "👍", "x"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func text(s string) Pattern { return Pattern{Text: s} }
func re(s string) Pattern   { return Pattern{Text: s, Regexp: true} }
func shown(s string) Pattern {
	return Pattern{Text: s, OnScreen: true}
}

func TestADialogIsRecognised(t *testing.T) {
	tests := []struct {
		name   string
		events []record.Event
		steps  []Step
		last   Pattern
	}{
		{"questions", at("Name? ", "> Ada\r", "Ada\r\nhello Ada\r\nSure [Y/n]? ", "> y\r", "y\r\nbye\r\n"),
			[]Step{{Wait: text("Name? "), Kind: Line, Text: "Ada"}, {Wait: text("Sure [Y/n]? "), Kind: Line, Text: "y"}}, text("bye")},
		{"a password", at("Password: ", "> secret", "\r\nwelcome\r\n"), []Step{{Wait: text("Password: "), Kind: Hidden}}, text("welcome")},
		{"a rule's question is answered already", at("n? ", "rule n?\x00y", "y\r\n"), nil, Pattern{}},
		{"what comes behind it is not", at("rule n? \x00y", "n? ", "y\r\nbye\r\nmore? ", "> x\r", "x\r\n"),
			[]Step{{Wait: text("more? "), Kind: Line, Text: "x"}}, Pattern{}},
		{"the program shows a secret", at("Password: ", "> secret", "\r\ndone [secret]\r\n"), []Step{{Wait: text("Password: "), Kind: Hidden}}, re(`done \S+`)},
		{"numbers", at("In [3]: ", "> x\r", "x\r\nOut[3]: 42\r\n"), []Step{{Wait: re(`In \[\d+\]: `), Kind: Line, Text: "x"}}, re(`Out\[\d+\]: \d+`)},
		{"a shell", at("ada@host:~/src/x1$ ", "> ls\r", "ls\r\nfile\r\nada@host:~/src/x1$ ", "> \x04"),
			[]Step{{Wait: re(`\$ $`), Kind: Line, Text: "ls"}, {Wait: re(`\$ $`), Kind: EOF}}, Pattern{}},
		{"the same words before", at("ok? no\r\nok? ", "> y\r"), []Step{{Wait: re(`(?:^|\n)ok\? $`), Kind: Line, Text: "y"}}, Pattern{}},
		{"typed ahead", at("a? ", "> 1\r", "> 2\r", "1\r\nb? 2\r\n"), []Step{{Wait: text("a? "), Kind: Line, Text: "1"}, {Kind: Line, Text: "2"}}, re(`b\? \d+`)},
		{"no prompt", at("ready\r\n", "> go\r"), []Step{{Wait: text("ready"), Kind: Line, Text: "go"}}, Pattern{}},
		{"keys", at("menu: ", "> \x1b[B", "> \x1b[B", "> \r"), []Step{{Wait: text("menu: "), Kind: Keys, Names: []string{"down", "down"}}, {Kind: Line}}, Pattern{}},
		{"an editor's line with a slip", at("$ ", "> l", "l", "> x", "x", "> \x7f", "\b \b", "> s", "s", "> \r", "\r\nfile\r\n"),
			[]Step{{Wait: text("$ "), Kind: Line, Text: "ls"}}, text("file")},
		{"a line with a slip", at("Name? ", "> Adx\x7fa\r", "Ada\r\nbye\r\n"), []Step{{Wait: text("Name? "), Kind: Line, Text: "Ada"}}, text("bye")},
		{"a signal to what runs", at("$ ", "> s\r", "> \x03", "^C\r\n$ ", "> \x04"),
			[]Step{{Wait: text("$ "), Kind: Line, Text: "s"}, {Wait: Pattern{Idle: true}, Kind: Keys, Names: []string{"ctrl-c"}}, {Wait: text("$ "), Kind: EOF}}, Pattern{}},
		{"the echo of a signal is not waited for", at("$ ", "> s\r", "> \x03", "^C\r\n", "> x\r", "$ x\r\n"),
			[]Step{{Wait: text("$ "), Kind: Line, Text: "s"}, {Wait: Pattern{Idle: true}, Kind: Keys, Names: []string{"ctrl-c"}}, {Wait: Pattern{Idle: true}, Kind: Line, Text: "x"}}, text("$ x")},
		{"a slip on the screen", at("\x1b[?1049hnew file", "> iab", "\x1b[2Jab", "> \x7f", "\b \b", "> \x7f", "\b \b", "> c", "c"),
			[]Step{{Wait: shown("new file"), Kind: Text, Text: "iab"}, {Kind: Keys, Names: []string{"backspace", "backspace"}}, {Kind: Text, Text: "c"}}, Pattern{}},
		{"typed ahead on the screen", at("\x1b[?1049hmenu", "> \x1b[B", "\x1b[2Jalpha", "> \x1b[B", "> q"),
			[]Step{{Wait: shown("menu"), Kind: Keys, Names: []string{"down"}}, {Wait: shown("alpha"), Kind: Keys, Names: []string{"down"}}, {Kind: Text, Text: "q"}}, Pattern{}},
		{"full screen", at("\x1b[?1049h\x1b[2J\x1b[24;1H\"a\" [New]\x1b[1;1H", "> i", "\x1b[24;1H-- INSERT --\x1b[1;1H", "> h", "h", "> i", "i", "> a", "a\x1b[24;70H<F\x1b[1;4H", "> \x1b", "\x1b[24;1H\x1b[K", "> :q\r", "\x1b[?1049l"),
			[]Step{{Wait: shown(`"a" [New]`), Kind: Text, Text: "ihia"}, {Wait: shown("hia"), Kind: Keys, Names: []string{"esc"}}, {Wait: Pattern{Idle: true}, Kind: Line, Text: ":q"}}, Pattern{}},
		{"full screen with the cursor hidden in the last row", at("\x1b[?25l\x1b[H\x1b[2Jtop - 1 2 3\r\nTasks: 5\r\n\x1b[24;1H  17 root 4 5 ", "> q"),
			[]Step{{Wait: shown("Tasks:"), Kind: Text, Text: "q"}}, Pattern{}},
		{"commands of a letter", at("\x1b[?1049h\x1b[H\x1b[2Jalpha\r\nbeta\r\ngamma\r\ndelta\r\nepsilon\x1b[24;1H:", "> f", "\x1b[H\x1b[2Japple\r\npear\r\nplum\r\nfig\r\nnut\x1b[24;1H:", "> b", "\x1b[H\x1b[2Jalpha\r\nbeta\r\ngamma\r\ndelta\r\nepsilon\x1b[24;1H:", "> b", "> q"),
			[]Step{{Wait: shown("epsilon"), Kind: Text, Text: "f"}, {Wait: shown("nut"), Kind: Text, Text: "b"}, {Wait: shown("epsilon"), Kind: Text, Text: "bq"}}, Pattern{}},
		{"full screen without the alternate one", at("\x1b[H\x1b[JChoose\x1b[2;2Ha Alpha\x1b[3;2Hb Beta\x1b[5;2H<  OK  >\x1b[2;2H", "> \x1b[B", "\x1b[2;2Ha Alpha\x1b[3;2H\x1b[7mb Beta\x1b[m\x1b[3;2H", "> \r", "\x1b[24;1H\r\n"),
			[]Step{{Wait: shown("a Alpha"), Kind: Keys, Names: []string{"down"}}, {Wait: shown("b Beta"), Kind: Line}}, Pattern{}},
	}
	for _, tt := range tests {
		d := From(record.Header{Rows: 24, Cols: 80}, tt.events)
		if !reflect.DeepEqual(d.Steps, tt.steps) || d.Last != tt.last {
			t.Errorf("%s: got %+v, last %+v\nwant %+v, last %+v", tt.name, d.Steps, d.Last, tt.steps, tt.last)
		}
	}
}

func TestTheEndIsTold(t *testing.T) {
	d := From(record.Header{Rows: 5, Cols: 20}, []record.Event{{Kind: record.Resize, Rows: 6, Cols: 30}, {Kind: record.Exit, Status: 3}})
	if want := []Step{{Kind: Resized, Rows: 6, Cols: 30}}; !reflect.DeepEqual(d.Steps, want) {
		t.Errorf("got %+v, want %+v", d.Steps, want)
	}
	if d.Rows != 5 || d.Cols != 20 || !d.Ended || d.Status != 3 {
		t.Errorf("got %+v", d)
	}
	if d := From(record.Header{Rows: 24, Cols: 80}, nil); d.Ended || d.Steps != nil {
		t.Errorf("got %+v", d)
	}
}

// Whatever is typed unseen is not given out, however it comes; and whatever happens, it ends.
func FuzzTyping(f *testing.F) {
	f.Add("hunter2\r", "\r\nWelcome\r\n", uint64(1))
	f.Add("a\x1b[Ab\x7f\x03\r", "\x1b[2Jx*", uint64(2))
	f.Fuzz(func(t *testing.T, typed, output string, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 3))
		var ty Typing
		var given int
		count := func(events []record.Event) {
			for _, e := range events {
				given += len(e.Data)
				if (e.Kind == Secret || e.Kind == Unproved) && e.Data != nil {
					t.Fatalf("a secret: %q", e.Data)
				}
			}
		}
		var events []record.Event
		for typed != "" || output != "" {
			if typed != "" && (output == "" || random.IntN(2) == 0) {
				n := 1 + random.IntN(len(typed))
				more := ty.Key(0, []byte(typed[:n]), Mode{random.IntN(2) == 0, random.IntN(2) == 0})
				typed = typed[n:]
				count(more)
				events = append(events, more...)
				continue
			}
			n := 1
			if output != "" {
				n = 1 + random.IntN(len(output))
				events = append(events, record.Event{Kind: record.Output, Data: []byte(output[:n])})
				count(ty.Output(0, []byte(output[:n])))
				output = output[n:]
			}
		}
		count(ty.End())
		_ = fmt.Sprint(From(record.Header{Rows: 5, Cols: 10}, events))

		var hidden Typing
		for _, e := range append(hidden.Key(0, []byte("geheim"+strings.Repeat("x", int(seed%5))+"\r"), quiet), hidden.End()...) {
			if len(e.Data) > 0 {
				t.Fatalf("a password was given out: %q", e.Data)
			}
		}
	})
}
