package match

import (
	"math/bits"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A kind is what assertions want to know of a neighbour.
type kind uint8

const (
	kindOther kind = iota
	kindWord
	kindNewline
	kindEdge    // before: the beginning of the text; after: its end
	kindUnknown // after: not yet here
	kinds       = int(kindUnknown)
)

func kindOf(r rune) kind {
	switch {
	case syntax.IsWordChar(r):
		return kindWord
	case r == '\n':
		return kindNewline
	}
	return kindOther
}

// An alphabet divides units into classes that no instruction tells apart, and
// bytes into columns that no state of the automaton tells apart.
type alphabet struct {
	bytewise bool   // each byte is a unit, its class is its column
	exact    bool   // instructions look at the bytes of runes, too (opByte)
	runes    []rune // class[i] is the class of the runes from runes[i] on
	class    []int
	invalid  int    // class of a byte that is not UTF-8
	classes  int    // how many
	kind     []kind // by class
	member   []bool // by set*classes + class
	column   [256]uint8
	columns  int
}

func (a *alphabet) has(set uint32, class int) bool { return a.member[int(set)*a.classes+class] }

func (a *alphabet) hasMember(set uint32) bool {
	return slices.Contains(a.member[int(set)*a.classes:(int(set)+1)*a.classes], true)
}

// span returns the class of r and the last rune up to which all have it.
func (a *alphabet) span(r rune) (class int, last rune) {
	i, found := slices.BinarySearch(a.runes, r)
	if !found {
		i--
	}
	if i+1 == len(a.runes) {
		return a.class[i], unicode.MaxRune
	}
	return a.class[i], a.runes[i+1] - 1
}

// hasPartial reports whether a set has a rune that p can become.
func (a *alphabet) hasPartial(set uint32, p partial) bool {
	if p.known {
		return a.has(set, int(p.class))
	}
	for r, hi := p.span(); r <= hi; {
		c, last := a.span(r)
		if a.has(set, c) {
			return true
		}
		r = last + 1
	}
	return false
}

func newAlphabet(sets []runeSet, asserts, exact bool) alphabet {
	a := alphabet{exact: exact}
	bounds := []rune{0}
	mark := func(lo, hi rune) {
		bounds = append(bounds, lo)
		if hi < unicode.MaxRune {
			bounds = append(bounds, hi+1)
		}
	}
	for _, s := range sets {
		for i := 0; i < len(s.ranges); i += 2 {
			mark(s.ranges[i], s.ranges[i+1])
		}
	}
	if asserts {
		mark('0', '9')
		mark('A', 'Z')
		mark('_', '_')
		mark('a', 'z')
		mark('\n', '\n')
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)

	// Two spans of runes are one class if they are in the same sets and of the
	// same kind. The bytes that are not UTF-8 are a class of their own.
	ids := make(map[string]int)
	var signatures [][]byte
	classOf := func(k kind, in func(s runeSet) bool) int {
		sig := make([]byte, 0, 1+len(sets))
		sig = append(sig, byte(k))
		for _, s := range sets {
			if in(s) {
				sig = append(sig, 1)
			} else {
				sig = append(sig, 0)
			}
		}
		id, ok := ids[string(sig)]
		if !ok {
			id = len(ids)
			ids[string(sig)] = id
			signatures = append(signatures, sig)
		}
		return id
	}
	for _, r := range bounds {
		k := kindOther
		if asserts {
			k = kindOf(r)
		}
		c := classOf(k, func(s runeSet) bool { return s.has(r) })
		if n := len(a.class); n > 0 && a.class[n-1] == c {
			continue
		}
		a.runes = append(a.runes, r)
		a.class = append(a.class, c)
	}
	a.invalid = classOf(kindOther, func(s runeSet) bool { return s.invalid })
	a.classes = len(ids)
	a.member = make([]bool, len(sets)*a.classes)
	a.kind = make([]kind, a.classes)
	for c, sig := range signatures {
		a.kind[c] = kind(sig[0])
		for s := range sets {
			a.member[s*a.classes+c] = sig[1+s] == 1
		}
	}
	a.divideBytes()
	return a
}

// divideBytes finds the columns: adjacent bytes are one column unless somewhere
// in UTF-8 a class begins or ends between them.
func (a *alphabet) divideBytes() {
	var cut [257]bool
	if a.exact {
		for b := range cut {
			cut[b] = true
		}
	}
	// The borders of UTF-8 itself: see table 3-7 of the Unicode Standard.
	for _, b := range []byte{0x80, 0x90, 0xa0, 0xc0, 0xc2, 0xe0, 0xe1, 0xed, 0xee, 0xf0, 0xf1, 0xf4, 0xf5} {
		cut[b] = true
	}
	for _, r := range a.runes[1:] {
		before := r - 1
		if 0xd800 <= r && r <= 0xe000 { // surrogates have no UTF-8
			before, r = 0xd7ff, 0xe000
		}
		var buf [utf8.UTFMax]byte
		for _, b := range buf[:utf8.EncodeRune(buf[:], r)] {
			cut[b] = true
		}
		for _, b := range buf[:utf8.EncodeRune(buf[:], before)] {
			cut[int(b)+1] = true
		}
	}
	for b := range 256 {
		if cut[b] && b > 0 {
			a.columns++
		}
		a.column[b] = uint8(a.columns)
	}
	a.columns++
}

// A partial is the beginning of a rune whose end has not come.
type partial struct {
	bytes [3]byte
	n     uint8
	known bool   // its class is certain, and only the first byte is kept
	class uint16 // if known
}

// first returns the partial that begins with b, if one can.
func first(b byte) (partial, bool) {
	return partial{bytes: [3]byte{b}, n: 1}, 0xc2 <= b && b <= 0xf4
}

// takes reports whether b can continue the rune, as utf8.DecodeRune has it.
func (p partial) takes(b byte) bool {
	lo, hi := byte(0x80), byte(0xbf)
	if p.n == 1 {
		switch p.bytes[0] {
		case 0xe0:
			lo = 0xa0
		case 0xed:
			hi = 0x9f
		case 0xf0:
			lo = 0x90
		case 0xf4:
			hi = 0x8f
		}
	}
	return lo <= b && b <= hi
}

// missing returns how many bytes are still to come.
func (p partial) missing() int {
	switch b := p.bytes[0]; {
	case b >= 0xf0:
		return 4 - int(p.n)
	case b >= 0xe0:
		return 3 - int(p.n)
	}
	return 2 - int(p.n)
}

// span returns the first and the last rune the partial can become.
func (p partial) span() (lo, hi rune) {
	first, last := p, p
	for first.missing() > 1 {
		first = first.with(first.end(0x80, 1))
		last = last.with(last.end(0xbf, -1))
	}
	return first.rune(first.end(0x80, 1)), last.rune(last.end(0xbf, -1))
}

// end returns the byte nearest to b, in steps, that can continue the rune.
func (p partial) end(b byte, step int) byte {
	for !p.takes(b) {
		b += byte(step)
	}
	return b
}

func (p partial) with(b byte) partial {
	if !p.known {
		p.bytes[p.n] = b
	}
	p.n++
	return p
}

// rune returns the rune that b, which p takes, completes.
func (p partial) rune(b byte) rune {
	var buf [utf8.UTFMax]byte
	n := copy(buf[:], p.bytes[:p.n])
	buf[n] = b
	r, _ := utf8.DecodeRune(buf[:n+1])
	return r
}

// settle notes the class of the rune if all that p can become have the same,
// and forgets the bytes that no longer matter: thousands of runes of one class
// then share the states within them.
func (a *alphabet) settle(p partial) partial {
	if a.exact || p.known {
		return p
	}
	lo, hi := p.span()
	c, last := a.span(lo)
	if last < hi {
		return p
	}
	// What the lead byte still says is how many bytes are missing and which may
	// come second.
	lead := p.bytes[0]
	switch {
	case lead < 0xe0:
		lead = 0xc2
	case lead < 0xf0 && (p.n > 1 || lead != 0xe0 && lead != 0xed):
		lead = 0xe1
	case lead >= 0xf0 && (p.n > 1 || lead != 0xf0 && lead != 0xf4):
		lead = 0xf1
	}
	return partial{bytes: [3]byte{lead}, n: p.n, known: true, class: uint16(c)}
}

// A byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *byteSet) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }

// ascii reports whether there is ASCII among the members.
func (s *byteSet) ascii() bool { return s[0]|s[1] != 0 }

func (s *byteSet) join(t *byteSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

// all ranges over the members.
func (s *byteSet) all(yield func(byte) bool) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(byte(64*i + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

func (s *byteSet) len() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// within reports whether s, which is not empty, has no members but those of t.
func (s *byteSet) within(t *byteSet) bool {
	for i := range s {
		if s[i]&^t[i] != 0 {
			return false
		}
	}
	return *s != byteSet{}
}
