package expect

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"
)

// Command sends line and returns what came until the next prompt, without the
// line's echo and without the prompt. The prompt is Options.Prompt; where none
// is set it is the moment when the program waits for input, and the line that
// it has begun by then is left out. What was unread before is dropped, and
// what rules answer on the way, such as the question of a pager, is left out.
// The answer is whole, however long it is, up to 64 MiB.
//
// A program to which nothing was said yet, and of which nothing was expected,
// may still be starting: the first Command waits for its prompt before it sends,
// or until it waits for input all the same. Where that can never be proved (see
// Waiting), and in every later Command, the line is sent at once.
//
// Without a prompt, where it can never be proved that the program waits (see
// Waiting), the error is ErrNoPrompt.
func (c *Console) Command(ctx context.Context, line string) (string, error) {
	prompt, first := c.opts.Prompt, c.untouched()
	if prompt == nil || first {
		ev := c.waiting(0)
		if prompt == nil && ev.Never {
			return "", &Error{
				Op: "command", Err: ErrNoPrompt, what: "no prompt was set, and it cannot be seen when the program waits for input: " + ev.Why,
				hint: `set a prompt: c.With(expect.Options{Prompt: expect.Text("$ ")})`,
			}
		}
		first = first && !ev.Never
	}
	if prompt == nil {
		prompt = Waiting
	}
	w, err := c.newWait(ctx, "command", []Pattern{prompt})
	if err != nil {
		return "", err
	}
	defer w.end()
	if first {
		if err := w.ready(); err != nil {
			return "", err
		}
	}
	w.heard = new(heard)
	before := w.dropUnread()
	if err := c.SendLine(line); err != nil {
		return "", err
	}
	w.probe.moved()
	w.last = time.Now()
	h, err := w.find()
	c.mu.Lock()
	edited := c.said.edited
	c.mu.Unlock()
	for err == nil && edited && prompt != Waiting && onlyEcho(string(w.heard.text)+h.match.Before+h.match.Text, line) {
		w.heard.add([]byte(h.match.Before + h.match.Text)) // the line has the prompt in it
		w.restart()
		h, err = w.find()
	}
	if err != nil {
		return "", err
	}
	text, err := w.heard.all(h.match.Before)
	if err != nil {
		return "", w.fail(err)
	}
	if edited {
		text = withoutEcho(text, line)
	}
	if prompt == Waiting {
		text, before = splitPrompt(text, before)
		c.mu.Lock()
		c.text.line = before // an answer without a newline stands in the prompt's line
		c.mu.Unlock()
	}
	return strings.TrimLeft(text, "\r"), h.err
}

// untouched reports whether nothing was sent yet and nothing matched.
func (c *Console) untouched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.at.IsZero() && c.text.start.raw == c.text.born
}

// ErrNoPrompt: Command does not know where the answer ends.
var ErrNoPrompt = errors.New("no prompt")

// ready waits until a program that may still be starting takes a line.
func (w *wait) ready() error {
	prompt := w.cases
	w.cases = []Pattern{prompt[0], Waiting} // one that has no prompt before the first line
	if err := w.compile(false); err != nil {
		return err
	}
	w.restart()
	if _, err := w.find(); err != nil {
		return err
	}
	w.cases = prompt
	return w.compile(false) // the search begins behind what is dropped next
}

// dropUnread gives up what came before the wait begins, and returns the line
// that the program has begun.
func (w *wait) dropUnread() (line string) {
	_, _ = w.c.b.Output().Flush() // what cannot be known now comes later
	if _, end := w.c.b.Output().Offsets(); end > w.have {
		w.take(end)
	}
	w.c.mu.Lock()
	buf, at := w.c.text.read(w.c.opts.View, w.have, math.MaxInt64)
	w.c.text.consumed(buf)
	w.c.text.consume(at)
	line = w.c.text.line
	w.c.mu.Unlock()
	w.restart()
	return line
}

// splitPrompt takes the prompt off the end of an answer: the one that stood
// there before, or else the line that was begun.
func splitPrompt(text, before string) (answer, prompt string) {
	if before != "" && strings.HasSuffix(text, before) {
		return strings.TrimSuffix(text, before), before
	}
	i := strings.LastIndexByte(text, '\n') + 1
	return text[:i], text[i:]
}

// heard is what a Command has heard so far and that is no longer unread.
type heard struct {
	text []byte
	over bool // too much came
}

// mostHeard bounds an answer.
const mostHeard = 64 << 20

func (h *heard) add(p []byte) {
	if h.over = h.over || len(h.text)+len(p) > mostHeard; !h.over {
		h.text = append(h.text, p...)
	}
}

func (h *heard) all(rest string) (string, error) {
	h.add([]byte(rest))
	if h.over {
		return "", ErrTooLong
	}
	return string(h.text), nil
}

// ErrTooLong: an answer was longer than 64 MiB.
var ErrTooLong = errors.New("the answer is longer than 64 MiB")

// withoutEcho takes the echo of a line editor off the front of what came.
func withoutEcho(text, line string) string {
	if n, whole := editorEcho(text, line); whole {
		text = strings.TrimPrefix(strings.TrimLeft(text[n:], "\r"), "\n")
	}
	return text
}

// onlyEcho reports whether text, which came behind a line, ends within the
// line's echo. A prompt that came late may stand before it.
func onlyEcho(text, line string) bool {
	const latePrompt = 1000 // bytes, at most
	if line == "" || len(text) > 2*len(line)+latePrompt || strings.Contains(text, "\n") {
		return false
	}
	for i := range len(text) {
		if text[i] != line[0] {
			continue
		}
		if n, _ := editorEcho(text[i:], line); i+n == len(text) {
			return true
		}
	}
	return false
}

// editorEcho returns how many bytes at the start of text are the start of line
// as an editor shows it, and whether that is all of line. Where the line is longer
// than the terminal is wide, the editor breaks it with blanks and carriage
// returns, and may repeat a character at the break.
func editorEcho(text, line string) (n int, whole bool) {
	i := 0
	for j := 0; j < len(line); {
		switch {
		case i < len(text) && text[i] == line[j]:
			i++
			j++
		case strings.HasPrefix(text[i:], " \r"):
			i += 2
		case strings.HasPrefix(text[i:], "\r"):
			i++
			if i < len(text) && j > 0 && text[i] == line[j-1] && (j >= len(line) || text[i] != line[j]) {
				i++
			}
		default:
			return i, false
		}
	}
	return i, true
}
