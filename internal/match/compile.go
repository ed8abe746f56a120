// Package match finds the first of several patterns in a text that arrives in
// pieces, and says when more text can no longer change the answer.
//
// It is a function of bytes: no I/O, no clock, no goroutine. The answer does
// not depend on how the text was cut into pieces. It is the one that the
// standard regexp package gives on the whole text: the leftmost match of all
// cases; at the same start the earlier case; within a case the leftmost-first
// rule of regexp.
//
//	set, err := match.Compile([]match.Pattern{{Text: "login: "}, {Text: `\d+ users`, Regexp: true}})
//	var scan match.Scan
//	set.Start(&scan)
//	for !scan.Feed(more()) {
//	}
//	found, _ := scan.Decided()
//
// compile.go turns the cases into one program over units of text, units.go says
// what those are in bytes, automaton.go runs the program, prefix.go skips text
// in which nothing can begin, scan.go follows one text, captures.go finds the
// groups of a match.
package match

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// A Pattern is one case of a call. Patterns are values and may be compared.
type Pattern struct {
	Text   string // the literal, or the expression in the syntax of package regexp
	Regexp bool   // false: Text is a literal, searched byte by byte
}

// A PatternError says which pattern does not compile.
type PatternError struct {
	Index int   // into the patterns given to Compile
	Err   error // a *syntax.Error
}

func (e *PatternError) Error() string { return fmt.Sprintf("pattern %d: %v", e.Index, e.Err) }

// Unwrap returns the error of package regexp.
func (e *PatternError) Unwrap() error { return e.Err }

// A Set is a compiled list of cases. It is safe for concurrent use: all scans
// of a set share its automaton, which grows as texts need it, up to 4,096 states
// or about 1 MiB. Then it begins anew; and a text that brings ever new states is
// scanned without it, slower but still at a cost that is linear in its length.
type Set struct {
	cases []pattern
	prog  program
	max   limits

	lone *lone // text.go: there is nothing but one text, and prog and auto are not used

	once sync.Once
	skip *prefilter // made once, for the first long text; nil: no text can be skipped

	mu   sync.Mutex // guards the replacement of auto, nothing else
	auto atomic.Pointer[automaton]
}

// A pattern is one case with what captures.go needs for it.
type pattern struct {
	Pattern
	re      *regexp.Regexp // nil for a literal
	windows [4]window      // captures.go: with and without a byte before and behind
}

// Sets are cached by their patterns: a dialog asks for the same few again and
// again, and the automaton is worth keeping. When the cache is full it is
// emptied, which costs each set in use one more compilation.
const (
	cacheSets  = 64
	cacheBytes = 64 << 10 // a longer list of patterns is not kept
)

var cache struct {
	sync.Mutex
	sets map[string]*Set
}

// Compile compiles the cases, in order of preference. The error is a
// *PatternError. Sets are cached: the same patterns give the same *Set. An
// empty list is allowed and never matches.
func Compile(pats []Pattern) (*Set, error) {
	var buf [256]byte
	key := appendKey(buf[:0], pats)

	cache.Lock()
	s := cache.sets[string(key)]
	cache.Unlock()
	if s != nil {
		return s, nil
	}
	// Not under the lock: a large expression takes milliseconds. Two callers may
	// compile the same list; the first to come back wins.
	s, err := compile(pats, defaultLimits)
	if err != nil || len(key) > cacheBytes {
		return s, err
	}
	cache.Lock()
	defer cache.Unlock()
	if first := cache.sets[string(key)]; first != nil {
		return first, nil
	}
	if cache.sets == nil || len(cache.sets) >= cacheSets {
		cache.sets = make(map[string]*Set)
	}
	cache.sets[string(key)] = s
	return s, nil
}

// appendKey appends a string that two lists share only if they are equal.
func appendKey(key []byte, pats []Pattern) []byte {
	for _, p := range pats {
		kind := byte('t')
		if p.Regexp {
			kind = 'r'
		}
		key = append(key, kind)
		key = binary.AppendUvarint(key, uint64(len(p.Text)))
		key = append(key, p.Text...)
	}
	return key
}

func compile(pats []Pattern, max limits) (*Set, error) {
	s := &Set{cases: make([]pattern, len(pats)), max: max}
	if len(pats) == 1 && !pats[0].Regexp && pats[0].Text != "" {
		s.cases[0].Pattern, s.lone = pats[0], newLone(pats[0].Text)
		return s, nil
	}
	trees := make([]*syntax.Regexp, len(pats))
	for i, p := range pats {
		s.cases[i].Pattern = p
		if !p.Regexp {
			continue
		}
		re, err := regexp.Compile(p.Text)
		if err != nil {
			return nil, &PatternError{Index: i, Err: err}
		}
		s.cases[i].re = re
		tree, err := syntax.Parse(p.Text, syntax.Perl)
		if err != nil {
			return nil, &PatternError{Index: i, Err: err}
		}
		trees[i] = tree.Simplify()
	}
	var b builder
	for i, p := range pats {
		if err := b.addCase(i, p, trees[i]); err != nil {
			return nil, &PatternError{Index: i, Err: err}
		}
	}
	s.prog = b.finish(pats)
	s.auto.Store(newAutomaton(s))
	return s, nil
}

// A program is the cases of a set as one nondeterministic machine. It consumes
// units: a rune, or a byte that is not UTF-8. Where all cases are literals,
// every byte is a unit.
type program struct {
	insts  []inst
	starts []uint32 // where each case begins, in order
	// raw are the starts of the literals that are not UTF-8. They alone may begin
	// and end inside a rune.
	raw      []uint32
	restarts bool // a case can begin behind the text's first byte
	alphabet
}

type op uint8

const (
	opFail   op = iota
	opAlt       // goes on at out and, with less preference, at arg
	opAssert    // goes on at out where the syntax.EmptyOp arg holds
	opUnit      // consumes a unit whose class is in set arg, goes on at out
	opByte      // consumes the byte arg, goes on at out
	opMatch     // case arg has matched
)

type inst struct {
	op   op
	live bool // a match can be reached from here, not at the text's first byte
	out  uint32
	arg  uint32
}

// A builder translates the programs of regexp/syntax into one.
type builder struct {
	insts   []inst
	starts  []uint32
	raw     []uint32
	sets    []runeSet
	byRunes map[*rune]uint32 // sets of the classes that share their runes
	byRune  map[rune]uint32  // sets of single runes, literal
	asserts bool
}

// A runeSet is what an opUnit accepts.
type runeSet struct {
	ranges  []rune // pairs, sorted
	invalid bool   // a byte that is not UTF-8, too
}

func (b *builder) emit(i inst) uint32 {
	b.insts = append(b.insts, i)
	return uint32(len(b.insts) - 1)
}

func (b *builder) addCase(index int, p Pattern, tree *syntax.Regexp) error {
	if !p.Regexp {
		b.addLiteral(index, p.Text)
		return nil
	}
	prog, err := syntax.Compile(tree)
	if err != nil {
		return err
	}
	base := uint32(len(b.insts))
	for pc := range prog.Inst {
		in := &prog.Inst[pc]
		next := inst{out: base + in.Out, arg: in.Arg}
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			next.op, next.arg = opAlt, base+in.Arg
		case syntax.InstCapture, syntax.InstNop:
			// Both ways lead to the same place; the second is dropped as seen.
			next.op, next.arg = opAlt, next.out
		case syntax.InstEmptyWidth:
			next.op = opAssert
			b.asserts = true
		case syntax.InstMatch:
			next.op, next.arg = opMatch, uint32(index)
		case syntax.InstFail:
			next.op = opFail
		default:
			next.op, next.arg = opUnit, b.setOf(in)
		}
		b.emit(next)
	}
	b.starts = append(b.starts, base+uint32(prog.Start))
	return nil
}

// addLiteral adds a literal as units, for UTF-8 cannot be found inside other
// UTF-8 except at the start of a rune, or as bytes if it is not UTF-8.
func (b *builder) addLiteral(index int, text string) {
	start := uint32(len(b.insts))
	b.starts = append(b.starts, start)
	if utf8.ValidString(text) {
		for _, r := range text {
			b.emit(inst{op: opUnit, out: uint32(len(b.insts)) + 1, arg: b.setOfRune(r)})
		}
	} else {
		b.raw = append(b.raw, start)
		for i := range len(text) {
			b.emit(inst{op: opByte, out: uint32(len(b.insts)) + 1, arg: uint32(text[i])})
		}
	}
	b.emit(inst{op: opMatch, arg: uint32(index)})
}

func (b *builder) addSet(s runeSet) uint32 {
	b.sets = append(b.sets, s)
	return uint32(len(b.sets) - 1)
}

// setOfRune returns the set of the rune r, written as UTF-8.
func (b *builder) setOfRune(r rune) uint32 {
	if i, ok := b.byRune[r]; ok {
		return i
	}
	if b.byRune == nil {
		b.byRune = make(map[rune]uint32)
	}
	i := b.addSet(runeSet{ranges: []rune{r, r}})
	b.byRune[r] = i
	return i
}

// setOf returns the set of what an instruction of regexp accepts. To regexp a
// byte that is not UTF-8 is the rune U+FFFD.
func (b *builder) setOf(in *syntax.Inst) uint32 {
	var ranges []rune
	switch {
	case in.Op == syntax.InstRuneAny:
		ranges = []rune{0, unicode.MaxRune}
	case in.Op == syntax.InstRuneAnyNotNL:
		ranges = []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}
	case len(in.Rune) == 1:
		r := in.Rune[0]
		fold := in.Op == syntax.InstRune && syntax.Flags(in.Arg)&syntax.FoldCase != 0
		if !fold && r != utf8.RuneError {
			return b.setOfRune(r)
		}
		ranges = []rune{r, r}
		if fold {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				ranges = append(ranges, f, f)
			}
		}
	case len(in.Rune) > 1:
		// Repeats of one class share its slice.
		if i, ok := b.byRunes[&in.Rune[0]]; ok {
			return i
		}
		ranges = in.Rune
	}
	s := runeSet{ranges: ranges}
	s.invalid = s.has(utf8.RuneError)
	i := b.addSet(s)
	if len(in.Rune) > 1 {
		if b.byRunes == nil {
			b.byRunes = make(map[*rune]uint32)
		}
		b.byRunes[&in.Rune[0]] = i
	}
	return i
}

func (s runeSet) has(r rune) bool {
	for i := 0; i < len(s.ranges); i += 2 {
		if s.ranges[i] <= r && r <= s.ranges[i+1] {
			return true
		}
	}
	return false
}

func (b *builder) finish(pats []Pattern) program {
	bytewise := true
	for _, p := range pats {
		bytewise = bytewise && !p.Regexp
	}
	if bytewise {
		return finishBytes(pats)
	}
	p := program{insts: b.insts, starts: b.starts, raw: b.raw}
	p.alphabet = newAlphabet(b.sets, b.asserts, len(b.raw) > 0)
	p.markLive()
	return p
}

// finishBytes is the program of literals alone: their bytes are the units, so
// that each is decided with its last byte whatever it is made of.
func finishBytes(pats []Pattern) program {
	p := program{alphabet: alphabet{bytewise: true}}
	var used byteSet
	for _, pat := range pats {
		for i := range len(pat.Text) {
			used.add(pat.Text[i])
		}
	}
	for b := range used.all {
		p.column[b] = uint8(p.classes)
		p.classes++
	}
	sets := p.classes // one for each byte
	if sets < 256 {
		for b := range 256 { // the others are one class, in no set
			if !used.has(byte(b)) {
				p.column[b] = uint8(p.classes)
			}
		}
		p.classes++
	}
	p.columns = p.classes
	p.member = make([]bool, sets*p.classes)
	for c := range sets {
		p.member[c*p.classes+c] = true
	}
	p.kind = make([]kind, p.classes)
	for i, pat := range pats {
		p.starts = append(p.starts, uint32(len(p.insts)))
		for j := range len(pat.Text) {
			p.insts = append(p.insts, inst{op: opUnit, out: uint32(len(p.insts)) + 1, arg: uint32(p.column[pat.Text[j]])})
		}
		p.insts = append(p.insts, inst{op: opMatch, arg: uint32(i)})
	}
	p.markLive()
	return p
}

// markLive marks the instructions from which a match can be reached at a place
// that is not the text's first: there \A fails for good, and after \z nothing
// can be consumed. Threads at others are dropped, so that they hold no match.
func (p *program) markLive() {
	ends := make([]bool, len(p.insts)) // a match can be reached without consuming
	p.fixpoint(func(pc int) bool {
		in := &p.insts[pc]
		was := ends[pc]
		switch in.op {
		case opMatch:
			ends[pc] = true
		case opAlt:
			ends[pc] = ends[in.out] || ends[in.arg]
		case opAssert:
			ends[pc] = ends[in.out] && syntax.EmptyOp(in.arg) != syntax.EmptyBeginText
		}
		return ends[pc] != was
	})
	p.fixpoint(func(pc int) bool {
		in := &p.insts[pc]
		was := in.live
		switch in.op {
		case opMatch:
			in.live = true
		case opAlt:
			in.live = p.insts[in.out].live || p.insts[in.arg].live
		case opAssert:
			switch syntax.EmptyOp(in.arg) {
			case syntax.EmptyBeginText:
			case syntax.EmptyEndText:
				in.live = ends[in.out]
			default:
				in.live = p.insts[in.out].live
			}
		case opUnit:
			in.live = p.insts[in.out].live && p.hasMember(in.arg)
		case opByte:
			in.live = p.insts[in.out].live
		}
		return in.live != was
	})
	p.restarts = slices.ContainsFunc(p.starts, func(pc uint32) bool { return p.insts[pc].live })
}

// fixpoint calls update for all instructions until none changes. Backwards, as
// most of them lead forwards.
func (p *program) fixpoint(update func(pc int) (changed bool)) {
	for changed := true; changed; {
		changed = false
		for pc := len(p.insts) - 1; pc >= 0; pc-- {
			if update(pc) {
				changed = true
			}
		}
	}
}
