package match

import (
	"bytes"
	"math"
	"slices"
)

// Most text begins no match. A prefilter names what every match has, cheap to
// search for: how it begins (its heads), or a byte somewhere in its line (its
// needs). It may name a place for nothing, but leaves no match out.
type prefilter struct {
	ways []way // what there is to search by, the fastest first

	literal []byte // all matches begin so
	// anchors are rare bytes, one of which is at its place in every head.
	anchors []anchor
	// masks are the heads as a bit-parallel automaton (shift-or): byte k of
	// masks[c] has, for the group of heads j, bit j clear if c fits at place k,
	// counted so that place depth-1 is the highest byte.
	masks [256]uint64
	begin uint64
	depth int
	// needs are rare bytes, one of which is in every match, where no match goes
	// over the end of a line.
	needs []byte
}

// A way is one of the searches of a prefilter.
type way uint8

const (
	byLiteral way = iota
	byAnchors
	byMasks
	byNeeds
)

// An anchor is a byte and how far behind the beginning of a match it stands.
type anchor struct {
	value byte
	place int
}

const (
	maxLiteral = 32
	maxDepth   = 8 // bytes in a word
	maxGroups  = 8 // bits in a byte
	maxHeads   = 32
	maxAnchors = 6 // each costs one vectorised search
)

// A way is used if it should stop at no more than one byte of so many.
const (
	worthAnchors = 20
	worthMasks   = 40
	worthNeeds   = 60
)

// A byteSet is the bytes that fit at one place.
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

var allBytes = byteSet{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}

// bytes returns the members, at most n + 1 of them.
func (s *byteSet) bytes(n int) (bytes []byte) {
	for b := range 256 {
		if s.has(byte(b)) && len(bytes) <= n {
			bytes = append(bytes, byte(b))
		}
	}
	return bytes
}

// share is about how much of a text consists of these bytes.
func (s *byteSet) share() (sum float64) {
	for b := range 256 {
		if s.has(byte(b)) {
			sum += share(byte(b))
		}
	}
	return min(sum, 1)
}

// share is about how much of what programs print is the byte b.
func share(b byte) float64 {
	const letters = "zqjxkwvybgfhpmudclsnoraite" // rarest first
	switch {
	case b == ' ':
		return 0.12
	case b >= 'a' && b <= 'z':
		return 0.001 + 0.002*float64(bytes.IndexByte([]byte(letters), b))
	case b >= '0' && b <= '9':
		return 0.02
	case b >= 'A' && b <= 'Z':
		return 0.004
	case b == '\n', b == '.', b == ':', b == '-', b == '/':
		return 0.015
	case b > ' ' && b < 0x7f:
		return 0.004
	}
	return 0.001
}

// newPrefilter returns nil if there is nothing to skip by.
func newPrefilter(p *program) *prefilter {
	if !p.restarts {
		return nil
	}
	f := new(prefilter)
	if heads := findHeads(p); heads != nil {
		f.useHeads(heads)
	}
	if f.needs = findNeeds(p); f.needs != nil {
		f.ways = append(f.ways, byNeeds)
	}
	if len(f.ways) == 0 {
		return nil
	}
	return f
}

// A head is what the first bytes of a match can be.
type head []byteSet

// with returns h and one more place.
func (h head) with(s byteSet) head { return append(h[:len(h):len(h)], s) }

// literal returns the bytes of a head that has but one for each place, or nil.
func (h head) literal() (text []byte) {
	for i := range h {
		one := h[i].bytes(1)
		if len(one) != 1 {
			return nil
		}
		text = append(text, one...)
	}
	return text
}

// A branch is a head and the state to which it leads.
type branch struct {
	head head
	at   *state
	fits byteSet // the last place of head
}

// findHeads returns heads for all matches, or nil. It lets the program run from
// the starts alone, over all bytes at once, and takes all assertions to hold.
func findHeads(p *program) []head {
	m := newStepper(p)
	m.blind = true
	root := branch{at: new(state)}
	m.begin(root.at, kindEdge)
	if root.at.matched { // the empty text matches
		return nil
	}
	root.at.matched = true // nothing begins any more

	var heads []head // complete
	growing := []branch{root}
	for depth := 0; len(growing) > 0; depth++ {
		if depth >= maxDepth && (len(heads)+len(growing) > 1 || depth == maxLiteral || growing[0].head.literal() == nil) {
			break
		}
		level := growing
		growing = nil
		for n, from := range level {
			next, ends, ok := m.branches(from)
			if !ok {
				return nil
			}
			var union byteSet
			for _, to := range next {
				union.join(&to.fits)
			}
			if ends || len(heads)+len(growing)+len(level)-n-1+len(next) > maxHeads {
				if len(next) > 0 {
					heads = append(heads, from.head.with(union))
				}
				continue
			}
			for _, to := range next {
				to.head = from.head.with(to.fits)
				// The exotic side of (?i), as in k and the Kelvin sign, is not followed.
				if !to.fits.ascii() && union.ascii() {
					heads = append(heads, to.head)
				} else {
					growing = append(growing, to)
				}
			}
		}
	}
	for _, to := range growing {
		heads = append(heads, to.head)
	}
	for _, h := range heads {
		// Behind a skip the automaton must stand at the beginning of a rune. No rune
		// begins with these.
		for b := 0x80; b < 0xc0 && !p.bytewise; b++ {
			if h[0].has(byte(b)) {
				return nil
			}
		}
	}
	return heads
}

// branches returns a branch for each state to which a byte leads from one, and
// whether a match can end there. It is not ok if one can end before.
func (m *stepper) branches(from branch) (next []branch, ends, ok bool) {
	index := make(map[string]int)
	var column [256]int // index into next, plus 1; -1 leads nowhere
	for i := range 256 {
		b := byte(i)
		c := &column[m.column[b]]
		if *c == 0 {
			*c = -1
			to := new(state)
			m.step(to, from.at, b)
			if to.hit.back > 0 {
				return nil, false, false
			}
			if to.hit.match != 0 {
				ends = true
			}
			if to.hit.match != 0 || len(to.threads) > 0 {
				key := string(to.key(nil))
				if _, ok := index[key]; !ok {
					next = append(next, branch{at: to})
					index[key] = len(next)
				}
				*c = index[key]
			}
		}
		if *c > 0 {
			next[*c-1].fits.add(b)
		}
	}
	return next, ends, true
}

// useHeads fills in what is searched for by the heads.
func (f *prefilter) useHeads(heads []head) {
	if len(heads) == 1 {
		if f.literal = heads[0].literal(); len(f.literal) > 1 {
			f.ways = append(f.ways, byLiteral)
		}
	}
	for i, h := range heads {
		heads[i] = h[:min(len(h), maxDepth)]
		f.depth = max(f.depth, len(heads[i]))
	}
	if f.anchors = findAnchors(heads); f.anchors != nil {
		f.ways = append(f.ways, byAnchors)
	}
	if f.fillMasks(heads) < 1.0/worthMasks {
		f.ways = append(f.ways, byMasks)
	}
}

// fillMasks fills in masks and begin, and returns how likely they fit by
// chance.
func (f *prefilter) fillMasks(heads []head) (chance float64) {
	unused := 8 * (maxDepth - f.depth)
	f.begin = math.MaxUint64 << unused
	for c := range f.masks {
		f.masks[c] = f.begin
	}
	for j := range maxGroups {
		// Of more heads than groups, neighbours share one: they begin alike.
		group := heads[j*len(heads)/maxGroups : (j+1)*len(heads)/maxGroups]
		if len(group) == 0 {
			continue
		}
		fits := 1.0
		for k := range f.depth {
			var place byteSet
			for _, h := range group {
				if k < len(h) {
					place.join(&h[k])
				} else {
					place = allBytes
				}
			}
			fits *= place.share()
			for c := range f.masks {
				if place.has(byte(c)) {
					f.masks[c] &^= 1 << (unused + 8*k + j)
				}
			}
		}
		chance += fits
	}
	return chance
}

// findAnchors returns rare bytes of which every head has one, or nil.
func findAnchors(heads []head) (anchors []anchor) {
	total := 0.0
	for _, h := range heads {
		place, least := -1, 2.0
		for k := range h {
			if share := h[k].share(); share < least && len(h[k].bytes(maxAnchors)) <= maxAnchors {
				place, least = k, share
			}
		}
		if place < 0 {
			return nil
		}
		for _, b := range h[place].bytes(maxAnchors) {
			if a := (anchor{value: b, place: place}); !slices.Contains(anchors, a) {
				anchors = append(anchors, a)
				total += share(b)
			}
		}
	}
	if len(anchors) > maxAnchors || total > 1.0/worthAnchors {
		return nil
	}
	return anchors
}

// fits reports whether a match can begin at the beginning of b, which has at
// least depth bytes.
func (f *prefilter) fits(b []byte) bool {
	s := f.begin
	for _, c := range b[:f.depth] {
		s = s<<8 | f.masks[c]
	}
	return s < 0xff<<56
}

// scanLiteral returns the first place in b where a match can begin, or that
// from which on b is too short to say.
func (f *prefilter) scanLiteral(b []byte) int {
	if n := bytes.Index(b, f.literal); n >= 0 {
		return n
	}
	return max(0, len(b)-len(f.literal)+1)
}

// scanMasks is scanLiteral by means of the masks.
func (f *prefilter) scanMasks(b []byte) int {
	s := f.begin
	for i, c := range b {
		s = s<<8 | f.masks[c]
		if s < 0xff<<56 {
			return i + 1 - f.depth
		}
	}
	return max(0, len(b)-f.depth+1)
}

// scanAnchors is scanLiteral by means of the anchors. at is the offset of b in
// the text; next holds, for each anchor, the offset before which it is known
// not to be.
func (f *prefilter) scanAnchors(b []byte, at int64, next *[maxAnchors]int64) int {
	limit := max(0, len(b)-f.depth+1)
	for i := 0; i < limit; i++ {
		first := limit
		for k, a := range f.anchors {
			from := i + a.place
			if next[k] < at+int64(from) {
				n := bytes.IndexByte(b[from:], a.value)
				if n < 0 {
					n = len(b) - from
				}
				next[k] = at + int64(from+n)
			}
			first = min(first, int(next[k]-at)-a.place)
		}
		i = first
		if i < limit && f.fits(b[i:]) {
			return i
		}
	}
	return limit
}

// findNeeds returns rare bytes of which every match has one, if no match goes
// over a newline. A case needs the bytes of a set if without the instructions
// that accept no others no match can be reached.
func findNeeds(p *program) (needs []byte) {
	if p.bytewise || len(p.starts) == 0 || len(p.insts) > 1<<12 {
		return nil
	}
	newline, _ := p.span('\n')
	for i := range p.insts {
		if in := &p.insts[i]; in.op == opByte || in.op == opUnit && in.live && p.has(in.arg, newline) {
			return nil
		}
	}
	members := p.asciiSets()
	total := 0.0
	for _, start := range p.starts {
		best, least := byteSet{}, 2.0
		for set := range members {
			s := &members[set]
			if share := s.share(); share > 0 && share < least && !p.reaches(start, func(in uint32) bool { return members[in].within(s) }) {
				best, least = *s, share
			}
		}
		if least > 1 {
			return nil
		}
		for _, b := range best.bytes(maxAnchors) {
			if !slices.Contains(needs, b) {
				needs = append(needs, b)
				total += share(b)
			}
		}
	}
	if len(needs) > maxAnchors || total > 1.0/worthNeeds {
		return nil
	}
	return needs
}

// asciiSets returns the bytes that the sets of the program accept, none for a
// set that accepts more than ASCII.
func (p *program) asciiSets() []byteSet {
	wide := make([]bool, p.classes)
	wide[p.invalid] = true
	for i, c := range p.class {
		if i+1 == len(p.runes) || p.runes[i+1] > 0x80 {
			wide[c] = true
		}
	}
	sets := make([]byteSet, len(p.member)/p.classes)
	for i := range sets {
		set := uint32(i)
		for b := range byte(0x80) {
			if c, _ := p.span(rune(b)); p.has(set, c) {
				sets[i].add(b)
			}
		}
		for c := range wide {
			if wide[c] && p.has(set, c) {
				sets[i] = byteSet{}
			}
		}
	}
	return sets
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

// reaches reports whether a match can be reached from pc without consuming a
// unit by a set that is barred.
func (p *program) reaches(pc uint32, barred func(set uint32) bool) bool {
	seen := make([]bool, len(p.insts))
	stack := []uint32{pc}
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		in := &p.insts[pc]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch {
		case in.op == opMatch:
			return true
		case in.op == opFail, in.op == opUnit && barred(in.arg):
			continue
		case in.op == opAlt:
			stack = append(stack, in.arg)
		}
		stack = append(stack, in.out)
	}
	return false
}
