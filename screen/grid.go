package screen

import "slices"

// history is the lines that went out at the top, the oldest first, in a ring of bounded size.
type history struct {
	rows []*row
	head int // the oldest, once the ring is full
	max  int
}

func (h *history) len() int { return len(h.rows) }

// at returns line i, 0 being the oldest.
func (h *history) at(i int) *row { return h.rows[(h.head+i)%len(h.rows)] }

// push takes a row and gives one back that may be used again, or nil.
func (h *history) push(r *row) *row {
	if h.max == 0 {
		return r
	}
	if len(h.rows) < h.max {
		h.rows = append(h.rows, r)
		return nil
	}
	old := h.rows[h.head]
	h.rows[h.head] = r
	h.head = (h.head + 1) % h.max
	return old
}

// take removes all lines and returns them in order.
func (h *history) take() []*row {
	all := slices.Concat(h.rows[h.head:], h.rows[:h.head])
	h.rows, h.head = nil, 0
	return all
}

func newRows(n, cols int) []*row {
	rows, cells := make([]*row, n), make([]cell, n*cols)
	for i := range rows {
		rows[i] = &row{cells: cells[i*cols : (i+1)*cols : (i+1)*cols]}
	}
	return rows
}

// blank is what erasing leaves: the pen's background, nothing else.
func (s *Screen) blank() cell { return cell{bg: s.pen.bg} }

func fill(cells []cell, c cell) {
	if c == (cell{}) {
		clear(cells)
		return
	}
	for i := range cells {
		cells[i] = c
	}
}

func (r *row) erase(c cell) {
	fill(r.cells, c)
	r.wrapped, r.mark = false, 0
}

// part makes column x a border between characters: a wide one that lies across it loses both halves.
func (r *row) part(x int) {
	if x <= 0 || x >= len(r.cells) || r.cells[x].attr&tail == 0 {
		return
	}
	for _, i := range [2]int{x - 1, x} {
		r.cells[i] = cell{ch: ' '}
	}
}

// eraseCells clears columns from to below to.
func (s *Screen) eraseCells(r *row, from, to int) {
	r.part(from)
	r.part(to)
	fill(r.cells[from:to], s.blank())
	if to == len(r.cells) {
		r.wrapped = false
	}
}

// eraseUnprotected is the selective erase.
func (s *Screen) eraseUnprotected(r *row, from, to int) {
	b := s.blank()
	for x := from; x < to; x++ {
		if r.cells[x].attr&protected != 0 {
			continue
		}
		r.part(x)
		r.part(x + 1)
		r.cells[x] = b
	}
}

func (s *Screen) inMargins() bool {
	return s.y >= s.top && s.y <= s.bottom && s.x >= s.left && s.x <= s.right
}

func (s *Screen) fullWidth() bool { return s.left == 0 && s.right == s.cols-1 }

// scrollUp moves the rows from top to bottom up by n. What leaves the main screen at its first row is kept.
func (s *Screen) scrollUp(top, bottom, n int) {
	if !s.fullWidth() {
		s.copyRows(top, bottom, n)
		return
	}
	n = min(n, bottom-top+1)
	s.lines[bottom].wrapped = false
	if top == 0 && !s.modes.on(alternate) {
		for i, first := range s.lines[:n] {
			if first = s.history.push(first); first == nil || len(first.cells) != s.cols {
				first = newRows(1, s.cols)[0]
			}
			s.lines[i] = first
		}
		s.scrolled = min(s.scrolled+n, s.history.max)
	}
	rotate(s.lines[top:bottom+1], n)
	b := s.blank()
	for _, r := range s.lines[bottom-n+1 : bottom+1] {
		r.erase(b)
	}
	if top > 0 {
		s.lines[top-1].wrapped = false
	}
}

// scrollDown moves the rows from top to bottom down by n.
func (s *Screen) scrollDown(top, bottom, n int) {
	if !s.fullWidth() {
		s.copyRows(top, bottom, -n)
		return
	}
	n = min(n, bottom-top+1)
	rotate(s.lines[top:bottom+1], bottom-top+1-n)
	b := s.blank()
	for _, r := range s.lines[top : top+n] {
		r.erase(b)
	}
	s.lines[bottom].wrapped = false
	if top > 0 {
		s.lines[top-1].wrapped = false
	}
}

// rotate moves rows up by n; the first n become the last.
func rotate(rows []*row, n int) {
	switch {
	case n == 0 || n == len(rows):
	case n == 1: // the usual case
		first := rows[0]
		copy(rows, rows[1:])
		rows[len(rows)-1] = first
	default:
		slices.Reverse(rows[:n])
		slices.Reverse(rows[n:])
		slices.Reverse(rows)
	}
}

// copyRows scrolls what lies between the left and the right margin, up by n, down when n is negative.
func (s *Screen) copyRows(top, bottom, n int) {
	for y := top; y <= bottom; y++ {
		s.lines[y].part(s.left)
		s.lines[y].part(s.right + 1)
	}
	height := bottom - top + 1
	n = max(-height, min(n, height))
	move := func(y int) {
		to := s.lines[y].cells[s.left : s.right+1]
		if from := y + n; from >= top && from <= bottom {
			copy(to, s.lines[from].cells[s.left:s.right+1])
		} else {
			fill(to, s.blank())
		}
	}
	for y := top; n > 0 && y <= bottom; y++ {
		move(y)
	}
	for y := bottom; n < 0 && y >= top; y-- {
		move(y)
	}
}

// insertCells moves what is at x and right of it to the right, up to the margin; deleteCells pulls it to the left.
func (s *Screen) insertCells(r *row, x, n int) {
	end := s.right + 1
	if x < s.left || x >= end {
		return
	}
	n = min(n, end-x)
	r.part(x)
	r.part(end - n)
	r.part(end)
	copy(r.cells[x+n:end], r.cells[x:end-n])
	fill(r.cells[x:x+n], s.blank())
	if end == s.cols {
		r.wrapped = false
	}
}

func (s *Screen) deleteCells(r *row, x, n int) {
	end := s.right + 1
	if x < s.left || x >= end {
		return
	}
	n = min(n, end-x)
	r.part(x)
	r.part(x + n)
	r.part(end)
	copy(r.cells[x:end-n], r.cells[x+n:end])
	fill(r.cells[end-n:end], s.blank())
	if end == s.cols {
		r.wrapped = false
	}
}

// used is the number of cells up to the last that was written to.
func (r *row) used() int {
	for i := len(r.cells); i > 0; i-- {
		if r.cells[i-1].ch != 0 || r.cells[i-1].attr&tail != 0 {
			return i
		}
	}
	return 0
}

// resizeRow cuts or pads a row.
func (r *row) resize(cols int) {
	switch {
	case cols < len(r.cells):
		r.part(cols)
		r.cells = r.cells[:cols:cols]
		r.wrapped = false
	case cols > len(r.cells):
		r.wrapped = false
		r.cells = append(make([]cell, 0, cols), r.cells...)[:cols]
	}
}

// reflow breaks the lines anew. The cursor is at row cy and column cx; where it is then is returned too. One that stood
// behind the end of its line stands at it then.
func reflow(rows []*row, cols int, cy, cx int) (out []*row, y, x int) {
	for i := 0; i < len(rows); {
		// One line: rows[i:end], which ends with the first row that does not go on in the next.
		end := i + 1
		for end < len(rows) && rows[end-1].wrapped {
			end++
		}
		if used := rows[i].used(); end == i+1 && used <= cols { // it fits: what was erased in colour behind it stays
			if i == cy {
				y, x = len(out), min(cx, used, cols-1)
			}
			rows[i].resize(cols)
			out = append(out, rows[i])
			i = end
			continue
		}
		var line []cell
		at := -1 // where the cursor is in it
		for n := i; n < end; n++ {
			r := rows[n]
			used := len(r.cells)
			if !r.wrapped || n == end-1 {
				used = r.used()
			} else if used > 0 && r.cells[used-1] == (cell{}) && n+1 < end && rows[n+1].cells[0].attr&wide != 0 {
				used-- // left free because the wide character did not fit
			}
			if n == cy {
				at = len(line) + min(cx, used)
			}
			line = append(line, r.cells[:used]...)
		}
		first := len(out)
		out = append(out, breakLine(line, cols)...)
		last := out[len(out)-1]
		last.wrapped = rows[end-1].wrapped
		out[first].mark = rows[i].mark
		if at >= 0 {
			y, x = locate(out[first:], at)
			y += first
		}
		i = end
	}
	return out, y, x
}

// breakLine cuts a line into rows. A wide character goes whole to the next row.
func breakLine(line []cell, cols int) (rows []*row) {
	for {
		r := newRows(1, cols)[0]
		n := min(len(line), cols)
		if n < len(line) && line[n].attr&tail != 0 {
			n--
		}
		if n == 0 && len(line) > 0 { // a wide character in one column: it cannot be shown
			line[0] = cell{ch: ' ', bg: line[0].bg}
			line[1] = cell{ch: ' ', bg: line[1].bg}
			n = 1
		}
		copy(r.cells, line[:n])
		rows = append(rows, r)
		line = line[n:]
		if len(line) == 0 {
			return rows
		}
		r.wrapped = true
	}
}

// locate finds cell n of a line that was broken into rows.
func locate(rows []*row, n int) (y, x int) {
	for y, r := range rows {
		size := len(r.cells)
		if y+1 < len(rows) && r.wrapped && rows[y+1].cells[0].attr&wide != 0 && r.cells[size-1] == (cell{}) {
			size--
		}
		if n < size || y == len(rows)-1 {
			return y, min(n, len(r.cells)-1)
		}
		n -= size
	}
	return 0, 0
}
