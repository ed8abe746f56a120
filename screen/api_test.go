//go:build linux

package screen_test

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/screen"
)

func show(rows, cols int, text string) *screen.Screen {
	s := screen.New(rows, cols)
	s.Write([]byte(text))
	return s
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct{ question, answer string }{
		{"\x1b[c", "\x1b[?62;22c"},
		{"\x1b[0c", "\x1b[?62;22c"},
		{"\x1bZ", "\x1b[?62;22c"},
		{"\x1b[1c", ""},
		{"\x1b[>c", "\x1b[>0;276;0c"},
		{"\x1b[=c", "\x1bP!|00000000\x1b\\"},
		{"\x1b[>q", "\x1bP>|spawnx\x1b\\"},
		{"\x1b[5n", "\x1b[0n"},
		{"\x1b[3;4H\x1b[6n", "\x1b[3;4R"},
		{"\x1b[3;4H\x1b[?6n", "\x1b[?3;4R"},
		{"\x1b[2;4r\x1b[?6h\x1b[2;2H\x1b[6n", "\x1b[2;2R"},
		{"abcdefghij\x1b[6n", "\x1b[1;10R"},
		{"\x1b[?15n", "\x1b[?13n"},
		{"\x1b[?996n", "\x1b[?997;1n"},
		{"\x1b[?7$p", "\x1b[?7;1$y"},
		{"\x1b[?2004$p\x1b[?2004h\x1b[?2004$p", "\x1b[?2004;2$y\x1b[?2004;1$y"},
		{"\x1b[?2026$p", "\x1b[?2026;2$y"},
		{"\x1b[?2027$p", "\x1b[?2027;1$y"},
		{"\x1b[?6$p\x1b[?1048$p", "\x1b[?6;2$y\x1b[?1048;2$y"},
		{"\x1b[?4711$p", "\x1b[?4711;0$y"},
		{"\x1b[4$p\x1b[4h\x1b[4$p\x1b[5$p", "\x1b[4;2$y\x1b[4;1$y\x1b[5;0$y"},
		{"\x1bP$qm\x1b\\", "\x1bP1$r0m\x1b\\"},
		{"\x1b[1;4:3;38;5;9;48;2;1;2;3m\x1bP$qm\x1b\\", "\x1bP1$r0;1;4:3;91;48;2;1;2;3m\x1b\\"},
		{"\x1b[2;4r\x1bP$qr\x1b\\", "\x1bP1$r2;4r\x1b\\"},
		{"\x1bP$qs\x1b\\", "\x1bP1$r1;10s\x1b\\"},
		{"\x1b[4 q\x1bP$q q\x1b\\", "\x1bP1$r4 q\x1b\\"},
		{"\x1bP$q\"q\x1b\\\x1b[1\"q\x1bP$q\"q\x1b\\", "\x1bP1$r0\"q\x1b\\\x1bP1$r1\"q\x1b\\"},
		{"\x1bP$qx\x1b\\", "\x1bP0$r\x1b\\"},
		{"\x1bP+q544e\x1b\\", "\x1bP0+r\x1b\\"},
		{"\x1b]10;?\a", "\x1b]10;rgb:d8d8/d8d8/d8d8\a"},
		{"\x1b]11;?\x1b\\", "\x1b]11;rgb:1818/1818/1818\x1b\\"},
		{"\x1b]11;#102030\a\x1b]11;?\a\x1b]111\a\x1b]11;?\a", "\x1b]11;rgb:1010/2020/3030\a\x1b]11;rgb:1818/1818/1818\a"},
		{"\x1b]10;?;?\a", "\x1b]10;rgb:d8d8/d8d8/d8d8\a\x1b]11;rgb:1818/1818/1818\a"},
		{"\x1b]4;1;?\a", "\x1b]4;1;rgb:cdcd/0000/0000\a"},
		{"\x1b]4;1;rgb:f/8/0;2;?\a\x1b]4;1;?\a", "\x1b]4;2;rgb:0000/cdcd/0000\a\x1b]4;1;rgb:ffff/8888/0000\a"},
		{"\x1b]4;1;#fff;2;#ffff00000000\a\x1b]4;1;?;2;?\a", "\x1b]4;1;rgb:f0f0/f0f0/f0f0\a\x1b]4;2;rgb:ffff/0000/0000\a"},
		{"\x1b[18t", "\x1b[8;5;10t"},
		{"\x1b[14t\x1b[16t", "\x1b[4;80;80t\x1b[6;16;8t"},
		{"\x1b]0;evil\a\x1b[21t", "\x1b]l\x1b\\"}, // never what was written there
		{"\x1b]52;c;?\a", ""},
		{"\x1b[?u", ""}, // we know no kitty keyboard
		{"\x05", ""},
	} {
		s := show(5, 10, c.question)
		if got := string(s.Answers()); got != c.answer {
			t.Errorf("%q is answered with %q, not %q", c.question, got, c.answer)
		}
		if again := s.Answers(); again != nil {
			t.Errorf("%q is answered twice: %q", c.question, again)
		}
	}
	s := screen.New(5, 10)
	for range 10000 {
		fmt.Fprint(s, "\x1b[6n\x1b]11;?\a")
	}
	if a := s.Answers(); len(a) > 4<<10 || !bytes.HasPrefix(a, []byte("\x1b[1;1R")) || a[len(a)-1] != 'R' && a[len(a)-1] != '\a' {
		t.Errorf("10,000 questions gave %d bytes that end with %q", len(a), a[max(0, len(a)-20):])
	}
	if s.Write([]byte("\x1b[6n")); string(s.Answers()) != "\x1b[1;1R" {
		t.Error("no answer after the queue was emptied")
	}
}

func TestModes(t *testing.T) {
	for seq, want := range map[string]screen.Modes{
		"":                                        {},
		"\x1b[?1h\x1b=":                           {AppCursor: true, AppKeypad: true},
		"\x1b[?66h":                               {AppKeypad: true},
		"\x1b[?1049h":                             {Alternate: true},
		"\x1b[?2004;1004;5h":                      {BracketedPaste: true, Focus: true, ReverseVideo: true},
		"\x1b[4h\x1b[?6h\x1b[?7l\x1b[20h":         {Insert: true, Origin: true, NoWrap: true, NewLine: true},
		"\x1b[?2026h":                             {Sync: true},
		"\x1b[?1000h\x1b[?1006h":                  {Mouse: screen.MouseClick, MouseEncoding: screen.MouseSGR},
		"\x1b[?1000h\x1b[?1002h":                  {Mouse: screen.MouseDrag},
		"\x1b[?1003h\x1b[?1015h":                  {Mouse: screen.MouseAnyMove, MouseEncoding: screen.MouseURXVT},
		"\x1b[?9h\x1b[?1016h":                     {Mouse: screen.MousePress, MouseEncoding: screen.MousePixels},
		"\x1b[?1003h\x1b[?1003l\x1b[?1005;1006h":  {MouseEncoding: screen.MouseSGR},
		"\x1b[?1006h\x1b[?1005l":                  {MouseEncoding: screen.MouseSGR},
		"\x1b[?1;2004h\x1b[?1s\x1b[?1l\x1b[?1;5r": {AppCursor: true, BracketedPaste: true},
		"\x1b[?1;5;1003;1049h\x1b[4h\x1bc":        {},
		"\x1b[?1;6h\x1b[?7l\x1b[4h\x1b=\x1b[!p":   {},
	} {
		if got := show(5, 10, seq).Modes(); got != want {
			t.Errorf("%q: %+v, not %+v", seq, got, want)
		}
	}
}

func TestStyles(t *testing.T) {
	for seq, want := range map[string]screen.Style{
		"\x1b[m":                         {},
		"\x1b[1;2;3;4;5;7;8;9;53m":       {Attr: screen.Bold | screen.Dim | screen.Italic | screen.Underline | screen.Blink | screen.Reverse | screen.Conceal | screen.Strike | screen.Overline},
		"\x1b[1;3;4m\x1b[22;23;24m":      {},
		"\x1b[1;4m\x1b[0m":               {},
		"\x1b[1;4m\x1b[m":                {},
		"\x1b[21m":                       {Attr: screen.Underline | screen.Double},
		"\x1b[4:3m":                      {Attr: screen.Underline | screen.Curly},
		"\x1b[4:3m\x1b[4:0m":             {},
		"\x1b[4:4;1m":                    {Attr: screen.Underline | screen.Dotted | screen.Bold},
		"\x1b[31;42m":                    {Fg: screen.Index(1), Bg: screen.Index(2)},
		"\x1b[91;102m":                   {Fg: screen.Index(9), Bg: screen.Index(10)},
		"\x1b[31;42m\x1b[39;49m":         {},
		"\x1b[38;5;200;1m":               {Fg: screen.Index(200), Attr: screen.Bold},
		"\x1b[38:5:200;1m":               {Fg: screen.Index(200), Attr: screen.Bold},
		"\x1b[38;2;1;2;3;48;2;4;5;6m":    {Fg: screen.RGB(1, 2, 3), Bg: screen.RGB(4, 5, 6)},
		"\x1b[38:2::1:2:3;4m":            {Fg: screen.RGB(1, 2, 3), Attr: screen.Underline},
		"\x1b[38:2:1:2:3m":               {Fg: screen.RGB(1, 2, 3)},
		"\x1b[58:2::1:2:3m":              {Line: screen.RGB(1, 2, 3)},
		"\x1b[58;5;9m":                   {Line: screen.Index(9)},
		"\x1b[58;5;9m\x1b[59m":           {},
		"\x1b[38;5m\x1b[1m":              {Attr: screen.Bold},
		"\x1b[38;2;1;2m":                 {},
		"\x1b[38;5;300m":                 {},
		"\x1b[99;1m":                     {Attr: screen.Bold},
		"\x1b[>1m":                       {},
		"\x1b[?1m":                       {},
		"\x1b[1;31m\x1b7\x1b[m\x1b8":     {Fg: screen.Index(1), Attr: screen.Bold},
		"\x1b[1;31m\x1b[?1049h":          {Fg: screen.Index(1), Attr: screen.Bold},
		"\x1b[41m\x1b[2J\x1b[m\x1b[1;1H": {},
	} {
		if got := show(5, 10, seq+"x").Cell(1, 1).Style; got != want {
			t.Errorf("%q: %+v, not %+v", seq, got, want)
		}
	}
	if c := show(5, 10, "\x1b[1;44m\x1b[2J").Cell(3, 3); c.Style != (screen.Style{Bg: screen.Index(4)}) || c.Text != " " || c.Width != 1 {
		t.Errorf("an erased cell has the background and nothing else, not %+v", c)
	}
	if c := show(5, 10, "x").Cell(9, 9); c.Text != " " || c.Width != 1 {
		t.Errorf("a cell that is not there is %+v", c)
	}
}

func TestColor(t *testing.T) {
	for c, want := range map[screen.Color]string{0: "", screen.Index(0): "0", screen.Index(255): "255", screen.RGB(0, 0, 0): "#000000", screen.RGB(1, 2, 255): "#0102ff"} {
		if c.String() != want {
			t.Errorf("%x is %q, not %q", uint32(c), c, want)
		}
	}
	s := show(2, 2, "\x1b]4;1;#123456\a\x1b]10;#ffffff\a")
	for c, want := range map[screen.Color][3]uint8{0: {255, 255, 255}, screen.Foreground: {255, 255, 255}, screen.Background: {0x18, 0x18, 0x18},
		screen.Index(1): {0x12, 0x34, 0x56}, screen.Index(196): {255, 0, 0}, screen.Index(232): {8, 8, 8}, screen.Index(255): {238, 238, 238}, screen.RGB(1, 2, 3): {1, 2, 3}} {
		if r, g, b := s.Palette(c); [3]uint8{r, g, b} != want {
			t.Errorf("%q is %v, not %v", c, []uint8{r, g, b}, want)
		}
	}
}

func TestTitleLinkClipboardShell(t *testing.T) {
	s := show(5, 20, "\x1b]2;one\a\x1b[22t\x1b]0;two\x1b[31m\x1b\\")
	if s.Title() != "two" {
		t.Errorf("the title is %q", s.Title())
	}
	if s.Write([]byte("\x1b[23t")); s.Title() != "one" {
		t.Errorf("the title before was %q", s.Title())
	}
	if s.Write([]byte("\x1b]2;a\u009bb\x01\xffc\a")); s.Title() != "abc" {
		t.Errorf("the title has %q", s.Title())
	}
	s = show(5, 20, "\x1b]8;id=7;https://a.org/;x\x1b\\ab\x1b[1mc\x1b]8;;\x1b\\d")
	for col, want := range map[int]string{1: "https://a.org/;x", 3: "https://a.org/;x", 4: ""} {
		if got := s.Cell(1, col).Link; got != want {
			t.Errorf("column %d points to %q, not %q", col, got, want)
		}
	}
	s = show(5, 20, "\x1b]52;c;aGVsbG8=\a\x1b]52;c;!\a\x1b]52;c;?\a")
	if s.Clipboard() != "hello" {
		t.Errorf("the clipboard has %q", s.Clipboard())
	}
	s = show(5, 20, "\x1b]133;A\a$ \x1b]133;B\afalse\r\n\x1b]133;C\a\x1b]133;D;1\a")
	if got := s.Shell(); got != (screen.Shell{Mark: 'D', Status: 1}) || s.Line(1).Mark != 'B' || s.Line(2).Mark != 'D' {
		t.Errorf("the shell told %+v, rows %c %c", got, s.Line(1).Mark, s.Line(2).Mark)
	}
}

func TestCursor(t *testing.T) {
	for seq, want := range map[string]screen.Cursor{
		"":                        {Row: 1, Col: 1, Blink: true},
		"ab\r\nc":                 {Row: 2, Col: 2, Blink: true},
		"abcdefghij":              {Row: 1, Col: 10, Blink: true, Pending: true},
		"\x1b[?25l":               {Row: 1, Col: 1, Blink: true, Hidden: true},
		"\x1b[?25l\x1b[?25h":      {Row: 1, Col: 1, Blink: true},
		"\x1b[2 q":                {Row: 1, Col: 1},
		"\x1b[3 q":                {Row: 1, Col: 1, Shape: screen.Underscore, Blink: true},
		"\x1b[6 q":                {Row: 1, Col: 1, Shape: screen.Bar},
		"\x1b[6 q\x1b[0 q":        {Row: 1, Col: 1, Blink: true},
		"\x1b[?12l":               {Row: 1, Col: 1},
		"\x1b[9 q":                {Row: 1, Col: 1, Blink: true},
		"\x1b[6 q\x1b[?25l\x1bcx": {Row: 1, Col: 2, Blink: true},
	} {
		if got := show(5, 10, seq).Cursor(); got != want {
			t.Errorf("%q: %+v, not %+v", seq, got, want)
		}
	}
}

func TestSettled(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "abc": true, "\x1b": false, "\x1b[": false, "\x1b[1;": false, "\x1b[1m": true, "\x1b]0;t": false, "\x1b]0;t\a": true,
		"\xe2": false, "\xe2\x82": false, "\xe2\x82\xac": true, "\xe2x": true, "\x1b[?2026h": false, "\x1b[?2026hx\x1b[?2026l": true,
		"\x1bP$q": false, "\x1b_x": false, "\x1b(": false, "\x1b[?2026h\x1bc": true,
	} {
		if got := show(5, 10, text).Settled(); got != want {
			t.Errorf("%q: %v, not %v", text, got, want)
		}
	}
}

func lines(s *screen.Screen) (all []string) {
	rows, _ := s.Size()
	for y := 1 - s.Scrollback(); y <= rows; y++ {
		all = append(all, s.Line(y).Text())
	}
	return all
}

func TestScrollback(t *testing.T) {
	s := show(2, 10, "1\r\n2\r\n3\r\n4")
	if got := lines(s); !slices.Equal(got, []string{"1", "2", "3", "4"}) || s.Text() != "3\n4" {
		t.Errorf("%q", got)
	}
	if s.Line(-9).Cells != nil || s.Line(3).Cells != nil {
		t.Error("a line that is not there has cells")
	}
	s.Write([]byte("\x1b[?1049h\n\n\n\n\x1b[?1049l"))
	if s.Scrollback() != 2 {
		t.Errorf("the alternate screen scrolled into the scrollback: %d lines", s.Scrollback())
	}
	s.Write([]byte("\x1b[1;2r\x1b[2;1H\n\x1b[1;1H\x1b[M"))
	if s.Scrollback() != 3 {
		t.Errorf("%d lines after one line feed and a deleted line", s.Scrollback())
	}
	if s.Write([]byte("\x1b[3J")); s.Scrollback() != 0 {
		t.Errorf("ED 3 leaves %d lines", s.Scrollback())
	}
	for i := range 5000 {
		fmt.Fprintf(s, "\r\n%d", i)
	}
	if s.Scrollback() != 1000 || s.Line(0).Text() != "4997" || s.Line(-999).Text() != "3998" {
		t.Errorf("%d lines, from %q to %q", s.Scrollback(), s.Line(-999).Text(), s.Line(0).Text())
	}
}

func TestResize(t *testing.T) {
	text := "one\r\ntwo is long\r\n$ "
	for _, c := range []struct {
		name       string
		rows, cols int
		want       []string // with the scrollback
		cursor     string
	}{
		{"narrower", 4, 5, []string{"one", "two i", "s lon", "g", "$", ""}, "3,3"},
		{"wider", 4, 20, []string{"one", "two is long", "$", ""}, "3,3"},
		{"lower", 2, 12, []string{"one", "two is long", "$"}, "2,3"},
		{"higher", 6, 12, []string{"one", "two is long", "$", "", "", ""}, "3,3"},
		{"much smaller", 1, 1, nil, "1,1"},
		{"much larger", 500, 5000, nil, "3,3"},
	} {
		s := show(4, 12, text)
		s.Resize(c.rows, c.cols)
		if got := lines(s); c.want != nil && !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
		if cur := s.Cursor(); fmt.Sprintf("%d,%d", cur.Row, cur.Col) != c.cursor {
			t.Errorf("%s: the cursor is at %d,%d, not %s", c.name, cur.Row, cur.Col, c.cursor)
		}
		if rows, cols := s.Size(); rows != min(c.rows, screen.MaxSize) || cols != min(c.cols, screen.MaxSize) {
			t.Errorf("%s: the size is %dx%d", c.name, rows, cols)
		}
	}
	s := show(4, 12, text)
	for _, cols := range []int{5, 3, 7, 40, 12} {
		s.Resize(4, cols)
	}
	if got := lines(s); !slices.Equal(got, []string{"one", "two is long", "$", ""}) {
		t.Errorf("there and back: %q", got)
	}
	s = show(4, 6, "漢字漢字\x1b[2;1H")
	if s.Resize(4, 5); s.Text() != "漢字\n漢字" {
		t.Errorf("wide characters: %q", s.Text())
	}
	s = show(3, 10, "main\x1b[?1049habcdefghij\r\n2\r\n3")
	s.Resize(2, 5)
	if s.Text() != "2\n3" {
		t.Errorf("the alternate screen: %q", s.Text())
	}
	if s.Write([]byte("\x1b[?1049l")); s.Text() != "main" || s.Cursor().Col != 5 {
		t.Errorf("the main screen behind it: %q %+v", s.Text(), s.Cursor())
	}
	s = show(4, 10, "\x1b[2;3r\x1b[3g")
	s.Resize(5, 20)
	if s.Write([]byte("\x1b[5;1Ha\tb\r\n")); s.Text() != "\n\n\na       b" {
		t.Errorf("margins and tab stops: %q", s.Text())
	}
	s = screen.New(0, -5)
	if rows, cols := s.Size(); rows != 1 || cols != 1 {
		t.Errorf("the least size is %dx%d", rows, cols)
	}
}

func TestChangedDiffClone(t *testing.T) {
	s := show(5, 20, "one\r\ntwo\r\nthree")
	old := s.Clone()
	if s.Diff(old) != nil || s.Changed(old) != nil {
		t.Error("a copy is different")
	}
	s.Write([]byte("\x1b[2;1H\x1b[31mTWO\x1b[4;1Hfour"))
	if got := s.Changed(old); !slices.Equal(got, []int{2, 4}) {
		t.Errorf("rows %v changed", got)
	}
	if old.Text() != "one\ntwo\nthree" {
		t.Errorf("the copy changed too: %q", old.Text())
	}
	d := s.Diff(old)
	if bytes.Contains(d, []byte("three")) || !bytes.Contains(d, []byte("four")) {
		t.Errorf("the difference is %q", d)
	}
	old.Write(d)
	if len(s.Changed(old)) > 0 || old.Cursor() != s.Cursor() {
		t.Errorf("after Diff: %q %+v", old.Text(), old.Cursor())
	}
	old.Resize(6, 20)
	if got := s.Changed(old); !slices.Equal(got, []int{6}) {
		t.Errorf("rows %v changed with the size", got)
	}
	// An exported value tells nothing of the screen that it came from.
	if typ := reflect.TypeFor[screen.Style](); !typ.Comparable() {
		t.Error("styles are not compared with ==")
	}
}

// What programs write without end takes no more and more memory.
func TestBounded(t *testing.T) {
	s := screen.New(24, 80)
	feed := func() {
		for i := range 20000 {
			fmt.Fprintf(s, "e%c%c\x1b]8;;http://%d\x1b\\x\x1b]0;%d\a\x1b[22t\x1b[6n\x1b]4;%d;#%06x\a", 0x300+i%100, 0x300+i/100, i, i, i, i)
		}
		s.Write([]byte("\x1b]52;c;"))
		for range 1000 {
			s.Write(bytes.Repeat([]byte("QUJD"), 1000))
		}
		s.Write([]byte("\a\x1bP$q" + strings.Repeat("x", 1<<20) + "\x1b\\\x1b[" + strings.Repeat("1;", 1<<16) + "m" + "a" + strings.Repeat("\u0301", 1<<16)))
	}
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	feed()
	before := used()
	for range 2 {
		feed()
	}
	if after := used(); after > before+4<<20 {
		t.Errorf("memory grew from %d to %d KiB", before>>10, after>>10)
	}
	if n := len(s.Cell(s.Cursor().Row, s.Cursor().Col-1).Text); n > 64 {
		t.Errorf("a cell of %d bytes", n)
	}
	runtime.KeepAlive(s)
}

func ExampleScreen_Repaint() {
	s := screen.New(24, 80)
	fmt.Fprint(s, "\x1b]0;editor\a\x1b[?1049h\x1b[2;4r\x1b[3;5H\x1b[1mhello\x1b[m")
	other := screen.New(24, 80)
	other.Write(s.Repaint())
	fmt.Println(other.Title(), other.Modes().Alternate, other.Cursor() == s.Cursor(), len(s.Changed(other)))
	// Output: editor true true 0
}

func ExampleScreen_Answers() {
	s := screen.New(24, 80)
	fmt.Fprint(s, "where am I?\x1b[6n")
	fmt.Printf("%q\n", s.Answers())
	// Output: "\x1b[1;12R"
}
