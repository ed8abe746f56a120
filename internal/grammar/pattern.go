// Package grammar reads the small languages of the command line and of test files: PATTERN, REPLY, the
// rule of --on, KEY and CMD. It turns words into the values of packages expect and proc and does nothing else.
//
// A mistake is found here, before a program is started. An error's first line says what is wrong;
// a second line, "hint: …", what to write instead.
package grammar

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spawnx/spawnx/expect"
)

// Pattern reads a PATTERN: text, /re/ with the flags i, m and s, <eof>, <waiting> or <idle 2s>. A leading backslash
// makes the rest plain text.
func Pattern(s string) (expect.Pattern, error) {
	if plain, ok := strings.CutPrefix(s, `\`); ok {
		if plain == "" {
			return nil, fmt.Errorf("an empty pattern matches everything\nhint: for a backslash write '\\\\'")
		}
		return expect.Text(plain), nil
	}
	if re, flags, ok := cutRegexp(s); ok {
		return regexpPattern(s, re, flags)
	}
	if re, flags, ok := cutFlags(s); ok && re != "" && flags != "" && strings.Trim(flags, "imsgxuyU") == "" { // no path ends so
		return nil, fmt.Errorf("pattern %s: the flags are i, m and s\nhint: for this very text write '\\%s'", s, s)
	}
	if inner, ok := bracketed(s); ok {
		return namedPattern(s, inner)
	}
	if s == "" {
		return nil, fmt.Errorf("an empty pattern matches everything\nhint: for any output write '/./s'")
	}
	return expect.Text(s), nil
}

// cutRegexp takes /re/flags apart. What does not end so is text.
func cutRegexp(s string) (re, flags string, ok bool) {
	re, flags, ok = cutFlags(s)
	return re, flags, ok && strings.Trim(flags, "ims") == ""
}

// cutFlags does that with whatever stands behind the last slash.
func cutFlags(s string) (re, flags string, ok bool) {
	end := strings.LastIndexByte(s, '/')
	if end < 1 || s[0] != '/' {
		return "", "", false
	}
	return s[1:end], s[end+1:], true
}

func regexpPattern(s, re, flags string) (expect.Pattern, error) {
	if re == "" {
		return nil, fmt.Errorf("%s is an empty pattern and matches everything\nhint: for the text %s write '\\%s'", s, s, s)
	}
	if flags != "" {
		re = "(?" + flags + ")" + re
	}
	if _, err := regexp.Compile(re); err != nil {
		return nil, fmt.Errorf("pattern %s: %w\nhint: for this very text write '\\%s'", s, err, s)
	}
	return expect.Regexp(re), nil
}

// bracketed reports whether s begins with < and ends with >, and what is between.
func bracketed(s string) (inner string, ok bool) {
	if len(s) < 2 || s[0] != '<' || s[len(s)-1] != '>' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

func namedPattern(s, inner string) (expect.Pattern, error) {
	word, rest, _ := strings.Cut(inner, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case inner == "eof":
		return expect.EOF, nil
	case word == "idle":
		d, err := time.ParseDuration(rest)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("pattern %s: %q is no duration\nhint: write '<idle 2s>'", s, rest)
		}
		return expect.Idle(d), nil
	case inner == "timeout":
		return nil, fmt.Errorf("<timeout> cannot be answered: what takes too long is ended\nhint: for a pause in the output write '<idle 2s>'")
	case inner == "waiting":
		return expect.Waiting, nil
	}
	return nil, fmt.Errorf("%s is no pattern\nhint: for this very text write '\\%s'", s, s)
}
