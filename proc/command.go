package proc

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/shlex"
)

// ParseCommand returns the Spec of a command that is one string, split at blanks and quotes as a shell does it. There
// is no shell: what one would act upon, unquoted | & ; < > $ * # or a backquote, is an error, and so is what would be
// split in a way that surprises.
func ParseCommand(line string) (Spec, error) {
	if err := checkWords(line); err != nil {
		return Spec{}, fmt.Errorf("command %q: %w", line, err)
	}
	words, err := shlex.Split(line)
	if err != nil { // checkWords finds all that shlex calls an error
		return Spec{}, fmt.Errorf("command %q: %w", line, err)
	}
	if len(words) == 0 {
		return Spec{}, errors.New("the command is empty")
	}
	return Spec{Args: words}, nil
}

// shellSyntax is what a shell acts upon outside quotes. A # begins a comment for shlex, which drops the rest silently.
const shellSyntax = "|&;<>$*#`"

// checkWords finds what shlex would take silently in another way than a shell.
func checkWords(line string) error {
	if !utf8.ValidString(line) {
		return errors.New("it is not UTF-8; give the words one by one")
	}
	const outside = rune(0)
	quote, escaped := outside, false
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
			if r == '\n' {
				return errors.New("a line cannot be continued after a backslash")
			}
			// Inside double quotes a shell keeps the backslash before any other character; shlex drops it.
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				return fmt.Errorf(`\%c in double quotes would lose its backslash`+"\nhint: use single quotes, or write "+`\\%[1]c`, r)
			}
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != outside:
			if r == quote {
				quote = outside
			}
		case r == '\'' || r == '"':
			quote = r
		case strings.ContainsRune(shellSyntax, r):
			return fmt.Errorf("it has an unquoted %c\nhint: there is no shell here; write sh -c '…'", r)
		}
	}
	switch {
	case escaped:
		return errors.New("it ends in a backslash")
	case quote != outside:
		return fmt.Errorf("a %c is not closed", quote)
	}
	return nil
}
