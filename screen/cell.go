package screen

import (
	"fmt"
	"maps"
	"slices"
)

// Cell is one position of the screen. A blank one has the text " " and width 1. A wide character is a cell of width 2
// that is followed by one of width 0 without text.
type Cell struct {
	Text  string // one grapheme cluster
	Width int
	Style
	Link string // where OSC 8 points to; "" = nowhere
}

// Style is how a cell is drawn. The zero value is the terminal's default. Styles are compared with ==.
type Style struct {
	Fg, Bg Color
	Line   Color // of the underline; zero = that of the text
	Attr   Attr
}

// Attr is a set of attributes.
type Attr uint16

// The attributes. Underline is set whenever there is an underline; one more says which, if it is not the plain one.
const (
	Bold Attr = 1 << iota
	Dim
	Italic
	Underline
	Blink
	Reverse
	Conceal
	Strike
	Overline
	Double // these four: the kind of underline
	Curly
	Dotted
	Dashed

	underlines = Underline | Double | Curly | Dotted | Dashed
)

// What a cell carries beside its attributes.
const (
	wide      Attr = 1 << (13 + iota) // the first half of a wide character; the tail follows
	tail                              // the second half
	protected                         // a selective erase leaves it (DECSCA)

	looks = wide - 1
)

// Color is the terminal's default (zero), one of the palette's 256, or red, green and blue.
type Color uint32

const (
	indexed Color = 1 << 24
	direct  Color = 2 << 24
)

// Index is colour n of the palette: 0 to 7 the normal ones, 8 to 15 the bright ones.
func Index(n uint8) Color { return indexed | Color(n) }

// RGB is a colour of its own.
func RGB(r, g, b uint8) Color { return direct | Color(r)<<16 | Color(g)<<8 | Color(b) }

// Index returns the palette's number; ok is false for a colour that has none.
func (c Color) Index() (n uint8, ok bool) { return uint8(c), c>>24 == indexed>>24 }

// RGB returns red, green and blue; ok is false for a colour that is the default or in the palette.
func (c Color) RGB() (r, g, b uint8, ok bool) {
	return uint8(c >> 16), uint8(c >> 8), uint8(c), c>>24 == direct>>24
}

// String returns "" for the default, "12" for a colour of the palette, "#102030" for others.
func (c Color) String() string {
	switch c >> 24 {
	case indexed >> 24:
		return fmt.Sprint(uint8(c))
	case direct >> 24:
		return fmt.Sprintf("#%06x", uint32(c)&0xffffff)
	}
	return ""
}

// cell is what the grid is made of: small and without pointers, so that clearing and moving it is cheap.
type cell struct {
	ch     uint32 // 0: nothing was written here; a character; or, with cluster set, a place in Screen.clusters
	fg, bg Color
	attr   Attr
	extra  uint16 // a place in Screen.extras; 0 = none
}

const cluster = 1 << 31

// extra is what few cells have.
type extra struct {
	line Color
	link string // the parameters of OSC 8: "id=x;http://…"
}

// row is a line of cells.
type row struct {
	cells   []cell
	wrapped bool // the text goes on in the next row
	mark    byte // OSC 133
}

// table gives numbers to values that are too big for a cell. It is bounded: when it is full, what no cell uses any more
// is thrown out, and what has no room is refused (number 0).
type table[T comparable] struct {
	values []T // [0] is not used
	number map[T]uint32
	free   []uint32
	max    int
	wait   int // refusals until it is worth looking for unused ones again
}

func (t *table[T]) get(n uint32) (v T) {
	if int(n) < len(t.values) {
		v = t.values[n]
	}
	return v
}

// put gives a number to v, which has none yet, or 0. mark calls its argument for each number in use.
func (t *table[T]) put(v T, mark func(use func(uint32))) uint32 {
	if t.number == nil {
		t.number = make(map[T]uint32)
		t.values = make([]T, 1)
	}
	if len(t.values) == t.max && len(t.free) == 0 {
		if t.wait > 0 {
			t.wait--
			return 0
		}
		t.sweep(mark)
		if len(t.free) < t.max/4 { // nearly all is in use: do not search the whole screen for each character
			t.wait = t.max
		}
		if len(t.free) == 0 {
			return 0
		}
	}
	n := uint32(len(t.values))
	if last := len(t.free) - 1; last >= 0 {
		n, t.free = t.free[last], t.free[:last]
		t.values[n] = v
	} else {
		t.values = append(t.values, v)
	}
	t.number[v] = n
	return n
}

func (t *table[T]) clone() table[T] {
	c := *t
	c.values, c.free, c.number = slices.Clone(t.values), slices.Clone(t.free), maps.Clone(t.number)
	return c
}

func (t *table[T]) sweep(mark func(use func(uint32))) {
	used := make([]bool, len(t.values))
	mark(func(n uint32) { used[n] = true })
	t.free = t.free[:0]
	for n := 1; n < len(used); n++ {
		if !used[n] {
			delete(t.number, t.values[n])
			var zero T
			t.values[n] = zero
			t.free = append(t.free, uint32(n))
		}
	}
}

// ascii has the text of the cells that need none made.
const ascii = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f"

// text returns what a cell shows.
func (s *Screen) text(c cell) string {
	switch {
	case c.attr&tail != 0:
		return ""
	case c.ch == 0:
		return " "
	case c.ch < 128:
		return ascii[c.ch : c.ch+1]
	case c.ch&cluster != 0:
		return s.clusters.get(c.ch &^ cluster)
	}
	return string(rune(c.ch))
}

func (s *Screen) cell(c cell) Cell {
	e := s.extras.get(uint32(c.extra))
	width := 1
	switch {
	case c.attr&wide != 0:
		width = 2
	case c.attr&tail != 0:
		width = 0
	}
	return Cell{Text: s.text(c), Width: width, Link: uri(e.link),
		Style: Style{Fg: c.fg, Bg: c.bg, Line: e.line, Attr: c.attr & looks}}
}

// inUse calls use for the clusters or the extras of all cells and pens.
func (s *Screen) inUse(number func(cell) uint32) func(func(uint32)) {
	return func(use func(uint32)) {
		one := func(c cell) {
			if n := number(c); n != 0 {
				use(n)
			}
		}
		rows := func(rows []*row) {
			for _, r := range rows {
				for _, c := range r.cells {
					one(c)
				}
			}
		}
		rows(s.lines)
		rows(s.other)
		rows(s.history.rows)
		one(s.pen)
		one(s.saved[0].pen)
		one(s.saved[1].pen)
		one(s.last)
	}
}

func clusterOf(c cell) uint32 {
	if c.ch&cluster != 0 {
		return c.ch &^ cluster
	}
	return 0
}

func extraOf(c cell) uint32 { return uint32(c.extra) }

// cluster returns the ch of a text of more than one character; ok is false when there is no room for one more.
func (s *Screen) cluster(text []byte) (ch uint32, ok bool) {
	n, ok := s.clusters.number[string(text)]
	if !ok {
		n = s.clusters.put(string(text), s.inUse(clusterOf))
	}
	return n | cluster, n != 0
}

// extend changes the pen's rare side.
func (s *Screen) extend(e extra) {
	if e == (extra{}) {
		s.pen.extra = 0
		return
	}
	n, ok := s.extras.number[e]
	if !ok {
		n = s.extras.put(e, s.inUse(extraOf))
	}
	s.pen.extra = uint16(n)
}
