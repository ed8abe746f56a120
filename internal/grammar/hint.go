package grammar

import (
	"strings"

	"github.com/spawnx/spawnx/internal/lazy"
)

var (
	pressKeys = lazy.Regexp(`^SendKey\((.*)\)$`)
	asText    = lazy.Regexp(`^"(.*)" is there as text: it was given as a regular expression$`)
	asRegexp  = lazy.Regexp(`^"(.*)" matches as a regular expression: it was given as text$`)
)

// Hint says a hint of package expect, which is for who writes Go, in the words of the command line and of tests. verb is
// how a word of theirs is written for the program: "sendkey" may be "spawnx sendkey NAME".
func Hint(hint string, verb func(word string) string) string {
	if m := pressKeys.Get().FindStringSubmatch(hint); m != nil {
		return verb("sendkey") + " " + strings.ReplaceAll(strings.Trim(m[1], `"`), `", "`, " ")
	}
	if m := asText.Get().FindStringSubmatch(hint); m != nil {
		return `"` + m[1] + `" is there as text: write '` + quoted(m[1]) + `' without slashes`
	}
	if m := asRegexp.Get().FindStringSubmatch(hint); m != nil {
		return `"` + m[1] + `" matches as a regular expression: write '/` + quoted(m[1]) + `/'`
	}
	switch hint {
	case "Options.UnprovedSecrets types it all the same":
		return verb("sendsecret") + " -unproved types it all the same"
	case "answer it with a secret: a rule whose action is Password":
		return "answer it: " + verb("sendsecret") + " env:NAME"
	}
	return hint
}

// quoted is a text that stood between double quotes, to stand between single ones.
func quoted(s string) string {
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `'`, `''`).Replace(s)
}
