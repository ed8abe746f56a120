package secret

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNoTerminal is the error of an ask: reference where there is nobody to ask.
var ErrNoTerminal = errors.New("no terminal to ask at")

// ErrInterrupted is the error of an ask: reference when the person pressed the
// interrupt key (ctrl-c) instead of answering.
var ErrInterrupted = errors.New("interrupted")

var errNoAnswer = errors.New("no answer was given")

// asking is taken by whoever talks to the terminal, so that two questions do
// not share an answer.
var asking = make(chan struct{}, 1)

// question returns the prompt as it is shown.
func question(prompt string) string {
	prompt = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(prompt, ""))
	prompt = strings.TrimSpace(prompt)
	if prompt == "" {
		prompt = "Secret"
	}
	if !strings.HasSuffix(prompt, ":") && !strings.HasSuffix(prompt, "?") {
		prompt += ":"
	}
	return prompt + " "
}

// editor collects the keys of an answer that is not shown.
type editor struct {
	text                        []byte
	erase, kill, interrupt, end byte // the person's own control characters; 0 for none
}

// verdict says what a key did.
type verdict int

const (
	goesOn verdict = iota
	answered
	interrupted
	ended // without an answer
)

// press takes a byte that was typed.
func (e *editor) press(b byte) verdict {
	switch {
	case b == '\r' || b == '\n':
		return answered
	case b == 0:
		// No answer holds a NUL, and it is how a disabled control character is written.
	case b == e.interrupt:
		return interrupted
	case b == e.end:
		if len(e.text) > 0 {
			return answered
		}
		return ended
	case b == e.kill:
		e.cut(0)
	case b == e.erase || b == '\b' || b == 0x7f:
		_, size := utf8.DecodeLastRune(e.text)
		e.cut(len(e.text) - size)
	case len(e.text) < limit:
		e.text = append(e.text, b)
	}
	return goesOn
}

// cut keeps the first n bytes and wipes the rest.
func (e *editor) cut(n int) {
	clear(e.text[n:])
	e.text = e.text[:n]
}
