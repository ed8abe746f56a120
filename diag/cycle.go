package diag

import (
	"fmt"
	"slices"
	"strings"
)

// An arrow says that one process cannot go on before another does something.
type arrow struct {
	from, to int    // pids
	for_     string // "to read", "to write"
}

// circles finds the processes that wait for each other in a circle: each sleeps,
// in all its threads, in a read or write that only the next can end.
func circles(s Snapshot) (all [][]arrow) {
	var arrows []arrow
	for _, p := range s.Processes {
		arrows = append(arrows, s.arrows(p)...)
	}
	done := map[int]bool{}
	for _, p := range s.Processes {
		circle := circleFrom(arrows, p.PID)
		if circle == nil || slices.ContainsFunc(circle, func(a arrow) bool { return done[a.from] }) {
			continue
		}
		for _, a := range circle {
			done[a.from] = true
		}
		all = append(all, circle)
	}
	return all
}

func cycles(s Snapshot) (found []Finding) {
	for _, circle := range circles(s) {
		found = append(found, s.deadlock(circle))
	}
	return found
}

// Deadlock returns the finding that programs wait for each other, where they
// did so in an earlier Snapshot already and have written nothing in between.
// One Snapshot looks at one after the other: of two that talk to each other all
// the time it may see both while they wait.
func Deadlock(before, now Snapshot) (f Finding, ok bool) {
	for _, circle := range circles(now) {
		again := func(c []arrow) bool { return slices.Equal(c, circle) }
		moves := func(a arrow) bool { return mayHaveWritten(before, now, a.from) }
		if slices.ContainsFunc(circles(before), again) && !slices.ContainsFunc(circle, moves) {
			return now.deadlock(circle), true
		}
	}
	return Finding{}, false
}

func mayHaveWritten(before, now Snapshot, pid int) bool {
	a, _ := before.process(pid)
	b, _ := now.process(pid)
	return a.Written < 0 || a.Written != b.Written
}

func (s Snapshot) deadlock(circle []arrow) Finding {
	var names, steps []string
	for _, a := range circle {
		from, _ := s.process(a.from)
		to, _ := s.process(a.to)
		names = append(names, from.who())
		step := fmt.Sprintf("%s waits for %s %s", from.who(), to.who(), a.for_)
		for _, h := range from.Held {
			step += fmt.Sprintf(" and holds back %d bytes (%s)", h.Bytes, quoted(h.Text))
		}
		if from.mayHold(a) {
			step += " and may hold back what it wrote (" + buffers()[from.program()].habit + ")"
		}
		steps = append(steps, step)
	}
	return Finding{
		Who: strings.Join(names, " and "), PID: circle[0].from, Kind: KindDeadlock, Grade: Kernel,
		What: "wait for each other", Why: strings.Join(steps, "; "), Steps: steps,
		Evidence: "all sleep; nobody else holds the other ends",
		Cure:     s.breakCircle(circle),
	}
}

// breakCircle says what would have helped.
func (s Snapshot) breakCircle(circle []arrow) string {
	for _, a := range circle {
		if p, _ := s.process(a.from); a.for_ == toWrite && len(p.Held) > 0 {
			return "let " + p.who() + " write at once: " + cure(p.program())
		}
	}
	for _, a := range circle {
		if p, _ := s.process(a.from); p.mayHold(a) {
			return "let " + p.who() + " write at once: " + cure(p.program())
		}
	}
	if slices.ContainsFunc(circle, func(a arrow) bool { return a.for_ == toRead }) {
		return "one of them must read before it writes on, or a buffer between them must be larger"
	}
	return "one of them must speak first, or write at once what it holds back: --stdio pty-stdout, or --unbuffered"
}

// mayHold: it waits for an answer, is known to write in blocks, and it cannot be
// seen whether it does.
func (p Process) mayHold(a arrow) bool {
	unseen := !p.HeldKnown || slices.Contains(ownBuffers, p.program())
	return a.for_ == toWrite && len(p.Held) == 0 && unseen && buffers()[p.program()].cure != ""
}

// ownBuffers are programs that do not use the C library's.
var ownBuffers = []string{"python", "perl", "ruby", "java", "awk", "mawk", "php", "tclsh"}

const (
	toRead  = "to read"
	toWrite = "to write"
)

// arrows returns for whom a process waits, none when anything else could make it
// go on: a thread that does not wait for such a thing, a time, a process outside.
func (s Snapshot) arrows(p Process) []arrow {
	var all []arrow
	for _, t := range p.Tasks {
		w := t.Wait
		if t.State != "S" || w.Timeout >= 0 && !service(t.Name) {
			return nil
		}
		switch w.Op {
		case Thread, Signal:
			continue // for another thread, which is looked at too
		case Read, Write:
		case Poll:
			if slices.ContainsFunc(w.On, func(f File) bool { return !f.Read && !f.Inside }) {
				return nil
			}
		default:
			return nil
		}
		for _, f := range w.On {
			if f.Inside {
				continue
			}
			others, ok := s.others(p, f.Link, w.Op == Write)
			if !ok {
				return nil
			}
			what := toWrite
			if w.Op == Write {
				what = toRead
			}
			for _, to := range others {
				all = append(all, arrow{p.PID, to, what})
			}
		}
	}
	return all
}

// others returns the processes at the other end of a pipe or of one of our lanes;
// false when it is somebody who is not in the Snapshot.
func (s Snapshot) others(p Process, link string, writing bool) ([]int, bool) {
	// Lanes that we hold: what flows there comes from, or goes to, whom our readers feed.
	for _, l := range s.Lanes {
		switch {
		case l.Foreign:
		case writing && (l.lane(link) != "" || l.PID == p.Leader && l.TTY != "" && link == l.TTY):
			return s.fed(l, l.lane(link))
		case !writing && (l.InputPipe != 0 && link == pipeLink(l.InputPipe) || l.PID == p.Leader && l.TTY != "" && link == l.TTY):
			return s.feeders(l)
		}
	}
	if !isPipe(link) {
		return nil, false
	}
	var pids []int
	for _, o := range s.Processes {
		holds := slices.ContainsFunc(o.Pipes, func(e End) bool { return e.Link == link && e.Write != writing })
		switch {
		case !holds || o.PID == p.PID:
		case o.Leader == 0:
			return nil, false
		default:
			pids = append(pids, o.PID)
		}
	}
	return pids, len(pids) > 0
}

// fed returns the leaders that the reader which holds the lane writes to.
func (s Snapshot) fed(l Lanes, lane string) ([]int, bool) {
	if r, ok := l.blocker(strings.TrimSpace(lane)); ok && r.Feeds != 0 {
		return []int{r.Feeds}, true
	}
	if r, ok := l.blocker("output"); ok && lane == "" && r.Feeds != 0 {
		return []int{r.Feeds}, true
	}
	return nil, false
}

// feeders returns the leaders whose output is this program's input.
func (s Snapshot) feeders(to Lanes) ([]int, bool) {
	var pids []int
	for _, l := range s.Lanes {
		if slices.ContainsFunc(l.Readers, func(r Reader) bool { return r.Feeds == to.PID }) {
			pids = append(pids, l.PID)
		}
	}
	return pids, len(pids) > 0
}

// circleFrom follows all arrows from a process. In a circle everyone who can be
// reached waits too, so that nobody can break it; nil otherwise.
func circleFrom(arrows []arrow, start int) []arrow {
	reached := []int{start}
	for i := 0; i < len(reached); i++ {
		leaves := false
		for _, a := range arrows {
			if a.from == reached[i] {
				leaves = true
				if !slices.Contains(reached, a.to) {
					reached = append(reached, a.to)
				}
			}
		}
		if !leaves {
			return nil // this one can go on
		}
	}
	return wayBack(arrows, start, start, map[int]bool{})
}

// wayBack returns the arrows of a way from at to home. It passes nobody twice: from
// whom no way was found there is none, and a program can have as many ways tried as
// it likes.
func wayBack(arrows []arrow, at, home int, passed map[int]bool) []arrow {
	if passed[at] {
		return nil
	}
	passed[at] = true
	for _, a := range arrows {
		if a.from != at {
			continue
		}
		if a.to == home {
			return []arrow{a}
		}
		if rest := wayBack(arrows, a.to, home, passed); rest != nil {
			return append([]arrow{a}, rest...)
		}
	}
	return nil
}
