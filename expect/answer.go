package expect

import (
	"context"

	"github.com/spawnx/spawnx/internal/escape"
)

// saw shows new output to those who listen along: the transcript, the screens,
// and the search for questions to the terminal, whose answers it returns.
// Called with mu held.
func (c *conversation) saw(from, to int64) (answers []string) {
	from = max(from, c.text.seen)
	if from >= to {
		return nil
	}
	c.text.seen = to
	a, b := c.r.View(from, to)
	for _, p := range [2][]byte{a, b} {
		c.log.output(p)
		c.log.queries.Feed(p, func(q escape.Query) {
			if q.Answer != "" {
				answers = append(answers, q.Answer)
			}
		})
	}
	if len(c.screens) > 0 {
		return c.show(to)
	}
	return answers
}

// answer says what a terminal would say, where a program asks the terminal
// and nobody sits at one: programs such as vim and readline wait for it. Only
// in raw mode: elsewhere the answer would become a line of input.
func (c *Console) answer(ctx context.Context, answers []string) {
	mode, err := c.b.Mode()
	if err != nil || mode.Canonical || c.b.Attended() {
		return
	}
	for _, s := range answers {
		// A program that is gone or does not read needs no answer.
		_, _ = c.b.Input().WriteContext(ctx, []byte(s), c.deadline())
	}
}
