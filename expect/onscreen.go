package expect

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/spawnx/spawnx/proc"
)

// A Renderer knows what a terminal would show of the output that is written to
// it: screen.New(24, 80) is one. A conversation writes all output to it, in
// order and once, from the oldest that is kept; it does so inside its calls that
// wait, so a Renderer may be asked between calls and in Actions, and belongs to
// one conversation. It gets the size of the program's terminal and follows it.
type Renderer interface {
	io.Writer
	// Text is what it shows: rows with newlines between, blanks at their ends
	// left out.
	Text() string
	// Settled reports that it is not in the middle of something: a sequence, a
	// character, or an update that is to be seen as a whole.
	Settled() bool
	// Answers returns what a terminal answers to the questions written since it
	// was asked last, and forgets it.
	Answers() []byte
	Resize(rows, cols int)
}

// OnScreen matches when the rendered screen, Options.Screen, shows the Text or
// Regexp p and is at rest: the program waits for input, or the output was quiet
// for Options.Settle, or it ended. What was unread is then Match.Before, and is
// consumed; Text and Groups are what stands on the screen. Rows are lines
// there; a Text that ends in blanks also matches at the end of a row.
//
// In the middle of an update that is to be seen as a whole it is at rest only
// when the program waits, and when the call's time is over.
//
// It matches what is there, be it old: behind a send it waits for the program
// to have taken that as far as this can be seen. A rule fires again only when
// there was output since.
func OnScreen(p Pattern) Pattern { return screenPattern{p} }

// A screen is a Renderer of a conversation and how far it has come.
type screen struct {
	Renderer
	size proc.Size
	fed  int64
}

// showOn makes r a screen of the conversation, with all output that is kept so
// far.
func (c *conversation) showOn(r Renderer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.screens {
		if s.Renderer == r {
			return
		}
	}
	old := c.b.Output().Reader("screen", 0) // its own: what was consumed is shown too
	defer old.Close()
	s := &screen{Renderer: r}
	if size, _ := c.b.Size(); size != (proc.Size{}) {
		s.resize(size)
	}
	if from := old.Offset(); from < c.text.seen {
		a, b := old.View(from, c.text.seen)
		_, _ = s.Write(a) // a Renderer that cannot show it says so itself
		_, _ = s.Write(b)
	}
	s.fed = c.text.seen
	_ = s.Answers() // these questions are old
	c.screens = append(c.screens, s)
}

// show writes the output up to the offset to on all screens, and returns what
// they answer. Called with mu held.
func (c *conversation) show(to int64) (answers []string) {
	for _, s := range c.screens {
		if size, from := c.b.Size(); size != s.size && size != (proc.Size{}) {
			s.feed(c, min(from, to))
			if from <= to {
				s.resize(size)
			}
		}
		s.feed(c, to)
		if a := s.Answers(); len(a) > 0 && len(answers) == 0 { // one terminal answers
			answers = []string{string(a)}
		}
	}
	return answers
}

func (s *screen) feed(c *conversation, to int64) {
	if to <= s.fed {
		return
	}
	a, b := c.r.View(s.fed, to)
	_, _ = s.Write(a)
	_, _ = s.Write(b)
	s.fed = to
}

func (s *screen) resize(size proc.Size) {
	s.Resize(size.Rows, size.Cols)
	s.size = size
}

// An onScreen looks for one pattern on the screen.
type onScreen struct {
	text string
	re   *regexp.Regexp // nil: text

	since time.Time // when it was first seen to be there
	from  int64     // and where the output stood then
}

// newOnScreen makes what looks for p.
func (c *Console) newOnScreen(p screenPattern) (*onScreen, error) {
	if c.opts.Screen == nil {
		return nil, errors.New("there is no screen: set Options.Screen")
	}
	switch p := p.p.(type) {
	case Text:
		return &onScreen{text: string(p)}, nil
	case Regexp:
		re, err := regexp.Compile(string(p))
		return &onScreen{re: re}, err
	}
	return nil, fmt.Errorf("%v cannot stand on a screen: only Text and Regexp can", p.p)
}

// find returns the place of the pattern and its groups in what a screen shows,
// nil where it is not there.
func (o *onScreen) find(shown string) []int {
	if o.re != nil {
		return o.re.FindStringSubmatchIndex(shown)
	}
	core := strings.TrimRight(o.text, " ")
	blanks := o.text[len(core):]
	for from := 0; ; {
		i := strings.Index(shown[from:], core)
		if i < 0 {
			return nil
		}
		start, end := from+i, from+i+len(core)
		rest, _, _ := strings.Cut(shown[end:], "\n") // blanks at the end of a row are not there
		if strings.HasPrefix(rest, blanks) {
			return []int{start, end + len(blanks)}
		}
		if strings.Trim(rest, " ") == "" {
			return []int{start, end + len(rest)}
		}
		if from = start + 1; from > len(shown) {
			return nil
		}
	}
}

func newShown() *int64 {
	never := int64(-1)
	return &never
}

// shows reports whether the screen shows what e looks for. Called with mu held,
// as all below.
func (w *wait) shows(e *entry) bool {
	if e.rule != nil && *e.shown >= w.have {
		return false // it was answered, and nothing came since
	}
	_ = w.c.show(w.have) // the size alone may have changed
	return e.onScreen.find(w.c.opts.Screen.Text()) != nil
}

// settledScreen says why what e looks for is there to stay, else when to look
// again.
func (w *wait) settledScreen(e *entry, now time.Time, late bool, next time.Time) (release, time.Time) {
	whole, there := w.c.opts.Screen.Settled(), w.shows(e)
	if !whole || !there {
		e.onScreen.since = time.Time{}
	}
	switch {
	case !there:
		return undecided, next
	case !whole && late:
		return timedOut, next
	case !whole: // it stays so only where the program waits
		ev, at := w.evidence(now, next)
		if ev.Proved() {
			return proved, next
		}
		return undecided, at
	}
	if e.onScreen.since.IsZero() {
		e.onScreen.since, e.onScreen.from = now, w.have
	}
	p := pending{behind: w.have - e.onScreen.from, since: e.onScreen.since, quiet: w.last}
	why, again := p.judge(now, w.c.opts, false)
	switch {
	case why == undecided && late:
		return timedOut, next
	case why == undecided:
		ev, at := w.evidence(now, again)
		if ev.Proved() {
			return proved, next
		}
		again = at
	case why == settled && w.unsettled(now):
		why, again = undecided, now.Add(w.c.opts.Settle)
	}
	return why, sooner(next, again)
}

// onScreen is the Match of what the screen shows.
func (w *wait) onScreen(e *entry, why release) (*entry, Match, time.Time, error) {
	shown := w.c.opts.Screen.Text()
	at := e.onScreen.find(shown)
	e, m, next, err := w.rest(e, why)
	if err != nil {
		return e, m, next, err
	}
	m.Text = shown[at[0]:at[1]]
	if re := e.onScreen.re; re != nil {
		m.names = re.SubexpNames()
		m.Groups = make([]string, len(at)/2)
		for i := range m.Groups {
			if at[2*i] >= 0 {
				m.Groups[i] = shown[at[2*i]:at[2*i+1]]
			}
		}
	}
	return e, m, next, nil
}
