package escape

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

var filterTests = []struct {
	name, raw, plain string
}{
	{"text", "hello\nworld", "hello\nworld"},
	{"line ends", "a\r\nb\r\n", "a\nb\n"},
	{"line ends of a program that writes them itself", "a\r\r\nb\r\r\n", "a\nb\n"},
	{"three returns keep one", "a\r\r\r\nb", "a\r\nb"},
	{"lone return", "10%\r20%\rdone", "10%\r20%\rdone"},
	{"two lone returns", "a\r\rb", "a\r\rb"},
	{"return at the end", "a\r", "a\r"},
	{"two returns at the end", "a\r\r", "a\r\r"},
	{"sequence within a line end", "a\r\x1b[K\r\x1b[0m\nb", "a\nb"},
	{"sequence after a lone return", "a\r\x1b[Kb", "a\rb"},
	{"other controls stay", "a\bb\a\x00\x0e\x0f\x18\x1a\x7f", "a\bb\a\x00\x0e\x0f\x18\x1a\x7f"},
	{"utf-8 and 8-bit bytes stay", "ä…\x9b1m\x90x\x9c\xff", "ä…\x9b1m\x90x\x9c\xff"},
	{"colours", "\x1b[1;31mred\x1b[0m\x1b[mplain", "redplain"},
	{"colon parameters", "\x1b[38:2::1:2:3mx", "x"},
	{"private and intermediate", "\x1b[?2004h$ \x1b[4 q\x1b[!p\x1b[?25$px", "$ x"},
	{"charsets", "\x1b(B\x1b)0a\x1b*Bb\x1b%Gc\x1b#8d\x1b Fe", "abcde"},
	{"two bytes", "\x1b7a\x1b8b\x1bMc\x1b=d\x1b>e\x1bcf\x1b\\g", "abcdefg"},
	{"single shift", "\x1bOA\x1bNB", "AB"},
	{"title with BEL", "\x1b]0;user@host: ~\a$ ", "$ "},
	{"title with ST", "\x1b]2;ä\x1b\\$ ", "$ "},
	{"title of screen", "\x1bkbash\x1b\\$ ", "$ "},
	{"hyperlink", "\x1b]8;;http://x/\x1b\\text\x1b]8;;\x1b\\.", "text."},
	{"DCS, APC, PM, SOS", "\x1bP1$r0m\x1b\\a\x1b_Gx\x1b\\b\x1b^x\x1b\\c\x1bXx\x1b\\d", "abcd"},
	{"nested for tmux", "\x1bPtmux;\x1b\x1b]0;t\a\x1b\\x", "x"},
	{"OSC ends at CAN and SUB", "\x1b]0;a\x18b\x1b]0;a\x1ac", "bc"},
	{"OSC ends at a newline, which stays", "\x1b]0;a\r\nb", "\nb"},
	{"DCS ends at a newline", "\x1bPa\nb", "\nb"},
	{"OSC broken off by a sequence", "\x1b]0;a\x1b[1mb", "b"},
	{"OSC broken off by ESC ESC", "\x1b]0;a\x1b\x1b[1mb", "b"},
	{"CSI broken off by ESC", "\x1b[1\x1b[1mb", "b"},
	{"CSI ends at CAN", "\x1b[1\x18mb", "mb"},
	{"CSI broken off by a line end", "\x1b[1\r\nmb", "\nmb"},
	{"CSI broken off by a lone return", "\x1b[1\rmb", "\rmb"},
	{"CSI broken off by utf-8", "\x1b[1äb", "äb"},
	{"DEL in a sequence", "\x1b\x7f[\x7f1\x7fmb", "b"},
	{"ESC before utf-8", "\x1bä", "ä"},
	{"ESC before a newline", "a\x1b\nb", "a\nb"},
	{"charset broken off", "\x1b(\nb", "\nb"},
	{"ESC at the end", "a\x1b", "a"},
	{"unfinished at the end", "a\x1b]0;title", "a"},
	{"return and unfinished at the end", "a\r\x1b[1", "a\r"},
	{"long OSC", "\x1b]0;" + strings.Repeat("x", Limit-4) + "yz", "yz"},
	{"long CSI", "\x1b[" + strings.Repeat("1", Limit-2) + "yz", "yz"},
	{"long charset", "\x1b" + strings.Repeat("(", Limit-1) + "yz", "yz"},
	{"OSC just short enough", "\x1b]0;" + strings.Repeat("x", Limit-5) + "\ayz", "yz"},
	{"ESC just at the limit", "\x1b]0;" + strings.Repeat("x", Limit-5) + "\x1b\\z", "\\z"},
	{"bash's prompt", "\x1b[?2004h\x1b]0;u@h: ~\a\x1b[01;32mu@h\x1b[00m:\x1b[01;34m~\x1b[00m$ ls\r\n\x1b[?2004l\rfile\r\n", "u@h:~$ ls\n\rfile\n"},
}

func TestFilter(t *testing.T) {
	for _, tt := range filterTests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plain(tt.raw, nil); got != tt.plain {
				t.Errorf("whole: %q, want %q", got, tt.plain)
			}
			if got := plain(tt.raw, func(int) int { return 1 }); got != tt.plain {
				t.Errorf("byte by byte: %q, want %q", got, tt.plain)
			}
			checkRawEnds(t, tt.raw)
		})
	}
}

// plain runs raw through a Filter in pieces of the size that cut gives, from
// what is left; nil for one piece.
func plain(raw string, cut func(left int) int) string {
	var f Filter
	var text []byte
	for len(raw) > 0 {
		n := len(raw)
		if cut != nil {
			n = cut(n)
		}
		text = f.Plain(text, []byte(raw[:n]))
		raw = raw[n:]
	}
	return string(append(text, f.Flush()...))
}

// checkRawEnds checks for each place in the text of raw, and from each
// snapshot, that the output behind RawEnd makes the rest of the text.
func checkRawEnds(t *testing.T, raw string) {
	t.Helper()
	if len(raw) > 200 {
		return // the work is cubic
	}
	whole := plain(raw, nil)
	for cut := range len(raw) + 1 {
		var f Filter
		before := len(f.Plain(nil, []byte(raw[:cut])))
		last := cut - f.Held()
		for p := before + 1; p <= len(whole); p++ {
			end := cut + f.RawEnd([]byte(raw[cut:]), p-before)
			if end <= last || end > len(raw) {
				t.Fatalf("%q cut at %d: text byte %d ends at %d, the one before at %d", raw, cut, p, end, last)
			}
			last = end
			if got := plain(raw[:end], nil); got != whole[:p] {
				t.Fatalf("%q cut at %d: raw end %d for %q makes %q", raw, cut, end, whole[:p], got)
			}
			if got := plain(raw[end:], nil); got != whole[p:] {
				t.Fatalf("%q cut at %d: after raw end %d comes %q, want %q", raw, cut, end, got, whole[p:])
			}
		}
	}
}

func TestRawEndOutOfRange(t *testing.T) {
	var f Filter
	for plain, want := range map[int]int{-1: 0, 0: 0, 1: 5, 2: 6, 3: 8, 99: 8} {
		if got := f.RawEnd([]byte("\x1b[1mab\x1b["), plain); got != want {
			t.Errorf("RawEnd(%d) = %d, want %d", plain, got, want)
		}
	}
}

func TestHeld(t *testing.T) {
	for raw, want := range map[string]int{
		"":                   0,
		"a":                  0,
		"a\r":                1,
		"a\r\r":              2,
		"a\r\r\r":            2,
		"a\r\n":              0,
		"a\x1b":              1,
		"a\x1b[1;3":          5,
		"a\x1b[1m":           0,
		"a\r\x1b[1m":         5,
		"a\r\x1b[1m\r\x1b":   7,
		"\x1b]0;a\x1b":       6,
		"\x1b]0;a\x1b[":      2,
		"\x1b[1\x1b":         1,
		"\x1b]0;title\x1b\\": 0,
		"\x1b[12\n":          0,
	} {
		for _, cut := range []int{1, len(raw)} {
			var f Filter
			for rest := raw; rest != ""; rest = rest[min(cut, len(rest)):] {
				f.Plain(nil, []byte(rest[:min(cut, len(rest))]))
			}
			if got := f.Held(); got != want {
				t.Errorf("Held after %q in pieces of %d = %d, want %d", raw, cut, got, want)
			}
		}
	}
}

func TestFilterCopyIsSnapshot(t *testing.T) {
	var f Filter
	f.Plain(nil, []byte("a\r\x1b[1"))
	g := f
	f.Plain(nil, []byte("m\nb\x1b]0;"))
	if got := string(g.Plain(nil, []byte("mb"))); got != "\rb" {
		t.Errorf("the copy went on with %q, want %q", got, "\rb")
	}
}

func TestFilterFlushStartsAnew(t *testing.T) {
	var f Filter
	f.Plain(nil, []byte("a\r\x1b]0;"))
	if got := string(f.Flush()); got != "\r" {
		t.Errorf("Flush = %q, want a carriage return", got)
	}
	if f != (Filter{}) {
		t.Errorf("after Flush the filter is %+v, want a zero one", f)
	}
}

// The grammar once more, for whole texts of less than Limit bytes. A sequence
// that is broken off ends before what breaks it, so all ends are optional.
var (
	sequence = regexp.MustCompile(`\x1b\x7f*(?:` +
		`\[[ -?\x7f]*[@-~\x18\x1a]?|` + // CSI
		`[\]PX^_k][^\x07\x18\x1a\x1b\n]*(?:\x07|\x18|\x1a|\x1b\\)?|` + // OSC and the like
		`[ -/][ -/\x7f]*[0-~\x18\x1a]?|` + // with intermediates
		`[0-~\x18\x1a]?)`)
	lineEnd = regexp.MustCompile(`\r?\r?\n`)
)

// oracle makes plain text of raw in two passes over the whole.
func oracle(raw string) string {
	wide := make([]rune, len(raw)) // a rune for each byte: regexp does not match bytes
	for i := range wide {
		wide[i] = rune(raw[i])
	}
	text := lineEnd.ReplaceAllString(sequence.ReplaceAllString(string(wide), ""), "\n")
	var narrow []byte
	for _, r := range text {
		narrow = append(narrow, byte(r))
	}
	return string(narrow)
}

func TestFilterAtAnyCut(t *testing.T) {
	const alphabet = "\x1b\x1b\x1b\r\r\r\n[[]]P(0;1mABx\\\\\a\x18\x7f\xc3\xa4 $q"
	r := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		b := make([]byte, r.IntN(24))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		checkFilter(t, string(b), r)
		checkRawEnds(t, string(b))
	}
}

// checkFilter compares the filter with the oracle, and with itself at other cuts.
func checkFilter(t *testing.T, raw string, r *rand.Rand) {
	t.Helper()
	want := plain(raw, nil)
	if len(raw) < Limit && want != oracle(raw) {
		t.Fatalf("%q makes %q, want %q", raw, want, oracle(raw))
	}
	cuts := []func(int) int{func(int) int { return 1 }, func(left int) int { return 1 + r.IntN(left) }}
	for i, cut := range cuts {
		if got := plain(raw, cut); got != want {
			t.Fatalf("%q, way of cutting %d: %q, want %q", raw, i, got, want)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, tt := range filterTests {
		f.Add([]byte(tt.raw), uint64(1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		checkFilter(t, string(raw), rand.New(rand.NewPCG(seed, 0)))
		checkRawEnds(t, string(raw[:min(len(raw), 60)]))
	})
}

func BenchmarkFilter(b *testing.B) {
	line := strings.Repeat("the quick brown fox jumps over it ", 3)
	for _, bb := range []struct{ name, raw string }{
		{"clean", strings.Repeat(line+"\n", 1000)},
		{"crlf", strings.Repeat(line+"\r\n", 1000)},
		{"colour", strings.Repeat("\x1b[32mINFO\x1b[0m "+line+"\r\n", 1000)},
		{"progress", strings.Repeat("10%\r", 20000)},
		{"crcrlf", strings.Repeat(line+"\r\r\n", 1000)},
		{"dense", strings.Repeat("\x1b[38;5;12mx\x1b[0m", 5000)},
	} {
		raw := []byte(bb.raw)
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			var f Filter
			for b.Loop() {
				for rest := raw; len(rest) > 0; {
					_, n := f.Next(rest)
					rest = rest[n:]
				}
			}
		})
		b.Run(bb.name+"/one piece", func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			var f Filter
			text := make([]byte, 0, len(raw))
			for b.Loop() {
				f.Plain(text, raw)
			}
		})
	}
}

// The cost must not depend on how far the next ESC or CR is.
func BenchmarkFilterRareReturn(b *testing.B) {
	raw := bytes.Repeat([]byte("\x1b[1mword \x1b[0m"), 1<<14)
	b.SetBytes(int64(len(raw)))
	var f Filter
	for b.Loop() {
		for rest := raw; len(rest) > 0; {
			_, n := f.Next(rest)
			rest = rest[n:]
		}
	}
}
