package grammar

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
)

func TestPattern(t *testing.T) {
	tests := []struct {
		in   string
		want expect.Pattern // nil: an error
		says string         // in the error
	}{
		{"Login: ", expect.Text("Login: "), ""},
		{"[Y/n]", expect.Text("[Y/n]"), ""},
		{" ", expect.Text(" "), ""},
		{"/[#>] $/", expect.Regexp("[#>] $"), ""},
		{"/yes/i", expect.Regexp("(?i)yes"), ""},
		{"/^a.b$/ms", expect.Regexp("(?ms)^a.b$"), ""},
		{"/a/b/", expect.Regexp("a/b"), ""},
		{"/etc/", expect.Regexp("etc"), ""},
		{`\/etc/`, expect.Text("/etc/"), ""},
		{"/etc/passwd", expect.Text("/etc/passwd"), ""},
		{"/", expect.Text("/"), ""},
		{"<eof>", expect.EOF, ""},
		{`\<eof>`, expect.Text("<eof>"), ""},
		{"<idle 2s>", expect.Idle(2 * time.Second), ""},
		{"<idle  1m30s>", expect.Idle(90 * time.Second), ""},
		{"<waiting>", expect.Waiting, ""},
		{"<", expect.Text("<"), ""},
		{"<a", expect.Text("<a"), ""},
		{"a>", expect.Text("a>"), ""},
		{`\\x`, expect.Text(`\x`), ""},

		{"", nil, "an empty pattern"},
		{`\`, nil, "an empty pattern"},
		{"//", nil, "an empty pattern"},
		{"/(/", nil, "missing closing )"},
		{"/x/gi", nil, "the flags are i, m and s\nhint: for this very text write '\\/x/gi'"},
		{"<none>", nil, `hint: for this very text write '\<none>'`},
		{"<>", nil, "is no pattern"},
		{"<EOF>", nil, "is no pattern"},
		{"<idle>", nil, "is no duration"},
		{"<idle 2>", nil, "is no duration"},
		{"<idle -2s>", nil, "is no duration"},
		{"<timeout>", nil, "cannot be answered"},
	}
	for _, tt := range tests {
		got, err := Pattern(tt.in)
		checkError(t, tt.in, err, tt.says)
		if got != tt.want {
			t.Errorf("Pattern(%q) = %#v, want %#v", tt.in, got, tt.want)
		}
	}
}

// checkError wants an error that says so, in one line and at most a hint; or none when it shall say nothing.
func checkError(t *testing.T, in string, err error, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("%q: %v", in, err)
	case says != "" && err == nil:
		t.Errorf("%q: no error, want %q", in, says)
	case err != nil && !strings.Contains(err.Error(), says):
		t.Errorf("%q: error %q, want %q", in, err, says)
	case err != nil:
		if first, hint, ok := strings.Cut(err.Error(), "\n"); first == "" || ok && (!strings.HasPrefix(hint, "hint: ") || strings.Contains(hint, "\n")) {
			t.Errorf("%q: error %q, want one line and perhaps a hint", in, err)
		}
	}
}

func TestSplitItems(t *testing.T) {
	tests := []struct {
		in   string
		want []string // nil: no items
	}{
		{"<y>", []string{"y"}},
		{"<down><down><enter>", []string{"down", "down", "enter"}},
		{"<secret env:PW><enter>", []string{"secret env:PW", "enter"}},
		{"<<>", []string{"<"}},
		{"<>>", []string{">"}},
		{"<<><>>", []string{"<", ">"}},
		{"<>", nil},
		{"<a> <b>", nil},
		{"<a>b<c>", nil},
	}
	for _, tt := range tests {
		got, ok := splitItems(tt.in)
		if ok != (tt.want != nil) || ok && !slices.Equal(got, tt.want) {
			t.Errorf("splitItems(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
		}
	}
}

func TestReply(t *testing.T) {
	tests := []struct {
		in   string
		max  int
		says string
	}{
		{"", 0, ""},
		{"yes", 0, ""},
		{"<3", 0, ""},
		{"<b", 0, ""},
		{"<bold>x", 0, ""},
		{"<down>x", 0, "either text or items in angle brackets\nhint: for this very text write '\\<down>x'"},
		{"<y>es", 0, "either text or items"},
		{"<down", 0, "either text or items"},
		{`\<y>`, 0, ""},
		{"<y> or <n", 0, "either text or items"},
		{"<y>", 0, ""},
		{"<down><down><enter>", 0, ""},
		{"<ctrl-c>", 0, ""},
		{"<eof>", 0, ""},
		{"<ask>", 0, ""},
		{"<fail unknown question>", 0, ""},
		{"<secret env:PW>", 0, ""},
		{"<secret 2 env:PW>", 2, ""},
		{"<secret unproved env:PW>", 0, ""},
		{"<secret unproved 3 cmd:pass show 'a b'>", 3, ""},
		{"<secret ask:One-time code>", 0, ""},

		{"<down> <enter>", 0, "either text or items"},
		{"<>", 0, "either text or items"},
		{"<none>", 0, `hint: for this very text write '\<none>'`},
		{"<fail>", 0, "hint: write '<fail MESSAGE>'"},
		{"<secret>", 0, "not a reference"},
		{"<secret 0 env:PW>", 0, "once or more"},
		{"<secret 2>", 0, "not a reference"},
		{"<secret cmd:a | b>", 0, "|"},
	}
	for _, tt := range tests {
		got, err := World{}.Reply(tt.in)
		checkError(t, tt.in, err, tt.says)
		if err == nil && (got.Do == nil || got.Max != tt.max) {
			t.Errorf("Reply(%q): max %d, want %d", tt.in, got.Max, tt.max)
		}
	}
}

// Who forgets the scheme has written the secret itself: no error shows it.
func TestReplyHidesAWrongReference(t *testing.T) {
	_, err := World{}.Reply("<secret hunter2>")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

func TestRule(t *testing.T) {
	tests := []struct {
		in          string
		left, right string
		ok          bool
	}{
		{"Name? => Ada", "Name?", "Ada", true},
		{"Name?=>Ada", "Name?", "Ada", true},
		{"  a b  =>  c d  ", "a b", "c d", true},
		{"a => b => c", "a", "b => c", true},
		{"a =>", "a", "", true},
		{"/a=>b/ => c", "/a=>b/", "c", true},
		{"/a => b/i => c", "/a => b/i", "c", true},
		{"/a/ => /b/ => c", "/a/", "/b/ => c", true},
		{"/etc => x", "/etc", "x", true},
		{"/=>", "/", "", true},
		{"no arrow", "no arrow", "", false},
		{"", "", "", false},
	}
	for _, tt := range tests {
		left, right, ok := CutRule(tt.in)
		if left != tt.left || right != tt.right || ok != tt.ok {
			t.Errorf("CutRule(%q) = %q, %q, %v, want %q, %q, %v", tt.in, left, right, ok, tt.left, tt.right, tt.ok)
		}
	}
}

func TestRules(t *testing.T) {
	tests := []struct {
		in   []string
		says string
	}{
		{[]string{"Name? => Ada", "[Y/n] => y"}, ""},
		{[]string{"Password for root: => <secret env:A>", "Password => <secret env:B>"}, ""},
		{[]string{"Password => <secret env:A>", "Password for root: => <secret env:B>"}, "can never fire"},
		{[]string{"a => b", "a => c"}, "can never fire"},
		{[]string{"/a/ => b", "abc => c"}, ""},
		{[]string{"Name?"}, "hint: write --on 'PATTERN => REPLY'"},
		{[]string{"=> y"}, "an empty pattern"},
		{[]string{"<none> => y"}, "is no pattern"},
		{[]string{"x => <none>"}, "is no reply"},
	}
	for _, tt := range tests {
		rules, err := World{}.Rules(tt.in)
		checkError(t, strings.Join(tt.in, "; "), err, tt.says)
		if err == nil && len(rules) != len(tt.in) {
			t.Errorf("%q: %d rules", tt.in, len(rules))
		}
	}
}

func TestCommand(t *testing.T) {
	tests := []struct {
		words []string
		want  []string
		says  string
	}{
		{[]string{"echo", "a b", "$x | y"}, []string{"echo", "a b", "$x | y"}, ""},
		{[]string{"echo"}, []string{"echo"}, ""},
		{[]string{"no-such-program"}, []string{"no-such-program"}, ""},
		{[]string{"echo 'a b' c"}, []string{"echo", "a b", "c"}, ""},
		{[]string{"echo a | wc"}, nil, "hint: there is no shell here"},
		{[]string{""}, nil, "no program"},
		{nil, nil, "no program"},
	}
	for _, tt := range tests {
		spec, err := Command(tt.words, "")
		checkError(t, strings.Join(tt.words, " "), err, tt.says)
		if err == nil && !slices.Equal(spec.Args, tt.want) {
			t.Errorf("Command(%q) = %q, want %q", tt.words, spec.Args, tt.want)
		}
	}
}

// Whatever is written: no panic, and what is taken for a regular expression compiles.
func FuzzRule(f *testing.F) {
	for _, s := range []string{"a => b", "/a=>b/i => <down><enter>", `\<a> => \<b>`, "<idle 2s> => <secret 2 env:A>", "/=>/=>", "<eof>=><fail x>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rule, err := World{}.Rule(s)
		if err != nil {
			return
		}
		if rule.Do == nil || rule.When == nil {
			t.Fatalf("%q: %+v", s, rule)
		}
		if re, ok := rule.When.(expect.Regexp); ok {
			if _, err := regexp.Compile(string(re)); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
		}
		if text, ok := rule.When.(expect.Text); ok && text == "" {
			t.Fatalf("%q: an empty text", s)
		}
	})
}
