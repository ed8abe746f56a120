package secret

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var maskTests = []struct {
	name    string
	secrets []string
	in, out string
}{
	{"none known", nil, "hello", "hello"},
	{"an empty one", []string{""}, "hello", "hello"},
	{"alone", []string{"hunter2"}, "hunter2", "[secret]"},
	{"in a line", []string{"hunter2"}, "pw=hunter2;\n", "pw=[secret];\n"},
	{"twice", []string{"hunter2"}, "hunter2 hunter2", "[secret] [secret]"},
	{"side by side", []string{"hunter2"}, "hunter2hunter2", "[secret][secret]"},
	{"begun in vain", []string{"hunter2"}, "hunter hunte hunter3", "hunter hunte hunter3"},
	{"begun within its beginning", []string{"aab"}, "aaaaab", "aaa[secret]"},
	{"short ones", []string{"1", "42"}, "a1b42", "a[secret]b[secret]"},
	{"one in another", []string{"pass", "password"}, "pass password passwort", "[secret] [secret] [secret]wort"},
	{"one in the middle of another", []string{"ss", "password"}, "password passwor", "[secret] [secret]"},
	{"in the middle of one that is begun", []string{"bc", "abcde"}, "abcdx abcde", "a[secret]dx [secret]"},
	{"two within one that is begun", []string{"bb", "dd", "abbcdde"}, "abbcddx", "a[secret]c[secret]x"},
	{"overlapping", []string{"abcd", "cdef"}, "xabcdefx", "x[secret]x"},
	{"chain", []string{"abcd", "cdef", "efgh"}, "xabcdefghx", "x[secret]x"},
	{"overlapping itself", []string{"aaaa"}, "xaaaaaax", "x[secret]x"},
	{"overlap begun in vain", []string{"abcd", "cdefgh"}, "abcdefx", "[secret]efx"},
	{"4 bytes at the end", []string{"hunter2"}, "x hunt", "x [secret]"},
	{"3 bytes at the end", []string{"hunter2"}, "x hun", "x hun"},
	{"end right behind one", []string{"abcabcd"}, "abcabcdabca", "[secret][secret]"},
	{"end overlapping one", []string{"abcd", "cdefgh"}, "abcdef", "[secret]"},
	{"short one in a short end", []string{"u", "hunter2"}, "hun", "h[secret]n"},
	{"lines, as written", []string{"one\ntwo"}, "x one\ntwo x", "x [secret] x"},
	{"lines, as a terminal writes them", []string{"one\ntwo"}, "x one\r\ntwo x", "x [secret] x"},
	{"lines, cut off", []string{"one\ntwo"}, "x one\r", "x [secret]"},
	{"control characters, as echoed", []string{"a\x03b\x7f"}, "x a^Cb^? x", "x [secret] x"},
	{"control characters, as written", []string{"a\x03b\x7f"}, "x a\x03b\x7f x", "x [secret] x"},
	{"ESC and lines, as echoed", []string{"\x1bk\nv"}, "^[k\r\nv", "[secret]"},
	{"tab stays", []string{"a\tb"}, "a\tb", "[secret]"},
	{"bytes", []string{"\xff\x00\xfe\x01"}, "a\xff\x00\xfe\x01b", "a[secret]b"},
}

func (m *Mask) addAll(secrets []string) *Mask {
	for _, s := range secrets {
		m.Add([]byte(s))
	}
	return m
}

// masked feeds in to m in pieces of the size that cut gives.
func masked(m *Mask, in string, cut func(left int) int) string {
	var out []byte
	for in != "" {
		n := min(cut(len(in)), len(in))
		out = m.Feed(out, []byte(in[:n]))
		in = in[n:]
	}
	return string(m.Flush(out))
}

func TestMaskAtAnyCut(t *testing.T) {
	for _, tt := range maskTests {
		t.Run(tt.name, func(t *testing.T) {
			m := new(Mask).addAll(tt.secrets)
			for size := 1; size <= len(tt.in); size++ {
				if got := masked(m, tt.in, func(int) int { return size }); got != tt.out {
					t.Errorf("%q in pieces of %d: %q, want %q", tt.in, size, got, tt.out)
				}
			}
			for first := 1; first < len(tt.in); first++ {
				sizes := []int{first, len(tt.in)}
				got := masked(m, tt.in, func(int) int { n := sizes[0]; sizes = sizes[1:]; return n })
				if got != tt.out {
					t.Errorf("%q cut at %d: %q, want %q", tt.in, first, got, tt.out)
				}
			}
			if got := m.Text(tt.in); got != tt.out {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.out)
			}
		})
	}
}

func TestMaskHoldsNoMoreThanNeeded(t *testing.T) {
	m := new(Mask).addAll([]string{"hunter2", "rose"})
	for _, step := range []struct{ in, out string }{
		{"hello", "hello"},
		{"hunte", ""},
		{"r", ""}, // may begin either
		{"o", "hunte"},
		{"x", "rox"},
		{"hunter2", "[secret]"},
		{"\n", "\n"},
	} {
		if got := string(m.Feed(nil, []byte(step.in))); got != step.out {
			t.Errorf("after %q came %q, want %q", step.in, got, step.out)
		}
	}
}

func TestMaskAddWithinStream(t *testing.T) {
	m := new(Mask).addAll([]string{"abcdef"})
	got := string(m.Feed(nil, []byte("x cde abcde")))
	m.Add([]byte("cde"))     // stands in what is held
	m.Add([]byte("defghij")) // begins in what is held
	m.Add([]byte("defghij")) // is known
	got += string(m.Feed(nil, []byte("ghi")))
	got += string(m.Feed(nil, []byte("k")))
	if want := "x cde ab[secret]ghik"; got != want {
		t.Errorf("defghij begun in vain: %q, want %q", got, want)
	}
	got = masked(m, "x abcdefghij cde", func(int) int { return 1 })
	if want := "x [secret] [secret]"; got != want {
		t.Errorf("in the next stream: %q, want %q", got, want)
	}
}

func TestMaskTextLeavesStreamAlone(t *testing.T) {
	m := new(Mask).addAll([]string{"hunter2"})
	got := string(m.Feed(nil, []byte("a hunt")))
	if text := m.Text("er2 hunter2"); text != "er2 [secret]" {
		t.Errorf("Text = %q", text)
	}
	got += string(m.Feed(nil, []byte("er2 b")))
	if want := "a [secret] b"; got != want {
		t.Errorf("the stream became %q, want %q", got, want)
	}
}

func TestMaskKeepsNoAlias(t *testing.T) {
	value, piece := []byte("hunter2"), []byte("x hunt")
	m := new(Mask)
	m.Add(value)
	clear(value)
	out := m.Feed(nil, piece)
	clear(piece)
	out = m.Flush(m.Feed(out, []byte("er2")))
	if want := "x [secret]"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

// simply masks a whole text by looking everywhere for everything.
func simply(secrets []string, text string) string {
	covered := make([]bool, len(text)+1)
	starts := make([]bool, len(text)+1)
	held := 0
	for at := range len(text) {
		for _, s := range secrets {
			for _, form := range forms([]byte(s)) {
				switch rest := text[at:]; {
				case len(form) == 0:
				case strings.HasPrefix(rest, string(form)):
					for i := at; i < at+len(form); i++ {
						starts[i] = i == at && (starts[i] || !covered[i])
						covered[i] = true
					}
				case strings.HasPrefix(string(form), rest):
					held = max(held, len(rest))
				}
			}
		}
	}
	if end := len(text) - held; held >= shortest {
		for i := end; i < len(text); i++ {
			starts[i] = i == end && (starts[i] || !covered[i])
			covered[i] = true
		}
	}
	var out strings.Builder
	for i := range len(text) {
		if starts[i] {
			out.WriteString(Shown)
		}
		if !covered[i] {
			out.WriteByte(text[i])
		}
	}
	return out.String()
}

// checkMask compares the mask with the simple one, and looks for secrets in
// the result.
func checkMask(t *testing.T, secrets []string, in string, r *rand.Rand) {
	t.Helper()
	m := new(Mask).addAll(secrets)
	want := simply(secrets, in)
	cuts := []func(int) int{
		func(left int) int { return left },
		func(int) int { return 1 },
		func(left int) int { return 1 + r.IntN(left) },
	}
	for i, cut := range cuts {
		if got := masked(m, in, cut); got != want {
			t.Fatalf("secrets %q, text %q, way of cutting %d: %q, want %q", secrets, in, i, got, want)
		}
	}
	for _, s := range secrets {
		// What remains of the text in one piece holds no secret; one with
		// parts of the mark itself may come about by chance.
		for _, piece := range strings.Split(want, Shown) {
			if s != "" && strings.Contains(piece, s) {
				t.Fatalf("secrets %q, text %q: %q shows %q", secrets, in, want, s)
			}
		}
	}
}

func TestMaskAsSimpleOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	word := func(most int) string {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = "aaabbc\n\x03"[r.IntN(8)]
		}
		return string(b)
	}
	for range 5000 {
		secrets := []string{word(7), word(5), word(3)}
		in := word(8) + secrets[r.IntN(3)] + word(4) + secrets[r.IntN(3)] + word(8)
		checkMask(t, secrets, strings.ReplaceAll(in, "\n", []string{"\n", "\r\n"}[r.IntN(2)]), r)
	}
}

func FuzzMask(f *testing.F) {
	for _, tt := range maskTests {
		first, second, third := "", "", ""
		for i, s := range tt.secrets {
			*[]*string{&first, &second, &third}[i] = s
		}
		f.Add(first, second, third, tt.in, uint64(1))
	}
	f.Fuzz(func(t *testing.T, first, second, third, in string, seed uint64) {
		if len(first)+len(second)+len(third)+len(in) > 2000 {
			return // the simple one is slow
		}
		checkMask(t, []string{first, second, third}, in, rand.New(rand.NewPCG(seed, 0)))
	})
}

func BenchmarkMask(b *testing.B) {
	text := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog\r\n"), 1500)
	for _, secrets := range [][]string{nil, {"Tr0ub4dor&3"}, {"hunter2", "the lazy cat", "correct horse battery staple"}} {
		b.Run(fmt.Sprint(len(secrets)), func(b *testing.B) {
			m := new(Mask).addAll(secrets)
			b.SetBytes(int64(len(text)))
			var dst []byte
			for b.Loop() {
				dst = m.Feed(dst[:0], text)
			}
		})
	}
}
