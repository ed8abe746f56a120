package expect

import "time"

// How far the output may run on behind a match that something might still
// change before it is taken as it is.
const undecidedLimit = 64 << 10

// Why an undecided match was taken; shown in the transcript.
type release string

const (
	decided   release = "decided"
	settled   release = "settled"   // the output was quiet
	proved    release = "waiting"   // the program waits for input
	ended     release = "ended"     // the output is over
	overrun   release = "overrun"   // much more came, or MaxDelay passed
	timedOut  release = "timed out" // better than to fail with a match at hand
	undecided release = ""
)

// A pending is a match that more output might change.
type pending struct {
	behind int64     // bytes of text behind its end
	since  time.Time // when it was first seen
	quiet  time.Time // since when nothing came
}

// judge says whether an undecided match is taken now, else when to look
// again. It is the whole rule, as a pure function.
func (p pending) judge(now time.Time, o Options, end bool) (release, time.Time) {
	switch settle := max(o.Settle, 0); {
	case end:
		return ended, time.Time{}
	case p.behind >= undecidedLimit:
		return overrun, time.Time{}
	case o.MaxDelay > 0 && now.Sub(p.since) >= o.MaxDelay:
		return overrun, time.Time{}
	case now.Sub(p.quiet) >= settle:
		return settled, time.Time{}
	case o.MaxDelay > 0:
		return undecided, sooner(p.quiet.Add(settle), p.since.Add(o.MaxDelay))
	default:
		return undecided, p.quiet.Add(settle)
	}
}

// sooner is the earlier of two times; zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
