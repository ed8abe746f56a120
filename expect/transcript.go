package expect

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/secret"
)

// Transcript writes what happens in the conversation to w from now on, a line
// for each event: the seconds since it began, what it is, and the bytes, quoted
// and with everything invisible escaped.
//
//	0.012 <  "Password: "        the program wrote
//	0.013 >  [secret] <enter>    was sent
//	0.013 =  "Password: " decided matched, and what decided it
//
// Secrets that were sent are masked wherever they stand; so what could be the
// beginning of one is written later than it came. Output is written when a
// call reads it. A writer that fails is left out from then on. remove ends it;
// w is not closed.
func (c *Console) Transcript(w io.Writer) (remove func()) {
	return c.log.add(w)
}

// A transcript is the log of a conversation and the place where its secrets
// are known.
type transcript struct {
	queries escape.Queries // questions to the terminal; guarded by conversation.mu

	mu    sync.Mutex
	begun time.Time
	sinks []*sink
	out   secret.Mask // of the program's output
	words secret.Mask // of single texts
}

type sink struct{ w io.Writer }

func newTranscript() *transcript { return &transcript{begun: time.Now()} }

func (t *transcript) add(w io.Writer) (remove func()) {
	s := &sink{w}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sinks = append(t.sinks, s)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.remove(s)
	}
}

func (t *transcript) remove(s *sink) {
	keep := make([]*sink, 0, len(t.sinks))
	for _, other := range t.sinks {
		if other != s {
			keep = append(keep, other)
		}
	}
	t.sinks = keep
}

// hide masks a secret from now on.
func (t *transcript) hide(value []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out.Add(value)
	t.words.Add(value)
}

// mask returns s without secrets.
func (t *transcript) mask(s string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.words.Text(s)
}

func (t *transcript) output(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sinks) == 0 || len(p) == 0 {
		return
	}
	if p = t.out.Feed(nil, p); len(p) > 0 {
		t.line("< ", escape.Quote(string(p)))
	}
}

func (t *transcript) sent(shown string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sinks) > 0 {
		t.line("> ", t.words.Text(shown))
	}
}

func (t *transcript) matched(m Match, why release) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sinks) > 0 {
		t.line("= ", fmt.Sprintf("%s %s", escape.Visible(m.Pattern.String()), why))
	}
}

// line writes one event. Called with mu held.
func (t *transcript) line(kind, text string) {
	for _, s := range t.sinks {
		if _, err := fmt.Fprintf(s.w, "%.3f %s %s\n", time.Since(t.begun).Seconds(), kind, text); err != nil {
			t.remove(s)
		}
	}
}

// close writes what was kept back.
func (t *transcript) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sinks) > 0 {
		if p := t.out.Flush(nil); len(p) > 0 {
			t.line("< ", escape.Quote(string(p)))
		}
	}
}
