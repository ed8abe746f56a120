package expect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/internal/match"
	"github.com/spawnx/spawnx/internal/scale"
)

// Expect waits until one of the cases matches in what was not consumed yet,
// consumes to the end of the match and no further, and returns it. The
// leftmost match counts; at the same place the earlier case; then the rule of
// the regular expression. Rules among the cases are answered on the way.
//
// What is not listed is an error: a *Error for the end of the output (io.EOF)
// without an EOF case, and for the timeout.
func (c *Console) Expect(ctx context.Context, cases ...Pattern) (Match, error) {
	w, err := c.newWait(ctx, "expect", cases)
	if err != nil {
		return Match{}, err
	}
	defer w.end()
	h, err := w.find()
	if err != nil {
		return Match{}, err
	}
	return h.match, h.err
}

// An entry is a case or a standing rule of a wait.
type entry struct {
	index    int // as in Match.Index
	pattern  Pattern
	rule     *Rule     // nil: a plain case
	count    *int      // how often the rule has fired
	onScreen *onScreen // nil: it does not look at the screen
	shown    *int64    // of a rule that does: the end of the output when it fired last
}

// A wait is one call that waits: the one loop of this package. Its caller
// holds the conversation's turn.
type wait struct {
	c       *Console
	ctx     context.Context
	op      string
	cases   []Pattern
	entries []entry
	search  []int // of each of the matcher's patterns, its entry
	set     *match.Set
	scan    match.Scan
	cur     mark      // how far the scan has come
	have    int64     // how far the output is known
	began   time.Time // of the call
	last    time.Time // of the last output
	until   time.Time // the timeout
	pending time.Time // since when an undecided match is at hand
	over    error     // why no more output comes
	probe   prober    // asks whether the program waits for input
	flushed bool
	heard   *heard       // gets what is no longer unread: Command
	show    func([]byte) // sees the output as it comes: Interact
	claim   func() error // asked before anything is consumed: Select
	held    bool         // whether this wait took the turn itself
}

// A hit is what ended a wait.
type hit struct {
	match Match
	err   error // of the rule that ended it
}

// newWait begins a call that waits.
func (c *Console) newWait(ctx context.Context, op string, cases []Pattern) (*wait, error) {
	w := &wait{c: c, ctx: ctx, op: op, cases: cases, began: time.Now(), until: c.deadline()}
	if err := w.compile(op == "interact"); err != nil {
		return nil, err
	}
	if c.firing.count == 0 { // an Action's Console waits inside the wait that fired it
		if err := c.turn.take(ctx, w.until); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("another call waits on this conversation: %w", err)
			}
			return nil, w.fail(err)
		}
		w.held = true
	}
	w.last = time.Now()
	w.probe.moved()
	w.restart()
	return w, nil
}

func (w *wait) end() {
	if w.held {
		w.c.turn.give()
	}
}

// compile sorts the cases and the standing rules into what the matcher looks
// for and what the loop looks for itself.
func (w *wait) compile(interact bool) error {
	w.entries, w.search = w.entries[:0], w.search[:0]
	bad := func(format string, args ...any) error {
		return &Error{Op: w.op, Err: ErrPattern, what: fmt.Sprintf(format, args...)}
	}
	for i, p := range w.cases {
		e := entry{index: i, pattern: p}
		if r, ok := p.(Rule); ok {
			e.pattern, e.rule, e.count, e.shown = r.When, &r, new(int), newShown()
		}
		if e.pattern == nil {
			return bad("case %d is nil", i)
		}
		if e.rule != nil && e.rule.Do == nil {
			return bad("case %d (%v) is a rule without an action", i, e.pattern)
		}
		if _, ok := e.pattern.(keyPattern); ok && !interact {
			return bad("case %d (%v): keys can be waited for in Interact only", i, e.pattern)
		}
		w.entries = append(w.entries, e)
	}
	w.c.mu.Lock()
	for _, s := range w.c.standing {
		w.entries = append(w.entries, entry{index: -1, pattern: s.rule.When, rule: &s.rule, count: &s.count, shown: &s.shown})
	}
	w.c.mu.Unlock()

	var patterns []match.Pattern
	for i, e := range w.entries {
		switch p := e.pattern.(type) {
		case Text:
			patterns = append(patterns, match.Pattern{Text: string(p)})
		case Regexp:
			patterns = append(patterns, match.Pattern{Text: string(p), Regexp: true})
		case endPattern, waitingPattern, idlePattern, keyPattern:
			continue
		case screenPattern:
			var err error
			if w.entries[i].onScreen, err = w.c.newOnScreen(p); err != nil {
				return bad("%v: %v", p, err)
			}
			continue
		default:
			return bad("case %d (%v) cannot be waited for", i, e.pattern)
		}
		w.search = append(w.search, i)
	}
	set, err := match.Compile(patterns)
	if err == nil {
		w.set = set
		return nil
	}
	var wrong *match.PatternError
	if errors.As(err, &wrong) {
		return bad("%v: %v", w.entries[w.search[wrong.Index]].pattern, wrong.Err)
	}
	return bad("%v", err)
}

// ErrPattern: a case of the call is not one that can be waited for, such as a
// regular expression that does not compile.
var ErrPattern = errors.New("bad pattern")

// restart begins to search from the start of what is unconsumed.
func (w *wait) restart() {
	t := w.c.text
	w.c.mu.Lock()
	t.begin()
	w.cur = t.start
	w.have = max(w.have, t.seen, t.start.raw)
	w.c.mu.Unlock()
	w.flushed, w.pending = false, time.Time{}
	w.set.Start(&w.scan)
}

// find waits until the call is over: something matched that is not a rule's,
// a rule ended it, or an error did. What matched is consumed.
func (w *wait) find() (hit, error) {
	var now time.Time // of the last time that was asked for; zero after output
	for {
		e, m, next, err := w.look(now)
		if err != nil {
			return hit{}, err
		}
		if e != nil {
			h, over, err := w.fire(e, m)
			if over || err != nil {
				return h, err
			}
			now = time.Time{}
			continue
		}
		at, err := w.c.r.Await(w.ctx, w.have, next)
		now = time.Now()
		switch {
		case at > w.have:
			w.last = now
			w.probe.moved()
			w.take(at)
			now = time.Time{}
		case err == nil, errors.Is(err, os.ErrDeadlineExceeded) && w.ctx.Err() == nil:
		case bridge.IsLost(err):
			w.lost()
		case w.ctx.Err() != nil:
			return hit{}, w.fail(context.Cause(w.ctx))
		default:
			w.over = err
		}
	}
}

// try is find for what is there already: it does not wait.
func (w *wait) try() (h hit, ok bool, err error) {
	_, _ = w.c.b.Output().Flush() // what cannot be known now comes later
	if _, end := w.c.b.Output().Offsets(); end > w.have {
		w.take(end)
	}
	for {
		e, m, _, err := w.look(time.Time{})
		if e == nil || err != nil {
			return hit{}, false, err
		}
		if h, over, err := w.fire(e, m); over || err != nil {
			return h, err == nil, err
		}
	}
}

// take hears the output up to end: whoever listens gets it, questions of the
// terminal are answered.
func (w *wait) take(end int64) {
	c := w.c
	c.mu.Lock()
	from := max(w.have, c.text.seen)
	answers := c.saw(from, end)
	if w.show != nil && end > from {
		a, b := c.r.View(from, end)
		c.mu.Unlock()
		w.show(a)
		w.show(b)
		c.mu.Lock()
	}
	w.have = end
	c.mu.Unlock()
	if len(answers) > 0 {
		c.answer(w.ctx, answers)
	}
}

// lost goes on behind output that a reader which may lose some has lost.
func (w *wait) lost() {
	c := w.c
	c.mu.Lock()
	c.text.skipTo(c.r.Offset())
	c.mu.Unlock()
	w.have = max(w.have, c.r.Offset())
	w.restart()
}

// look searches what is known, and says what matched, or else until when to
// wait for more. now is zero where only bytes, not the time, can have changed
// anything.
func (w *wait) look(now time.Time) (e *entry, m Match, next time.Time, err error) {
	c, t := w.c, w.c.text
	c.mu.Lock()
	defer c.mu.Unlock()
	t.resolve(w.have)
	if w.feed() {
		f, _ := w.scan.Decided()
		return w.found(f, decided)
	}
	if w.over != nil && !w.flushed {
		w.flush()
		if f, ok := w.scan.Decided(); ok {
			return w.found(f, decided)
		}
	}
	t.trim(w.cur, c.opts.View, w.heard)

	if now.IsZero() {
		now = w.last
	}
	late := !w.until.IsZero() && !now.Before(w.until)
	next = w.until
	if t.echoBegun(w.have) {
		if late || now.Sub(w.last) >= max(c.opts.Settle, 0) {
			t.giveUpEcho()
			c.mu.Unlock()
			defer c.mu.Lock()
			return w.look(now)
		}
		next = sooner(next, w.last.Add(c.opts.Settle))
	}
	if f, ok := w.scan.Provisional(); ok {
		if w.pending.IsZero() {
			w.pending = now
		}
		p := pending{behind: w.scan.Scanned() - f.End, since: w.pending, quiet: w.last}
		why, again := p.judge(now, c.opts, w.over != nil)
		if why == undecided && late {
			why = timedOut
		}
		switch {
		case why == undecided:
			var ev diag.Evidence
			if ev, again = w.evidence(now, again); ev.Proved() {
				why = proved
			}
		case why == settled && w.unsettled(now):
			why, again = undecided, now.Add(c.opts.Settle)
		}
		if why != undecided {
			return w.found(f, why)
		}
		next = sooner(next, again)
	} else {
		w.pending = time.Time{}
	}
	if w.over != nil {
		return w.atEnd()
	}
	return w.byTime(now, late, next)
}

// feed hands the matcher what is known and not yet searched.
func (w *wait) feed() (decided bool) {
	w.c.text.walk(&w.cur, w.c.opts.View, w.have, math.MaxInt64, func(p []byte) bool {
		decided = w.scan.Feed(p)
		return decided
	})
	return decided
}

// flush ends the text: what was kept back for more is text, or nothing.
func (w *wait) flush() {
	w.flushed = true
	t := w.c.text
	if t.echo != nil {
		t.giveUpEcho()
		if w.feed() {
			return
		}
	}
	if w.c.opts.View == Plain {
		rest := w.cur.filter.Flush()
		w.cur.plain += int64(len(rest))
		w.scan.Feed(rest)
	}
}

// found turns what the matcher found into a Match, and consumes it.
func (w *wait) found(f match.Found, why release) (*entry, Match, time.Time, error) {
	e := &w.entries[w.search[f.Case]]
	if err := w.claimed(e); err != nil {
		return nil, Match{}, time.Time{}, err
	}
	t, view := w.c.text, w.c.opts.View
	buf, at := t.read(view, w.have, f.End) // the text up to the match's end
	base := t.start.plain
	ahead := at
	window := buf
	t.walk(&ahead, view, w.have, f.End+4, func(p []byte) bool { // a rune of context behind it
		window = append(window, p...)
		return false
	})
	m := Match{Index: e.index, Pattern: e.pattern, Truncated: base > 0, End: at.raw}
	start, groups, ok := int64(0), []int(nil), false
	window = window[max(f.From-4-base, 0):] // a rune of context before it
	if at := max(f.From-4, base); f.From >= base {
		start, groups, ok = w.set.Locate(f, window, at)
	}
	if !ok { // it began before what is at hand
		start, m.Truncated = max(f.From, base), true
	}
	m.Before, m.Text = string(buf[:start-base]), string(buf[start-base:])
	if _, re := e.pattern.(Regexp); re && ok {
		m.names = w.set.Names(f.Case)
		m.Groups = make([]string, len(groups)/2)
		for i := range m.Groups {
			if groups[2*i] >= 0 {
				m.Groups[i] = string(window[groups[2*i]:groups[2*i+1]])
			}
		}
	}
	from := t.start
	t.walk(&from, view, at.raw, start, nil)
	m.Offset = from.raw
	m.Echo = w.c.inEcho(m)
	w.c.log.matched(m, why)
	t.consumed(buf)
	t.consume(at)
	return e, m, time.Time{}, nil
}

// rest is a Match of everything that is unconsumed.
func (w *wait) rest(e *entry, why release) (*entry, Match, time.Time, error) {
	if err := w.claimed(e); err != nil {
		return nil, Match{}, time.Time{}, err
	}
	t := w.c.text
	buf, at := t.read(w.c.opts.View, w.have, math.MaxInt64)
	if w.over != nil && w.c.opts.View == Plain {
		buf = append(buf, at.filter.Flush()...)
	}
	at.raw = w.have
	m := Match{Index: e.index, Pattern: e.pattern, Before: string(buf), Offset: at.raw, End: at.raw, Truncated: t.start.plain > 0}
	w.c.log.matched(m, why)
	t.consumed(buf)
	t.consume(at)
	return e, m, time.Time{}, nil
}

// claimed asks a Select whether this conversation may consume. What a rule
// answers it may.
func (w *wait) claimed(e *entry) error {
	if w.claim == nil || e.rule != nil {
		return nil
	}
	return w.claim()
}

// atEnd answers the end of the output, which nothing matched.
func (w *wait) atEnd() (*entry, Match, time.Time, error) {
	for i := range w.entries {
		e := &w.entries[i]
		if e.pattern == EOF && errors.Is(w.over, io.EOF) {
			return w.rest(e, decided)
		}
		if e.onScreen != nil && w.shows(e) {
			return w.onScreen(e, ended)
		}
	}
	return nil, Match{}, time.Time{}, w.failLocked(w.over)
}

// evidence looks whether the program waits for input, when it is time for a
// look; next is when to look again, or then what it was. What the look itself
// read comes in the next round, and proves the contrary.
func (w *wait) evidence(now, next time.Time) (diag.Evidence, time.Time) {
	due, at := w.probe.due(now)
	if !due {
		return diag.Evidence{}, sooner(next, at)
	}
	ev := w.c.waiting(w.have)
	w.probe.never = ev.Never
	if ev.Never {
		return ev, next
	}
	return ev, sooner(next, at)
}

// unsettled reports whether a program that is quiet may go on at once: it has
// work to do and waits for a processor, or its output has just come. On a busy
// machine pauses longer than Settle come inside one line.
func (w *wait) unsettled(now time.Time) bool {
	if w.probe.never || w.c.opts.Settle <= 0 || now.Sub(w.last) > longestUnsettled {
		return false
	}
	ev := w.c.waiting(w.have)
	w.probe.never = ev.Never
	_, end := w.c.b.Output().Offsets()
	return ev.Busy() || end > w.have
}

// longestUnsettled bounds that: a program may compute for ever.
const longestUnsettled = time.Second

// byTime answers silence and timeouts.
func (w *wait) byTime(now time.Time, late bool, next time.Time) (*entry, Match, time.Time, error) {
	for i := range w.entries {
		if e := &w.entries[i]; e.onScreen != nil {
			var why release
			if why, next = w.settledScreen(e, now, late, next); why != undecided {
				return w.onScreen(e, why)
			}
		}
	}
	for i := range w.entries {
		if w.entries[i].pattern == Waiting {
			var ev diag.Evidence
			if ev, next = w.evidence(now, next); ev.Proved() {
				e, m, next, err := w.rest(&w.entries[i], decided)
				m.Evidence = ev
				return e, m, next, err
			}
			break
		}
	}
	for i := range w.entries {
		if d, ok := w.entries[i].pattern.(idlePattern); ok {
			at := w.last.Add(time.Duration(d))
			if !now.Before(at) {
				return w.rest(&w.entries[i], decided)
			}
			next = sooner(next, at)
		}
	}
	if late {
		return nil, Match{}, time.Time{}, w.failLocked(context.DeadlineExceeded)
	}
	if d := w.c.opts.IdleTimeout; d > 0 {
		at := w.last.Add(scale.Duration(d))
		if !now.Before(at) {
			return nil, Match{}, time.Time{}, w.failLocked(errIdle)
		}
		next = sooner(next, at)
	}
	return nil, Match{}, next, nil
}

// fire answers a rule, or ends the call with a plain case.
func (w *wait) fire(e *entry, m Match) (h hit, over bool, err error) {
	if e.rule == nil {
		return hit{match: m}, true, nil
	}
	if w.heard != nil {
		w.heard.add([]byte(m.Before))
	}
	*e.count++
	*e.shown = w.have
	if e.rule.Max > 0 && *e.count > e.rule.Max {
		return hit{}, true, w.fail(ErrRepeated)
	}
	inner := &Console{conversation: w.c.conversation, opts: w.c.opts, firing: firing{*e.count, e.rule.Max}}
	switch err := e.rule.Do(w.ctx, inner, m); {
	case err == nil:
	case errors.Is(err, Done):
		return hit{match: m}, true, nil
	case errors.Is(err, ErrRepeated):
		return hit{}, true, w.fail(fmt.Errorf("%w: %v", ErrRepeated, e.pattern))
	default:
		return hit{match: m, err: err}, true, nil
	}
	w.last = time.Now()
	w.probe.moved()
	w.restart()
	if e.index < 0 { // a rule may have been added or removed
		return hit{}, false, w.recompile()
	}
	return hit{}, false, nil
}

// recompile takes the standing rules as they are now.
func (w *wait) recompile() error {
	counts := w.entries
	if err := w.compile(w.op == "interact"); err != nil {
		return err
	}
	for i := range w.entries {
		if i < len(counts) && w.entries[i].index >= 0 {
			w.entries[i].count, w.entries[i].shown = counts[i].count, counts[i].shown
		}
	}
	w.set.Start(&w.scan)
	return nil
}

func (w *wait) fail(err error) error {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	return w.failLocked(err)
}

// failLocked makes the error of a wait that did not find what it wanted.
func (w *wait) failLocked(err error) error {
	now := time.Now()
	e := w.c.newError(w.op, err, now.Sub(w.began))
	e.Wanted = w.cases
	if e.Wanted == nil {
		e.Wanted = []Pattern{}
	}
	e.what = describe(err, e.Elapsed, now.Sub(w.last))
	unread, _ := w.c.text.read(w.c.opts.View, max(w.have, w.c.text.seen), math.MaxInt64)
	e.Unread = w.c.log.mask(string(tail(unread)))
	for _, entry := range w.entries {
		if entry.onScreen != nil {
			e.Screen = w.c.log.mask(w.c.opts.Screen.Text())
		}
	}
	e.hint = cmp.Or(missHint(w.cases, string(unread)), cure(e.Findings))
	return e
}
