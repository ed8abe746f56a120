package expect

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// A Pattern is what an Expect waits for: a Text, a Regexp, EOF, Waiting, Idle,
// OnScreen, Key, or one of these in a Rule made by On. Patterns are values: they are compared
// with ==, printed and stored, so that a match is told by its Pattern:
//
//	switch m.Pattern { case hostKey: … case prompt: … }
//
// The set is closed.
type Pattern interface {
	fmt.Stringer
	pattern()
}

// Text is exactly this, as it appears on the screen. The empty Text matches at
// once.
type Text string

// Regexp is a regular expression in Go's syntax (RE2). A bad one is an error
// of the call that uses it.
type Regexp string

type endPattern struct{}
type waitingPattern struct{}
type idlePattern time.Duration
type keyPattern string
type screenPattern struct{ p Pattern }

// EOF matches the end of the output: the program has ended, or it closed its
// streams. What was unread is then Match.Before.
var EOF Pattern = endPattern{}

// Waiting matches when the program provably waits for input, everything it
// wrote was read, and nothing else of the call matched: the case for unknown
// questions and for programs without a prompt. What was unread is then
// Match.Before, and Match.Evidence tells what proves it. It can never match
// where that cannot be seen: without Linux's /proc, for a program of another
// user, for one that passes on what a program elsewhere says (ssh, tmux), and
// for one that looks around by itself from time to time (top). In a pause of
// a program that computes or sleeps it does not match.
var Waiting Pattern = waitingPattern{}

// Idle matches when nothing came for d, counted from the last output or from
// the beginning of the call. What was unread is then Match.Before.
func Idle(d time.Duration) Pattern { return idlePattern(d) }

// Key matches when the person presses the key, by its name: "ctrl-]", "f1".
// It is for Interact only.
func Key(name string) Pattern { return keyPattern(name) }

func (Text) pattern()           {}
func (Regexp) pattern()         {}
func (endPattern) pattern()     {}
func (waitingPattern) pattern() {}
func (idlePattern) pattern()    {}
func (keyPattern) pattern()     {}
func (screenPattern) pattern()  {}
func (Rule) pattern()           {}

func (t Text) String() string          { return strconv.Quote(string(t)) }
func (r Regexp) String() string        { return "/" + string(r) + "/" }
func (endPattern) String() string      { return "<eof>" }
func (waitingPattern) String() string  { return "<waiting>" }
func (d idlePattern) String() string   { return "<idle " + time.Duration(d).String() + ">" }
func (s screenPattern) String() string { return fmt.Sprintf("<screen %v>", s.p) }
func (k keyPattern) String() string    { return "<" + string(k) + ">" }

// A Rule is a Pattern with an answer: when it matches, the answer is given and
// the wait goes on.
type Rule struct {
	When Pattern
	Do   Action
	Max  int // how often it may fire, once more is ErrRepeated; 0: once for Password, else without limit
}

// On returns the Rule that answers p with do. As a case of Expect it holds for
// that call, given to Always until it is removed.
func On(p Pattern, do Action) Rule { return Rule{When: p, Do: do} }

func (r Rule) String() string {
	if r.When == nil {
		return "<nil>"
	}
	return r.When.String()
}

// An Action answers a match. It may send to c, but must not wait on it: the
// wait that found the match is still under way. Returning Done ends that wait
// with this match; any other error ends it with that error.
type Action func(ctx context.Context, c *Console, m Match) error

// Done, returned by an Action, ends the wait with the match that it answers.
var Done error = doneError{}

type doneError struct{}

func (doneError) Error() string { return "done" }

// Line is the Action that sends s and Enter.
func Line(s string) Action {
	return func(_ context.Context, c *Console, _ Match) error { return c.SendLine(s) }
}

// Keys is the Action that presses keys.
func Keys(names ...string) Action {
	return func(_ context.Context, c *Console, _ Match) error { return c.SendKey(names...) }
}

// Password is the Action that gives a secret, as SendSecret does. Where its
// Rule has no Max it is given once, in one call or in the life of a standing
// rule: being asked again is ErrRepeated, so that a wrong password never locks
// an account.
func Password(s Secret) Action {
	return func(ctx context.Context, c *Console, _ Match) error {
		if c.firing.max == 0 && c.firing.count > 1 {
			return ErrRepeated
		}
		return c.SendSecret(ctx, s)
	}
}
