package match

import (
	"bytes"
	"sync"
)

// A lone is a set of one text. It needs no automaton, whose making costs more
// than most dialogs search: the standard library finds the text, and it is
// decided with its last byte.
type lone struct {
	text []byte
	fall []int32 // of each prefix, by its length, that of the longest one that also ends it

	once   sync.Once
	rarest int // place of its rarest byte, in texts like the first long one
}

func newLone(text string) *lone {
	l := &lone{text: []byte(text), fall: make([]int32, len(text))}
	for i, k := 1, int32(0); i < len(text)-1; i++ {
		k = l.next(k, text[i])
		l.fall[i+1] = k
	}
	return l
}

// next is how much of the text has come when k bytes of it had, and then b.
func (l *lone) next(k int32, b byte) int32 {
	for k > 0 && l.text[k] != b {
		k = l.fall[k]
	}
	if l.text[k] == b {
		k++
	}
	return k
}

// feed scans b behind a text that ended with the first held bytes of l. It
// returns where the match ends in b, or -1, and how much of l b ends with.
func (l *lone) feed(b []byte, held int32) (end int, now int32) {
	i, n := 0, int32(len(l.text))
	for held > 0 && i < len(b) { // it may have begun in an earlier piece
		held = l.next(held, b[i])
		i++
		if held == n {
			return i, 0
		}
		if int(held) <= i { // not any more
			i, held = i-int(held), 0
		}
	}
	if held > 0 {
		return -1, held
	}
	if at := l.index(b[i:]); at >= 0 {
		return i + at + len(l.text), 0
	}
	for i = max(i, len(b)-len(l.text)+1); i < len(b); i++ {
		held = l.next(held, b[i])
	}
	return -1, held
}

// From this length on a text is searched by the rarest byte; so much of the
// first such text says which that is.
const longText = 1 << 10

// index is bytes.Index, which goes by the first byte: in a log that may be one
// that begins each line.
func (l *lone) index(b []byte) int {
	if len(b) < longText || len(l.text) == 1 {
		return bytes.Index(b, l.text)
	}
	l.once.Do(func() {
		var count [256]int
		usual := usually()
		for _, c := range b[:longText] {
			count[c]++
		}
		for place, c := range l.text {
			best := l.text[l.rarest]
			if count[c] < count[best] || count[c] == count[best] && usual[c] < usual[best] {
				l.rarest = place
			}
		}
	})
	limit := len(b) - len(l.text) + 1
	rare := l.text[l.rarest]
	for i, looks := 0, 0; i < limit; i++ {
		if looks > 8+i/8 { // it is not rare here
			if n := bytes.Index(b[i:], l.text); n >= 0 {
				return i + n
			}
			return -1
		}
		n := bytes.IndexByte(b[i+l.rarest:limit+l.rarest], rare)
		if n < 0 {
			return -1
		}
		i, looks = i+n, looks+1
		if b[i] == l.text[0] && bytes.HasPrefix(b[i:], l.text) {
			return i
		}
	}
	return -1
}

// feedLone is Feed for a set of one text.
func (sc *Scan) feedLone(b []byte) (decided bool) {
	end, held := sc.set.lone.feed(b, sc.held)
	sc.held = held
	if end < 0 {
		sc.pos += int64(len(b))
		return false
	}
	sc.pos += int64(end)
	sc.best = Found{From: sc.pos - int64(len(sc.set.lone.text)), End: sc.pos}
	sc.matched, sc.decided = true, true
	return true
}
