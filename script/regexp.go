package script

import (
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"github.com/spawnx/spawnx/expect"
)

// A regexpPattern is the expression of a re(…), which also searches texts of the script.
type regexpPattern struct {
	re    *regexp.Regexp
	names []string // of the groups, "" for those without
}

// newRegexp is re(r"…").
func newRegexp(text string) (pattern, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		what := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		hint := "the syntax is that of RE2: golang.org/s/re2syntax"
		switch {
		case strings.Contains(text, "(?=") || strings.Contains(text, "(?!") || strings.Contains(text, "(?<=") || strings.Contains(text, "(?<!"):
			hint = "there is no looking ahead or behind: list what may come as cases of its own"
		case strings.Contains(what, "invalid escape sequence"):
			hint = `there are no references such as \1: take the groups and compare them`
		}
		return pattern{}, hinted{what, hint}
	}
	return pattern{
		shown: "re(" + starlark.String(text).String() + ")",
		p:     expect.Regexp(text),
		re:    &regexpPattern{re, re.SubexpNames()},
	}, nil
}

func (p pattern) AttrNames() []string {
	if _, ok := p.p.(expect.Regexp); !ok {
		return nil
	}
	return []string{"findall", "search", "sub"}
}

// Attr: of re(…), the words of Python's re for texts that a script has at hand.
func (p pattern) Attr(name string) (starlark.Value, error) {
	if _, ok := p.p.(expect.Regexp); ok {
		switch name {
		case "search":
			return starlark.NewBuiltin(name, p.search), nil
		case "findall":
			return starlark.NewBuiltin(name, p.findall), nil
		case "sub":
			return starlark.NewBuiltin(name, p.sub), nil
		}
	}
	return nil, noAttribute("pattern", name, p.AttrNames())
}

// search is re(…).search(text): a match, or None.
func (p pattern) search(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
		return nil, err
	}
	at := p.re.re.FindStringSubmatchIndex(text)
	if at == nil {
		return starlark.None, nil
	}
	return newMatch(expect.Match{
		Text: text[at[0]:at[1]], Before: text[:at[0]], Groups: p.re.re.FindStringSubmatch(text),
	}, 0, p), nil
}

// findall is re(…).findall(text): all matches; of an expression with one group the groups, with several tuples of them.
func (p pattern) findall(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
		return nil, err
	}
	var list []starlark.Value
	for _, groups := range p.re.re.FindAllStringSubmatch(text, -1) {
		var found starlark.Tuple
		for _, g := range groups[min(1, len(groups)-1):] {
			found = append(found, starlark.String(g))
		}
		if len(found) == 1 {
			list = append(list, found[0])
		} else {
			list = append(list, found)
		}
	}
	return starlark.NewList(list), nil
}

// sub is re(…).sub(replacement, text); ${1} and ${name} in the replacement are groups.
func (p pattern) sub(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var replacement, text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "replacement", &replacement, "text", &text); err != nil {
		return nil, err
	}
	return starlark.String(p.re.re.ReplaceAllString(text, replacement)), nil
}
