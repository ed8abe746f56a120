package golden_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/screen"
)

func show(rows, cols int, text string) *screen.Screen {
	s := screen.New(rows, cols)
	s.Write([]byte(text))
	return s
}

var insert = show(24, 80, "hello\r\n~\r\n~\r\n~\x1b[24;1H\x1b[1;32;48;2;16;32;48m-- INSERT --\x1b[m\x1b[1;6H")

func ExampleFormat() {
	s := screen.New(4, 20)
	s.Write([]byte("Name: \x1b[1;32mAda\x1b[m\r\n\r\n漢字 \x1b[7mok\x1b[m"))
	fmt.Print(golden.Format(s, true))
	// Output:
	// 4x20 cursor 3,8
	// |Name: Ada
	// :......aaa
	// |
	// |漢字 ok
	// :.....bb
	// =a bold fg=2
	// =b reverse
}

func ExampleCompare() {
	s := screen.New(4, 20)
	s.Write([]byte("pid 4711 runs\r\nready"))
	fmt.Println(golden.Compare("|pid [..] runs\n|ready\n", s, false))
	fmt.Println(golden.Compare("4x20 cursor 1,1\n|pid [..] runs\n|Ready\n", s, false))
	// Output:
	// <nil>
	// it differs (- expected, + actual)
	//   - 4x20 cursor 1,1
	//   + 4x20 cursor 2,6
	//     |pid 4711 runs
	//   - |Ready
	//   + |ready
}

func TestCompare(t *testing.T) {
	style := "|hello\n|~\n...\n|-- INSERT --\n:aaaaaaaaaaaa\n=a bold fg=2 bg=#102030\n"
	for _, c := range []struct {
		name, file string
		styles     bool
		want       string // in the error; "" = none
	}{
		{"the whole", golden.Format(insert, true), true, ""},
		{"without styles", golden.Format(insert, false), false, ""},
		{"any rows", "24x80 cursor 1,6\n|hello\n...\n|-- INSERT --\n", false, ""},
		{"any rows first", "...\n|-- INSERT --\n", false, ""},
		{"any rows last", "|hello\n...\n", false, ""},
		{"any rows twice", "...\n|~\n...\n", false, ""},
		{"nothing but any rows", "...\n", false, ""},
		{"no size", "cursor 1,6\n|hello\n...\n", false, ""},
		{"no cursor", "24x80\n|hello\n...\n", false, ""},
		{"styles", style, false, ""},
		{"any text", "|h[..]o\n...\n|-- [..] --\n", false, ""},
		{"two masks", "|[..]e[..]\n...\n", false, ""},
		{"a mask for nothing", "|hello[..]\n...\n", false, ""},
		{"blanks at the end", "|hello   \n...\n", false, ""},

		{"another size", "25x80\n|hello\n...\n", false, "- 25x80\n  + 24x80"},
		{"another cursor", "cursor 1,7\n...\n", false, "+ cursor 1,6"},
		{"hidden", "cursor hidden\n...\n", false, "- cursor hidden"},
		{"another row", "|hallo\n...\n", false, "- |hallo\n  + |hello"},
		{"a row too many", "|hello\n", false, "+ |~"},
		{"a row missing", "|hello\n|new\n|~\n...\n|-- INSERT --\n", false, "- |new"},
		{"a mask that does not match", "|h[..]x\n...\n", false, "- |h[..]x"},
		{"another colour", strings.Replace(style, "fg=2", "fg=3", 1), false, "+ =a bold fg=2 bg=#102030"},
		{"style asked for, none stated", "|hello\n...\n|-- INSERT --\n", true, "+ :aaaaaaaaaaaa"},
		{"style of a shorter part", strings.Replace(style, ":aaaaaaaaaaaa", ":aaa", 1), false, "- :aaa\n"},
	} {
		err := golden.Compare(c.file, insert, c.styles)
		var d *golden.Difference
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && !errors.As(err, &d):
			t.Errorf("%s: error %v", c.name, err)
		case c.want != "" && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: not in the error: %s\n%v", c.name, c.want, err)
		}
	}
	hidden := show(3, 10, "x\x1b[?25l")
	if err := golden.Compare("3x10 cursor hidden\n|x\n", hidden, false); err != nil {
		t.Error(err)
	}
	if err := golden.Compare("", show(3, 10, ""), false); err != nil {
		t.Error("an empty screen:", err)
	}
}

func TestMaskedRowsAndStyles(t *testing.T) {
	s := show(3, 20, "\x1b[31merror\x1b[m 12 \x1b[1mx\x1b[m")
	for file, same := range map[string]bool{
		"|error [..] x\n:aaaaa\n=a fg=1\n":          true, // behind the mask the styles are not known
		"|error [..] x\n:aaaab\n=a fg=1\n=b fg=2\n": false,
		"|error [..] x\n":                           false, // asked for: red is stated nowhere
	} {
		if err := golden.Compare(file, s, true); (err == nil) != same {
			t.Errorf("%s%v", file, err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for file, want := range map[string]string{
		"24x80 cursor\n":           `line 1 of the screen file: "24x80 cursor" is no size and cursor`,
		"|a\nb\n":                  "line 2 of the screen file: a row begins with |",
		":aa\n":                    "line 1 of the screen file: styles stand below their row",
		"|a\n:x\n":                 "line 2 of the screen file: no line explains the letter x",
		"|a\n:x\n=x loud\n":        `line 3 of the screen file: "loud" is no style`,
		"|a\n:x\n=x fg=#12345\n":   `line 3 of the screen file: "fg=#12345" is no style`,
		"|a\n:x\n=x fg=256\n":      `line 3 of the screen file: "fg=256" is no style`,
		"|a\n= bold\n":             "line 2 of the screen file: a letter stands behind the =",
		"|a\n\n|b\n":               "line 2 of the screen file: it is empty",
		"24x80 cursor 0,1\n|a\n":   "is no size and cursor",
		"24x80 cursor -1,1 x\n|\n": "is no size and cursor",
	} {
		err := golden.Check(file)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", file, err, want)
		}
		if err := golden.Compare(file, insert, false); err == nil {
			t.Errorf("%q: compared without an error", file)
		}
	}
}

func TestUpdate(t *testing.T) {
	for _, c := range []struct {
		name, old string
		styles    bool
		want      string
	}{
		{"nothing to keep", "", false, golden.Format(insert, false)},
		{"broken", "oops\n", true, golden.Format(insert, true)},
		{"all matches", "24x80 cursor 1,6\n|he[..]\n...\n|-- INSERT --\n", false, "24x80 cursor 1,6\n|he[..]\n...\n|-- INSERT --\n"},
		{"the cursor changed", "24x80 cursor 2,6\n|he[..]\n...\n|-- INSERT --\n", false, "24x80 cursor 1,6\n|he[..]\n...\n|-- INSERT --\n"},
		{"no first line", "|he[..]\n...\n|-- INSERT --\n", false, "|he[..]\n...\n|-- INSERT --\n"},
		{"a row changed", "|hell\n...\n|-- [..] --\n", false, "|hello\n...\n|-- [..] --\n"},
		{"the last row changed", "|hello\n...\n|-- VISUAL --\n", false, "|hello\n...\n|-- INSERT --\n"},
		{"a mask matches no more", "|x[..]\n...\n|-- INSERT --\n", false, "|hello\n...\n|-- INSERT --\n"},
		{"styles are kept", "|hello\n...\n|-- INSERT --\n:aaaaaaaaaaaa\n=a bold fg=9\n", false,
			"|hello\n...\n|-- INSERT --\n:aaaaaaaaaaaa\n=a bold fg=2 bg=#102030\n"},
		{"styles in front of a mask", "|hello\n...\n|-- [..]\n:aaa\n=a bold fg=9\n", false,
			"|hello\n...\n|-- [..]\n:aaa\n=a bold fg=2 bg=#102030\n"},
	} {
		got := golden.Update(c.old, insert, c.styles)
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		if err := golden.Compare(got, insert, false); err != nil {
			t.Errorf("%s: the new file: %v", c.name, err)
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		same          bool
		updated       string
	}{
		{"a\nb\n", "a\nb\n", true, "a\nb\n"},
		{"a\n...\nz\n", "a\nb\nc\nz\n", true, "a\n...\nz\n"},
		{"a\n...\nz\n", "a\nz\n", true, "a\n...\nz\n"},
		{"took [..]s\n", "took 1.2s\n", true, "took [..]s\n"},
		{"took [..]s\nx\n", "took 1.2s\ny\n", false, "took [..]s\ny\n"},
		{"", "", true, ""},
		{"", "a\n", false, "a\n"},
		{"a\n", "", false, ""},
		{"a\n", "a", true, "a"},
		{"...\nend\n", "1\n2\nend\n", true, "...\nend\n"},
		{"...\nx\n...\nx\n", "x\ny\nx\n", true, "...\nx\n...\nx\n"},
	} {
		if err := golden.Lines(c.pattern, c.text); (err == nil) != c.same {
			t.Errorf("%q %q: %v", c.pattern, c.text, err)
		}
		if got := golden.UpdateLines(c.pattern, c.text); got != c.updated {
			t.Errorf("%q %q updated: %q, want %q", c.pattern, c.text, got, c.updated)
		}
	}
	long := strings.Repeat("line\n", 2500)
	if err := golden.Lines(long+"x\n", long+"y\n"); err == nil || strings.Count(err.Error(), "\n") > 10 {
		t.Error(err)
	}
	if err := golden.Lines("...\n"+long+"x\n", long+long+"y\n"); err == nil {
		t.Error("no difference seen in a long text")
	}
}

// Whatever the screen, its file is read again as it was written.
func FuzzFormat(f *testing.F) {
	f.Add([]byte("hello\r\n\x1b[1;31mred\x1b[m 漢字 e\u0301\x1b[4:3;58:5:9mx"))
	f.Add([]byte("\f"))
	f.Add([]byte("|[..]\r\n...\r\n:x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := screen.New(6, 20)
		s.Write(b)
		for _, styles := range []bool{false, true} {
			file := golden.Format(s, styles)
			if err := golden.Compare(file, s, styles); err != nil {
				t.Errorf("%s\n%v", file, err)
			}
			if again := golden.Update(file, s, styles); golden.Compare(again, s, styles) != nil {
				t.Errorf("%s\nupdated to\n%s", file, again)
			}
		}
		golden.Check(string(b))
	})
}

// What is written is what matches: also rows at the end that are nothing but colour, which only styles see.
func TestWrittenMatches(t *testing.T) {
	blue := show(4, 10, "\x1b[44m\x1b[2J\x1b[Hhi")
	for _, styles := range []bool{false, true} {
		for name, file := range map[string]string{
			"format": golden.Format(blue, styles),
			"update": golden.Update("4x10 cursor 1,3\n|old\n...\n", blue, styles),
			"again":  golden.Update(golden.Format(blue, styles), blue, styles),
		} {
			if err := golden.Compare(file, blue, styles); err != nil {
				t.Errorf("%s, styles %v: %v\n%s", name, styles, err, file)
			}
		}
	}
	if got, want := golden.Format(blue, false), "4x10 cursor 1,3\n|hi\n"; got != want {
		t.Errorf("%q", got)
	}
	if golden.Compare("4x10 cursor 1,3\n|hi\n", blue, true) == nil {
		t.Error("with styles the blue rows must be told")
	}
}
