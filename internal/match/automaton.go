package match

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"sync"
	"sync/atomic"
)

// A state is where the program stands after some text: the threads that may
// still beat the best match so far, most preferred first. It says nothing of
// offsets, so that many texts share it.
type state struct {
	// threads are instructions. Those that consume wait for the next unit; others
	// lead to an assertion that waits to know its kind, and all they lead to is
	// still to be found. Earlier starts stand before later ones, then earlier cases
	// before later ones, then what the expression prefers.
	threads []uint32
	part    partial // bytes after the threads' place, the beginning of a rune
	before  kind    // of the unit before, if a thread asks for it
	fresh   bool    // no thread began before this place
	matched bool    // there is a match: nothing begins any more
	hit     hit     // the match that the last byte brought
	// end caches what is the match if the text ends here: 0 not yet known,
	// else 1 + hit.pack().
	end atomic.Uint64
}

// copy makes st equal to from, reusing its threads.
func (st *state) copy(from *state) {
	st.threads = append(st.threads[:0], from.threads...)
	st.part, st.before, st.fresh, st.matched, st.hit = from.part, from.before, from.fresh, from.matched, from.hit
}

// key appends a string that only equal states share.
func (st *state) key(key []byte) []byte {
	key = append(key, st.part.bytes[:]...)
	key = append(key, st.part.n, bit(st.part.known), bit(st.fresh), bit(st.matched), byte(st.before), st.hit.back)
	key = binary.LittleEndian.AppendUint16(key, st.part.class)
	key = binary.LittleEndian.AppendUint32(key, st.hit.match)
	for _, pc := range st.threads {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	return key
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// A hit is a match of a case (numbered from 1, 0 is none) that ended back bytes
// before the end of the text: more than 0 if the bytes since had to be seen.
type hit struct {
	match uint32
	back  uint8
}

func (h hit) pack() uint64 { return uint64(h.match)<<8 | uint64(h.back) }

func unpack(v uint64) hit { return hit{match: uint32(v >> 8), back: uint8(v)} }

// decided reports whether nothing can beat the match.
func (st *state) decided() bool { return st.matched && len(st.threads) == 0 }

// A stepper runs a program by one byte at a time. It holds the scratch space
// for that and is not safe for concurrent use.
type stepper struct {
	*program
	threads []uint32 // of the state being made
	old     []uint32 // of the state before
	stack   []uint32
	seen    []uint32 // by instruction: the round in which it was last added
	round   uint32

	before  kind
	fresh   bool
	matched bool
	hit     hit
	blind   bool // take all assertions to hold
}

func newStepper(p *program) *stepper {
	return &stepper{program: p, seen: make([]uint32, len(p.insts))}
}

// newRound forgets which instructions were added.
func (m *stepper) newRound() {
	m.round++
	if m.round == 0 { // wrapped around
		clear(m.seen)
		m.round = 1
	}
}

// load takes over a state. It does not keep st.threads.
func (m *stepper) load(st *state) {
	m.threads = append(m.threads[:0], st.threads...)
	m.before, m.fresh, m.matched, m.hit = st.before, false, st.matched, hit{}
}

// store writes the state into st, reusing its threads. The state keeps what
// stood before only if a thread will ask for it, or equal states would differ.
func (m *stepper) store(st *state, part partial) {
	st.threads = append(st.threads[:0], m.threads...)
	st.part = part
	st.before = kindOther
	if slices.ContainsFunc(m.threads, m.waits) {
		st.before = m.before
	}
	st.fresh, st.matched, st.hit = m.fresh && part.n == 0, m.matched, m.hit
}

// begin makes st the state behind a unit of the kind before, or kindEdge, where
// nothing that began earlier is alive.
func (m *stepper) begin(st *state, before kind) {
	m.load(&state{before: before})
	m.newRound()
	m.start(0)
	m.store(st, partial{})
}

// step goes from src over the byte b to dst, which may be src.
func (m *stepper) step(dst, src *state, b byte) {
	m.load(src)
	if m.bytewise {
		m.unit(int(m.column[b]), []byte{b}, 0)
		m.store(dst, partial{})
		return
	}
	part := src.part
	if part.n > 0 {
		if part.takes(b) {
			switch {
			case part.missing() > 1:
				part = m.settle(part.with(b))
				m.threads = m.possible(m.threads, part)
			default:
				c := int(part.class)
				if !part.known {
					c, _ = m.span(part.rune(b))
				}
				var whole [4]byte
				copy(whole[:], part.bytes[:])
				whole[part.n] = b
				m.unit(c, whole[:part.n+1], 0)
				part = partial{}
			}
			m.store(dst, part)
			return
		}
		m.spoil(part, 1)
	}
	part, ok := first(b)
	switch {
	case ok:
		// Whatever the rune will be, it is neither a newline nor a word character.
		m.resolve(kindOther, 1)
		part = m.settle(part)
		m.threads = m.possible(m.threads, part)
	case b < 0x80:
		c, _ := m.span(rune(b))
		m.unit(c, []byte{b}, 0)
		part = partial{}
	default:
		m.unit(m.invalid, []byte{b}, 0)
		part = partial{}
	}
	m.store(dst, part)
}

// atEnd returns the match of src that there is if the text ends here, if it is
// another than the one before.
func (m *stepper) atEnd(src *state) hit {
	m.load(src)
	if src.part.n > 0 {
		m.spoil(src.part, 0)
	}
	m.resolve(kindEdge, 0)
	return m.hit
}

// spoil consumes the bytes of a rune that did not come to its end, each by
// itself. Behind them are after bytes.
func (m *stepper) spoil(part partial, after int) {
	for i := range int(part.n) {
		m.unit(m.invalid, part.bytes[i:i+1], int(part.n)-i-1+after)
	}
}

// unit consumes a unit of the class c. Behind it are after bytes.
func (m *stepper) unit(c int, bytes []byte, after int) {
	m.resolve(m.kind[c], len(bytes)+after)
	m.old, m.threads = m.threads, m.old[:0]
	m.before = m.kind[c]
	m.newRound()
	for _, pc := range m.old {
		in := &m.insts[pc]
		switch {
		case in.op == opByte:
			if m.rawBytes(pc, bytes, after) {
				return
			}
		case m.has(in.arg, c):
			if m.add(in.out, kindUnknown, after) {
				return
			}
		}
	}
	if m.matched {
		return
	}
	for i := 1; i < len(bytes); i++ {
		for _, pc := range m.raw {
			if m.rawBytes(pc, bytes[i:], after) {
				return
			}
		}
	}
	m.start(after)
}

// start begins all cases here, behind the threads that began before.
func (m *stepper) start(after int) {
	m.fresh = len(m.threads) == 0
	for _, pc := range m.starts {
		if m.add(pc, kindUnknown, after) {
			return
		}
	}
}

// rawBytes lets a literal that is not UTF-8 consume the bytes of a unit, and
// reports whether it matched, perhaps before the unit's end.
func (m *stepper) rawBytes(pc uint32, bytes []byte, after int) (matched bool) {
	for i, b := range bytes {
		in := &m.insts[pc]
		if in.op == opMatch {
			m.match(in.arg, len(bytes)-i+after)
			return true
		}
		if in.arg != uint32(b) {
			return false
		}
		pc = in.out
	}
	return m.add(pc, kindUnknown, after)
}

// resolve lets the threads that wait to know the next unit's kind go on, as far
// as they can without consuming it. Behind them are after bytes.
func (m *stepper) resolve(next kind, after int) {
	if !slices.ContainsFunc(m.threads, m.waits) {
		return
	}
	m.old, m.threads = m.threads, m.old[:0]
	m.newRound()
	for _, pc := range m.old {
		if m.add(pc, next, after) {
			return
		}
	}
}

// waits reports whether a thread leads to an assertion.
func (m *stepper) waits(pc uint32) bool {
	op := m.insts[pc].op
	return op != opUnit && op != opByte
}

// possible drops the threads that nothing which part can become lets go on.
func (m *stepper) possible(threads []uint32, part partial) []uint32 {
	return slices.DeleteFunc(threads, func(pc uint32) bool {
		in := &m.insts[pc]
		return in.op == opUnit && !m.has(in.arg, m.invalid) && !m.hasPartial(in.arg, part)
	})
}

// add adds the threads to which root leads, in order of preference, where the
// unit behind is of the kind next and after bytes are there. It reports whether a match is among them:
// what is less preferred is not to be added any more.
//
// If an assertion must wait, root itself becomes the thread and is followed
// again from its beginning: what a loop has passed on its way to the assertion
// is not to be passed behind it.
func (m *stepper) add(root uint32, next kind, after int) (matched bool) {
	before, waits := len(m.threads), false
	m.stack = append(m.stack[:0], root)
	for len(m.stack) > 0 && !matched {
		pc := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
	follow:
		in := &m.insts[pc]
		if m.seen[pc] == m.round || !in.live && m.before != kindEdge {
			continue
		}
		m.seen[pc] = m.round
		switch in.op {
		case opAlt:
			m.stack = append(m.stack, in.arg)
			pc = in.out
			goto follow
		case opAssert:
			holds, known := assert(syntax.EmptyOp(in.arg), m.before, next)
			if m.blind {
				holds, known = true, true
			}
			waits = waits || !known
			if known && holds {
				pc = in.out
				goto follow
			}
		case opUnit, opByte:
			if in.live {
				m.threads = append(m.threads, pc)
			}
		case opMatch:
			m.match(in.arg, after)
			matched = true
		}
	}
	if waits {
		m.threads = append(m.threads[:before], root)
	}
	return matched
}

func (m *stepper) match(index uint32, back int) {
	m.matched, m.fresh = true, false
	m.hit = hit{match: index + 1, back: uint8(back)}
}

// assert reports whether an assertion holds between two units, if that is known
// already.
func assert(op syntax.EmptyOp, before, next kind) (holds, known bool) {
	switch op {
	case syntax.EmptyBeginText:
		return before == kindEdge, true
	case syntax.EmptyBeginLine:
		return before == kindEdge || before == kindNewline, true
	case syntax.EmptyEndText:
		return next == kindEdge, next != kindUnknown
	case syntax.EmptyEndLine:
		return next == kindEdge || next == kindNewline, next != kindUnknown
	case syntax.EmptyWordBoundary:
		return (before == kindWord) != (next == kindWord), next != kindUnknown
	}
	return (before == kindWord) == (next == kindWord), next != kindUnknown // syntax.EmptyNoWordBoundary
}

// limits bound what a set spends on speed.
type limits struct {
	states int // at most so many states at a time
	bytes  int // about so many bytes for them
	// reuse is how many bytes each state must serve before the automaton is full,
	// on average. Below that a scan does without it: making a state costs more than
	// stepping from thread to thread.
	reuse int
	// skip is the length of text from which a prefilter is worth making, which
	// takes longer than all else that is compiled.
	skip int64
	// credit is how many bytes a way of the prefilter may cost more than it brought
	// before the next is taken.
	credit int
}

var defaultLimits = limits{states: 4096, bytes: 1 << 20, reuse: 8, skip: 4 << 10, credit: 4 << 10}

// A ref names a state in the transition table: the index of its row, and flags
// for what a scan must see.
type ref uint32

const (
	unmade ref = 0       // no state: the transition was not taken before
	struck ref = 1 << 30 // the state has a hit
	stop   ref = 1 << 31 // nothing is left to wait for
	flags      = struck | stop

	// The fresh states, at most one for each kind of unit before, have the first
	// rows, so that a scan knows them by a comparison.
	freshRows = kinds
)

// An automaton is the deterministic machine of a set, made state by state as
// texts lead to them. Scans read it without a lock; who misses a transition
// adds it under mu. A full automaton is left to those who still stand in it and
// replaced by one that is empty but for the beginning.
type automaton struct {
	table atomic.Pointer[table]
	begin ref        // at the beginning of a text
	after [kinds]ref // behind a unit of a kind, where nothing that began earlier is alive

	mu    sync.Mutex // guards what follows, and writing into the table
	index map[string]ref
	size  int
	fresh int // rows used by fresh states
	key   []byte
	m     *stepper
	next  state // scratch
}

// A table is what scans read. Rows are only added, states before any transition
// to their row. The slice next has room for rows to come, as a scan may read in
// it of a row that was added after it took the table.
type table struct {
	next   []ref // by row*columns + column, read and written atomically
	states []*state
}

func newAutomaton(s *Set) *automaton {
	a := &automaton{index: make(map[string]ref), m: newStepper(&s.prog)}
	a.fresh = 1 // row 0 is no state
	a.table.Store(&table{states: make([]*state, 1+freshRows), next: make([]ref, (1+freshRows)*s.prog.columns)})
	for _, before := range []kind{kindEdge, kindNewline, kindWord, kindOther} {
		a.m.begin(&a.next, before)
		a.after[before] = a.intern(&a.next, s.max)
	}
	a.begin = a.after[kindEdge]
	return a
}

// intern returns the ref of a state equal to st, which it copies if it is new.
// It returns unmade if the automaton is full. Called with mu held.
func (a *automaton) intern(st *state, max limits) ref {
	key := st.key(a.key[:0])
	a.key = key
	if r, ok := a.index[string(key)]; ok {
		return r
	}
	columns := a.m.columns
	size := len(key) + 4*len(st.threads) + 4*columns + 200
	t := a.table.Load()
	if len(a.index) >= kinds && (len(t.states) >= max.states || a.size+size > max.bytes) {
		return unmade
	}
	a.size += size
	kept := new(state)
	kept.copy(st)
	var row int
	if st.fresh {
		row = a.fresh
		a.fresh++
		t.states[row] = kept
	} else {
		row = len(t.states)
		grown := &table{states: append(t.states, kept), next: t.next}
		if need := (row + 1) * columns; need > len(t.next) {
			// Scans that still read the old slice miss what is added to the new one
			// and come here for it.
			grown.next = make([]ref, 2*need)
			copy(grown.next, t.next)
		}
		a.table.Store(grown)
	}
	r := ref(row * columns)
	if st.hit.match != 0 {
		r |= struck
	}
	if st.decided() || a.m.hopeless(st) {
		r |= stop
	}
	a.index[string(key)] = r
	return r
}

// hopeless reports whether no text can bring a match any more: all cases had to
// match at the text's beginning.
func (p *program) hopeless(st *state) bool {
	return !p.restarts && !st.matched && len(st.threads) == 0
}

// row returns the index of a state in table.states.
func (a *automaton) row(r ref) int { return int(r&^flags) / a.m.columns }

func (a *automaton) state(r ref) *state { return a.table.Load().states[a.row(r)] }

// step makes the transition from r over b, or returns unmade if the automaton
// is full.
func (a *automaton) step(r ref, b byte, max limits) ref {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.table.Load()
	at := int(r&^flags) + int(a.m.column[b])
	if next := t.next[at]; next != unmade {
		return next
	}
	a.m.step(&a.next, t.states[a.row(r)], b)
	next := a.intern(&a.next, max)
	if next != unmade {
		a.table.Load().next[at].set(next)
	}
	return next
}

// end returns the match there is if the text ends in r.
func (a *automaton) end(r ref) hit {
	st := a.state(r)
	v := st.end.Load()
	if v == 0 {
		a.mu.Lock()
		v = 1 + a.m.atEnd(st).pack()
		a.mu.Unlock()
		st.end.Store(v)
	}
	return unpack(v - 1)
}

func (r *ref) set(to ref) { atomic.StoreUint32((*uint32)(r), uint32(to)) }

func (r *ref) get() ref { return ref(atomic.LoadUint32((*uint32)(r))) }
