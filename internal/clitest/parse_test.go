package clitest

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

func TestSplit(t *testing.T) {
	env := map[string]string{"A": "x y", "B": "", "R": "a.b"}
	for _, tt := range []struct{ line, want string }{
		{"", ""},
		{" \t ", ""},
		{"a b\tc\r", "a|b|c"},
		{"'a b' c", "a b|c"},
		{"a'b c'd", "ab cd"},
		{"''", ""},
		{"'' a", "|a"},
		{"'don''t'", "don't"},
		{"''''", "'"},
		{"'a''''b'", "a''b"},
		{"a '' b", "a||b"},
		{"a#b #c", "a#b"},
		{"# a", ""},
		{"a '#b' #", "a|#b"},
		{"$A ${A} '$A' $B$A", "x y|x y|$A|x y"},
		{"${R@R}", `a\.b`},
		{"$R'$R'${R}", "a.b$Ra.b"},
		{"'a", "error"},
		{"a'", "error"},
	} {
		words, err := split(tt.line)
		var got []string
		for _, w := range words {
			got = append(got, w.expand(func(name string) string { return env[name] }))
		}
		text := strings.Join(got, "|")
		if err != nil {
			text = "error"
		}
		if text != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, text, tt.want)
		}
	}
}

// Nothing makes parse panic; files lie where it says; a file that is replaced is, and nothing else.
func FuzzParse(f *testing.F) {
	for _, tt := range passes {
		f.Add([]byte(tt.script))
	}
	for _, tt := range messages {
		f.Add([]byte(tt.script))
	}
	f.Add([]byte("-- a --"))
	f.Add([]byte("x\r\n-- a --\r\nb\r\n-- c --\r\n"))
	f.Add([]byte("-- a --\n-- b --"))
	f.Fuzz(func(t *testing.T, data []byte) {
		test := parse("x", data)
		test.script()
		if got := test.replaced(nil); !bytes.Equal(got, data) {
			t.Fatalf("%q is %q without a change", data, got)
		}
		names := map[string]bool{}
		for _, file := range test.files {
			if names[file.name] {
				return
			}
			names[file.name] = true
			if got := data[file.from:file.to]; !bytes.Equal(got, file.data) && !bytes.Equal(append(bytes.Clone(got), '\n'), file.data) {
				t.Fatalf("%s of %q: %q, not %q", file.name, data, got, file.data)
			}
		}
		for _, file := range test.files {
			again := txtar.Parse(test.replaced(map[string][]byte{file.name: []byte("new\n")}))
			if len(again.Files) != len(test.files) {
				t.Fatalf("%d files, %d before", len(again.Files), len(test.files))
			}
			for i, was := range test.files {
				want := was.data
				if was.name == file.name {
					want = []byte("new\n")
				}
				if again.Files[i].Name != was.name || !bytes.Equal(again.Files[i].Data, want) {
					t.Fatalf("%s is %q", was.name, again.Files[i].Data)
				}
			}
		}
	})
}

// Split and expand agree with a quoted text: what is quoted arrives.
func FuzzQuoted(f *testing.F) {
	f.Add("a'b $x # c")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\n") {
			return
		}
		words, err := split("'" + strings.ReplaceAll(s, "'", "''") + "'")
		if err != nil || len(words) != 1 || words[0].expand(nil) != s {
			t.Fatalf("%q: %v, %v", s, words, err)
		}
	})
}

func TestDiffLines(t *testing.T) {
	long := strings.Repeat("same\n", 10)
	for _, tt := range []struct{ want, have, diff string }{
		{"a\n", "b\n", "- a|+ b"},
		{"a\nb\nc\n", "a\nc\n", "  a|- b|  c"},
		{"", "a\n", "+ a"},
		{"a", "a\n", "- a (no line end)|+ a"},
		{long + "x\n" + long, long + "y\n" + long, "… (7 lines before)|  same|  same|  same|- x|+ y|  same|  same|  same|… (7 lines behind)"},
		{"a\x1b\n", "b\n", `- a\x1b|+ b`},
	} {
		if got := strings.Join(diffLines(tt.want, tt.have), "|"); got != tt.diff {
			t.Errorf("%q, %q:\n%s\nnot\n%s", tt.want, tt.have, got, tt.diff)
		}
	}
	if n := len(diffLines(strings.Repeat("a\n", 50000), strings.Repeat("b\n", 50000))); n > mostDiff+1 {
		t.Errorf("%d lines", n)
	}
}
