package match

import (
	"bytes"
	"errors"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"testing"
)

func text(s string) Pattern { return Pattern{Text: s} }
func re(s string) Pattern   { return Pattern{Text: s, Regexp: true} }

func mustCompile(t testing.TB, pats ...Pattern) *Set {
	t.Helper()
	s, err := Compile(pats)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func allBytes() string {
	var b []byte
	for i := range 256 {
		b = append(b, byte(i))
	}
	return string(b)
}

// Each is checked at every prefix and at several cuts against the standard
// library. decided is after how many bytes nothing can change the match any
// more, -1 if something always can.
var examples = []struct {
	name    string
	pats    list
	text    string
	decided int
}{
	{"a literal is decided with its last byte", list{text("login: ")}, "host login: ", 12},
	{"a literal in the middle", list{text("login: ")}, "host login: root", 12},
	{"no match", list{text("login: ")}, "host login:", -1},
	{"a literal that overlaps itself", list{text("aab")}, "aaaab", 5},
	{"a prompt that looks like a class is a literal", list{text("[Y/n]")}, "Proceed? [Y/n]", 14},
	{"a class matches its first letter", list{re("[Y/n]")}, "confirm [Y/n]", 3},
	{"the earlier case wins at one place", list{text("foobar"), text("foo")}, "xfoobar", 7},
	{"the earlier case is still possible", list{text("foobar"), text("foo")}, "xfoob", -1},
	{"the earlier case is no more possible", list{text("foobar"), text("foo")}, "xfooba!", 7},
	{"the shorter case first", list{text("foo"), text("foobar")}, "xfoobar", 4},
	{"leftmost before earlier case", list{text("bar"), text("foo")}, "foo bar", 3},
	{"a live earlier start holds the match", list{text("foo"), text("a foo b")}, "a foo ", -1},
	{"a dead earlier start does not", list{text("foo"), text("a foo b")}, "a foo c", 7},
	{"an earlier start that is found", list{text("foo"), text("a foo b")}, "a foo b", 7},
	{"cases that do not overlap", list{text("password:"), re(`\w+@\w+ failed`), text("$ ")}, "$ ", 2},
	{"digits wait for another", list{re(`\d+`)}, "ab 123", -1},
	{"digits end", list{re(`\d+`)}, "ab 123 ", 7},
	{"digits, lazily", list{re(`\d+?`)}, "ab 123", 4},
	{"a greedy dot waits for the line's end", list{re(`.*foo`)}, "a foo b foo c", -1},
	{"a greedy dot at the line's end", list{re(`.*foo`)}, "a foo b foo c\n", 14},
	{"a lazy dot", list{re(`.*?foo`)}, "a foo b foo c\n", 5},
	{"a live rival over lines", list{text("$ "), re(`(?s)Welcome.*bye`)}, "Welcome\n$ ls", -1},
	{"a prompt at the end is never decided", list{re(`\$ $`)}, "user$ ", -1},
	{"a prompt that was not at the end", list{re(`\$ $`)}, "a$ b\nuser$ ", -1},
	{"end of text", list{re(`bye\z`)}, "bye bye", -1},
	{"a word that may go on", list{re(`foo\b`)}, "a foo", -1},
	{"a word that has ended", list{re(`foo\b`)}, "a foo.", 6},
	{"a word that went on", list{re(`foo\b`)}, "food foo-", 9},
	{"inside a word", list{re(`\Boo\B`)}, "oo foo food ", 11},
	{"the end of a line", list{re(`(?m)ok$`)}, "ok", -1},
	{"the end of a line has come", list{re(`(?m)ok$`)}, "oki\nok\n", 7},
	{"the beginning of a line", list{re(`(?m)^b`)}, "ab\nb", 4},
	{"the beginning of the text", list{re(`^b`)}, "ab\nb", -1},
	{"the beginning of the text, found", list{re(`\Aab`)}, "ab", 2},
	{"beginning and end", list{re(`^$`)}, "", -1},
	{"beginning and end of something", list{re(`^$`)}, "a", -1},
	{"an empty line", list{re(`(?m)^$`)}, "a\n\nb", 3},
	{"an empty literal", list{text("")}, "abc", 0},
	{"an empty expression", list{re("")}, "abc", 0},
	{"an expression that can be empty", list{re("a*")}, "baa", 1},
	{"an expression that can be empty goes on", list{re("a*")}, "aab", 3},
	{"an empty case yields to an earlier one", list{text("ab"), re("")}, "ab", 2},
	{"an empty word boundary", list{re(`\b`)}, " a", 2},
	{"leftmost first, not longest", list{re("a|ab|abc")}, "abc", 1},
	{"longer first", list{re("abc|ab|a")}, "abx", 3},
	{"nested captures", list{re(`((a)|(b)c)+(d?)`)}, "xabcad-", 6},
	{"repeated capture", list{re(`(?:(a)|b)*x`)}, "abx", 3},
	{"named groups", list{re(`(?P<user>\w+)@(?P<host>\w+):`)}, "me@home:~", 8},
	{"case folded", list{re(`(?i)password:`)}, "PassWord: ", 9},
	{"the Kelvin sign folds to k", list{re(`(?i)ok`)}, "o\u212a", 4},
	{"the long s folds to s", list{re(`(?i)yes`)}, "YE\u017f", 4},
	{"dot matches newline", list{re(`(?s)a.b`)}, "a\nb", 3},
	{"dot does not match newline", list{re(`a.b`)}, "a\nb", -1},
	{"counted repeat", list{re(`a{3,5}`)}, "aa aaaaaa", 8},
	{"counted repeat of many", list{re(`^(?:ab){500}$`)}, strings.Repeat("ab", 500), -1},
	{"NUL", list{text("a\x00b")}, "a\x00\x00a\x00b", 6},
	{"NUL in an expression", list{re(`\x00+b`)}, "\x00\x00b", 3},
	{"a class of all letters", list{re(`\pL+=`)}, "1größe=", 9},
	{"a rune that is cut at the end", list{re(`.`)}, "\xe2\x82", -1},
	{"a rune that is whole", list{re(`.`)}, "\xe2\x82\xac", 3},
	{"a rune that is cut by another", list{re(`.`)}, "\xe2\x82a", 3},
	{"a byte that is not UTF-8", list{re(`\x{FFFD}`)}, "a\xff", 2},
	{"a byte that is not UTF-8 is no letter", list{re(`\pL`)}, "\xff\xfe1a", 4},
	{"a surrogate is three such bytes", list{re(`^.{3}$`)}, "\xed\xa0\x80", -1},
	{"a rune too large is four", list{re(`^.{4}`)}, "\xf4\x90\x80\x80", 4},
	{"an overlong form is two", list{re(`^\x{FFFD}{2}`)}, "\xc0\x80", 2},
	{"a literal U+FFFD is three bytes", list{text("\ufffd")}, "\xff\ufffd", 4},
	{"a literal byte", list{text("\xff")}, "a\xff", 2},
	{"a literal from within a rune", list{text("\x82\xac")}, "\u20ac", 3},
	{"a literal of half a rune beside an expression", list{text("\xc3"), re("z")}, "a\xc3\xa9", 3},
	{"binary", list{text("\x89PNG\r\n"), text("\x1f\x8b")}, "\x00\xc3\x89PNG\r\n", 8},
	{"all bytes there are", list{text(allBytes())}, "\x00" + allBytes() + "\x00", 257},
	{"a literal inside a rune and an expression on it", list{text("\xa9"), re("é")}, "é", 2},
	{"several prompts", list{text("(yes/no)? "), text("password: "), re(`[$#>] $`), re(`(?i)denied`)}, "Permission Denied", 17},
	{"an expression nothing can match", list{re(`a\bb`)}, "ab ab", -1},
	{"a rival that needs the text's beginning behind it", list{re(`(?s)x.*\Ay`), text("b")}, "xb", 2},
	{"a rival that needs the text's end before it", list{re(`(?s)x.*\zy`), text("b")}, "xb", 2},
	{"an empty class", list{re(`[^\x00-\x{10FFFF}]`), text("b")}, "ab", 2},
	{"no case", nil, "abc", -1},
	// As in the tests of package regexp.
	{"find: abc", list{re("abc")}, "abcdefg", 3},
	{"find: a+", list{re("a+")}, "baaab", 5},
	{"find: abcd..", list{re("abcd..")}, "abcdef", 6},
	{"find: .*", list{re(".*")}, "abcdef", -1},
	{"find: a*$ behind text", list{re("(?:(?:^).)")}, "\n", -1},
	{"find: (|a)*", list{re("(|a)*")}, "aa", 0},
	{"find: (|a)+", list{re("(|a)+")}, "aa", 0},
	{"find: loop over an assertion", list{re(`(?:(?m:$)|\n)*`)}, "\n", 1},
	{"find: ([^\\[\\].]*)", list{re(`([^\[\].]*)`)}, "ab]", 3},
	{"find: double boundary", list{re(`\b\B`)}, "ab", -1},
	{"find: ^^$$", list{re(`^^$$`)}, "", -1},
	{"find: word start after bytes", list{re(`\bx`)}, "\xffx", 2},
	{"find: [^\\S\\s]", list{re(`[^\S\s]`)}, "abcd", -1},
}

func TestTable(t *testing.T) {
	for _, tt := range examples {
		t.Run(tt.name, func(t *testing.T) {
			for _, max := range []limits{eager, defaultLimits, {states: 6, bytes: 1 << 20}, {states: 2, bytes: 1, reuse: 1 << 20}} {
				s, err := compile(tt.pats, max)
				if err != nil {
					t.Fatal(err)
				}
				o := newOracle(t, tt.pats)
				if n := checkPrefixes(t, s, o, tt.text); n != tt.decided {
					t.Errorf("%v in %+q: decided after %d, want %d", tt.pats, tt.text, n, tt.decided)
				}
				for range 5 {
					checkCuts(t, s, o, tt.text, seeded(1))
				}
			}
		})
	}
}

func TestLiteralIsDecidedWithItsLastByteWhateverTheOthers(t *testing.T) {
	s := mustCompile(t, text("login: "), re(`(?i)password: `), re(`\d+ users`), text("\xff\xfe"))
	var sc Scan
	s.Start(&sc)
	if sc.Feed([]byte("host login:")) {
		t.Fatal("decided too early")
	}
	if !sc.Feed([]byte(" and more")) {
		t.Fatal("not decided")
	}
	f, ok := sc.Decided()
	if want := (Found{Case: 0, From: 5, End: 12}); !ok || f != want || sc.Scanned() != 12 {
		t.Errorf("Decided() = %+v, %v after %d bytes, want %+v after 12", f, ok, sc.Scanned(), want)
	}
	if !sc.Feed([]byte("password: ")) || sc.Scanned() != 12 {
		t.Error("a decided scan went on")
	}
}

func TestProvisionalDoesNotDisturb(t *testing.T) {
	s := mustCompile(t, text("$ "), re(`(?s)Welcome.*bye`))
	var sc Scan
	s.Start(&sc)
	sc.Feed([]byte("Welcome\n$ "))
	for range 2 {
		if f, ok := sc.Provisional(); !ok || f.Case != 0 || f.End != 10 {
			t.Fatalf("Provisional() = %+v, %v", f, ok)
		}
	}
	if _, ok := sc.Decided(); ok {
		t.Fatal("decided beside a live rival")
	}
	sc.Feed([]byte("ls\n"))
	if f, ok := sc.Provisional(); !ok || f.Case != 0 || sc.Scanned()-f.End != 3 {
		t.Fatalf("Provisional() = %+v, %v after %d", f, ok, sc.Scanned())
	}
	sc.Feed([]byte("bye\n"))
	if f, ok := sc.Provisional(); !ok || f.Case != 1 || f.From != 0 || f.End != 16 {
		t.Fatalf("Provisional() = %+v, %v: want the earlier start", f, ok)
	}
}

// A line that was under way when the prefilter came in is not skipped.
func TestPrefilterComesInWithinALine(t *testing.T) {
	filler := strings.Repeat("nothing in here\n", 255) // 4,080 bytes, less than the prefilter is worth
	const rest = "12 ms\nnothing\nnothing\na=b\n"
	pats := list{re(`(\w+)=(\d+) ms`)}
	s, err := compile(pats, defaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	var sc Scan
	s.Start(&sc)
	sc.Feed([]byte(filler + "time="))
	if !sc.Feed([]byte(rest)) {
		t.Fatal("not found")
	}
	if s.skip == nil || s.skip.needs == nil {
		t.Fatal("the test needs a prefilter by needs")
	}
	f, ok := sc.Decided()
	if got, want := locate(t, s, f, ok, filler+"time="+rest), newOracle(t, pats).answer(filler+"time="+rest); !got.same(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What one way of the prefilter knows is not taken for what another knows.
func TestPrefilterChangesItsWay(t *testing.T) {
	pats := list{re(`(?i)password:`)}
	s, err := compile(pats, limits{states: 100, bytes: 1 << 20, credit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	usual := strings.Repeat("nothing\n", 40)
	rest := strings.Repeat("passwordless login\n", 500) + "PASSWORD: \nmore\nmore\n"
	var sc Scan
	s.Start(&sc)
	sc.Feed([]byte(usual)) // for which the prefilter is made
	if want := []way{byAnchors, byMasks, byNeeds}; !slices.Equal(s.skip.ways, want) {
		t.Fatalf("the test needs a prefilter by %v, has %v", want, s.skip.ways)
	}
	sc.Feed([]byte(rest))
	if sc.way < 2 {
		t.Fatal("the test needs a text that spoils the first ways")
	}
	text := usual + rest
	f, ok := sc.Decided()
	if got, want := locate(t, s, f, ok, text), newOracle(t, pats).answer(text); !got.same(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPatternError(t *testing.T) {
	_, err := Compile([]Pattern{text("["), re("a"), re("[")})
	var pe *PatternError
	if !errors.As(err, &pe) || pe.Index != 2 {
		t.Fatalf("Compile: %v, want a *PatternError for index 2", err)
	}
	var se *syntax.Error
	if !errors.As(err, &se) || se.Code != syntax.ErrMissingBracket {
		t.Errorf("Compile: %v, want it to wrap regexp's error", err)
	}
	if _, err := Compile([]Pattern{re("a{1001}")}); err == nil {
		t.Error("a repeat that regexp refuses was accepted")
	}
}

func TestSetsAreCached(t *testing.T) {
	pats := []Pattern{text("a cached literal"), re("a cached expression")}
	one := mustCompile(t, pats...)
	if mustCompile(t, pats...) != one {
		t.Error("the same patterns gave another set")
	}
	if mustCompile(t, re("a cached literal"), text("a cached expression")) == one {
		t.Error("other patterns gave the same set")
	}
	if mustCompile(t, text("a cached literalra cached expression")) == one {
		t.Error("patterns that only look the same gave the same set")
	}
	for i := range 3 * cacheSets {
		mustCompile(t, text(strings.Repeat("x", i)))
	}
	if n := len(cache.sets); n > cacheSets {
		t.Errorf("%d sets in the cache", n)
	}
	mustCompile(t, text(strings.Repeat("y", cacheBytes+1)))
	for key := range cache.sets {
		if len(key) > cacheBytes {
			t.Error("a huge pattern is in the cache")
		}
	}
}

func TestNames(t *testing.T) {
	s := mustCompile(t, text("a"), re(`(?P<user>\w+)(@)(?P<host>\w+)`))
	if got, want := s.Names(0), []string{""}; !slices.Equal(got, want) {
		t.Errorf("Names(0) = %q, want %q", got, want)
	}
	if got, want := s.Names(1), []string{"", "user", "", "host"}; !slices.Equal(got, want) {
		t.Errorf("Names(1) = %q, want %q", got, want)
	}
}

func TestLocate(t *testing.T) {
	for _, tt := range []struct {
		name string
		pat  Pattern
		text string
		want []int
	}{
		{"a literal", text("b"), "abc", []int{1, 2}},
		{"groups", re(`(\w)(\d)?=`), "-ab=c", []int{2, 4, 2, 3, -1, -1}},
		{"a word boundary before", re(`\b(o+)`), "foo oo ", []int{4, 6, 4, 6}},
		{"a word boundary behind", re(`(o+)\b`), "foox oo-", []int{5, 7, 5, 7}},
		{"the beginning of a line", re(`(?m)^(b)`), "ab\nb", []int{3, 4, 3, 4}},
		{"no end of the text", re(`a(b$)?`), "abc", []int{0, 1, -1, -1}},
		{"the end of the text", re(`a(b$)?`), "ab", []int{0, 2, 1, 2}},
		{"a quote without end", re(`(b)\Q.c`), "ab.cd", []int{1, 4, 1, 2}},
		{"a cut rune behind", re(`(a)(é)?`), "a\xc3", []int{0, 1, 0, 1, -1, -1}},
		{"flags of its own", re(`(?i)B(?-i)c`), "Bc bC bc", []int{0, 2}},
		{"lazy groups", re(`(a*?)(a*)$`), "baa", []int{1, 3, 1, 1, 1, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustCompile(t, tt.pat)
			var sc Scan
			s.Start(&sc)
			sc.Feed([]byte(tt.text))
			f, ok := sc.Provisional()
			if !ok {
				t.Fatal("not found")
			}
			// From the least window to the whole text.
			for at := int64(0); at <= max(0, f.From-1); at++ {
				for end := min(f.End+1, int64(len(tt.text))); end <= int64(len(tt.text)); end++ {
					start, groups, ok := s.Locate(f, []byte(tt.text[at:end]), at)
					for i := range groups {
						if groups[i] >= 0 {
							groups[i] += int(at)
						}
					}
					if !ok || start != int64(tt.want[0]) || !slices.Equal(groups, tt.want) {
						t.Errorf("Locate(%q at %d) = %d, %v, %v, want %v", tt.text[at:end], at, start, groups, ok, tt.want)
					}
				}
			}
		})
	}
}

func TestLocateRefusesAWindowThatIsTooSmall(t *testing.T) {
	const s = "..abc.."
	for _, pat := range []Pattern{text("abc"), re("a(b)c")} {
		set := mustCompile(t, pat)
		f := Found{Case: 0, From: 2, End: 5}
		if _, _, ok := set.Locate(f, []byte(s[3:]), 3); ok {
			t.Error("the match begins before the window")
		}
		if _, _, ok := set.Locate(f, []byte(s[1:4]), 1); ok {
			t.Error("the match ends behind the window")
		}
		if _, _, ok := set.Locate(f, []byte("#######"), 0); ok {
			t.Error("the window is another text's")
		}
	}
	if _, _, ok := mustCompile(t, re("a(b)c")).Locate(Found{From: 2, End: 5}, []byte(s[2:]), 2); ok {
		t.Error("there is no byte before the match")
	}
}

// An expression so large that the windows of captures.go cannot be built.
func TestLocateAtTheLimitsOfRegexp(t *testing.T) {
	pat := strings.Repeat("(", 998) + "a" + strings.Repeat(")", 998)
	s := mustCompile(t, re(pat))
	if s.cases[0].window(windowBefore) != nil {
		t.Fatal("the test needs an expression of which regexp refuses the window")
	}
	start, groups, ok := s.Locate(Found{From: 1, End: 2}, []byte("-a-"), 0)
	if !ok || start != 1 || len(groups) != 2*999 {
		t.Errorf("Locate = %d, %d groups, %v", start, len(groups)/2, ok)
	}
}

func TestScanIsReused(t *testing.T) {
	digits, word := mustCompile(t, re(`\d+;`)), mustCompile(t, text("word"))
	var sc Scan
	for range 3 {
		digits.Start(&sc)
		if _, ok := sc.Provisional(); ok || sc.Scanned() != 0 {
			t.Fatal("the scan remembers")
		}
		sc.Feed([]byte("ab 12"))
		if !sc.Feed([]byte("34;")) {
			t.Fatal("not decided")
		}
		word.Start(&sc)
		if !sc.Feed([]byte("a word")) {
			t.Fatal("not decided")
		}
		if f, _ := sc.Decided(); f != (Found{Case: 0, From: 2, End: 6}) {
			t.Fatalf("found %+v", f)
		}
	}
}

// Many scans share one automaton, which they fill and replace.
func TestScansShareASet(t *testing.T) {
	pats := list{re(`(a|b)*a(a|b){6}c`), re(`(?i)end \d+`), text("é!")}
	r := maker{seeded(5)}
	for _, max := range []limits{defaultLimits, {states: 20, bytes: 1 << 20}, {states: 20, bytes: 1 << 20, reuse: 50}} {
		s, err := compile(pats, max)
		if err != nil {
			t.Fatal(err)
		}
		o := newOracle(t, pats)
		var wg sync.WaitGroup
		for range 4 {
			var texts []string
			for range 20 / slow {
				var b strings.Builder
				for b.Len() < 6000 {
					b.WriteString(r.pick("a", "b", "aab", "x", "\n", "é"))
				}
				texts = append(texts, b.String()+r.pick("end 12 ", "é!", ""))
			}
			wg.Go(func() {
				var sc Scan
				for _, text := range texts {
					s.Start(&sc)
					feed(&sc, text, func(left int) int { return min(left, 700) })
					f, ok := sc.Provisional()
					want := o.answer(text)
					if ok != (want.index >= 0) || ok && (f.Case != want.index || f.End != int64(want.end)) {
						t.Errorf("%v in %.40q: found %+v, %v, want %v", pats, text, f, ok, want)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestNothingIsAllocated(t *testing.T) {
	data := logText(256 << 10)
	for _, bm := range benchmarks {
		t.Run(bm.name, func(t *testing.T) {
			s := mustCompile(t, bm.pats...)
			var sc Scan
			scan := func() {
				s.Start(&sc)
				for at := 0; at < len(data); at += 4000 {
					if sc.Feed(data[at:min(at+4000, len(data))]) {
						t.Fatal("found")
					}
					sc.Provisional()
				}
			}
			scan() // makes the states
			if n := testing.AllocsPerRun(3, scan); n > 0 {
				t.Errorf("%v allocations for a call that does not match", n)
			}
		})
	}
}

func TestNothingIsAllocatedWithoutAnAutomaton(t *testing.T) {
	s, err := compile(list{re(`\b(é|\pL)+ €`), text("\xff")}, limits{states: 2, bytes: 1, reuse: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	data := []byte(strings.Repeat("größer\xe2\x82- €\n", 200))
	var sc Scan
	scan := func() {
		s.Start(&sc)
		if sc.Feed(data) {
			t.Fatal("found")
		}
		sc.Provisional()
	}
	scan()
	if !sc.direct {
		t.Fatal("the scan has an automaton")
	}
	if n := testing.AllocsPerRun(3, scan); n > 0 {
		t.Errorf("%v allocations for a call that does not match", n)
	}
}

// The automaton for (a|b)*a(a|b){n}c has 2^n states. A text that visits them
// all costs no more than the bound.
func TestMemoryIsBounded(t *testing.T) {
	s, err := compile(list{re(`[ab]*a[ab]{18}c`), re(`(?s)x.*y`)}, defaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	r := seeded(9)
	line := make([]byte, 64<<10) // without a newline
	var sc Scan
	s.Start(&sc)
	for range 8 {
		for i := range line {
			line[i] = "ab"[r.IntN(2)]
		}
		if sc.Feed(line) {
			t.Fatal("decided")
		}
	}
	if !sc.direct && sc.replaced == 0 {
		t.Fatal("the test needs a text that fills the automaton")
	}
	a := s.auto.Load()
	if n := len(a.table.Load().states); n > defaultLimits.states || a.size > defaultLimits.bytes {
		t.Errorf("the automaton has %d states, %d bytes", n, a.size)
	}
	if sc.Scanned() != 8*64<<10 {
		t.Errorf("scanned %d", sc.Scanned())
	}
	if sc.Feed([]byte("\na" + strings.Repeat("b", 17) + "c")) {
		t.Error("decided")
	}
	if !sc.Feed([]byte("a" + strings.Repeat("b", 18) + "c")) {
		t.Error("no match behind 512 KiB")
	}
}

// However much text was skipped or scanned, it is known about where a match
// begins: what Locate needs is its surroundings.
func TestFromIsNear(t *testing.T) {
	for _, bm := range []struct {
		pat  Pattern
		text string
	}{
		{re(`BEGIN(\w+)END`), "BEGINxEND-"},
		{re(`(?i)begin(\w+)end`), "BeginxEnd-"},
		{re(`begin(\w+)end|start(\d)`), "beginxend-"},
		{re(`(\w+)=(\d+) ms`), "time=12 ms"},
		{re(`[a-z]+\d`), "a1"},
		{re(`\pL+é`), "aé-"},
	} {
		s, err := compile(list{bm.pat}, eager)
		if err != nil {
			t.Fatal(err)
		}
		before := strings.Repeat("Nothing in here, nothing at all.\n", 1000)
		for _, cut := range []cuts{whole, func(left int) int { return min(left, 1500) }} {
			var sc Scan
			s.Start(&sc)
			feed(&sc, before+bm.text, cut)
			f, ok := sc.Provisional()
			if start := int64(len(before)); !ok || f.From > start || f.From < start-40 {
				t.Errorf("%v: found %+v, %v, want it to begin near %d", list{bm.pat}, f, ok, start)
			}
		}
	}
}

// A match of any length is found; where it begins is known.
func TestAMatchMayBeLong(t *testing.T) {
	s := mustCompile(t, re(`(?s)BEGIN.*END`))
	var sc Scan
	s.Start(&sc)
	filler := bytes.Repeat([]byte("nothing\n"), 8<<10)
	sc.Feed(filler)
	sc.Feed([]byte("BEGIN"))
	for range 16 {
		sc.Feed(filler)
	}
	sc.Feed([]byte("END"))
	sc.Feed(filler)
	f, ok := sc.Provisional()
	want := Found{Case: 0, From: int64(len(filler)), End: int64(17*len(filler)) + 8}
	if !ok || f != want {
		t.Errorf("found %+v, %v, want %+v", f, ok, want)
	}
}
