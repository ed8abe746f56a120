package match

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// Most text begins no match. A prefilter names what every match has, cheap to
// search for: how it begins (its heads), or a byte somewhere in its line (its
// needs). It may name a place for nothing, but leaves no match out.
type prefilter struct {
	ways   []way            // what there is to search by, the cheapest first
	prices [allWays]float64 // of the ways; see add

	literal []byte // all matches begin so
	rarest  int    // place of its rarest byte
	// anchors are rare bytes, one of which is at its place in every head.
	anchors []anchor
	// masks are windows of the heads as a bit-parallel automaton (shift-or): of each
	// group of windows, bit place*maxGroups + group of masks[c] is clear if c fits
	// there. Behind the last place, depth - 1, all are clear: so what fitted there can
	// be seen for some bytes more.
	masks [256]uint64
	depth int
	back  int // a window stands at most so far behind the beginning of its head
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
	allWays
)

// An anchor is a byte and how far behind the beginning of a match it stands.
type anchor struct {
	value byte
	place int
}

const (
	maxLiteral = 32 // places of a single head
	maxHead    = 16 // places of one of several heads
	maxDepth   = 8  // places of a window
	minDepth   = 4  // of one that is not the beginning of its head
	maxHeads   = 32
	maxGroups  = 4 // bits of a place in masks: with maxDepth+3 places they fit a word
	maxAnchors = 6 // each costs a search of its own, vectorised
)

// A way is used if it should look at no more than one byte of so many.
const (
	worthLiteral = 24
	worthAnchors = 64
	worthMasks   = 40
	worthNeeds   = 60
)

// shares say about how much of a text each byte makes up.
type shares [256]float64

// of returns the share of all the bytes of a set.
func (p *shares) of(s *byteSet) (sum float64) {
	for b := range s.all {
		sum += p[b]
	}
	return min(sum, 1)
}

// usual is what programs print. A sample weighs as much as it is long; this as
// much as usualWeight bytes.
var usual struct {
	once sync.Once
	shares
}

func usually() *shares {
	usual.once.Do(func() { usual.shares = usualShares() })
	return &usual.shares
}

func usualShares() (p shares) {
	for b := range p {
		p[b] = 0.001
	}
	for b := '!'; b <= '~'; b++ {
		p[b] = 0.004
	}
	for b := '0'; b <= '9'; b++ {
		p[b] = 0.02
	}
	for rank, b := range "zqjxkwvybgfhpmudclsnoraite" {
		p[b] = 0.001 + 0.002*float64(rank)
	}
	for _, b := range "\n.:-/" {
		p[b] = 0.015
	}
	p[' '] = 0.12
	return p
}

const (
	usualWeight = 512
	maxSample   = 64 << 10
)

// sharesIn returns the shares that are to be expected in a text which begins
// with the sample.
func sharesIn(sample []byte) *shares {
	sample = sample[:min(len(sample), maxSample)]
	p := *usually()
	for b := range p {
		p[b] *= usualWeight
	}
	for _, b := range sample {
		p[b]++
	}
	for b := range p {
		p[b] /= float64(usualWeight + len(sample))
	}
	return &p
}

// prefilter returns the set's prefilter. If it is not yet made, it is made for
// texts like the sample.
func (s *Set) prefilter(sample []byte) *prefilter {
	s.once.Do(func() { s.skip = newPrefilter(&s.prog, sample) })
	return s.skip
}

// newPrefilter returns nil if there is nothing to skip by.
func newPrefilter(p *program, sample []byte) *prefilter {
	if !p.restarts {
		return nil
	}
	f, text := new(prefilter), sharesIn(sample)
	if heads := findHeads(p); heads != nil {
		f.useHeads(heads, text, sample)
	}
	var share float64
	if f.needs, share = findNeeds(p, text); f.needs != nil {
		f.add(byNeeds, 3*stopPrice*share) // a line each time
	}
	if len(f.ways) == 0 {
		return nil
	}
	return f
}

// add adds a way that costs so much for each byte of text, in bytes that could be
// followed instead.
func (f *prefilter) add(w way, price float64) {
	i := 0
	for i < len(f.ways) && f.prices[f.ways[i]] <= price {
		i++
	}
	f.ways = slices.Insert(f.ways, i, w)
	f.prices[w] = price
}

// A head is what the first bytes of a match can be.
type head []byteSet

// with returns h and one more place.
func (h head) with(s byteSet) head { return append(h[:len(h):len(h)], s) }

// literal returns the bytes of a head that has but one for each place, or nil.
func (h head) literal() (text []byte) {
	for i := range h {
		if h[i].len() != 1 {
			return nil
		}
		text = slices.AppendSeq(text, h[i].all)
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
		if depth >= maxHead && (len(heads)+len(growing) > 1 || depth == maxLiteral || growing[0].head.literal() == nil) {
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
func (f *prefilter) useHeads(heads []head, text *shares, sample []byte) {
	if len(heads) == 1 {
		f.useLiteral(heads[0], text)
	}
	windows := make([]head, len(heads))
	for i, h := range heads {
		var from int
		windows[i], from = h.window(sample)
		f.depth, f.back = max(f.depth, len(windows[i])), max(f.back, from)
	}
	if f.back == 0 { // or the beginning is not rare
		var share float64
		if f.anchors, share = findAnchors(windows, text); f.anchors != nil {
			f.add(byAnchors, stopPrice*share)
		}
	}
	if chance := f.fillMasks(windows, text); chance < 1.0/worthMasks {
		f.add(byMasks, masksPrice+stopPrice*chance)
	}
}

// What fits no more often than in one place of rareWindow is rare; seenSample
// bytes of a sample show it.
const (
	rareWindow = 1 << 10
	seenSample = 4 << 10
)

// window returns the beginning of a head or, if that is not rare in the sample,
// the rarest part of it, and where in the head it begins.
func (h head) window(sample []byte) (window head, from int) {
	sample = sample[:min(len(sample), seenSample)]
	window = h[:min(len(h), maxDepth)]
	least := window.count(sample, len(sample))
	for i := 1; i+minDepth <= len(h) && least > len(sample)/rareWindow; i++ {
		part := h[i:min(len(h), i+maxDepth)]
		if n := part.count(sample, least); n < least {
			window, from, least = part, i, n
		}
	}
	return window, from
}

// count returns how often a head fits in a text, counting to most and one more.
func (h head) count(text []byte, most int) (n int) {
	for i := 0; i+len(h) <= len(text) && n <= most; i++ {
		k := 0
		for k < len(h) && h[k].has(text[i+k]) {
			k++
		}
		if k == len(h) {
			n++
		}
	}
	return n
}

// fillMasks fills in masks, and returns how likely they fit by chance.
func (f *prefilter) fillMasks(heads []head, text *shares) (chance float64) {
	for c := range f.masks {
		f.masks[c] = 1<<(maxGroups*f.depth) - 1
	}
	for j, h := range groups(heads, text) {
		chance += h.chance(text)
		for k := range f.depth {
			for c := range f.masks {
				if k >= len(h) || h[k].has(byte(c)) {
					f.masks[c] &^= 1 << (maxGroups*k + j)
				}
			}
		}
	}
	return chance
}

// groups joins heads until no more than maxGroups are left, each time the two
// for which that brings the fewest false stops.
func groups(heads []head, text *shares) []head {
	heads = slices.Clone(heads)
	for len(heads) > maxGroups {
		var one, other int
		least := math.Inf(1)
		for i := range heads {
			for j := range i {
				if more := heads[i].join(heads[j]).chance(text) - heads[i].chance(text) - heads[j].chance(text); more < least {
					one, other, least = i, j, more
				}
			}
		}
		heads[other] = heads[other].join(heads[one])
		heads = slices.Delete(heads, one, one+1)
	}
	return heads
}

// join returns a head that fits where one of two does.
func (h head) join(other head) head {
	joined := slices.Clone(h[:min(len(h), len(other))])
	for k := range joined {
		joined[k].join(&other[k])
	}
	return joined
}

// chance is about how often the head fits by chance.
func (h head) chance(text *shares) float64 {
	chance := 1.0
	for k := range h {
		chance *= text.of(&h[k])
	}
	return chance
}

// useLiteral uses the bytes of a head, if they are certain.
func (f *prefilter) useLiteral(h head, text *shares) {
	literal := h.literal()
	if literal == nil {
		return
	}
	for place, b := range literal {
		if text[b] < text[literal[f.rarest]] {
			f.rarest = place
		}
	}
	if text[literal[f.rarest]] < 1.0/worthLiteral {
		f.literal = literal
		f.add(byLiteral, stopPrice*text[literal[f.rarest]])
	}
}

// findAnchors returns rare bytes of which every head has one, or nil.
func findAnchors(heads []head, text *shares) (anchors []anchor, total float64) {
	for _, h := range heads {
		place, least := -1, 2.0
		for k := range h {
			if share := text.of(&h[k]); share < least {
				place, least = k, share
			}
		}
		if place < 0 {
			return nil, 0
		}
		for b := range h[place].all {
			if a := (anchor{value: b, place: place}); !slices.Contains(anchors, a) {
				anchors = append(anchors, a)
				total += text[b]
			}
		}
	}
	if len(anchors) > maxAnchors || total > 1.0/worthAnchors {
		return nil, 0
	}
	return anchors, total
}

// fits reports whether a match can begin at the beginning of b, which has at
// least depth bytes.
func (f *prefilter) fits(b []byte) bool {
	s := ^uint64(0)
	for _, c := range b[:f.depth] {
		s = s<<maxGroups | f.masks[c]
	}
	return f.fitted(s)
}

// fitted reports whether a group fits at the bytes last shifted into s.
func (f *prefilter) fitted(s uint64) bool {
	return ^s>>(maxGroups*(f.depth-1))&(1<<maxGroups-1) != 0
}

// reach returns how many bytes a way by heads needs to see.
func (f *prefilter) reach(w way) int {
	if w == byLiteral {
		return len(f.literal)
	}
	return f.depth + f.back
}

// scanLiteral returns the first place in b where a match can begin, or that
// from which on b is too short to say, and how often it had to look closer. b is
// as long as it reaches or longer.
func (f *prefilter) scanLiteral(b []byte) (place, looks int) {
	limit := len(b) - len(f.literal) + 1
	for i := 0; ; i++ {
		looks++
		if i >= limit {
			return limit, looks
		}
		n := bytes.IndexByte(b[i+f.rarest:limit+f.rarest], f.literal[f.rarest])
		if n < 0 {
			return limit, looks
		}
		i += n
		if b[i] == f.literal[0] && bytes.HasPrefix(b[i:], f.literal) {
			return i, looks
		}
	}
}

// scanMasks is scanLiteral for a window of a head, by means of the masks, four
// bytes at a time.
func (f *prefilter) scanMasks(b []byte) int {
	s := ^uint64(0)
	up := maxGroups * (f.depth - 1) & 63
	i := 0
	for ; i+4 <= len(b); i += 4 {
		c := b[i : i+4 : i+4]
		s = s<<(4*maxGroups) | f.masks[c[0]]<<(3*maxGroups) | f.masks[c[1]]<<(2*maxGroups) | f.masks[c[2]]<<maxGroups | f.masks[c[3]]
		if uint16(s>>up) != math.MaxUint16 {
			// The first of the four stands highest.
			return i + bits.LeadingZeros16(^uint16(s>>up))/maxGroups + 1 - f.depth
		}
	}
	for ; i < len(b); i++ {
		s = s<<maxGroups | f.masks[b[i]]
		if f.fitted(s) {
			return i + 1 - f.depth
		}
	}
	return len(b) - f.depth + 1
}

// scanAnchors is scanLiteral by means of the anchors. at is the offset of b in
// the text; next holds, for each anchor, the offset before which it is known
// not to be.
func (f *prefilter) scanAnchors(b []byte, at int64, next *[maxAnchors]int64) (place, looks int) {
	limit := len(b) - f.depth + 1
	for i := 0; i < limit; i++ {
		looks++
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
			return i, looks
		}
	}
	return limit, looks
}

// findNeeds returns rare bytes of which every match has one, if no match goes
// over a newline. A case needs the bytes of a set if without the instructions
// that accept no others no match can be reached.
func findNeeds(p *program, text *shares) (needs []byte, total float64) {
	if p.bytewise || len(p.starts) == 0 || len(p.insts) > 1<<12 {
		return nil, 0
	}
	newline, _ := p.span('\n')
	for i := range p.insts {
		if in := &p.insts[i]; in.op == opByte || in.op == opUnit && in.live && p.has(in.arg, newline) {
			return nil, 0
		}
	}
	members := p.asciiSets()
	for _, start := range p.starts {
		best, least := byteSet{}, 2.0
		for set := range members {
			s := &members[set]
			if share := text.of(s); share > 0 && share < least && !p.reaches(start, func(in uint32) bool { return members[in].within(s) }) {
				best, least = *s, share
			}
		}
		if least > 1 {
			return nil, 0
		}
		for b := range best.all {
			if !slices.Contains(needs, b) {
				needs = append(needs, b)
				total += text[b]
			}
		}
	}
	if len(needs) > maxAnchors || total > 1.0/worthNeeds {
		return nil, 0
	}
	return needs, total
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
