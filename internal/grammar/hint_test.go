package grammar

import "testing"

func TestHint(t *testing.T) {
	verb := func(word string) string { return "spawnx " + word + " db" }
	for hint, want := range map[string]string{
		`SendKey("ctrl-c")`:    "spawnx sendkey db ctrl-c",
		`SendKey("up", "tab")`: "spawnx sendkey db up tab",
		`"[Y/n]" is there as text: it was given as a regular expression`:      `"[Y/n]" is there as text: write '[Y/n]' without slashes`,
		`"it's \"a\"" is there as text: it was given as a regular expression`: `"it's \"a\"" is there as text: write 'it''s "a"' without slashes`,
		`"a\\d" matches as a regular expression: it was given as text`:        `"a\\d" matches as a regular expression: write '/a\d/'`,
		"Options.UnprovedSecrets types it all the same":                       "spawnx sendsecret db -unproved types it all the same",
		"answer it with a secret: a rule whose action is Password":            "answer it: spawnx sendsecret db env:NAME",
		"give it a pipe": "give it a pipe",
	} {
		if got := Hint(hint, verb); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", hint, got, want)
		}
	}
}
