package screen

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// painter writes what a terminal needs to show a screen. It knows where that terminal's cursor is and how it writes.
type painter struct {
	s    *Screen
	out  []byte
	pen  cell
	y, x int // -1: not known
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func (p *painter) str(s string) { p.out = append(p.out, s...) }

// Repaint returns bytes that make a terminal of this size show the same: both screens, attributes, links, cursor, saved
// cursors, margins, tab stops, character sets, modes, colours and title. A sequence that has begun is at their end, so
// that the rest of the output can follow. Not in them: the scrollback, the clipboard, and questions.
func (s *Screen) Repaint() []byte {
	p := &painter{s: s}
	p.str(begin)
	p.whole()
	return p.out
}

// begin gives up a sequence or string that is open, and begins a synchronized update.
const begin = "\x18\x1b[?2026h"

func (p *painter) whole() {
	s := p.s
	p.str("\x1b[?1049l") // this one restores a cursor, with all that belongs to it
	p.prologue()
	p.str("\x1b[H\x1b[2J")
	p.at(0, 0)
	if !s.modes.on(alternate) {
		p.rows(s.lines, nil)
	} else {
		p.rows(s.other, nil)
		p.save(s.other, s.saved[0], "\x1b[?1049h")
		p.str("\x1b[H\x1b[2J")
		p.at(0, 0)
		p.rows(s.lines, nil)
	}
	p.epilogue()
}

// prologue brings a terminal in any state to one in which rows can be painted.
func (p *painter) prologue() {
	p.str("\x1b[!p\x1b[?69l\x1b[r\x1b[?6;45;1045l\x1b[?7;2027h\x1b[4;20l\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b[m\x1b[0\"q\x1b]8;;\x1b\\\x1b[?5l")
	p.pen = cell{}
	p.y, p.x = -1, -1
}

func (p *painter) at(y, x int) { p.y, p.x = y, x }

func (p *painter) move(y, x int) {
	if p.y == y && p.x == x {
		return
	}
	switch {
	case p.y == y && p.x >= 0 && x > p.x:
		p.str("\x1b[")
		if x-p.x > 1 {
			p.out = appendInt(p.out, x-p.x)
		}
		p.str("C")
	case x == 0 && y == p.y+1 && p.y >= 0:
		p.str("\r\n")
	default:
		p.str("\x1b[")
		p.out = appendInt(p.out, y+1)
		if x > 0 {
			p.str(";")
			p.out = appendInt(p.out, x+1)
		}
		p.str("H")
	}
	p.at(y, x)
}

// rows paints rows onto empty ones; with a list only those in it.
func (p *painter) rows(rows []*row, only []bool) {
	for y := range only {
		if only[y] {
			p.move(y, 0)
			p.style(cell{})
			p.str("\x1b[2K")
		}
	}
	follows := false // the row above continues in this one, and the cursor waits at its end
	for y, r := range rows {
		if only != nil && !only[y] {
			follows = false
			continue
		}
		var next *row
		if y+1 < len(rows) && r.wrapped {
			next = rows[y+1]
		}
		p.row(y, r, follows, next)
		follows = next != nil
	}
	for y, r := range rows {
		if r.mark != 0 && (only == nil || only[y]) {
			p.move(y, 0)
			p.mark(r.mark)
		}
	}
}

// row paints one row. When it goes on in next, the cursor is left so that the next character wraps.
func (p *painter) row(y int, r *row, follows bool, next *row) {
	last := len(r.cells) - 1
	for x := 0; x <= last; x++ {
		c := r.cells[x]
		first := x == 0 && follows
		switch {
		case c.attr&tail != 0: // painted with its first half
		case x == last && next != nil && c.ch == 0 && p.beginsWide(next):
			p.erase(y, x, 1, c)
			p.move(y, x) // here the wide character does not fit
			return
		case first && c.ch == 0 && (x < last || next == nil):
			p.style(cell{})
			p.str(" ") // this makes the terminal wrap
			p.y, p.x = -1, -1
			p.move(y, 0)
			p.erase(y, x, 1, c)
			if c == (cell{}) {
				p.style(c)
				p.str("\x1b[X")
			}
		case c.ch == 0 && (x < last || next == nil):
			n := 1
			for x+n <= last && r.cells[x+n] == c && (x+n < last || next == nil) {
				n++
			}
			p.erase(y, x, n, c)
			x += n - 1
		default:
			if !first {
				p.move(y, x)
			}
			p.cell(y, x, c, last)
		}
	}
}

// beginsWide reports whether the first character of a row is wide from its first byte on, not by a variation selector.
func (p *painter) beginsWide(r *row) bool {
	first, _ := utf8.DecodeRuneInString(p.s.text(r.cells[0]))
	return r.cells[0].attr&wide != 0 && classOf(first)&widthMask == 2
}

// erase paints n cells that nothing was written to.
func (p *painter) erase(y, x, n int, c cell) {
	if c == (cell{}) {
		return
	}
	p.move(y, x)
	p.style(c)
	p.str("\x1b[")
	p.out = appendInt(p.out, n)
	p.str("X")
}

// cell writes a character. Those that would be joined to others than they are, are kept apart by a shift-in.
func (p *painter) cell(y, x int, c cell, last int) {
	p.style(c)
	text := p.s.text(c)
	for i, r := range text {
		if r >= 0x80 && classOf(r)&joins != 0 {
			if i == 0 || r == emojiPresentation && c.attr&wide == 0 {
				p.str("\x0f")
			}
		}
		p.out = utf8.AppendRune(p.out, r)
	}
	width := 1
	if c.attr&wide != 0 {
		width = 2
	}
	if p.at(y, x+width); p.x > last {
		p.at(-1, -1)
	}
}

// style makes the terminal write as c is written.
func (p *painter) style(c cell) {
	const kept = looks | protected
	if c.fg == p.pen.fg && c.bg == p.pen.bg && c.attr&kept == p.pen.attr&kept && c.extra == p.pen.extra {
		return
	}
	if (c.attr^p.pen.attr)&protected != 0 {
		p.str("\x1b[0\"q")
		if c.attr&protected != 0 {
			p.out[len(p.out)-3] = '1'
		}
	}
	was, is := p.s.extras.get(uint32(p.pen.extra)), p.s.extras.get(uint32(c.extra))
	if c.fg != p.pen.fg || c.bg != p.pen.bg || (c.attr^p.pen.attr)&looks != 0 || was.line != is.line {
		p.out = append(p.out, p.sgr(c)...)
	}
	if was.link != is.link {
		link := is.link
		if link == "" {
			link = ";"
		}
		p.str("\x1b]8;" + link + "\x1b\\")
	}
	p.pen = c
}

var attrCodes = []struct {
	attr Attr
	code string
}{{Bold, ";1"}, {Dim, ";2"}, {Italic, ";3"}, {Blink, ";5"}, {Reverse, ";7"}, {Conceal, ";8"}, {Strike, ";9"}, {Overline, ";53"}}

// sgr is the sequence that selects the looks of c.
func (p *painter) sgr(c cell) []byte {
	b := []byte("\x1b[0")
	for _, a := range attrCodes {
		if c.attr&a.attr != 0 {
			b = append(b, a.code...)
		}
	}
	switch {
	case c.attr&Double != 0:
		b = append(b, ";4:2"...)
	case c.attr&Curly != 0:
		b = append(b, ";4:3"...)
	case c.attr&Dotted != 0:
		b = append(b, ";4:4"...)
	case c.attr&Dashed != 0:
		b = append(b, ";4:5"...)
	case c.attr&Underline != 0:
		b = append(b, ";4"...)
	}
	b = appendColor(b, c.fg, 30)
	b = appendColor(b, c.bg, 40)
	b = appendColor(b, p.s.extras.get(uint32(c.extra)).line, 50)
	return append(b, 'm')
}

// appendColor appends a colour: base is 30 for the text, 40 for the background, 50 for the underline.
func appendColor(b []byte, c Color, base int) []byte {
	n, isIndex := c.Index()
	r, g, bl, isRGB := c.RGB()
	switch {
	case isIndex && n < 8 && base < 50:
		b = appendInt(append(b, ';'), base+int(n))
	case isIndex && n < 16 && base < 50:
		b = appendInt(append(b, ';'), base+60+int(n)-8)
	case isIndex && base < 50:
		b = appendInt(append(appendInt(append(b, ';'), base+8), ";5;"...), int(n))
	case isRGB && base < 50:
		b = append(appendInt(append(b, ';'), base+8), ";2"...)
		for _, v := range [3]uint8{r, g, bl} {
			b = appendInt(append(b, ';'), int(v))
		}
	case isIndex: // with colons: who does not know 58 would take the numbers for attributes
		b = appendInt(append(b, ";58:5:"...), int(n))
	case isRGB:
		b = append(b, ";58:2:"...)
		for _, v := range [3]uint8{r, g, bl} {
			b = appendInt(append(b, ':'), int(v))
		}
	}
	return b
}

func (p *painter) mark(m byte) {
	p.str("\x1b]133;")
	p.out = append(p.out, m)
	if sh := p.s.shell; m == 'D' && sh.Mark == 'D' && sh.Status >= 0 {
		p.str(";")
		p.out = appendInt(p.out, sh.Status)
	}
	p.str("\x1b\\")
}

// save puts the cursor where c is, with all that belongs to it, and then has it saved by a sequence.
func (p *painter) save(rows []*row, c cursor, sequence string) {
	if c.origin {
		p.str("\x1b[?6h")
	}
	p.place(rows, c, 0, 0)
	p.str(sequence)
	if c.origin {
		p.str("\x1b[?6l")
	}
	p.str("\x1b(B\x1b)B\x1b*B\x1b+B\x0f")
	p.style(cell{})
	p.at(-1, -1)
}

// place sets position, pen and character sets; dy and dx are where positions count from.
func (p *painter) place(rows []*row, c cursor, dy, dx int) {
	x := c.x
	if c.pending && x > 0 && rows[c.y].cells[x].attr&tail != 0 {
		x--
	}
	p.at(-1, -1)
	p.move(c.y-dy, x-dx)
	if c.pending { // the character in the last column is written again
		w := rows[c.y].cells[x]
		if w.ch == 0 {
			w.ch = ' '
		}
		p.cell(c.y, x, w, len(rows[c.y].cells)-1)
	}
	p.style(c.pen)
	for i, set := range c.charsets {
		if set != 'B' {
			p.out = append(p.out, 0x1b, "()*+"[i], set)
		}
	}
	if c.gl > 0 {
		p.str([]string{"\x0e", "\x1bn", "\x1bo"}[c.gl-1])
	}
}

// epilogue sets all that is not in the cells.
func (p *painter) epilogue() {
	s := p.s
	p.style(cell{})
	p.str("\x1b[3g")
	for x, stop := range s.tabs {
		if stop {
			p.at(-1, -1)
			p.move(0, x)
			p.str("\x1bH")
		}
	}
	p.save(s.lines, s.saved[s.side()], "\x1b7")

	p.colors()
	if s.title != "" || s.titles != nil {
		for _, t := range append(slices.Clone(s.titles), s.title) {
			p.str("\x1b]2;" + t + "\x1b\\")
			if len(s.titles) > 0 {
				p.str("\x1b[22;0t")
			}
		}
		if len(s.titles) > 0 { // the last was one too many
			p.str("\x1b[23;0t")
		}
	}
	p.str("\x1b[")
	if s.shape == Block && !s.steady {
		p.str("0")
	} else {
		p.out = appendInt(p.out, s.shapeNumber())
	}
	p.str(" q")

	if s.modes.on(marginMode) {
		p.str("\x1b[?69h")
	}
	if s.left != 0 || s.right != s.cols-1 {
		p.pair(s.left+1, s.right+1, "s")
	}
	if s.top != 0 || s.bottom != s.rows-1 {
		p.pair(s.top+1, s.bottom+1, "r")
	}
	if s.origin {
		p.str("\x1b[?6h")
	}
	p.place(s.lines, s.cursor, s.originRow(), s.originCol())
	if s.iso {
		p.str("\x1bV")
		if s.pen.attr&protected == 0 {
			p.str("\x1bW")
		}
	}
	p.modes()
	if s.single != 0 {
		p.out = append(p.out, 0x1b, "NO"[s.single-2])
	}
	p.out = append(p.out, s.unfinished()...)
}

func (p *painter) pair(a, b int, final string) {
	p.str("\x1b[")
	p.out = appendInt(append(appendInt(p.out, a), ';'), b)
	p.str(final)
}

// colors sets what the program changed of the palette.
func (p *painter) colors() {
	c := p.s.colors
	for i, v := range c.special {
		if v != 0 {
			p.str("\x1b]" + strconv.Itoa(10+i) + ";" + v.String() + "\x1b\\")
		}
	}
	for n := range 256 {
		if v, ok := c.palette[uint8(n)]; ok {
			p.str("\x1b]4;" + strconv.Itoa(n) + ";" + v.String() + "\x1b\\")
		}
	}
}

// modeNumbers are the modes that are set at the end, in order.
var modeNumbers = []int{1, 5, 7, 40, 45, 1045, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2027, 2031, 2048, 25}

const maxModes = 8 // in a sequence: tmux has room for 64 bytes

func (p *painter) modes() {
	s := p.s
	for _, final := range []string{"l", "h"} {
		n := 0
		for _, number := range modeNumbers {
			if m, _ := privateMode(number); s.modes.on(m) != (final == "h") {
				continue
			}
			if n++; n%maxModes == 1 {
				if n > 1 {
					p.str(final)
				}
				p.str("\x1b[?")
			} else {
				p.str(";")
			}
			p.out = appendInt(p.out, number)
		}
		if n > 0 {
			p.str(final)
		}
	}
	if s.modes.on(appKeypad) {
		p.str("\x1b=")
	} else {
		p.str("\x1b>")
	}
	if s.modes.on(insert) {
		p.str("\x1b[4h")
	}
	if s.modes.on(newLine) {
		p.str("\x1b[20h")
	}
	if !s.modes.on(syncUpdate) {
		p.str("\x1b[?2026l")
	}
}
