// Package dialog tells what a person did in a recorded session: what was asked,
// and what was answered. Scripts and tests are written from that.
//
// Typing says what of the keys that a person presses may be recorded at all,
// From turns a recording into steps. Both are pure.
package dialog

import (
	"bytes"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/keys"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/record"
)

// Secret is the kind of the event that stands for a line which was typed where
// nothing of it was shown. It has no Data.
// Unproved is the same where only the program's silence told that.
const (
	Secret   record.Kind = "s"
	Unproved record.Kind = "u"
)

// Ruled is the kind of the event that a standing rule answered: Data is the text that it matched, and behind a NUL the
// line that it sent, where it was one. Nobody else need wait for that text.
const Ruled record.Kind = "a"

// A Mode is what the program's terminal does with a key.
type Mode struct {
	Canonical bool // the program reads lines
	Echo      bool // keys are shown
}

// Typing takes the keys of a person and the output of the program as they come,
// and gives out Input events without the secrets among them.
//
// Where the terminal reads lines, a line during which its echo was off is
// secret. Where it does not (line editors, full-screen programs, relays such as
// ssh) the program itself shows what is typed, or something else: a line of
// which nothing was seen, or only stars, is taken for a secret. So a line is held back
// until it is known: its event may come behind later output, with the time at which
// it was typed.
//
// The zero Typing is ready to use. It is not safe for concurrent use.
type Typing struct {
	line   []byte // not given out yet
	at     time.Duration
	mode   Mode
	hidden bool // the echo was off during it
	seen   bool // the program shows what is typed

	filter escape.Filter
	shown  []byte // text since the line began
	moved  bool   // with escape sequences

	waiting []waiting // lines that were entered before, the first of which is not decided yet
	behind  []byte    // text since that one began
}

// waiting is an event that is not given out yet, as it is not known whether it is a secret, or what one before it is.
type waiting struct {
	record.Event
	known bool
	ahead bool // it was typed before the line above was answered: what is shown first is no answer to it
	given bool // up: it was not entered
}

// reports are what a terminal says by itself: answers to the program's questions,
// its window's focus, the mouse. They are no keys; a shift-f3 is given up for the
// place of the cursor, which looks the same.
var reports = lazy.Regexp(`^\x1b(\[[?>=]?[0-9;]*[cRn]|\[\??[0-9;]*\$y|\[[IO]|\[<[0-9;]*[Mm]|\][^\a\x1b]*(\a|\x1b\\)|P[^\x1b]*\x1b\\)`)

// mostShown bounds what is looked at for a line.
const mostShown = 8 << 10

// Key takes what was typed, which the terminal handles in this mode.
func (t *Typing) Key(at time.Duration, p []byte, mode Mode) (events []record.Event) {
	for len(p) > 0 {
		b, n := p[0], 1
		if report := reports.Get().Find(p); report != nil {
			p = p[len(report):]
			continue
		}
		switch {
		case b == 0x1b && !mode.Canonical:
			if _, n = keys.Parse(p); n == 0 {
				n = len(p)
			}
		case b >= utf8.RuneSelf: // a character is one key
			_, n = utf8.DecodeRune(p)
		}
		typed := p[:n]
		p = p[n:]
		if len(t.line) > 0 && t.drawn() {
			events = append(events, t.end(false)...)
			t.seen = true
		}
		if len(t.line) == 0 {
			seen := t.seen && !mode.Canonical
			t.begin()
			t.at, t.mode, t.seen = at, mode, seen
		}
		if len(t.line) > 0 && !mode.Canonical && !t.seen && (b == 3 || b == 26 || b == 28) { // ctrl-c, z, \ give it up
			t.wait()
			t.waiting[len(t.waiting)-1].given = true
			t.at, t.mode = at, mode
		}
		t.line = append(t.line, typed...)
		t.hidden = t.hidden || mode.Canonical && !mode.Echo
		enter := b == '\r' || b == '\n'
		switch {
		case mode.Canonical && (enter || b == 3 || b == 4 || b == 26 || b == 28): // ctrl-c, d, z, \ end a line too
			secret := t.hidden && enter && len(t.line) > 1 // Enter alone hides nothing, and could not be given as a secret
			if t.hidden && !enter {
				t.line = t.line[len(t.line)-1:]
			}
			events = append(events, t.end(secret)...)
		case mode.Canonical:
		case t.seen:
			events = append(events, t.end(false)...)
			t.seen = !enter
		case enter && len(bytes.TrimSpace(t.line)) == 0:
			events = append(events, t.end(false)...)
		case enter:
			t.wait()
		case len(t.line) == n && (b < ' ' || b == 0x7f):
			events = append(events, t.end(false)...) // keys alone are no secret
		}
	}
	return events
}

// Output takes what the program wrote.
func (t *Typing) Output(at time.Duration, p []byte) (events []record.Event) {
	var text []byte
	for rest := p; len(rest) > 0; {
		more, n := t.filter.Next(rest)
		text = append(text, more...)
		rest = rest[n:]
	}
	if len(t.waiting) > 0 {
		t.behind = append(t.behind, text...)
		events = t.decide()
		if len(t.behind) > 2*mostShown { // the program is busy with the line before
			t.behind = append([]byte(nil), t.behind[len(t.behind)-mostShown:]...)
		}
	}
	if len(t.line) > 0 && len(t.shown) < mostShown {
		t.shown = append(t.shown, text...)
	}
	if len(t.line) == 0 || t.mode.Canonical {
		return events
	}
	t.moved = t.moved || bytes.IndexByte(p, 0x1b) >= 0
	if t.visible(text) {
		events = append(events, t.end(false)...)
		t.seen = true
	}
	return events
}

// End gives out what is left at the end of the session.
func (t *Typing) End() (events []record.Event) {
	if len(t.line) > 0 {
		events = t.end(t.hidden || len(t.line) > 1 && !t.drawn())
	}
	for _, w := range t.waiting {
		events = append(events, w.as(!w.known)...)
	}
	t.waiting = nil
	return events
}

// begin begins a line.
func (t *Typing) begin() {
	clear(t.line)
	*t = Typing{filter: t.filter, waiting: t.waiting, behind: t.behind}
}

// end ends the line. Its event comes behind those that wait.
func (t *Typing) end(secret bool) []record.Event {
	w := waiting{Event: record.Event{Time: t.at, Kind: record.Input, Data: append([]byte(nil), t.line...)}, known: true}
	if secret {
		w.Event = w.as(true)[0]
		if t.mode.Canonical {
			w.Kind = Secret
		}
	}
	t.begin()
	if len(t.waiting) == 0 {
		return []record.Event{w.Event}
	}
	t.waiting = append(t.waiting, w)
	return nil
}

// wait ends a line of which nothing was seen yet. What is shown next decides.
func (t *Typing) wait() {
	if len(t.waiting) == 0 {
		t.behind = t.shown
	}
	t.waiting = append(t.waiting, waiting{Event: record.Event{Time: t.at, Kind: record.Input, Data: append([]byte(nil), t.line...)},
		ahead: len(t.waiting) > 0})
	t.begin()
}

// decide gives out the lines that wait, as far as what was shown tells of them.
func (t *Typing) decide() (events []record.Event) {
	for len(t.waiting) > 0 {
		w, secret := t.waiting[0], false
		if !w.known {
			line := bytes.TrimSpace(w.Data)
			at := bytes.Index(t.behind, line)
			echoing := w.ahead || bytes.HasPrefix(line, bytes.TrimLeft(t.behind, "\r\n\a ")) // its echo may come, or come in pieces
			switch {
			case at >= 0:
				t.behind = t.behind[at+len(line):]
			case t.passed() || !echoing && len(bytes.Trim(t.behind, "\r\n\a *•●")) > 0:
				secret = true
			default:
				return events
			}
		}
		events = append(events, w.as(secret)...)
		t.waiting = t.waiting[1:]
	}
	return events
}

// passed reports whether a later line was shown already: the first will not be.
func (t *Typing) passed() bool {
	return slices.ContainsFunc(t.waiting[1:], func(w waiting) bool {
		line := bytes.TrimSpace(w.Data)
		return !w.known && len(line) > 1 && bytes.Contains(t.behind, append(line[:len(line):len(line)], '\n'))
	})
}

// as is the event of a line, which may be a secret. Of one that was given up nothing is left.
func (w waiting) as(secret bool) []record.Event {
	switch {
	case !secret:
		return []record.Event{w.Event}
	case w.given:
		clear(w.Data)
		return nil
	}
	clear(w.Data)
	return []record.Event{{Time: w.Time, Kind: Unproved}}
}

// fewest is how much of a line must be shown to be no chance, where there are stars, too.
const fewest = 4

// drawn reports, when the next key comes, whether the program drew in answer to those before it, as a full-screen
// program or a line editor does: not earlier, as the stars of a secret may come behind what else is drawn.
func (t *Typing) drawn() bool {
	return t.moved && !t.mode.Canonical && !bytes.ContainsAny(t.shown, "*•●")
}

// visible reports whether the program answers to keys as one that shows them; last is what it wrote at last.
func (t *Typing) visible(last []byte) bool {
	if bytes.ContainsAny(t.shown, "*•●") {
		// The stars of a secret, or of an editor that marks a changed text: that shows the keys themselves.
		keys := bytes.TrimRightFunc(t.line, unicode.IsControl)
		whole := len(keys) >= fewest && bytes.Contains(t.shown, keys)
		own := len(keys) > 1 && len(last) > 0 && bytes.HasSuffix(keys, last)
		return (whole || own) && !bytes.ContainsAny(keys, "*•●")
	}
	rest := t.shown
	for _, b := range t.line {
		if b < ' ' || b == 0x7f {
			continue
		}
		i := bytes.IndexByte(rest, b)
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
	return true
}
