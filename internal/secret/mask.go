package secret

import (
	"bytes"
	"slices"
)

// shortest is the least number of bytes of a secret that is masked when the
// stream ends within it. Fewer say nothing and are common by chance.
const shortest = 4

// Mask takes secrets out of a stream: each becomes [secret], overlapping ones
// together become one. Besides a secret itself it finds what a terminal shows
// of it: \n as \r\n, control characters as ^X.
//
// The result does not depend on how the stream was cut: the longest suffix that
// could begin a secret is held back until a byte or the end decides. Time never
// releases it.
//
// The zero Mask knows no secrets and is ready to use. It keeps copies of the
// secrets it was given. It must not be copied once it knows one, and is not
// safe for concurrent use: each stream has its own.
type Mask struct {
	needles []*needle
	held    []byte // not yet given out: at most as long as the longest secret
	spans   []span // secrets that reach into held, relative to its start
}

// needle is a form of a secret and how much of it the stream ends with: the
// algorithm of Knuth, Morris and Pratt.
type needle struct {
	text []byte
	fail []int // fail[n]: the longest proper prefix of text[:n] that ends it
	at   int   // bytes of text that the stream ends with
}

// span is a stretch of the stream that is secret. One that starts before 0
// has already been given out as [secret].
type span struct{ start, end int }

// Add makes value a secret from here on, also where the held bytes already end
// in its beginning. Bytes that were given out before cannot be called back. An
// empty value is ignored. The value is copied.
func (m *Mask) Add(value []byte) {
	for _, form := range forms(value) {
		known := func(n *needle) bool { return bytes.Equal(n.text, form) }
		if len(form) == 0 || slices.ContainsFunc(m.needles, known) {
			continue
		}
		n := newNeedle(form)
		m.needles = append(m.needles, n)
		m.find(n, m.held, 0)
	}
}

// forms returns a secret as it is and as terminals show it.
func forms(value []byte) [][]byte {
	caret := carets(value)
	return [][]byte{bytes.Clone(value), lineEnds(value), caret, lineEnds(caret)}
}

// lineEnds returns b with \r\n for \n, as the terminal writes it (ONLCR).
func lineEnds(b []byte) []byte {
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

// carets returns b with ^X for control characters but \t and \n, as the
// terminal echoes them (ECHOCTL).
func carets(b []byte) []byte {
	var out []byte
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' || c == 0x7f {
			out = append(out, '^', c^0x40)
		} else {
			out = append(out, c)
		}
	}
	return out
}

func newNeedle(text []byte) *needle {
	n := &needle{text: text, fail: make([]int, len(text)+1)}
	for i := 1; i < len(text); i++ {
		n.step(text[i])
		n.fail[i+1] = n.at
	}
	n.at = 0
	return n
}

// step takes the next byte and reports whether the text ends with it.
func (n *needle) step(b byte) bool {
	for n.at == len(n.text) || n.text[n.at] != b {
		if n.at == 0 {
			return false
		}
		n.at = n.fail[n.at]
	}
	n.at++
	return n.at == len(n.text)
}

// find looks for n in p, which stands offset bytes after the start of the held
// bytes, and notes what it finds.
func (m *Mask) find(n *needle, p []byte, offset int) {
	for i := 0; i < len(p); i++ {
		if n.at == 0 {
			skip := bytes.IndexByte(p[i:], n.text[0])
			if skip < 0 {
				return
			}
			i += skip
		}
		if n.step(p[i]) {
			end := offset + i + 1
			m.spans = append(m.spans, span{end - len(n.text), end})
		}
	}
}

// Feed takes p, the next piece of the stream, and appends to dst what is decided.
func (m *Mask) Feed(dst, p []byte) []byte {
	keep := 0
	for _, n := range m.needles {
		m.find(n, p, len(m.held))
		if n.at == len(n.text) {
			n.at = n.fail[n.at]
		}
		keep = max(keep, n.at)
	}
	text := p
	if len(m.held) > 0 {
		m.held = append(m.held, p...)
		text = m.held
	}
	cut := len(text) - keep
	dst = m.emit(dst, text[:cut])
	m.held = append(m.held[:0], text[cut:]...)
	return dst
}

// emit appends text to dst with its secrets masked, and moves what is noted of
// the secrets on to the end of text.
func (m *Mask) emit(dst, text []byte) []byte {
	pos := 0
	rest := m.spans[:0]
	for _, s := range merged(m.spans) {
		if s.start >= len(text) {
			rest = append(rest, span{s.start - len(text), s.end - len(text)})
			continue
		}
		if s.start >= 0 {
			dst = append(dst, text[pos:s.start]...)
			dst = append(dst, Shown...)
		}
		pos = min(s.end, len(text))
		if s.end > len(text) {
			rest = append(rest, span{-1, s.end - len(text)})
		}
	}
	m.spans = rest
	return append(dst, text[pos:]...)
}

// merged sorts spans and joins those that overlap, in place.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	out := spans[:0]
	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.start < out[last].end {
			out[last].end = max(out[last].end, s.end)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// Flush appends to dst what is held, at the end of the stream: a suffix of 4
// bytes or more that could begin a secret is masked, a shorter one shown. The
// Mask is then ready for another stream with the same secrets.
func (m *Mask) Flush(dst []byte) []byte {
	if len(m.held) >= shortest {
		m.spans = append(m.spans, span{0, len(m.held)})
	}
	dst = m.emit(dst, m.held)
	clear(m.held)
	m.held = m.held[:0]
	for _, n := range m.needles {
		n.at = 0
	}
	return dst
}

// Text masks a whole text, such as that of an error. It leaves the stream alone.
// A text is masked first and shortened then: a secret that lost its beginning
// is not found.
func (m *Mask) Text(s string) string {
	var t Mask
	for _, n := range m.needles {
		t.needles = append(t.needles, &needle{n.text, n.fail, 0})
	}
	return string(t.Flush(t.Feed(nil, []byte(s))))
}
