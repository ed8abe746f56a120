// Package artifact makes what a failed test leaves behind: a folder that shows
// what a person would have seen, what was done, and why it ended as it did.
//
//	c, watch := artifact.Follow(c, artifact.Options{Command: spec.Args})
//	… the dialog …
//	watch.Fail(failure)
//	names, err := watch.Save(dir)
//
// A Watch only notes what happens, in bounded memory; a test that passes pays
// for nothing else.
package artifact

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// Options say what is watched.
type Options struct {
	Name    string // of the program among several; begins the names of its files
	Command []string
	Term    string // its TERM

	// Hide, unless nil, returns what takes secrets out of the output, piece by
	// piece up to a nil; what it holds back comes with a later piece. It is asked
	// when the timeline is read or saved, so that it knows all secrets.
	Hide func() func(p []byte) []byte
}

// A Kind is what an Event is.
type Kind string

const (
	Wait   Kind = "wait" // for what stands there begins
	Send   Kind = "send"
	Match  Kind = "match"  // a byte decided it
	Settle Kind = "settle" // a match that more output might have changed was taken, and why
	Output Kind = "output"
	Resize Kind = "resize"
	Note   Kind = "note"
	Fail   Kind = "fail"
)

// An Event is a line of the timeline. The secrets that the conversation was
// given are masked in it.
type Event struct {
	At   time.Duration // since Follow
	Kind Kind
	Text string // of output the bytes themselves
}

// mostOutput bounds the output that is kept: twice as much at most. What is
// older is kept as the screen that it made.
const mostOutput = 1 << 20

// mostAfter is how much of the output is looked at that comes behind a failure:
// much more would drive out what came before it.
const mostAfter = 64 << 10

// mostEvents bounds their number in the same way.
const mostEvents = 50000

// A Watch notes what happens in a conversation. It may be used by any goroutine,
// but its Screen only as a Renderer may.
type Watch struct {
	options Options
	screen  *screen.Screen
	bare    bool // there is no terminal that would begin a new line at its left

	mu      sync.Mutex // guards all below
	begun   time.Time
	over    bool           // see Fail
	after   int            // bytes of output since
	failure error          // what was given to it
	size    proc.Size      // at the first of events
	events  []Event        // consecutive
	output  int            // bytes of it in events
	before  *screen.Screen // what the output that is no longer kept has made; nil: all is kept
	dropped int            // events
}

// Follow watches a conversation from now on, best from its beginning. The
// Console that it returns is the one to use: its Options.Screen is the Watch's
// screen, so that OnScreen works.
func Follow(c *expect.Console, o Options) (*expect.Console, *Watch) {
	size, _ := c.Bridge().Size()
	w := &Watch{options: o, begun: time.Now(), size: size.OrDefault()}
	w.screen, w.bare = screen.New(w.size.Rows, w.size.Cols), c.Bridge().Stats().Peer.Terminal == ""
	if w.bare {
		_, _ = w.screen.Write(lineMode) // a screen never fails
	}
	c.Transcript(scribe{w})
	return c.With(expect.Options{Screen: tap{w.screen, w}}), w
}

// lineMode is what a terminal is told so that it takes a line feed for the start of a new line.
var lineMode = []byte("\x1b[20h")

// Screen is what the program shows. It may be asked between calls of the
// conversation and in its Actions.
func (w *Watch) Screen() *screen.Screen { return w.screen }

// Waits notes that a wait begins: for one of the cases, or for what is said in
// words, such as "the end".
func (w *Watch) Waits(what string, cases ...expect.Pattern) {
	for _, p := range cases {
		what += " " + fmt.Sprint(p)
	}
	w.note(Wait, strings.TrimPrefix(what, " "))
}

// Note notes anything else that helps to understand.
func (w *Watch) Note(text string) { w.note(Note, text) }

// Fail notes why the conversation failed. From then on only output is noted:
// what else is done is done to look at what is left. A nil failure only says that.
func (w *Watch) Fail(failure error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if failure != nil {
		first, _, _ := strings.Cut(failure.Error(), "\n")
		w.add(Fail, first)
	}
	w.over, w.failure = true, failure
}

// Events returns the timeline so far.
func (w *Watch) Events() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told()
}

// Dropped is how many events were given up, the oldest, to bound the memory.
func (w *Watch) Dropped() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// told is the timeline without the secrets that Options.Hide knows. Called with mu held.
func (w *Watch) told() []Event {
	events := w.events[:len(w.events):len(w.events)]
	if w.options.Hide == nil || len(events) == 0 {
		return events
	}
	output := w.options.Hide()
	told := make([]Event, 0, len(events)+1)
	for _, e := range events {
		if e.Kind == Output {
			if e.Text = string(output([]byte(e.Text))); e.Text == "" {
				continue
			}
		} else {
			e.Text = w.hidden(e.Text)
		}
		told = append(told, e)
	}
	if rest := output(nil); len(rest) > 0 {
		told = append(told, Event{events[len(events)-1].At, Output, string(rest)})
	}
	return told
}

// hidden is a single text without the secrets that Options.Hide knows.
func (w *Watch) hidden(text string) string {
	if w.options.Hide == nil {
		return text
	}
	hide := w.options.Hide()
	return string(append(hide([]byte(text)), hide(nil)...))
}

func (w *Watch) note(k Kind, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(k, text)
}

// add notes an event, unless all is over. Called with mu held.
func (w *Watch) add(k Kind, text string) {
	switch {
	case w.over && k == Output:
		if w.after += len(text); w.after > mostAfter {
			return
		}
		w.output += len(text)
	case k == Output:
		w.output += len(text)
	case w.over && k != Resize:
		return
	}
	w.events = append(w.events, Event{time.Since(w.begun), k, text})
	if w.output > 2*mostOutput || len(w.events) > 2*mostEvents {
		w.forget()
	}
}

// forget gives up the older half of the events.
func (w *Watch) forget() {
	if w.before == nil {
		w.before = screen.New(w.size.Rows, w.size.Cols)
		if w.bare {
			_, _ = w.before.Write(lineMode)
		}
	}
	n := 0
	for output := w.output; n < len(w.events)/2 || output > mostOutput; n++ {
		switch e := w.events[n]; e.Kind {
		case Output:
			_, _ = w.before.Write([]byte(e.Text)) // a screen never fails
			output -= len(e.Text)
			w.output = output
		case Resize:
			w.size = sizeOf(e.Text)
			w.before.Resize(w.size.Rows, w.size.Cols)
		}
	}
	w.events = append([]Event(nil), w.events[n:]...)
	w.dropped += n
}

func sizeOf(text string) proc.Size {
	var s proc.Size
	_, _ = fmt.Sscanf(text, "%dx%d", &s.Rows, &s.Cols) // it is ours
	return s
}

// A tap is the Watch's screen as the conversation's Renderer: it notes sizes.
type tap struct {
	*screen.Screen
	w *Watch
}

func (t tap) Resize(rows, cols int) {
	if r, c := t.Size(); r == rows && c == cols {
		return
	}
	t.w.mu.Lock()
	t.w.add(Resize, fmt.Sprintf("%dx%d", rows, cols))
	t.w.mu.Unlock()
	t.Screen.Resize(rows, cols)
}

// anyScreen is how a transcript shows OnScreen(Regexp("")), which looks at every settled screen.
const anyScreen = "<screen //>"

// A scribe takes the output, what was sent and what matched out of a transcript:
// there the secrets of the conversation are masked.
type scribe struct{ w *Watch }

func (s scribe) Write(p []byte) (int, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for line := range bytes.Lines(p) {
		_, line, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		kind, text, _ := strings.Cut(line, " ")
		text = strings.TrimSpace(text)
		switch kind {
		case "<":
			if output, err := strconv.Unquote(text); err == nil { // it was quoted
				s.w.add(Output, output)
			}
		case ">":
			s.w.add(Send, text)
		case "=":
			text = strings.Replace(text, anyScreen, "the screen is at rest:", 1)
			if decided, ok := strings.CutSuffix(text, " decided"); ok {
				s.w.add(Match, decided)
			} else {
				s.w.add(Settle, text)
			}
		}
	}
	return len(p), nil
}
