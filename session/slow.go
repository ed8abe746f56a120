package session

import (
	"fmt"
	"strings"
	"time"
)

// A Slow says what becomes of a client for which the program would have to
// stop.
type Slow int

const (
	SlowRule       Slow = iota // the program waits for it 200 ms in total, then it loses output: see slowness
	SlowBlock                  // the program waits
	SlowSkip                   // the program never waits
	SlowDisconnect             // as SlowRule, but instead of losing output it is sent away
)

var slowNames = [...]string{SlowRule: "rule", SlowBlock: "block", SlowSkip: "skip", SlowDisconnect: "disconnect"}

func (s Slow) String() string {
	if s < 0 || int(s) >= len(slowNames) {
		return fmt.Sprintf("Slow(%d)", int(s))
	}
	return slowNames[s]
}

// ParseSlow is the reverse of String; "" is SlowRule.
func ParseSlow(s string) (Slow, error) {
	for w, name := range slowNames {
		if name == s || s == "" {
			return Slow(w), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s", s, strings.Join(slowNames[:], ", "))
}

const (
	patience   = 200 * time.Millisecond // for which a client may stop the program
	maxReturns = 5                      // how often it may begin anew
	forgiving  = 1 << 20                // bytes, a lane's usual memory: who took so many stands still no more
	watchEvery = 20 * time.Millisecond  // how long a client must have taken nothing before it is looked at, and again
	longLook   = 3 * watchEvery / 2     // the most that counts between two looks: where we get to look so rarely, so does the client to read
)

// A slowness is how one client has kept up with a lane, by this rule: it is
// waited for until it has stopped the lane, taking nothing, for 200 ms in total
// within 1 MiB of output; then it may lose output until it has caught up, and
// begins anew, at most 5 times. A client that is merely the slowest of many
// takes its megabyte in less than that.
type slowness struct {
	policy   Slow
	skipping bool
	returns  int
	total    time.Duration // that it has stopped the lane
	counted  time.Time     // up to here
	since    int64         // the offset from which total counts
}

// A verdict is what to do with a client.
type verdict int

const (
	goOn verdict = iota
	skipNow
	sendAway
)

// stopped notes that at the time now, having taken all before the offset at,
// it has been stopping the lane since the given time without taking anything.
// A patient lane is stopped for as long as it takes.
func (s *slowness) stopped(now, since time.Time, at int64, patient bool) verdict {
	if s.skipping || patient || s.policy == SlowBlock {
		return goOn
	}
	if at-s.since >= forgiving {
		s.total, s.since = 0, at
	}
	if s.counted.After(since) {
		since = s.counted
	}
	s.counted = now
	s.total += min(now.Sub(since), longLook)
	if s.total < patience {
		return goOn
	}
	s.skipping = true
	if s.policy == SlowDisconnect {
		return sendAway
	}
	return skipNow
}

// caughtUp notes that it has taken everything, up to the offset at, and
// reports whether the program waits for it again.
func (s *slowness) caughtUp(at int64) (again bool) {
	s.total, s.since = 0, at
	if !s.skipping || s.policy == SlowSkip || s.returns == maxReturns {
		return false
	}
	s.returns++
	s.skipping = false
	return true
}
