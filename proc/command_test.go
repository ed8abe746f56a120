package proc

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/shlex"
)

func TestParseCommand(t *testing.T) {
	for line, want := range map[string][]string{
		`ls`:                       {"ls"},
		"  ls \t -l\n":             {"ls", "-l"},
		`a 'b c' "d e"`:            {"a", "b c", "d e"},
		`a ''  ""`:                 {"a", "", ""},
		`a 'x'"y"z`:                {"a", "xyz"},
		`a\ b \'`:                  {"a b", "'"},
		`echo "\"\\\$"`:            {"echo", `"\$`},
		`echo '\n'`:                {"echo", `\n`},
		`sh -c 'a | b; c > d &'`:   {"sh", "-c", "a | b; c > d &"},
		"sh -c 'a `b` $c *'":       {"sh", "-c", "a `b` $c *"},
		`sh -c "a | b # $c"`:       {"sh", "-c", "a | b # $c"},
		`echo \$x \| \#`:           {"echo", "$x", "|", "#"},
		`grüße ' ü '`:              {"grüße", " ü "},
		`a=b -x=y [z] ? ~ {1,2}`:   {"a=b", "-x=y", "[z]", "?", "~", "{1,2}"},
		"python3 -c 'print(1)\nx'": {"python3", "-c", "print(1)\nx"},
	} {
		s, err := ParseCommand(line)
		if !slices.Equal(s.Args, want) || err != nil {
			t.Errorf("%q: %q, %v; want %q", line, s.Args, err, want)
		}
	}
	const noShell = "hint: there is no shell here; write sh -c '…'"
	for line, want := range map[string]string{
		``:                "the command is empty",
		"  \n":            "the command is empty",
		`a | b`:           noShell,
		`a & b`:           noShell,
		`a; b`:            noShell,
		`a <b`:            noShell,
		`a >b`:            noShell,
		`a $b`:            noShell,
		`a *`:             noShell,
		`a # b`:           noShell,
		`a#b`:             noShell,
		"a `b`":           noShell,
		`a 'b`:            "a ' is not closed",
		`a "b`:            `a " is not closed`,
		`a 'b"`:           "a ' is not closed",
		`a \`:             "it ends in a backslash",
		`a "b\`:           "it ends in a backslash",
		`echo "a\nb"`:     `\n in double quotes would lose its backslash`,
		"a \\\n b":        "a line cannot be continued after a backslash",
		"a \"b\\\nc\"":    "a line cannot be continued after a backslash",
		"a \xff":          "it is not UTF-8",
		`'it''s' | "x" y`: noShell,
	} {
		s, err := ParseCommand(line)
		if err == nil {
			t.Errorf("%q: %q; want an error", line, s.Args)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q in it", line, err, want)
		}
		if first, _, _ := strings.Cut(err.Error(), "\n"); !utf8.ValidString(first) {
			t.Errorf("%q: raw bytes in %q", line, first)
		}
	}
}

// What is accepted are words that, quoted again, give the same words; and shlex, which splits them, agrees.
func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{`a 'b c' "d\"e"`, `a\ b`, `"\$\\"`, "a\tb\nc", `''`, `a'b"c'd`, "\\\n", "\xff", "a#b", `"\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, err := ParseCommand(line)
		if err != nil {
			return
		}
		if !utf8.ValidString(line) || len(s.Args) == 0 {
			t.Fatalf("%q is accepted as %q", line, s.Args)
		}
		if words, err := shlex.Split(line); err != nil || !slices.Equal(words, s.Args) {
			t.Fatalf("%q: %q; shlex says %q, %v", line, s.Args, words, err)
		}
		var quoted []string
		for _, word := range s.Args {
			quoted = append(quoted, "'"+strings.ReplaceAll(word, "'", `'\''`)+"'")
		}
		again, err := ParseCommand(strings.Join(quoted, " "))
		if err != nil || !slices.Equal(again.Args, s.Args) {
			t.Fatalf("%q gives %q; quoted again %q, %v", line, s.Args, again.Args, err)
		}
	})
}
