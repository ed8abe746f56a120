package proc

import (
	"fmt"
	"slices"
	"time"
)

// When says after which exits a program is started again.
type When int

const (
	Never     When = iota // the zero value
	OnFailure             // after a status other than 0
	Always
)

var whenNames = [...]string{Never: "never", OnFailure: "on-failure", Always: "always"}

func (w When) String() string {
	if w < 0 || int(w) >= len(whenNames) {
		return fmt.Sprintf("When(%d)", int(w))
	}
	return whenNames[w]
}

// ParseWhen is the reverse of String.
func ParseWhen(s string) (When, error) {
	if i := slices.Index(whenNames[:], s); i >= 0 {
		return When(i), nil
	}
	return 0, fmt.Errorf("%q is none of never, on-failure, always", s)
}

// Restart says when a program that ended is started again, and when that is given up. The zero Restart is never.
type Restart struct {
	When When
	// Delay is the pause before the first restart; zero is 1 s. It doubles with every restart that follows, up to
	// MaxDelay (zero is 1 min), and shrinks again in the same steps with the time that the program runs.
	Delay, MaxDelay time.Duration
	// After Tries restarts within the time Within the program is given up. Zero is 5 restarts in 1 min; negative
	// Tries mean never to give up.
	Tries  int
	Within time.Duration
}

// A RestartState is what Restart.Next remembers between the ends of one program; the zero value is right before the
// first. It is a value: Next does not change the one it is given.
type RestartState struct {
	Restarts int             // how often the program was restarted
	doubled  int             // how often the delay was doubled
	clock    time.Duration   // run times and delays so far
	recent   []time.Duration // when, by clock, the last restarts were
}

const (
	defaultDelay    = time.Second
	defaultMaxDelay = time.Minute
	defaultTries    = 5
	defaultWithin   = time.Minute
)

// Next decides what follows an exit after the program had run for the time ran: whether it is started again, and after
// which delay. It knows no clock and waits for nothing.
func (r Restart) Next(st RestartState, e Exit, ran time.Duration) (next RestartState, delay time.Duration, again bool) {
	switch {
	case r.When == Never, r.When == OnFailure && e.Status() == 0:
		return st, 0, false
	}
	next = st
	next.clock += max(ran, 0)

	tries, within := r.Tries, r.Within
	if tries == 0 {
		tries = defaultTries
	}
	if within <= 0 {
		within = defaultWithin
	}
	next.recent = slices.Clone(st.recent)
	next.recent = slices.DeleteFunc(next.recent, func(at time.Duration) bool { return next.clock-at > within })
	if tries > 0 && len(next.recent) >= tries {
		return next, 0, false
	}

	// The time that the program ran pays the delays back, the last one first.
	for next.doubled > 0 && ran >= r.delay(next.doubled-1) {
		next.doubled--
		ran -= r.delay(next.doubled)
	}
	delay = r.delay(next.doubled)
	if next.doubled == 0 || delay > r.delay(next.doubled-1) { // else it is the longest already
		next.doubled++
	}
	next.clock += delay
	next.recent = append(next.recent, next.clock)
	if tries > 0 && len(next.recent) > tries {
		next.recent = next.recent[len(next.recent)-tries:]
	}
	next.Restarts++
	return next, delay, true
}

// delay returns the delay after it was doubled n times.
func (r Restart) delay(n int) time.Duration {
	d, most := r.Delay, r.MaxDelay
	if d <= 0 {
		d = defaultDelay
	}
	if most <= 0 {
		most = defaultMaxDelay
	}
	most = max(most, d)
	for ; n > 0 && d < most; n-- {
		if d > most/2 {
			return most
		}
		d *= 2
	}
	return d
}
