package expect

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// An Arm is one conversation of a Select with its cases; see When.
type Arm struct {
	c     *Console
	cases []Pattern
}

// When returns the Arm that waits for the cases on c.
func (c *Console) When(cases ...Pattern) Arm { return Arm{c, cases} }

// Select waits until one of the arms has a match and returns which, from 0.
// Exactly one conversation consumes: where several match at once it is the
// first of them; the others keep all that they have. The first error of an arm
// ends it, with that arm's number; rules are answered on the way in all.
func Select(ctx context.Context, arms ...Arm) (arm int, m Match, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &race{winner: -1, cancel: cancel}
	waits, err := newWaits(ctx, arms, r)
	if err != nil {
		return -1, Match{}, err
	}
	for _, w := range waits {
		defer w.end()
	}
	// What is there already goes by the order given; then the first to come wins.
	for i, w := range waits {
		if h, ok, err := w.try(); ok || err != nil {
			if r.claim(i) == nil {
				return i, h.match, errors.Join(h.err, err)
			}
		}
	}
	var all sync.WaitGroup
	for i, w := range waits {
		all.Add(1)
		go func() {
			defer all.Done()
			h, err := w.find()
			r.finish(i, h, err)
		}()
	}
	all.Wait()
	return r.winner, r.hit.match, r.err
}

// newWaits begins a wait in every arm. The turns are taken in one order
// whatever the order of the arms, so that two Selects cannot wait for each
// other.
func newWaits(ctx context.Context, arms []Arm, r *race) (waits []*wait, err error) {
	bad := func(what, hint string) error {
		return &Error{Op: "select", Err: ErrPattern, what: what, hint: hint}
	}
	if len(arms) == 0 {
		return nil, bad("no arms", "")
	}
	order := make([]int, len(arms))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(arms[a].c.id - arms[b].c.id) })
	waits = make([]*wait, len(arms))
	defer func() {
		if err != nil {
			for _, w := range waits {
				if w != nil {
					w.end()
				}
			}
		}
	}()
	for n, i := range order {
		if n > 0 && arms[i].c.id == arms[order[n-1]].c.id {
			return waits, bad("a conversation stands in two arms", "give one arm all its cases")
		}
		w, err := arms[i].c.newWait(ctx, "select", arms[i].cases)
		if err != nil {
			return waits, err
		}
		w.claim = func() error { return r.claim(i) }
		waits[i] = w
	}
	return waits, nil
}

// A race lets one arm win.
type race struct {
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	winner int
	hit    hit
	err    error
}

var errLost = errors.New("another arm has won")

// claim makes arm i the winner unless another one is.
func (r *race) claim(i int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.winner >= 0 && r.winner != i {
		return errLost
	}
	r.winner = i
	return nil
}

// finish enters how arm i ended.
func (r *race) finish(i int, h hit, err error) {
	if r.claim(i) != nil {
		return
	}
	r.mu.Lock()
	r.hit, r.err = h, errors.Join(h.err, err)
	r.mu.Unlock()
	r.cancel(errLost)
}
