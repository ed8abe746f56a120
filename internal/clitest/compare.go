package clitest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/tools/txtar"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/secret"
)

// The commands that look at what came.
func checkCommands() []command {
	return []command{
		{name: "cmp", args: "FILE1 FILE2", about: "two files are equal; stdout and stderr are files too", negated: true, min: 2, max: 2, check: checkCmp, run: (*state).cmdCmp},
		{name: "cmpenv", args: "FILE1 FILE2", about: "the same, with variables expanded in FILE2", negated: true, min: 2, max: 2, check: checkCmp, run: (*state).cmdCmp},
		{name: "grep", args: "[-count=N] REGEXP FILE", about: "a regular expression matches in a file", negated: true, min: 2, max: 3, check: checkMatch, run: (*state).cmdMatch},
		{name: "stderr", args: "[-count=N] REGEXP", about: "the same in the errors of the last exec or wait", negated: true, min: 1, max: 2, check: checkMatch, run: (*state).cmdMatch},
		{name: "stdout", args: "[-count=N] REGEXP", about: "the same in the output of the last exec or wait", negated: true, min: 1, max: 2, check: checkMatch, run: (*state).cmdMatch},
	}
}

func checkCmp(c call) error {
	if c.args[0] == c.args[1] {
		return failed("a file is always equal to itself")
	}
	return nil
}

func (s *state) cmdCmp(c call) error {
	name1, name2 := c.args[0], c.args[1]
	have, err := s.read(name1)
	if err != nil {
		return err
	}
	want, err := s.read(name2)
	if err != nil {
		return err
	}
	if c.cmd.name == "cmpenv" {
		want = expand(want, s.getenv)
	}
	switch {
	case (have == want) != c.not:
		return nil
	case c.not:
		return failed("%s and %s are equal", escape.Visible(name1), escape.Visible(name2))
	}
	if inArchive, ok := s.files[s.abs(name2)]; ok && s.opts.Update && c.cmd.name == "cmp" {
		return s.update(inArchive, []byte(have))
	}
	p := failed("%s and %s differ (- %[2]s, + %[1]s)", escape.Visible(name1), escape.Visible(name2))
	for i, text := range diffLines(s.veil.output(want), s.veil.output(have)) {
		p.details = append(p.details, detail{[]string{"diff", ""}[min(i, 1)], text})
	}
	return p
}

// update notes the new data of a file of the archive, quoted where the archive could not hold it as it is.
func (s *state) update(name string, data []byte) error {
	if len(data) > 0 && data[len(data)-1] != '\n' {
		return hinted("an archive holds whole lines only", "-u cannot write %s: it does not end in a line end", name)
	}
	if err := s.public(name, string(data)); err != nil {
		return err
	}
	if archive := txtar.Parse(data); len(archive.Files) > 0 {
		data = quote(data)
		s.note("the new " + name + " is quoted: unquote it in the script")
	}
	s.updates[name] = data
	return nil
}

// public refuses to write a secret into the test.
func (s *state) public(name, text string) error {
	if s.veil.words(text) == text {
		return nil
	}
	return hinted("write [..] in its place in a screen; check an output with stdout or grep", "-u cannot write %s: a secret stands in it", name)
}

func checkMatch(c call) error {
	_, err := parseMatch(c)
	return err
}

// first is what was found, as it is in the text that may be shown: a part of a secret is not.
func (m match) first(shown, found string) string {
	if strings.Contains(shown, found) {
		return found
	}
	return secret.Shown
}

// A match is what grep, stdout and stderr are asked to look for.
type match struct {
	pattern string
	re      *regexp.Regexp
	count   int // 0: any number
	file    string
}

// compiled are expressions that were asked for: each is checked before a test runs, and again in each attempt.
var compiled sync.Map // text → *regexp.Regexp

func compile(text string) (*regexp.Regexp, error) {
	if re, ok := compiled.Load(text); ok {
		return re.(*regexp.Regexp), nil
	}
	re, err := regexp.Compile(text)
	if err == nil {
		compiled.Store(text, re)
	}
	return re, err
}

func parseMatch(c call) (m match, err error) {
	args := c.args
	if n, ok := strings.CutPrefix(args[0], "-count="); ok {
		if c.not {
			return m, failed("-count has no meaning behind !")
		}
		if m.count, err = strconv.Atoi(n); err != nil || m.count < 1 {
			return m, failed("-count=%s is no number from 1 on", escape.Visible(n))
		}
		args = args[1:]
	}
	m.file = c.cmd.name
	if c.cmd.name == "grep" && len(args) == 2 {
		m.file, args = args[1], args[:1]
	} else if c.cmd.name == "grep" {
		args = nil
	}
	if len(args) != 1 {
		return m, usageOf(c.cmd.usage())
	}
	m.pattern = args[0]
	if m.re, err = compile("(?m)" + m.pattern); err != nil {
		return m, hinted("it is a regular expression; a backslash takes a character as it is", "%s: %v",
			escape.Quote(m.pattern), strings.Replace(err.Error(), "(?m)", "", 1))
	}
	return m, nil
}

func (s *state) cmdMatch(c call) error {
	m, err := parseMatch(c)
	if err != nil {
		return err
	}
	text, err := s.read(m.file)
	if err != nil {
		return err
	}
	in := ""
	if c.cmd.name == "grep" {
		in = " in " + escape.Visible(m.file)
	}
	label := "output"
	if c.cmd.name == "grep" {
		label = "file"
	}
	pattern := escape.Visible("`" + m.pattern + "`")
	found := m.re.FindAllString(text, -1)
	shown := s.veil.output(text)
	switch {
	case c.not && len(found) > 0:
		return failed("%s matches%s: %s", pattern, in, escape.Quote(m.first(shown, found[0]))).with(label, shown)
	case c.not:
		return nil
	case len(found) == 0:
		p := failed("no match for %s%s", pattern, in).with(label, shown)
		switch { // the other may say why
		case c.cmd.name == "stdout" && s.stderr.text != "":
			p.with("stderr", s.veil.output(s.stderr.text))
		case c.cmd.name == "stderr" && s.stdout.text != "" && !s.joined:
			p.with("stdout", s.veil.output(s.stdout.text))
		}
		switch {
		case regexp.QuoteMeta(m.pattern) != m.pattern && strings.Contains(text, m.pattern):
			p.hint = fmt.Sprintf("it is there as text: write '%s'", strings.ReplaceAll(regexp.QuoteMeta(m.pattern), "'", "''"))
		case doubleQuoted([]string{m.pattern}, text) != "":
			p.hint = doubleQuoted([]string{m.pattern}, text)
		case m.file == "stderr" && s.joined:
			p.hint = "its errors came on its terminal, in stdout; spawn -stdio pty-stderr parts them"
		}
		return p
	case m.count > 0 && len(found) != m.count:
		return failed("%d matches for %s%s, not %d", len(found), pattern, in, m.count).with(label, shown)
	}
	return nil
}
