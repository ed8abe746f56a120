package screen

import "unicode/utf8"

// printRun writes characters of the ASCII range, which neither combine nor are wide: the usual case, kept fast.
func (s *Screen) printRun(run []byte) {
	if s.single != 0 || s.charsets[s.gl] != 'B' || s.modes.on(insert) {
		for _, b := range run {
			s.print(rune(b))
		}
		return
	}
	c := s.pen
	for len(run) > 0 {
		end := s.next(1)
		r := s.lines[s.y]
		n := min(len(run), end-s.x)
		r.part(s.x)
		r.part(s.x + n)
		cells := r.cells[s.x : s.x+n]
		for i, b := range run[:n] {
			c.ch = uint32(b)
			cells[i] = c
		}
		s.lastX = s.x + n - 1
		s.x += n
		if s.x == end {
			s.x--
			s.pending = true
		}
		run = run[n:]
	}
	s.last = c
}

// next makes the cursor ready for a character of so many cells. It returns the column behind the last that may be used.
func (s *Screen) next(width int) (end int) {
	end = s.rightEdge() + 1
	if s.pending || s.x+width > end {
		if s.modes.on(autowrap) {
			s.wrap()
			return s.next(width)
		}
		s.pending = false
	}
	return end
}

// wrap goes to the beginning of the next row, which continues this one. What is written right of the margins scrolls nothing.
func (s *Screen) wrap() {
	r := s.lines[s.y]
	s.index()
	s.x = s.leftEdge()
	s.pending = false
	if s.lines[s.y] != r { // else it was the last row, below the scroll region, and is written again
		r.wrapped = s.fullWidth()
	}
}

// print writes one character, or joins it to the one before.
func (s *Screen) print(r rune) {
	if r < 0x80 {
		set := s.charsets[s.gl]
		if s.single != 0 {
			set = s.charsets[s.single]
			s.single = 0
		}
		switch {
		case set == '0' && r >= 0x5f:
			r = lineDrawing[r-0x5f]
		case set == 'A' && r == '#':
			r = '£'
		}
	}
	c := classOf(r)
	if c&joins != 0 && s.join(r, int(c&widthMask)) {
		return
	}
	if w := int(c & widthMask); w > 0 {
		s.put(uint32(r), w)
	}
}

// put writes a character of one or two cells at the cursor.
func (s *Screen) put(ch uint32, width int) {
	if edge := s.right - s.left + 1; width > edge || width > s.cols {
		return // it fits nowhere
	}
	if !s.modes.on(autowrap) && width == 2 && s.x+width > s.rightEdge()+1 {
		return
	}
	end := s.next(width)
	r := s.lines[s.y]
	if s.modes.on(insert) {
		s.insertCells(r, s.x, width)
	}
	r.part(s.x)
	r.part(s.x + width)
	c := s.pen
	c.ch = ch
	if width == 2 {
		t := s.pen
		t.attr |= tail
		r.cells[s.x+1] = t
		c.attr |= wide
	}
	r.cells[s.x] = c
	s.last, s.lastX = c, s.x
	s.x += width
	if s.x >= end {
		s.x = end - 1
		s.pending = true
	}
}

// join adds a character to the cluster before it. Only the character that was printed just before can be continued so
// that its width changes; one that takes no cell goes to whatever is left of the cursor.
func (s *Screen) join(r rune, width int) bool {
	x := s.x - 1
	if s.pending || s.lastX == s.x { // in the last column the cursor stays
		x = s.x
	}
	row := s.lines[s.y]
	if x >= 0 && row.cells[x].attr&tail != 0 {
		x--
	}
	near := s.lastX >= 0 && s.lastX == x && s.modes.on(clustering)
	if !near && width > 0 {
		return false
	}
	if x < 0 {
		return true // nothing to go with
	}
	c := row.cells[x]
	s.joined = utf8.AppendRune(append(s.joined[:0], s.text(c)...), r)
	both := 0
	if near {
		var ok bool
		if both, ok = continues(s.joined, r); !ok && width > 0 {
			return false
		}
	}
	if len(s.joined) > maxCluster {
		return true
	}
	ch, ok := s.cluster(s.joined)
	if !ok {
		return true
	}
	row.cells[x].ch = ch
	if near {
		s.last = row.cells[x]
		if both == 2 && c.attr&wide == 0 {
			s.widen(x)
		}
	}
	return true
}

const maxCluster = 64 // bytes; what comes beyond is not shown

// widen makes the character just printed, which takes one cell, take two. At the margin it moves to the next row.
func (s *Screen) widen(x int) {
	r := s.lines[s.y]
	c := r.cells[x]
	if s.x == x { // the last column
		if !s.pending || !s.modes.on(autowrap) || s.right == s.left || s.cols == 1 {
			s.cut()
			return
		}
		r.cells[x] = s.blank()
	}
	pen := s.pen
	s.pen = c
	s.pen.ch = 0
	if s.pending {
		s.wrap()
	} else {
		s.x = x
	}
	if s.modes.on(insert) {
		s.deleteCells(s.lines[s.y], s.x, 1)
	}
	s.put(c.ch, 2)
	s.pen = pen
}

// repeat is REP.
func (s *Screen) repeat(n int) {
	if s.last.ch == 0 {
		return
	}
	c := s.last
	width := 1
	if c.attr&wide != 0 {
		width = 2
	}
	for range min(n, s.rows*s.cols) {
		s.put(c.ch, width)
	}
	s.cut()
}

// cut ends what the next character could continue, or REP repeat.
func (s *Screen) cut() {
	s.lastX = -1
	s.last.ch = 0
}

// index moves down a row, and scrolls at the bottom margin.
func (s *Screen) index() {
	switch {
	case s.y == s.bottom:
		if s.x >= s.left && s.x <= s.right {
			s.scrollUp(s.top, s.bottom, 1)
		}
	case s.y < s.rows-1:
		s.y++
	}
}

func (s *Screen) reverseIndex() {
	switch {
	case s.y == s.top:
		if s.x >= s.left && s.x <= s.right {
			s.scrollDown(s.top, s.bottom, 1)
		}
	case s.y > 0:
		s.y--
	}
}

// lineDrawing is DEC's special graphics, from 0x5f on.
var lineDrawing = [...]rune{' ',
	'◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺',
	'⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·'}
