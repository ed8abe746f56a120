package screen

import "slices"

// Changed returns the rows that look different from those of old, in order. Rows that one of the two does not have are
// different.
func (s *Screen) Changed(old *Screen) []int {
	var rows []int
	for y := range max(s.rows, old.rows) {
		if y >= s.rows || y >= old.rows || s.cols != old.cols || !s.sameCells(s.lines[y], old, old.lines[y]) {
			rows = append(rows, y+1)
		}
	}
	return rows
}

// Diff returns bytes that turn a terminal that shows old into one that shows s: the rows that changed, and the state
// that [Screen.Repaint] sets. When too much is different it is a whole repaint; when nothing is, nil.
func (s *Screen) Diff(old *Screen) []byte {
	if s.equal(old) {
		return nil
	}
	p := &painter{s: s}
	p.str(begin)
	if s.title == "" && old.title != "" {
		p.str("\x1b]2;\x1b\\")
	}
	for range old.titles {
		p.str("\x1b[23;0t")
	}
	p.resetColors(old.colors)
	if only, ok := s.rowsToPaint(old); ok {
		p.prologue()
		p.rows(s.lines, only)
		p.epilogue()
	} else {
		p.whole()
	}
	return p.out
}

// rowsToPaint returns the rows that have to be painted anew; ok is false when that is not enough.
func (s *Screen) rowsToPaint(old *Screen) (only []bool, ok bool) {
	alt := s.modes.on(alternate)
	if old.utf8Need > 0 || // it becomes U+FFFD somewhere
		s.rows != old.rows || s.cols != old.cols || alt != old.modes.on(alternate) ||
		alt && (!s.sameRows(s.other, old, old.other) || !s.sameCursor(s.saved[0], old, old.saved[0])) {
		return nil, false
	}
	only = make([]bool, s.rows)
	for y, r := range s.lines {
		o := old.lines[y]
		if r.mark == 0 && o.mark != 0 {
			return nil, false // no sequence takes a mark away
		}
		only[y] = !s.sameCells(r, old, o) || r.wrapped != o.wrapped || r.mark != o.mark
		if y > 0 && s.lines[y-1].wrapped { // a line is painted as a whole
			only[y] = only[y] || only[y-1]
		}
	}
	for y := s.rows - 2; y >= 0; y-- {
		if s.lines[y].wrapped {
			only[y] = only[y] || only[y+1]
		}
	}
	return only, true
}

func (p *painter) resetColors(old colors) {
	if old.palette != nil {
		p.str("\x1b]104\x1b\\")
	}
	for i, c := range old.special {
		if c != 0 {
			p.str([]string{"\x1b]110\x1b\\", "\x1b]111\x1b\\", "\x1b]112\x1b\\"}[i])
		}
	}
}

func (s *Screen) sameCell(a cell, old *Screen, b cell) bool {
	if (a.ch|b.ch)&cluster == 0 && a.extra|b.extra == 0 {
		if a.ch == 0 {
			a.ch = ' '
		}
		if b.ch == 0 {
			b.ch = ' '
		}
		return a == b
	}
	return a.attr == b.attr && s.cell(a) == old.cell(b)
}

func (s *Screen) sameCells(a *row, old *Screen, b *row) bool {
	return slices.EqualFunc(a.cells, b.cells, func(a, b cell) bool { return s.sameCell(a, old, b) })
}

func (s *Screen) sameRows(a []*row, old *Screen, b []*row) bool {
	return slices.EqualFunc(a, b, func(a, b *row) bool {
		return a.wrapped == b.wrapped && a.mark == b.mark && s.sameCells(a, old, b)
	})
}

func (s *Screen) sameCursor(a cursor, old *Screen, b cursor) bool {
	if !s.sameCell(a.pen, old, b.pen) {
		return false
	}
	a.pen, b.pen = cell{}, cell{}
	return a == b
}

// equal reports whether a terminal that shows one of the two behaves from now on like one that shows the other.
// The scrollback does not count.
func (s *Screen) equal(o *Screen) bool {
	side := s.side()
	return s.rows == o.rows && s.cols == o.cols && s.modes == o.modes &&
		s.sameRows(s.lines, o, o.lines) && s.sameRows(s.other, o, o.other) &&
		s.sameCursor(s.cursor, o, o.cursor) && s.sameCursor(s.saved[0], o, o.saved[0]) &&
		(side == 0 || s.sameCursor(s.saved[1], o, o.saved[1])) &&
		s.iso == o.iso && s.top == o.top && s.bottom == o.bottom && s.left == o.left && s.right == o.right &&
		slices.Equal(s.tabs, o.tabs) && s.shape == o.shape && s.steady == o.steady &&
		s.title == o.title && slices.Equal(s.titles, o.titles) &&
		s.colors.special == o.colors.special && samePalette(s.colors, o.colors) &&
		string(s.unfinished()) == string(o.unfinished())
}

func samePalette(a, b colors) bool {
	if len(a.palette) != len(b.palette) {
		return false
	}
	for n, c := range a.palette {
		if b.palette[n] != c {
			return false
		}
	}
	return true
}
