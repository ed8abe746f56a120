package keys

import (
	"fmt"
	"strings"
	"testing"
)

var encodeTests = []struct{ name, bytes string }{
	{"enter", "\r"},
	{"tab", "\t"},
	{"esc", "\x1b"},
	{"space", " "},
	{"backspace", "\x7f"},
	{"delete", "\x1b[3~"},
	{"insert", "\x1b[2~"},
	{"up", "\x1b[A"},
	{"down", "\x1b[B"},
	{"right", "\x1b[C"},
	{"left", "\x1b[D"},
	{"home", "\x1b[H"},
	{"end", "\x1b[F"},
	{"pgup", "\x1b[5~"},
	{"pgdn", "\x1b[6~"},
	{"f1", "\x1bOP"},
	{"f4", "\x1bOS"},
	{"f5", "\x1b[15~"},
	{"f6", "\x1b[17~"},
	{"f10", "\x1b[21~"},
	{"f11", "\x1b[23~"},
	{"f12", "\x1b[24~"},
	{"f13", "\x1b[1;2P"},
	{"f20", "\x1b[19;2~"},
	{"a", "a"},
	{"A", "A"},
	{"-", "-"},
	{"ä", "ä"},
	{"漢", "漢"},
	{"ctrl-a", "\x01"},
	{"ctrl-C", "\x03"},
	{"ctrl-z", "\x1a"},
	{"ctrl-space", "\x00"},
	{"ctrl-@", "\x00"},
	{"ctrl-[", "\x1b"},
	{"ctrl-\\", "\x1c"},
	{"ctrl-]", "\x1d"},
	{"ctrl-^", "\x1e"},
	{"ctrl-_", "\x1f"},
	{"ctrl-/", "\x1f"},
	{"ctrl-?", "\x7f"},
	{"ctrl-backspace", "\b"},
	{"alt-a", "\x1ba"},
	{"alt-ä", "\x1bä"},
	{"alt--", "\x1b-"},
	{"alt-enter", "\x1b\r"},
	{"alt-backspace", "\x1b\x7f"},
	{"alt-esc", "\x1b\x1b"},
	{"ctrl-alt-a", "\x1b\x01"},
	{"alt-ctrl-a", "\x1b\x01"},
	{"shift-a", "A"},
	{"shift-ä", "Ä"},
	{"alt-shift-a", "\x1bA"},
	{"shift-tab", "\x1b[Z"},
	{"alt-shift-tab", "\x1b\x1b[Z"},
	{"ctrl-up", "\x1b[1;5A"},
	{"shift-left", "\x1b[1;2D"},
	{"alt-right", "\x1b[1;3C"},
	{"ctrl-alt-shift-down", "\x1b[1;8B"},
	{"shift-alt-ctrl-down", "\x1b[1;8B"},
	{"ctrl-home", "\x1b[1;5H"},
	{"ctrl-delete", "\x1b[3;5~"},
	{"shift-f1", "\x1b[1;2P"},
	{"ctrl-f5", "\x1b[15;5~"},
	{"ctrl-f13", "\x1b[1;6P"},
}

func TestEncode(t *testing.T) {
	for _, tt := range encodeTests {
		got, err := Encode(tt.name, Modes{})
		if err != nil || string(got) != tt.bytes {
			t.Errorf("Encode(%s) = %q, %v, want %q", tt.name, got, err, tt.bytes)
		}
	}
}

func TestEncodeInModes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		modes Modes
		bytes string
	}{
		{"up", Modes{AppCursor: true}, "\x1bOA"},
		{"home", Modes{AppCursor: true}, "\x1bOH"},
		{"ctrl-up", Modes{AppCursor: true}, "\x1b[1;5A"},
		{"delete", Modes{AppCursor: true}, "\x1b[3~"},
		{"f1", Modes{AppCursor: true}, "\x1bOP"},
		{"enter", Modes{Enter: "\n"}, "\n"},
		{"enter", Modes{Enter: "\r\n"}, "\r\n"},
		{"alt-enter", Modes{Enter: "\n"}, "\x1b\n"},
		{"ctrl-m", Modes{Enter: "\n"}, "\r"},
	} {
		got, err := Encode(tt.name, tt.modes)
		if err != nil || string(got) != tt.bytes {
			t.Errorf("Encode(%s, %+v) = %q, %v, want %q", tt.name, tt.modes, got, err, tt.bytes)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	for name, want := range map[string]string{
		"":             `unknown key ""`,
		"ctrl-":        `unknown key "ctrl-"`,
		"hello":        `unknown key "hello"`,
		"\xff":         `unknown key "\xff"`,
		"a\u0301":      "unknown key \"a\u0301\"",
		"f21":          `unknown key "f21", the nearest is "f1"`,
		"foo":          `unknown key "foo"`,
		"Enter":        `unknown key "Enter", the nearest is "enter"`,
		"<enter>":      `unknown key "<enter>", the nearest is "enter"`,
		"return":       `unknown key "return", the nearest is "enter"`,
		"escape":       `unknown key "escape", the nearest is "esc"`,
		"dwon":         `unknown key "dwon", the nearest is "down"`,
		"spcae":        `unknown key "spcae", the nearest is "space"`,
		"pageup":       `unknown key "pageup", the nearest is "pgup"`,
		"Page Down":    `unknown key "Page Down", the nearest is "pgdn"`,
		"C-c":          `unknown key "C-c", the nearest is "ctrl-c"`,
		"^C":           `unknown key "^C", the nearest is "ctrl-C"`,
		"ctrl+c":       `unknown key "ctrl+c", the nearest is "ctrl-c"`,
		"Ctrl-Alt-Del": `unknown key "Ctrl-Alt-Del", the nearest is "ctrl-alt-delete"`,
		"M-x":          `unknown key "M-x", the nearest is "alt-x"`,
		"shift-pageup": `unknown key "shift-pageup", the nearest is "shift-pgup"`,
		"backtab":      `unknown key "backtab", the nearest is "shift-tab"`,
		"ctrl-ctrl-a":  `unknown key "ctrl-ctrl-a", the nearest is "ctrl-a"`,
		"ctrl-enter":   `a terminal has no bytes for "ctrl-enter"`,
		"ctrl-1":       `a terminal has no bytes for "ctrl-1"`,
		"ctrl-ä":       `a terminal has no bytes for "ctrl-ä"`,
		"shift-1":      `a terminal has no bytes for "shift-1"`,
		"shift-space":  `a terminal has no bytes for "shift-space"`,
		"ctrl-shift-a": `a terminal has no bytes for "ctrl-shift-a"`,
		"shift-f13":    `a terminal has no bytes for "shift-f13"`,
	} {
		got, err := Encode(name, Modes{})
		if err == nil {
			t.Errorf("Encode(%q) = %q, want the error %s", name, got, want)
		} else if err.Error() != want && err.Error() != want+"\nhint: "+all {
			t.Errorf("Encode(%q): %v, want %s", name, err, want)
		}
	}
}

// A hint names every key.
func TestAllKeysAreNamed(t *testing.T) {
	for _, name := range names() {
		if _, shift := shifted()[name]; !shift && !(name[0] == 'f' && len(name) > 1) && !strings.Contains(" "+all+" ", " "+name+" ") {
			t.Errorf("%s is not named", name)
		}
	}
}

var parseTests = []struct {
	bytes, name string
	n           int
}{
	{"", "", 0},
	{"ab", "a", 1},
	{"äb", "ä", 2},
	{"\xc3", "", 0},
	{"\xc3(", "", 1},
	{"\xff", "", 1},
	{"\r\n", "enter", 1},
	{"\n", "ctrl-j", 1},
	{"\t", "tab", 1},
	{" ", "space", 1},
	{"\x7f", "backspace", 1},
	{"\b", "ctrl-h", 1},
	{"\x00", "ctrl-space", 1},
	{"\x03", "ctrl-c", 1},
	{"\x1c\x1d", "ctrl-\\", 1},
	{"\x1d", "ctrl-]", 1},
	{"\x1b", "esc", 0},
	{"\x1ba", "alt-a", 2},
	{"\x1b\x01", "ctrl-alt-a", 2},
	{"\x1b\r", "alt-enter", 2},
	{"\x1b\xc3", "", 0},
	{"\x1b\xff", "esc", 1},
	{"\x1b\x1b", "alt-esc", 0},
	{"\x1b\x1ba", "alt-esc", 2},
	{"\x1b\x1b[", "", 0},
	{"\x1b\x1b[A", "alt-up", 4},
	{"\x1b\x1b[Z", "alt-shift-tab", 4},
	{"\x1b\x1b[1;3A", "alt-esc", 2},
	{"\x1b[", "alt-[", 0},
	{"\x1b[1;", "", 0},
	{"\x1b[A", "up", 3},
	{"\x1bOA", "up", 3},
	{"\x1bO", "alt-O", 0},
	{"\x1bO\r", "alt-O", 2},
	{"\x1bOM", "enter", 3},
	{"\x1bOj", "", 3},
	{"\x1b[\r", "alt-[", 2},
	{"\x1b[1\r", "", 3},
	{"\x1b[1;5Ax", "ctrl-up", 6},
	{"\x1b[1;1A", "up", 6},
	{"\x1b[1~", "home", 4},
	{"\x1b[15;2~", "shift-f5", 7},
	{"\x1b[25~", "f13", 5},
	{"\x1b[99~", "", 5},
	{"\x1b[[A", "f1", 4},
	{"\x1b[[E", "f5", 4},
	{"\x1b[[", "", 0},
	{"\x1b[93;5u", "ctrl-]", 7},  // kitty
	{"\x1b[93;69u", "ctrl-]", 8}, // with caps lock
	{"\x1b[97:65;6u", "ctrl-shift-a", 10},
	{"\x1b[93;5:3u", "", 9}, // released
	{"\x1b[93;13u", "", 8},  // with super
	{"\x1b[27;5u", "ctrl-esc", 7},
	{"\x1b[13u", "enter", 5},
	{"\x1b[57358u", "", 8},          // caps lock itself
	{"\x1b[27;5;93~", "ctrl-]", 10}, // xterm's modifyOtherKeys
	{"\x1b[200~", "", 6},            // a paste begins
	{"\x1b[<0;1;1M", "", 9},         // mouse
	{"\x1b[M !!x", "", 6},           // mouse, old
	{"\x1b[M !", "", 0},
	{"\x1b[I", "", 3}, // focus
	{"\x1b[1;1;1;1A", "", 10},
	{"\x1b[99999999999u", "", 14},
	{"\x1b[" + strings.Repeat("1", 99), "", longest},
}

func TestParse(t *testing.T) {
	for _, tt := range parseTests {
		if name, n := Parse([]byte(tt.bytes)); name != tt.name || n != tt.n {
			t.Errorf("Parse(%q) = %q, %d, want %q, %d", tt.bytes, name, n, tt.name, tt.n)
		}
	}
}

// A name that Parse gives for the bytes of a key must make the same bytes.
func TestRoundTrip(t *testing.T) {
	bases := names()
	for r := rune(' ' + 1); r < 0x17f; r++ {
		bases = append(bases, string(r))
	}
	for _, base := range bases {
		for mod := range ctrl | alt | shift + 1 {
			for _, m := range []Modes{{}, {AppCursor: true}} {
				checkRoundTrip(t, join(mod, base), m)
			}
		}
	}
}

func checkRoundTrip(t *testing.T, name string, m Modes) {
	t.Helper()
	b, err := Encode(name, m)
	if err != nil {
		return
	}
	back, n := Parse(b)
	if n == 0 { // esc, alt-[ and the like: nothing follows
		n = len(b)
	}
	again, err := Encode(back, m)
	if n != len(b) || err != nil || string(again) != string(b) {
		t.Errorf("%s is %q, parsed as %q (%d bytes), which is %q, %v", name, b, back, n, again, err)
	}
}

func TestPaste(t *testing.T) {
	for _, tt := range []struct {
		text      string
		bracketed bool
		want      string
	}{
		{"a\nb\r\nc\rd", false, "a\rb\rc\rd"},
		{"a\nb", true, "\x1b[200~a\rb\x1b[201~"},
		{"", true, "\x1b[200~\x1b[201~"},
		{"x\x1b[201~rm -rf /\r", true, "\x1b[200~x[201~rm -rf /\r\x1b[201~"},
		{"x\x1b[A", false, "x\x1b[A"},
	} {
		if got := Paste(tt.text, tt.bracketed); got != tt.want {
			t.Errorf("Paste(%q, %v) = %q, want %q", tt.text, tt.bracketed, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range parseTests {
		f.Add([]byte(tt.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		name, n := Parse(b)
		if n < 0 || n > len(b) || n == 0 && len(b) > longest {
			t.Fatalf("Parse(%q) = %q, %d", b, name, n)
		}
		if n == 0 {
			return
		}
		// More bytes do not change it.
		if again, m := Parse(append(b[:len(b):len(b)], "~1"...)); again != name || m != n {
			t.Fatalf("Parse(%q) = %q, %d, but with more bytes %q, %d", b, name, n, again, m)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, tt := range encodeTests {
		f.Add(tt.name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		b, err := Encode(name, Modes{})
		if (err == nil) != (len(b) > 0) {
			t.Fatalf("Encode(%q) = %q, %v", name, b, err)
		}
	})
}

func ExampleParse() {
	typed := []byte("ls\x1b[A\x1d")
	for len(typed) > 0 {
		name, n := Parse(typed)
		if n == 0 {
			break // wait for more
		}
		fmt.Println(name)
		typed = typed[n:]
	}
	// Output:
	// l
	// s
	// up
	// ctrl-]
}
