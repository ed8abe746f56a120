package escape

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestVisible(t *testing.T) {
	for _, tt := range []struct{ in, visible, quoted string }{
		{"", "", `""`},
		{"plain ä … 漢", "plain ä … 漢", `"plain ä … 漢"`},
		{"\nadmin@core1's password: ", "\nadmin@core1's password: ", `"\nadmin@core1's password: "`},
		{"a\tb\r\n", "a\tb\\r\n", `"a\tb\r\n"`},
		{"\x1b[2J\x1b]0;x\a", `\x1b[2J\x1b]0;x\x07`, `"\x1b[2J\x1b]0;x\a"`},
		{"\x00\x7f", `\x00\x7f`, `"\x00\x7f"`},
		{"\u009b2J\u0085", `\u009b2J\u0085`, `"\u009b2J\u0085"`},
		{"exe.\u202egpj", `exe.\u202egpj`, `"exe.\u202egpj"`},
		{"\u061c\u200e\u200f\u2066\u2069", `\u061c\u200e\u200f\u2066\u2069`, `"\u061c\u200e\u200f\u2066\u2069"`},
		{"a\u2028b\u2029", `a\u2028b\u2029`, `"a\u2028b\u2029"`},
		{"\xff\xc3(\xe2\x82", `\xff\xc3(\xe2\x82`, `"\xff\xc3(\xe2\x82"`},
		{"\ufffd", "\ufffd", `"` + "\ufffd" + `"`},
		{`C:\dir "x"`, `C:\dir "x"`, `"C:\\dir \"x\""`},
		{"a\u00a0b", "a\u00a0b", `"a\u00a0b"`},
	} {
		if got := Visible(tt.in); got != tt.visible {
			t.Errorf("Visible(%+q) = %+q, want %+q", tt.in, got, tt.visible)
		}
		if got := Quote(tt.in); got != tt.quoted {
			t.Errorf("Quote(%+q) = %+q, want %+q", tt.in, got, tt.quoted)
		}
	}
}

func TestTail(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abc", 2, "…bc"},
		{"abc", 0, "…"},
		{"abc", -1, "…"},
		{"aäb", 3, "…äb"},
		{"aäb", 2, "…b"},
		{"漢漢", 5, "…漢"},
		{"漢漢", 2, "…"},
		{"x\x80\x80\x80\x80\x80", 5, "…\x80\x80"}, // no characters: not searched for ever
	} {
		if got := Tail(tt.in, tt.n); got != tt.want {
			t.Errorf("Tail(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
		if got := Tail([]byte(tt.in), tt.n); got != tt.want {
			t.Errorf("Tail of bytes (%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("a\x1b[0m\u202e\xff\n", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		v := Visible(s)
		if !utf8.ValidString(v) {
			t.Fatalf("Visible(%q) = %q is not UTF-8", s, v)
		}
		for _, r := range v {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
				t.Fatalf("Visible(%q) = %q shows %U", s, v, r)
			}
		}
		if Visible(v) != v {
			t.Fatalf("Visible changes its own result %q", v)
		}
		q := Quote(s)
		if strings.ContainsAny(q, "\n\r\x1b") || Visible(q) != q {
			t.Fatalf("Quote(%q) = %s is not one harmless line", s, q)
		}
		if back, err := strconv.Unquote(q); err != nil || back != s {
			t.Fatalf("Quote(%q) = %s reads back as %q, %v", s, q, back, err)
		}
		if tail := Tail(s, n); len(s) > n && !strings.HasSuffix(s, strings.TrimPrefix(tail, "…")) || len(s) <= n && tail != s {
			t.Fatalf("Tail(%q, %d) = %q", s, n, tail)
		}
	})
}
