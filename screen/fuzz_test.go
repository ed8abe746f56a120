package screen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// check reports a broken promise of the grid.
func (s *Screen) check() error {
	switch {
	case len(s.lines) != s.rows:
		return fmt.Errorf("%d rows, not %d", len(s.lines), s.rows)
	case s.y < 0 || s.y >= s.rows || s.x < 0 || s.x >= s.cols:
		return fmt.Errorf("the cursor is at %d,%d of %dx%d", s.y, s.x, s.rows, s.cols)
	case s.top < 0 || s.bottom >= s.rows || s.top > s.bottom || s.left < 0 || s.right >= s.cols || s.left > s.right:
		return fmt.Errorf("margins %d-%d, %d-%d of %dx%d", s.top, s.bottom, s.left, s.right, s.rows, s.cols)
	case s.origin && (s.y < s.top || s.y > s.bottom || s.x < s.left || s.x > s.right):
		return fmt.Errorf("with origin mode the cursor is at %d,%d, outside of %d-%d, %d-%d", s.y, s.x, s.top, s.bottom, s.left, s.right)
	case s.modes.on(alternate) != (s.other != nil):
		return fmt.Errorf("alternate %v, other screen %v", s.modes.on(alternate), s.other != nil)
	case s.other != nil && len(s.other) != s.rows:
		return fmt.Errorf("%d rows of the other screen, not %d", len(s.other), s.rows)
	case len(s.tabs) != s.cols:
		return fmt.Errorf("tab stops for %d columns, not %d", len(s.tabs), s.cols)
	case s.history.len() > s.history.max || len(s.answers) > maxAnswers || len(s.str) > maxString:
		return fmt.Errorf("history %d, answers %d, string %d", s.history.len(), len(s.answers), len(s.str))
	case s.lines[s.rows-1].wrapped:
		return fmt.Errorf("the last row goes on in the next")
	}
	seen := make(map[*row]bool)
	for _, rows := range [][]*row{s.lines, s.other, s.history.rows} {
		for y, r := range rows {
			if seen[r] {
				return fmt.Errorf("row %d is twice in the screen", y)
			}
			seen[r] = true
			if len(r.cells) != s.cols {
				return fmt.Errorf("row %d has %d cells, not %d", y, len(r.cells), s.cols)
			}
			for x, c := range r.cells {
				isTail := x > 0 && r.cells[x-1].attr&wide != 0
				if (c.attr&tail != 0) != isTail || c.attr&wide != 0 && x == s.cols-1 {
					return fmt.Errorf("half a wide character at %d,%d", y, x)
				}
			}
		}
	}
	return nil
}

// step is a part of what happens to a screen: output, then perhaps a new size.
type step struct {
	text       []byte
	rows, cols int // 0: no new size
}

// steps makes a story of fuzzed bytes: 0xFF with two bytes after it is a new size.
func steps(data []byte) (all []step) {
	var cur step
	for i := 0; i < len(data); i++ {
		if data[i] == 0xff && i+2 < len(data) {
			cur.rows, cur.cols = 1+int(data[i+1])%40, 1+int(data[i+2])%100
			all = append(all, cur)
			cur = step{}
			i += 2
			continue
		}
		cur.text = append(cur.text, data[i])
	}
	return append(all, cur)
}

func play(s *Screen, story []step, cut func(n int) int) *Screen {
	for _, st := range story {
		for t := st.text; len(t) > 0; {
			n := cut(len(t))
			s.Write(t[:n])
			t = t[n:]
		}
		if st.rows > 0 {
			s.Resize(st.rows, st.cols)
		}
	}
	return s
}

// same compares two screens and describes the difference.
func same(a, b *Screen) error {
	if a.equal(b) && a.Text() == b.Text() {
		return nil
	}
	where := ""
	for i, lines := range [][2][]*row{{a.lines, b.lines}, {a.other, b.other}} {
		for y := range min(len(lines[0]), len(lines[1])) {
			if r, o := lines[0][y], lines[1][y]; r.wrapped != o.wrapped || r.mark != o.mark || !a.sameCells(r, b, o) {
				where += fmt.Sprintf("screen %d, row %d: wrapped %v %v, mark %d %d\n%+v\n%+v\n", i, y+1, r.wrapped, o.wrapped, r.mark, o.mark, r.cells, o.cells)
			}
		}
	}
	state := func(s *Screen) string {
		return fmt.Sprintf("%+v saved %+v margins %d-%d %d-%d modes %b title %q %q colours %v unfinished %q", s.cursor, s.saved,
			s.top, s.bottom, s.left, s.right, s.modes, s.title, s.titles, s.colors, s.unfinished())
	}
	return fmt.Errorf("%s%s\n%s\nother:\n%s\n%s", where, state(a), show(a), state(b), show(b))
}

func FuzzScreen(f *testing.F) {
	for _, s := range []string{
		"hello\r\n\x1b[31mworld\x1b[m 漢字 e\u0301 👩\u200d👩\u200d👧 ❤\ufe0f 🇩🇪",
		"\x1b[?69h\x1b[3;9s\x1b[2;4r\x1b[?6h漢字漢字\x1b[2S\x1b[T\x1b[L\x1b[M\x1b[3@\x1b[2P",
		"\x1b[?1049h\x1b[2J\x1b[H~\r\n~\x1b7\x1b[?1049l\x1b8\xff\x03\x30line\xff\x20\x05",
		"\x1b[99999999999;99999999999H\x1b[99999b\x1b[4hx\x1b[999999@\x1b(0lqk\x0e\x1b)0x\x0f",
		"\x1b[38;2;1;2;3;48:5:17;4:3;58:2::1:2:3mx\x1b]8;id=1;http://a/\x1b\\link\x1b]8;;\a\x1b]0;title\a\x1b]52;c;aGk=\a",
		"\x1b[c\x1b[>c\x1b[5n\x1b[6n\x1b[?2026$p\x1bP$qm\x1b\\\x1b]11;?\a\x1b[18t\x1b[>q",
		"\x1b#8\x1b[1\"qabc\x1b[?2K\x1b[2;2;4;8$z\x1b[65;1;1;3;3$x\x1b[1;1;3;3;1;2;2;1$v\x1b[3'}\x1b[2 @",
		"\xe2\x82\xac\xe2\x82\xf0\x9f\x98\xc2\x9b31mx\x18\x1b[3\x1a\x1b]x\x1b[H",
		"a\x1b[5bcd\x1b[?45h\b\b\b\x1b[3g\x1bH\t\t\x1b[Z\x1bc\x1b[!p\x1b[?2026h\x1b]133;D;1\a",
		"\x1b[33mx\x1b]0;ti\xc7\x7f\xff\xff\xff]52",
		"wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap\xff\x10\x08\xff\x04\x40",
	} {
		f.Add([]byte(s), uint8(5), uint8(20), uint64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, rows, cols uint8, seed uint64) {
		h, w := 1+int(rows)%40, 1+int(cols)%100
		story := steps(data)
		whole := play(New(h, w), story, func(n int) int { return n })
		if err := whole.check(); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for _, cut := range []func(int) int{func(int) int { return 1 }, func(n int) int { return 1 + r.IntN(n) }} {
			s := play(New(h, w), story, cut)
			if err := same(whole, s); err != nil {
				t.Fatalf("cut otherwise: %v", err)
			}
			if a, b := string(whole.Clone().Answers()), string(s.Answers()); a != b {
				t.Fatalf("cut otherwise, the answers are %q and %q", a, b)
			}
		}
		fresh := New(whole.rows, whole.cols)
		fresh.Write(whole.Repaint())
		if err := same(whole, fresh); err != nil {
			t.Fatalf("repainted: %v\n%q", err, whole.Repaint())
		}
		if len(fresh.Answers()) > 0 {
			t.Fatal("a repaint asks questions")
		}

		// Repaint or Diff at any moment, then the rest of the output, come to the same.
		last := story[len(story)-1].text
		if len(last) == 0 {
			return
		}
		n := r.IntN(len(last) + 1)
		s := play(New(h, w), story[:len(story)-1], func(n int) int { return n })
		old := s.Clone()
		s.Write(last[:n])
		changed := old.Clone()
		changed.Write(s.Diff(old))
		if err := same(s, changed); err != nil {
			t.Fatalf("after Diff: %v\n%q", err, s.Diff(old))
		}
		fresh = New(s.rows, s.cols)
		fresh.Write(s.Repaint())
		s.cut() // a character that continues the one before is told apart by what was printed just before
		fresh.cut()
		s.Write(last[n:])
		fresh.Write(last[n:])
		if err := same(s, fresh); err != nil {
			t.Fatalf("after Repaint and %q: %v", last[n:], err)
		}
		if strings.Contains(s.Text(), "\x1b") {
			t.Fatal("a control character in the text")
		}
	})
}

// soup makes output in which every sequence occurs, more densely than fuzzed bytes have it.
func soup(r *rand.Rand, n int) []byte {
	var b []byte
	words := []string{"x", "hello ", "漢", "e\u0301", "\u0301", "👩\u200d👧", "\u200d", "❤\ufe0f", "\ufe0f", "🇩🇪", "🇩", "한", "क्ष", "\xff", "\xe2\x82",
		"\r", "\n", "\b", "\t", "\r\n", "\x0e", "\x0f", "\x1b7", "\x1b8", "\x1bD", "\x1bM", "\x1bE", "\x1bH", "\x1b(0", "\x1b(B", "\x1b)0", "\x1bN", "\x1bc",
		"\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?6h", "\x1b[?6l", "\x1b[?7l", "\x1b[?7h", "\x1b[4h", "\x1b[4l", "\x1b[?69h", "\x1b[?69l",
		"\x1b[?45h", "\x1b[?2027l", "\x1b[?2027h", "\x1b[?2026h", "\x1b[?2026l", "\x1b[!p", "\x1b#8", "\x1b[1\"q", "\x1b[0\"q", "\x1b6", "\x1b9", "\x1b]8;;http://a\x1b\\", "\x1b]8;;\x1b\\",
		"\x1b]0;t\a", "\x1b]133;A\a", "\x1b[22t", "\x1b[23t", "\x1b]4;1;#123\a", "\x1b]104\a", "\x1b[3J", "\x1b[?1h", "\x1b=", "\x1b[?1003h", "\x1b[?1006h", "\x1b[?25l"}
	finals := "@ABCDEFGHIJKLMPSTXZ`abdefghlmrsu"
	inters := []string{"?J", "?K", " q", "'}", "'~", " @", " A", "$z", "${", "$x", "$v", "m", "m", "m", "r", "s"}
	for len(b) < n {
		switch r.IntN(3) {
		case 0:
			b = append(b, words[r.IntN(len(words))]...)
		case 1:
			for range r.IntN(30) {
				b = append(b, byte(' '+r.IntN(95)))
			}
		default:
			b = append(b, "\x1b["...)
			final := string(finals[r.IntN(len(finals))])
			if r.IntN(3) == 0 {
				final = inters[r.IntN(len(inters))]
			}
			if final[0] == '?' {
				b, final = append(b, '?'), final[1:]
			}
			for i := range r.IntN(5) {
				if i > 0 {
					b = append(b, ';')
				}
				v := r.IntN(12)
				if final == "m" {
					v = r.IntN(110)
				}
				b = appendInt(b, v)
			}
			b = append(b, final...)
		}
	}
	return b
}

// What the fuzzer finds by chance, a soup finds at once.
func TestSoup(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		h, w := 1+r.IntN(12), 1+r.IntN(24)
		s := New(h, w)
		for i := range 6 {
			text := soup(r, 200)
			before, old := s.Clone(), s.Clone()
			for _, b := range text {
				before.Write([]byte{b})
			}
			s.Write(text)
			if err := s.check(); err != nil {
				t.Fatalf("seed %d, %d: %v\n%q", seed, i, err, text)
			}
			if err := same(s, before); err != nil {
				t.Fatalf("seed %d, %d: cut otherwise: %v\n%q", seed, i, err, text)
			}
			fresh := New(s.rows, s.cols)
			fresh.Write(s.Repaint())
			if err := same(s, fresh); err != nil {
				t.Fatalf("seed %d, %d: repainted: %v\n%q\n%q", seed, i, err, text, s.Repaint())
			}
			old.Write(s.Diff(old))
			if err := same(s, old); err != nil {
				t.Fatalf("seed %d, %d: after Diff: %v\n%q", seed, i, err, text)
			}
			if r.IntN(2) == 0 {
				s.Resize(1+r.IntN(12), 1+r.IntN(24))
				if err := s.check(); err != nil {
					t.Fatalf("seed %d, %d: resized: %v", seed, i, err)
				}
			}
		}
	}
}
