package screen

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
	"github.com/clipperhouse/uax29/v2/graphemes"
)

// class is what the grid has to know of a character: how many cells it takes alone, and whether it can ever continue
// the cluster before it. Most cannot, and then nobody has to look.
type class uint8

const (
	widthMask class = 3
	joins     class = 4 // may continue a cluster
	pictures  class = 8 // a pictograph, which VARIATION SELECTOR-16 makes wide
)

// pages caches classes, 256 characters at a time: the answer costs a look through several tables, and the same few
// scripts come again and again. Races are harmless, each computes the same.
var pages [utf8.MaxRune>>8 + 1]atomic.Pointer[[256]class]

func classOf(r rune) class {
	p := pages[r>>8].Load()
	if p == nil {
		p = new([256]class)
		for i := range p {
			p[i] = classify(r&^0xff | rune(i))
		}
		pages[r>>8].Store(p)
	}
	return p[r&0xff]
}

// continued are the ends of clusters that some character continues, one for each rule of UAX #29: any, a flag's first
// half, the three kinds of Hangul, a joined emoji, an Indic conjunct.
var continued = []string{"a", "\U0001F1E9", "\u1100", "\uAC00", "\uAC01", "\U0001F469\u200D", "\u0915\u094D"}

func classify(r rune) class {
	c := class(displaywidth.Rune(r))
	switch {
	case r == 0xad: // SOFT HYPHEN is shown, as in xterm
		return 1
	case r == 0xe33 || r == 0xeb3 || r == 0xff9e || r == 0xff9f:
		return 1 // the AM of Thai and Lao, the sound marks of narrow kana: they stand in a cell of their own everywhere
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return 1 // Arabic number signs and the like: shown beside the digits, not upon them
	case r >= 0x1160 && r <= 0x11ff || r >= 0xd7b0 && r <= 0xd7fb:
		c = 0 // vowels and ends of Hangul syllables: alone they go with what is there
	}
	if oneCluster([]byte(string(r) + "\u200D\U0001F469")) { // only pictographs are joined
		c |= pictures
	}
	for _, b := range continued {
		if oneCluster([]byte(b + string(r))) {
			return c | joins
		}
	}
	if c == 0 { // a format character: it takes no cell, so it can only go with the one before it
		c |= joins
	}
	return c
}

// oneCluster reports whether a text is a single grapheme cluster.
func oneCluster(text []byte) bool {
	g := graphemes.FromBytes(text)
	return g.Next() && len(g.Value()) == len(text)
}

// continues reports whether the last character of a text, r, belongs to the cluster before it, and how many cells the
// whole takes.
func continues(text []byte, r rune) (width int, ok bool) {
	if !oneCluster(text) {
		return 0, false
	}
	base, _ := utf8.DecodeRune(text)
	switch {
	case r == emojiPresentation && !hasEmojiForm(base):
		text = text[:len(text)-utf8.RuneLen(r)]
	case r >= 0x1f3fb && r <= 0x1f3ff && classOf(base)&pictures == 0: // the colour of a skin, which nothing else has
		return 0, false
	}
	return displaywidth.Bytes(text), true
}

const emojiPresentation = '\uFE0F' // VARIATION SELECTOR-16

// hasEmojiForm: only a pictograph or the base of a keycap becomes wide; a letter with the selector stays what it was.
func hasEmojiForm(r rune) bool {
	switch {
	case r == '#' || r == '*' || '0' <= r && r <= '9':
		return true
	}
	return r >= 0x80 && classOf(r)&pictures != 0
}
