package match

import "bytes"

// A Scan follows one text through a Set. The zero value is ready for
// Set.Start, which may be called again and again: a Scan is reused without
// allocating, and may be dropped at any time. It is not safe for concurrent use.
// Once decided it changes no more until the next Start.
type Scan struct {
	set  *Set
	auto *automaton
	at   ref // in auto, without flags
	// machine runs the program itself over a text that brings ever new states. Its
	// cost is linear too: for each byte at most the size of the program.
	machine *stepper // kept for reuse; in use if direct
	here    state    // where the machine stands
	direct  bool
	held    int32 // of a set of one text: how much of it the text ends with

	pos      int64 // bytes scanned
	from     int64 // the last place at which no earlier start was alive
	half     ref   // in auto, where the second half began the last time; or unmade
	replaced int64 // where the automaton was last found full
	best     Found
	matched  bool
	decided  bool
	hopeless bool // nothing can match any more

	// What the set's prefilter found.
	skip *prefilter        // nil: it has none, or the text is short
	way  int               // which of its ways is in use; those before it did not pay
	gain int               // bytes the way saved lately
	next [maxAnchors]int64 // places before which the bytes it looks for are not
	bare bool              // no byte it needs is in the line so far
	upto int64             // a head is to be looked for by the automaton up to here
}

// Found is a match: which case, and where.
type Found struct {
	Case int   // index into the patterns
	From int64 // it begins here or later; for a literal exactly here
	End  int64 // it ends here, exactly
}

// Start begins a text at offset 0 with sc, whatever sc did before.
func (s *Set) Start(sc *Scan) {
	if s.lone != nil {
		sc.set, sc.pos, sc.held, sc.best = s, 0, 0, Found{}
		sc.matched, sc.decided, sc.hopeless = false, false, false
		return
	}
	machine, threads := sc.machine, sc.here.threads[:0]
	if sc.set != s {
		machine = nil
	}
	*sc = Scan{set: s, auto: s.auto.Load(), machine: machine, gain: s.max.credit}
	sc.here.threads = threads
	sc.enter(sc.auto.begin)
}

// Feed scans b, the text behind what was fed before, and reports whether the
// match is decided: no text that could follow would change it. Then what is
// left of b is not scanned. Feed does not keep b.
func (sc *Scan) Feed(b []byte) (decided bool) {
	if sc.set.lone != nil {
		return sc.decided || sc.feedLone(b)
	}
	if sc.skip == nil && sc.pos+int64(len(b)) >= sc.set.max.skip {
		sc.skip = sc.set.prefilter(b)
	}
	for len(b) > 0 && !sc.decided {
		n := 0
		switch {
		case sc.hopeless:
			n = len(b)
			sc.pos += int64(n)
		case sc.direct:
			n = sc.feedMachine(b)
		default:
			n = sc.feedAutomaton(b)
		}
		b = b[n:]
	}
	return sc.decided
}

// Scanned returns how many bytes were scanned.
func (sc *Scan) Scanned() int64 { return sc.pos }

// Decided returns the match that no further text can change, if there is one.
func (sc *Scan) Decided() (Found, bool) { return sc.best, sc.decided }

// Provisional returns the match there is if the text ends here, which is the
// decided one if one is decided. It does not disturb the scan. While it is not
// decided a more preferred match is still possible: one that begins earlier, or
// is of an earlier case, or goes on. A provisional match ended Scanned() - End
// bytes ago.
func (sc *Scan) Provisional() (Found, bool) {
	if sc.decided || sc.hopeless || sc.set.lone != nil {
		return sc.best, sc.matched
	}
	var h hit
	if sc.direct {
		h = sc.machine.atEnd(&sc.here)
	} else {
		h = sc.auto.end(sc.at)
	}
	if h.match == 0 {
		return sc.best, sc.matched
	}
	return sc.found(h, sc.pos), true
}

// found places a hit that the byte before at brought.
func (sc *Scan) found(h hit, at int64) Found {
	f := Found{Case: int(h.match) - 1, From: sc.from, End: at - int64(h.back)}
	if p := &sc.set.cases[f.Case]; !p.Regexp {
		f.From = f.End - int64(len(p.Text))
	}
	f.From = min(f.From, f.End)
	return f
}

// feedAutomaton follows the automaton until something happens or b ends, and
// returns how many bytes it took.
func (sc *Scan) feedAutomaton(b []byte) int {
	f := sc.skip
	switch {
	case f == nil || sc.matched || sc.way == len(f.ways):
		return sc.run(b)
	case f.ways[sc.way] == byNeeds:
		return sc.feedLines(b)
	case len(b) < f.reach(f.ways[sc.way]):
		return sc.run(b)
	case sc.pos < sc.upto:
		return sc.run(b[:min(int(sc.upto-sc.pos), len(b))])
	case sc.at < sc.fresh():
		if n := sc.skipHeads(b); n > 0 {
			return n
		}
	}
	return sc.runToFresh(b)
}

// fresh returns the bound below which states are fresh.
func (sc *Scan) fresh() ref { return ref((1 + freshRows) * sc.auto.m.columns) }

// What it costs to leave the automaton for a prefilter, and when that must look
// closer, in bytes that could be followed instead.
const (
	stopPrice  = 32
	lookPrice  = 16
	masksPrice = 0.4 // of each byte searched by masks
)

// skipHeads skips bytes at which no match begins, if there are any.
func (sc *Scan) skipHeads(b []byte) int {
	f := sc.skip
	var n, looks int
	switch f.ways[sc.way] {
	case byLiteral:
		n, looks = f.scanLiteral(b)
	case byAnchors:
		n, looks = f.scanAnchors(b, sc.pos, &sc.next)
	case byMasks:
		n = f.scanMasks(b)
		if n <= len(b)-f.depth {
			sc.upto = sc.pos + int64(n+f.depth)
		}
		n = max(n-f.back, 0)
	}
	sc.earn(n - looks*lookPrice - stopPrice)
	sc.jump(b, n)
	return n
}

// earn keeps account of what the present way brings, and goes to the next way
// if it does not pay.
func (sc *Scan) earn(n int) {
	sc.gain = min(sc.gain+n, sc.set.max.credit)
	if sc.gain < 0 {
		sc.way++
		sc.gain = sc.set.max.credit
		sc.next = [maxAnchors]int64{} // the next way looks for other bytes
	}
}

// jump goes n bytes on, to where nothing is alive.
func (sc *Scan) jump(b []byte, n int) {
	if n == 0 {
		return
	}
	before := kindOther
	if c := b[n-1]; c < 0x80 {
		before = kindOf(rune(c))
	}
	sc.at = sc.auto.after[before]
	sc.pos += int64(n)
	sc.from = sc.pos
}

// feedLines skips the lines that have none of the bytes which a match needs.
func (sc *Scan) feedLines(b []byte) int {
	if sc.bare {
		first := len(b)
		for k, c := range sc.skip.needs {
			if sc.next[k] < sc.pos {
				n := bytes.IndexByte(b, c)
				if n < 0 {
					n = len(b)
				}
				sc.next[k] = sc.pos + int64(n)
			}
			first = min(first, int(sc.next[k]-sc.pos))
		}
		if n := bytes.LastIndexByte(b[:first], '\n') + 1; n > 0 {
			sc.earn(n)
			sc.jump(b, n)
			return n
		}
		if first == len(b) {
			return sc.run(b)
		}
		sc.bare = false
	}
	// To the end of the line, where all that began in it ends.
	n := bytes.IndexByte(b, '\n') + 1
	if n == 0 {
		return sc.run(b)
	}
	taken := sc.run(b[:n])
	sc.bare = taken == n
	sc.earn(-2*taken - stopPrice)
	return taken
}

// run follows the automaton until something happens or b ends.
func (sc *Scan) run(b []byte) int {
	if len(b) >= pairFrom {
		if n := sc.runPair(b); n > 0 {
			return n
		}
	}
	return sc.runOne(b)
}

// pairFrom is the length from which runPair pays.
const pairFrom = 1 << 10

// runPair follows the automaton over the two halves of b at once. One step must
// wait for the one before it, so that a processor has time for two. The second
// half begins at a line, or at a word if there are no lines, and in the state in
// which it began the last time: in most text that is always the same. If the
// first half does not lead there, the second was in vain. It may take no byte
// where runOne would.
func (sc *Scan) runPair(b []byte) int {
	mid := len(b) / 2
	n := bytes.IndexByte(b[mid:], '\n') + 1
	if n == 0 {
		n = bytes.IndexByte(b[mid:], ' ') + 1
	}
	if n == 0 {
		return 0
	}
	mid += n
	auto, guess := sc.auto, sc.half
	if guess == unmade {
		guess = auto.after[kindOf(rune(b[mid-1]))] &^ flags
	}
	n = min(mid, len(b)-mid)
	first, second := b[:n], b[mid:][:n]
	columns := &auto.m.column
	fresh := sc.fresh()
	next := auto.table.Load().next
	at1, last1 := sc.at, -1
	at2, last2 := guess, -1
	for i := range first {
		to1 := next[at1+ref(columns[first[i]])].get()
		to2 := next[at2+ref(columns[second[i]])].get()
		if to1-1 >= struck-1 || to2-1 >= struck-1 {
			n = i
			break
		}
		at1, at2 = to1, to2
		if to1 < fresh {
			last1 = i
		}
		if to2 < fresh {
			last2 = i
		}
	}
	sc.advance(at1, n, last1)
	if left := mid - n; left > 0 {
		if m := sc.runOne(b[n:mid]); m < left || sc.auto != auto {
			return n + m
		}
	}
	if sc.at != guess || sc.decided {
		sc.half = sc.at
		return mid
	}
	sc.advance(at2, n, last2)
	return mid + n
}

// runOne follows the automaton until it comes to a state to look at.
func (sc *Scan) runOne(b []byte) int {
	columns := &sc.auto.m.column
	fresh := sc.fresh()
	next := sc.auto.table.Load().next
	at, last := sc.at, -1
	hit, hitEnd := unmade, 0 // the last hit, and where
	for i, c := range b {
		to := next[at+ref(columns[c])].get()
		if to-1 >= struck-1 { // unmade, struck or stop
			if to == unmade || to&stop != 0 {
				sc.advance(at, i, last)
				sc.strike(hit, i-hitEnd)
				sc.look(c)
				return i + 1
			}
			hit, hitEnd = to, i+1
			to &^= struck
		}
		at = to
		if to < fresh {
			last = i
		}
	}
	sc.advance(at, len(b), last)
	sc.strike(hit, len(b)-hitEnd)
	return len(b)
}

// runToFresh is run, but also ends in a fresh state.
func (sc *Scan) runToFresh(b []byte) int {
	columns := &sc.auto.m.column
	fresh := sc.fresh()
	next := sc.auto.table.Load().next
	at := sc.at
	for i, c := range b {
		to := next[at+ref(columns[c])].get()
		if to-1 >= struck-1 {
			sc.advance(at, i, -1)
			sc.look(c)
			return i + 1
		}
		at = to
		if to < fresh {
			sc.advance(at, i+1, i)
			return i + 1
		}
	}
	sc.advance(at, len(b), -1)
	return len(b)
}

// advance notes that n bytes led to at, and that behind the byte last, if it is
// not negative, nothing was alive.
func (sc *Scan) advance(at ref, n, last int) {
	sc.at = at
	if last >= 0 {
		sc.from = sc.pos + int64(last) + 1
	}
	sc.pos += int64(n)
}

// strike notes the hit of a state, unless it is unmade, in which the automaton
// stood ago bytes before.
func (sc *Scan) strike(r ref, ago int) {
	if r != unmade {
		sc.best, sc.matched = sc.found(sc.auto.state(r).hit, sc.pos-int64(ago)), true
	}
}

// look takes one byte with care: the state behind it may not be made yet.
func (sc *Scan) look(b byte) {
	to := sc.auto.step(sc.at, b, sc.set.max)
	if to == unmade {
		sc.replace()
		if !sc.direct {
			to = sc.auto.step(sc.at, b, sc.set.max)
		}
	}
	if to == unmade {
		if !sc.direct {
			sc.leave(sc.auto.state(sc.at))
		}
		sc.feedMachine([]byte{b})
		return
	}
	sc.pos++
	sc.enter(to)
}

// enter goes to a state of the automaton.
func (sc *Scan) enter(to ref) {
	sc.at = to &^ flags
	sc.arrive(sc.auto.state(to))
}

// arrive notes what a state says about the text up to pos.
func (sc *Scan) arrive(st *state) {
	if st.fresh {
		sc.from = sc.pos
	}
	if st.hit.match != 0 {
		sc.best, sc.matched = sc.found(st.hit, sc.pos), true
	}
	sc.decided = st.decided()
	sc.hopeless = sc.set.prog.hopeless(st)
}

// replace leaves a full automaton for a new one, or for the machine if the old
// one was hardly used or the new one has no room.
func (sc *Scan) replace() {
	s := sc.set
	old := sc.auto.state(sc.at)
	if sc.pos-sc.replaced < int64(s.max.reuse*len(sc.auto.table.Load().states)) {
		sc.leave(old)
		return
	}
	sc.replaced = sc.pos
	s.mu.Lock()
	if s.auto.Load() == sc.auto { // or another scan was here before
		s.auto.Store(newAutomaton(s))
	}
	sc.auto, sc.half = s.auto.Load(), unmade
	s.mu.Unlock()

	sc.auto.mu.Lock()
	sc.at = sc.auto.intern(old, s.max) &^ flags
	sc.auto.mu.Unlock()
	if sc.at == unmade {
		sc.leave(old)
	}
}

// leave goes from the state st of the automaton to the machine, until the next
// Start.
func (sc *Scan) leave(st *state) {
	sc.direct = true
	if sc.machine == nil {
		sc.machine = newStepper(&sc.set.prog)
	}
	sc.here.copy(st)
}

// feedMachine is feedAutomaton without an automaton.
func (sc *Scan) feedMachine(b []byte) int {
	for i, c := range b {
		sc.machine.step(&sc.here, &sc.here, c)
		sc.pos++
		sc.arrive(&sc.here)
		if sc.decided || sc.hopeless {
			return i + 1
		}
	}
	return len(b)
}
