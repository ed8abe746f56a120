package match

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An answer is a match as regexp gives it.
type answer struct {
	index, start, end int
	groups            []int
}

func (a answer) String() string {
	if a.index < 0 {
		return "no match"
	}
	return fmt.Sprintf("case %d at %d..%d", a.index, a.start, a.end)
}

func (a answer) same(b answer) bool {
	return a.index == b.index && a.start == b.start && a.end == b.end
}

// An oracle answers with the standard library, on the whole text.
type oracle []func(text string) []int

func newOracle(t testing.TB, pats []Pattern) oracle {
	t.Helper()
	var o oracle
	for _, p := range pats {
		if p.Regexp {
			re, err := regexp.Compile(p.Text)
			if err != nil {
				t.Fatal(err)
			}
			o = append(o, func(text string) []int { return re.FindSubmatchIndex([]byte(text)) })
			continue
		}
		o = append(o, func(text string) []int {
			i := strings.Index(text, p.Text)
			if i < 0 {
				return nil
			}
			return []int{i, i + len(p.Text)}
		})
	}
	return o
}

func (o oracle) answer(text string) answer {
	best := answer{index: -1}
	for i, find := range o {
		if m := find(text); m != nil && (best.index < 0 || m[0] < best.start) {
			best = answer{index: i, start: m[0], end: m[1], groups: m}
		}
	}
	return best
}

// locate turns what a scan found into an answer, by means of Locate.
func locate(t testing.TB, s *Set, f Found, ok bool, text string) answer {
	t.Helper()
	if !ok {
		return answer{index: -1}
	}
	if f.From < 0 || f.From > f.End || f.End > int64(len(text)) {
		t.Fatalf("%v in %+q: found %+v", s.patterns(), text, f)
	}
	at := max(0, f.From-1)
	window := text[at:min(int64(len(text)), f.End+1)]
	start, groups, ok := s.Locate(f, []byte(window), at)
	if !ok {
		t.Fatalf("%v in %+q: found %+v, cannot be located", s.patterns(), text, f)
	}
	for i := range groups {
		if groups[i] >= 0 {
			groups[i] += int(at)
		}
	}
	return answer{index: f.Case, start: int(start), end: int(f.End), groups: groups}
}

// A list is patterns that print as one would write them.
type list []Pattern

func (l list) String() string {
	var words []string
	for _, p := range l {
		if p.Regexp {
			words = append(words, "/"+strconv.QuoteToASCII(p.Text)+"/")
		} else {
			words = append(words, strconv.QuoteToASCII(p.Text))
		}
	}
	return strings.Join(words, " ")
}

func (s *Set) patterns() (pats list) {
	for i := range s.cases {
		pats = append(pats, s.cases[i].Pattern)
	}
	return pats
}

// cuts says how long the pieces are in which a text is fed.
type cuts func(left int) int

func whole(left int) int { return left }
func bytewise(int) int   { return 1 }
func random(r *rand.Rand) cuts {
	return func(left int) int { return 1 + r.IntN(left) }
}

func feed(sc *Scan, text string, cut cuts) {
	for b := []byte(text); len(b) > 0; {
		n := cut(len(b))
		if sc.Feed(b[:n]) {
			return
		}
		b = b[n:]
	}
}

// checkPrefixes feeds a text byte by byte and compares with the oracle at every
// prefix what would be the match if the text ended there.
// It returns after how many bytes the match was decided, or -1.
func checkPrefixes(t testing.TB, s *Set, o oracle, text string) (decided int) {
	t.Helper()
	var sc Scan
	s.Start(&sc)
	final := o.answer(text)
	for n := 0; ; n++ {
		f, ok := sc.Provisional()
		got := locate(t, s, f, ok, text[:n])
		want := o.answer(text[:n])
		if !got.same(want) || ok && !slices.Equal(got.groups, want.groups) {
			t.Fatalf("%v in %+q after %d: got %v %v, want %v %v", s.patterns(), text[:n], n, got, got.groups, want, want.groups)
		}
		if f, ok := sc.Decided(); ok {
			got := locate(t, s, f, ok, text)
			if !got.same(final) || !slices.Equal(got.groups, final.groups) {
				t.Fatalf("%v in %+q decided after %d: %v %v, want %v %v", s.patterns(), text, n, got, got.groups, final, final.groups)
			}
			return n
		}
		if n == len(text) {
			return -1
		}
		if sc.Scanned() != int64(n) {
			t.Fatalf("Scanned() = %d after %d bytes", sc.Scanned(), n)
		}
		sc.Feed([]byte{text[n]})
	}
}

// checkCuts feeds a text in several ways and demands one result.
func checkCuts(t testing.TB, s *Set, o oracle, text string, r *rand.Rand) {
	t.Helper()
	want := o.answer(text)
	for i, cut := range []cuts{whole, bytewise, random(r)} {
		name := []string{"whole", "bytewise", "at random"}[i]
		var sc Scan
		s.Start(&sc)
		feed(&sc, text, cut)
		f, ok := sc.Provisional()
		if got := locate(t, s, f, ok, text); !got.same(want) {
			t.Fatalf("%v in %+q, %s: got %v, want %v", s.patterns(), text, name, got, want)
		}
	}
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// A maker makes random patterns and texts over few letters, so that they meet.
type maker struct{ *rand.Rand }

func (r maker) pick(from ...string) string { return from[r.IntN(len(from))] }

func (r maker) letter() string {
	return r.pick("a", "a", "b", "b", "c", "A", " ", "\n", "é", "€", "𝄞", "k", "\x00")
}

func (r maker) expr(depth int) string {
	if depth <= 0 {
		switch r.IntN(10) {
		case 0, 1, 2, 3, 4:
			return r.letter()
		case 5:
			return r.pick(".", "(?s:.)", "[ab]", "[^a]", "[^a\\n]", `\w`, `\W`, `\d`, `\s`, `\pL`, `\PL`, "[é€]", "[à-ÿ]", "[𝄀-𝄞]", `\x{FFFD}`, `[^\x{FFFD}]`, `[[:cntrl:]]`, `[^\x00-\x{10FFFF}]`)
		case 6:
			return r.pick("^", "$", `\A`, `\z`, `\b`, `\B`, "(?m:^)", "(?m:$)", "(?m:^)", "(?m:$)")
		case 7:
			return "(?i:" + r.pick("a", "b", "ab", "k", "é", "s", "ſ") + ")"
		case 8:
			return r.pick("", "(?:)", "()")
		}
		return r.letter() + r.letter()
	}
	sub := func() string { return r.expr(depth - 1 - r.IntN(2)) }
	switch r.IntN(8) {
	case 0, 1, 2:
		return sub() + sub()
	case 3:
		return "(?:" + sub() + "|" + sub() + ")"
	case 4:
		return "(" + sub() + ")"
	case 5:
		return "(" + sub() + "|" + sub() + ")"
	}
	return "(?:" + sub() + ")" + r.pick("*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}")
}

func (r maker) text(n int) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		if r.IntN(12) == 0 {
			b.WriteString(r.pick("\xff", "\x80", "\xe2", "\xe2\x82", "\xf0\x9d", "\xf0\x9d\x84", "\xc3", "\xed\xa0\x80", "\xa9", "\ufffd", "\u212a", "\u017f"))
		} else {
			b.WriteString(r.letter())
		}
	}
	return b.String()
}

func (r maker) patterns() list {
	var pats list
	for range 1 + r.IntN(3) {
		p := Pattern{Regexp: r.IntN(3) > 0}
		switch {
		case p.Regexp:
			p.Text = r.expr(r.IntN(5))
		case r.IntN(4) == 0:
			p.Text = r.pick("\xff", "\xa9", "\xc3", "\x82", "\xe2\x82", "\xaca", "\xffa", "a\xc3", "\ufffd", "\xef\xbf\xbd\xff")
		default:
			p.Text = r.text(4)
		}
		pats = append(pats, p)
	}
	return pats
}

func checkRandom(t *testing.T, max limits, seed uint64, sets, texts int) {
	t.Helper()
	r := maker{seeded(seed)}
	decided, found := 0, 0
	for range sets / slow {
		pats := r.patterns()
		s, err := compile(pats, max)
		if err != nil {
			t.Fatalf("%v: %v", pats, err)
		}
		o := newOracle(t, pats)
		for range texts {
			text := r.text(12)
			n := checkPrefixes(t, s, o, text)
			checkCuts(t, s, o, text, r.Rand)
			if o.answer(text).index >= 0 {
				found++
			}
			if n < 0 {
				continue
			}
			decided++
			// Sound: whatever follows, the answer stays.
			want := o.answer(text)
			for range 3 {
				if more := text[:n] + r.text(6); !o.answer(more).same(want) {
					t.Fatalf("%v in %+q decided after %d: %v, but in %+q %v", pats, text, n, want, more, o.answer(more))
				}
			}
		}
	}
	t.Logf("%d texts, a match in %d, decided in %d", sets/slow*texts, found, decided)
}

// eager uses the prefilter on texts of any length.
var eager = limits{states: 4096, bytes: 1 << 20, reuse: 8, credit: 4 << 10}

// fickle gives up one way of the prefilter after the other.
var fickle = limits{states: 4096, bytes: 1 << 20, reuse: 8, skip: 100, credit: 100}

func TestOracle(t *testing.T) { checkRandom(t, eager, 1, 3000, 8) }

func TestOracleWithoutPrefilter(t *testing.T) { checkRandom(t, defaultLimits, 2, 1500, 8) }

// An automaton that is full after a few states and replaced.
func TestOracleReplaced(t *testing.T) {
	checkRandom(t, limits{states: 8, bytes: 1 << 20}, 3, 1000, 8)
}

// No automaton worth the name.
func TestOracleDirect(t *testing.T) {
	checkRandom(t, limits{states: 2, bytes: 1, reuse: 1 << 20}, 4, 1000, 8)
}

// long returns a text in which the letters of the patterns are rare, so that
// most of it is skipped or followed at speed.
func (r maker) long(n int) string {
	var b strings.Builder
	for b.Len() < n {
		switch r.IntN(120) {
		case 0:
			b.WriteString(r.text(5))
		case 6, 7, 8, 9:
			b.WriteString(r.common())
		case 1, 2, 3, 4, 5:
			b.WriteString("\n")
		default:
			b.WriteString(r.pick("x", "y", "-", "zz", "xyxy"))
		}
	}
	return b.String()
}

// common makes what is often in a long text, so that who begins with it has to be
// searched for by what follows.
func (r maker) common() string { return r.pick("xyxy-zzxy", "yyxx--y", "zz-xyxyxyx-y") }

// needle makes a pattern that does not match everywhere.
func (r maker) needle() Pattern {
	switch r.IntN(8) {
	case 6:
		return Pattern{Text: r.common() + r.letter() + r.text(4)}
	case 7:
		return Pattern{Text: r.common() + r.expr(2) + r.pick("a", "b", "k"), Regexp: true}
	case 5:
		return Pattern{Text: r.pick(`\x{FFFD}`, `[^\x{FFFD}]`, `\PL`, "[^a-z -]") + r.pick("a", "b", "k"), Regexp: true}
	case 0:
		return Pattern{Text: r.letter() + r.text(4) + r.letter()}
	case 1:
		return Pattern{Text: "(?i)" + r.pick("ask", "kab", "bask", "ab|ka", "é€k"), Regexp: true}
	case 2:
		return Pattern{Text: r.pick("[xy]+", `\w+`, ".*", "x*", `(\w+)-?`, "^x*", "(?m:^)[a-z-]*") + r.letter() + r.letter(), Regexp: true}
	}
	return Pattern{Text: r.letter() + r.expr(2) + r.pick("", "$", `\b`, "[xy]", "x+?", "(y|-)") + r.letter(), Regexp: true}
}

func checkLong(t *testing.T, max limits, seed uint64, sets, size int) {
	t.Helper()
	r := maker{seeded(seed)}
	far, filters, windows, found := 0, 0, 0, 0
	for range sets / slow {
		var pats list
		for range 1 + r.IntN(3) {
			pats = append(pats, r.needle())
		}
		s, err := compile(pats, max)
		if err != nil {
			t.Fatalf("%v: %v", pats, err)
		}
		if f := s.prefilter([]byte(r.long(size))); f != nil {
			filters++
			if f.back > 0 {
				windows++
			}
		}
		o := newOracle(t, pats)
		for range 3 {
			text := r.long(size)
			checkCuts(t, s, o, text, r.Rand)
			if a := o.answer(text); a.index >= 0 {
				found++
				if a.start > size/4 {
					far++
				}
			}
		}
	}
	t.Logf("%d texts, %d sets with a prefilter, %d by what is behind the beginning, matches in %d, %d of them far away",
		3*(sets/slow), filters, windows, found, far)
}

func TestOracleLong(t *testing.T) { checkLong(t, defaultLimits, 1, 400, 8<<10) }

func TestOracleLongFickle(t *testing.T) { checkLong(t, fickle, 3, 200, 4<<10) }

func TestOracleLongReplaced(t *testing.T) {
	checkLong(t, limits{states: 12, bytes: 1 << 20}, 2, 200, 8<<10)
}
