package clitest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spawnx/spawnx/internal/dialog"
)

// FromRecord writes the test that does again what a person did in a recorded
// session, and wants the same of the program. Secrets are references to
// variables of the environment: what was typed unseen is in no recording.
func FromRecord(s dialog.Session) []byte {
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	b.WriteString("# What was done in a session, as recorded.\n")
	if s.Dir != "" {
		line("cd", quoteWord(s.Dir))
	}
	for _, e := range s.Env {
		line("env", quoteWord(e))
	}
	spawn := []string{"spawn"}
	if s.Rows != 24 || s.Cols != 80 {
		spawn = append(spawn, "-size", fmt.Sprintf("%dx%d", s.Rows, s.Cols))
	}
	if s.Stdio != "" && s.Stdio != "pty" {
		spawn = append(spawn, "-stdio", s.Stdio)
	}
	for _, a := range s.Args {
		spawn = append(spawn, quoteWord(a))
	}
	line(spawn...)
	for _, r := range s.Rules {
		line("on", quoteWord(r.Pattern), quoteWord(r.Reply))
	}
	secrets := 0
	for _, step := range s.Steps {
		expectLine(line, step.Wait)
		switch step.Kind {
		case dialog.Line:
			line("sendline", quoteWord(step.Text))
		case dialog.Text:
			line("send", quoteWord(step.Text))
		case dialog.Keys:
			words := []string{"sendkey"}
			for _, name := range step.Names {
				words = append(words, quoteWord(name))
			}
			line(words...)
		case dialog.EOF:
			line("sendeof")
		case dialog.Resized:
			line("resize", fmt.Sprintf("%dx%d", step.Rows, step.Cols))
		case dialog.Hidden:
			secrets++
			names := dialog.SecretNames(secrets)
			words := []string{"sendsecret", "env:" + names[len(names)-1]}
			if step.Unproved {
				words = slices.Insert(words, 1, "-unproved")
			}
			line(words...)
		}
	}
	expectLine(line, s.Last)
	switch {
	case !s.Ended:
	case s.Status == 0:
		line("wait")
	default:
		line("wait", fmt.Sprint(s.Status))
	}
	return []byte(b.String())
}

// expectLine writes the wait for what stands before an answer.
func expectLine(line func(...string), p dialog.Pattern) {
	if p == (dialog.Pattern{}) {
		return
	}
	text := p.Text
	switch {
	case p.Idle:
		text = "<idle 500ms>"
	case p.Regexp:
		text = "/" + text + "/"
	case strings.HasPrefix(text, `\`) || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "<"):
		text = `\` + text
	}
	words := []string{"expect"}
	if p.OnScreen {
		words = append(words, "-screen")
	}
	if strings.HasPrefix(text, "-") {
		words = append(words, "--")
	}
	line(append(words, quoteWord(text))...)
}

// quoteWord writes a word so that it is read as it is.
func quoteWord(s string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./=:,@+%", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
