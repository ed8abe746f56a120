package grammar

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/expect"
)

// A World is what replies need besides the program. The zero World has nobody to ask.
type World struct {
	// Ask leaves the answer to the person at the terminal. Nil: there is none, and <ask> fails with ErrNobody.
	Ask expect.Action
	// Secret makes of a checked reference what fetches it. Nil: expect.SecretRef.
	Secret func(ref string) expect.Secret
}

// A FailError is what the reply <fail MESSAGE> ends a wait with.
type FailError struct{ Message string }

func (e *FailError) Error() string { return e.Message }

// ErrNobody: an <ask>, and no terminal to ask at.
var ErrNobody = errors.New("no terminal to ask at")

// A Reply is an answer: an action, and how often its rule may fire (0: once where it gives a secret, else
// without limit).
type Reply struct {
	Do  expect.Action
	Max int
}

// Reply reads a REPLY: either text, which is sent as a line, or items in angle brackets and nothing else.
// A leading backslash makes the rest plain text; nothing at all is Enter.
func (w World) Reply(s string) (Reply, error) {
	if plain, ok := strings.CutPrefix(s, `\`); ok {
		return Reply{Do: expect.Line(plain)}, nil
	}
	if _, ok := bracketed(s); !ok && !w.begun(s) {
		return Reply{Do: expect.Line(s)}, nil
	}
	items, ok := splitItems(s)
	if !ok {
		return Reply{}, fmt.Errorf("%s: a reply is either text or items in angle brackets\nhint: for this very text write '\\%s'", s, s)
	}
	var steps []expect.Action
	var limit int
	for _, item := range items {
		step, times, err := w.item(item)
		if err != nil {
			return Reply{}, err
		}
		steps, limit = append(steps, step), max(limit, times)
	}
	if len(steps) == 1 {
		return Reply{Do: steps[0], Max: limit}, nil
	}
	return Reply{Do: inOrder(steps), Max: limit}, nil
}

// begun reports whether a text begins as items do, so that it is not clear which of both it is to be: <down>x, <down.
func (w World) begun(s string) bool {
	inner, ok := strings.CutPrefix(s, "<")
	if !ok {
		return false
	}
	item, _, closed := strings.Cut(inner, ">")
	_, _, err := w.item(item)
	return err == nil && (closed || len(item) > 1)
}

// splitItems cuts "<down><enter>" into "down" and "enter". An item has at least one byte, so "<>>" is the
// key ">"; it ends at the next ">".
func splitItems(s string) (items []string, ok bool) {
	for s != "" {
		if s[0] != '<' || len(s) < 3 {
			return nil, false
		}
		end := strings.IndexByte(s[2:], '>')
		if end < 0 {
			return nil, false
		}
		items, s = append(items, s[1:end+2]), s[end+3:]
	}
	return items, len(items) > 0
}

func inOrder(steps []expect.Action) expect.Action {
	return func(ctx context.Context, c *expect.Console, m expect.Match) error {
		for _, step := range steps {
			if err := step(ctx, c, m); err != nil {
				return err
			}
		}
		return nil
	}
}

// item reads what stands between the brackets.
func (w World) item(s string) (do expect.Action, times int, err error) {
	word, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case s == "eof":
		return func(_ context.Context, c *expect.Console, _ expect.Match) error { return c.SendEOF() }, 0, nil
	case s == "ask":
		return w.ask, 0, nil
	case word == "secret":
		return w.secret(s, rest)
	case word == "fail":
		if rest == "" {
			return nil, 0, fmt.Errorf("<fail> says nothing\nhint: write '<fail MESSAGE>'")
		}
		return func(context.Context, *expect.Console, expect.Match) error { return &FailError{rest} }, 0, nil
	}
	if err := Key(s); err != nil {
		return nil, 0, fmt.Errorf("<%s> is no reply\nhint: for this very text write '\\<%s>'", s, s)
	}
	return expect.Keys(s), 0, nil
}

func (w World) ask(ctx context.Context, c *expect.Console, m expect.Match) error {
	if w.Ask == nil {
		return ErrNobody
	}
	return w.Ask(ctx, c, m)
}

// secret reads "[unproved] [N] REF".
func (w World) secret(item, rest string) (do expect.Action, times int, err error) {
	unproved := false
	if after, ok := strings.CutPrefix(rest, "unproved "); ok {
		unproved, rest = true, strings.TrimSpace(after)
	}
	if first, after, ok := strings.Cut(rest, " "); ok {
		if n, err := strconv.Atoi(first); err == nil {
			if n < 1 {
				return nil, 0, fmt.Errorf("<%s>: a secret is given once or more\nhint: write '<secret 2 env:NAME>'", item)
			}
			times, rest = n, strings.TrimSpace(after)
		}
	}
	if err := SecretRef(rest); err != nil {
		return nil, 0, err
	}
	fetch := w.Secret
	if fetch == nil {
		fetch = expect.SecretRef
	}
	do = expect.Password(fetch(rest))
	if unproved {
		given := do
		do = func(ctx context.Context, c *expect.Console, m expect.Match) error {
			return given(ctx, c.With(expect.Options{UnprovedSecrets: true}), m)
		}
	}
	return do, times, nil
}
