package screen

// arg returns parameter i, or the default when it is missing or zero, which mean the same nearly everywhere.
func (s *Screen) arg(i, missing int) int {
	if i < s.n && s.params[i] > 0 {
		return s.params[i]
	}
	return missing
}

// controlSequence ends CSI … b.
func (s *Screen) controlSequence(b byte) {
	switch {
	case s.subs != 0 && b != 'm': // no other sequence has colons
	case s.inters == 0 && s.prefix == 0:
		s.csiPlain(b)
	case s.inters == 0:
		s.csiPrivate(b)
	case s.inters == 1:
		s.csiInter(s.inter[0], b)
	}
	if b != 'b' && b != 'm' {
		s.cut()
	} else {
		s.last.ch = 0
	}
}

func (s *Screen) csiPlain(b byte) {
	n := s.arg(0, 1)
	switch b {
	case '@': // ICH
		s.insertCells(s.lines[s.y], s.x, n)
		s.pending = false
	case 'A': // CUU
		s.up(n)
	case 'B': // CUD
		s.down(n)
	case 'C': // CUF
		s.forward(n)
	case 'D': // CUB
		if s.wrapsBack() {
			for range min(n, s.rows*s.cols) {
				s.backspace()
			}
			break
		}
		s.back(n)
	case 'E': // CNL
		s.down(n)
		s.x = s.leftEdge()
	case 'F': // CPL
		s.up(n)
		s.x = s.leftEdge()
	case 'G', '`': // CHA, HPA
		s.moveTo(s.y-s.originRow(), n-1)
	case 'H', 'f': // CUP, HVP
		s.moveTo(n-1, s.arg(1, 1)-1)
	case 'I': // CHT
		s.tab(n)
	case 'J': // ED
		s.eraseDisplay(s.arg(0, 0), false)
	case 'K': // EL
		s.eraseLine(s.arg(0, 0), false)
	case 'L': // IL
		if s.inMargins() {
			s.scrollDown(s.y, s.bottom, n)
			s.x, s.pending = s.left, false
		}
	case 'M': // DL
		if s.inMargins() {
			s.deleteLines(n)
			s.x, s.pending = s.left, false
		}
	case 'P': // DCH
		s.deleteCells(s.lines[s.y], s.x, n)
		s.pending = s.pending && (s.x < s.left || s.x > s.right)
	case 'S': // SU
		s.scrollUp(s.top, s.bottom, n)
	case 'T': // SD; with five parameters it is about highlighting by the mouse
		if s.n <= 1 {
			s.scrollDown(s.top, s.bottom, n)
		}
	case '^': // SD as ECMA-48 first printed it
		s.scrollDown(s.top, s.bottom, n)
	case 'X': // ECH
		s.eraseOrKeep(s.lines[s.y], s.x, min(s.x+n, s.cols), s.iso)
		s.pending = false
	case 'Z': // CBT
		s.backTab(n)
	case 'a': // HPR
		s.moveTo(s.y-s.originRow(), s.x-s.originCol()+n)
	case 'b': // REP
		s.repeat(n)
	case 'c': // DA1
		if s.arg(0, 0) == 0 {
			s.answer(deviceAttributes)
		}
	case 'd': // VPA
		s.moveTo(n-1, s.x-s.originCol())
	case 'e': // VPR
		s.moveTo(s.y-s.originRow()+n, s.x-s.originCol())
	case 'g': // TBC
		switch s.arg(0, 0) {
		case 0:
			s.tabs[s.x] = false
		case 3:
			clear(s.tabs)
		}
	case 'h', 'l':
		for i := range s.n {
			s.setANSI(s.params[i], b == 'h')
		}
	case 'm':
		s.selectGraphics()
	case 'n':
		s.report(0, s.arg(0, 0))
	case 'r': // DECSTBM
		top, bottom := n-1, min(s.arg(1, s.rows), s.rows)-1
		if top < bottom {
			s.top, s.bottom = top, bottom
			s.home()
		}
	case 's': // DECSLRM, or SCOSC
		if !s.modes.on(marginMode) {
			s.saveCursor()
			break
		}
		left, right := n-1, min(s.arg(1, s.cols), s.cols)-1
		if left < right {
			s.left, s.right = left, right
			s.home()
		}
	case 't':
		s.window([]int{s.arg(0, 0), s.arg(1, 0)})
	case 'u': // SCORC
		s.restoreCursor()
	}
}

func (s *Screen) csiPrivate(b byte) {
	switch {
	case s.prefix == '?' && (b == 'h' || b == 'l'):
		for i := range s.n {
			s.setPrivate(s.params[i], b == 'h')
		}
	case s.prefix == '?' && b == 'J':
		s.eraseDisplay(s.arg(0, 0), true)
	case s.prefix == '?' && b == 'K':
		s.eraseLine(s.arg(0, 0), true)
	case s.prefix == '?' && b == 'n':
		s.report('?', s.arg(0, 0))
	case s.prefix == '?' && b == 's': // XTSAVE
		for i := range s.n {
			if m, ok := privateMode(s.params[i]); ok && m != kept {
				s.savedModes.set(m, s.modes.on(m))
			}
		}
	case s.prefix == '?' && b == 'r': // XTRESTORE
		for i := range s.n {
			if m, ok := privateMode(s.params[i]); ok && m != kept {
				s.setPrivate(s.params[i], s.savedModes.on(m))
			}
		}
	case s.prefix == '>' && b == 'c' && s.arg(0, 0) == 0: // DA2
		s.answer(secondAttributes)
	case s.prefix == '=' && b == 'c' && s.arg(0, 0) == 0: // DA3
		s.answer(unitID)
	case s.prefix == '>' && b == 'q' && s.arg(0, 0) == 0: // XTVERSION
		s.answer(version)
	}
}

func (s *Screen) csiInter(inter, b byte) {
	switch string([]byte{inter, b}) {
	case "!p":
		if s.prefix == 0 {
			s.softReset()
		}
	case "$p": // DECRQM
		if s.prefix == 0 || s.prefix == '?' {
			s.requestMode(s.prefix, s.arg(0, 0))
		}
	case " q": // DECSCUSR
		if n := s.arg(0, 1) - 1; n < 6 {
			s.shape, s.steady = Shape(n/2), n%2 == 1
		}
	case "\"q": // DECSCA
		switch s.arg(0, 0) {
		case 0, 2:
			s.pen.attr &^= protected
			s.iso = false
		case 1:
			s.pen.attr |= protected
			s.iso = false
		}
	case "\"p": // DECSCL; all levels are the same here
		if n := s.arg(0, 0); s.prefix == 0 && n >= 61 && n <= 65 {
			s.softReset()
		}
	case " @": // SL
		s.shiftColumns(s.left, s.arg(0, 1), (*Screen).deleteCells)
	case " A": // SR
		s.shiftColumns(s.left, s.arg(0, 1), (*Screen).insertCells)
	case "'}": // DECIC
		s.shiftColumns(s.x, s.arg(0, 1), (*Screen).insertCells)
	case "'~": // DECDC
		s.shiftColumns(s.x, s.arg(0, 1), (*Screen).deleteCells)
	case "$x", "$z", "${", "$v":
		s.rectangle(b)
	}
}

func (s *Screen) originRow() int {
	if s.origin {
		return s.top
	}
	return 0
}

func (s *Screen) originCol() int {
	if s.origin {
		return s.left
	}
	return 0
}

// moveTo goes to a position that counts from the origin, from 0.
func (s *Screen) moveTo(y, x int) {
	if s.origin {
		y, x = min(y+s.top, s.bottom), min(x+s.left, s.right)
	}
	s.y, s.x = max(0, min(y, s.rows-1)), max(0, min(x, s.cols-1))
	s.pending = false
}

func (s *Screen) home() { s.moveTo(0, 0) }

// before and behind are where a movement stops: at the margin, unless the cursor is outside of it already.
func before(at, margin int) int {
	if at >= margin {
		return margin
	}
	return 0
}

func behind(at, margin, last int) int {
	if at <= margin {
		return margin
	}
	return last
}

// leftEdge is also where a carriage return goes, rightEdge the last column that is written to.
func (s *Screen) leftEdge() int  { return before(s.x, s.left) }
func (s *Screen) rightEdge() int { return behind(s.x, s.right, s.cols-1) }

func (s *Screen) up(n int)      { s.y, s.pending = max(s.y-n, before(s.y, s.top)), false }
func (s *Screen) down(n int)    { s.y, s.pending = min(s.y+n, behind(s.y, s.bottom, s.rows-1)), false }
func (s *Screen) forward(n int) { s.x, s.pending = min(s.x+n, s.rightEdge()), false }
func (s *Screen) back(n int)    { s.x, s.pending = max(s.x-n, s.leftEdge()), false }

// wrapsBack reports whether moves to the left go on at the end of the row above.
func (s *Screen) wrapsBack() bool {
	return s.modes.on(autowrap) && (s.modes.on(reverseWrap) || s.modes.on(reverseWrapAll))
}

// backspace goes one to the left; with reverse wrap, from the first column of a row that continues the one above to its
// end, and from behind the last column to it. In the extended mode also from any other row, and from the first of the
// scroll region to the last.
func (s *Screen) backspace() {
	switch {
	case s.pending && s.wrapsBack():
	case s.x > s.leftEdge():
		s.x--
	case !s.wrapsBack():
	case s.modes.on(reverseWrapAll) && s.y == s.top:
		s.y, s.x = s.bottom, s.right
	case s.y > 0 && (s.modes.on(reverseWrapAll) || s.lines[s.y-1].wrapped):
		s.y--
		s.x = s.right
	}
	s.pending = false
}

// tab goes to the n-th tab stop, at most to the margin. There it leaves the cursor as it is, also one that is to wrap.
func (s *Screen) tab(n int) {
	limit := s.rightEdge()
	for ; n > 0 && s.x < limit; n-- {
		for s.x++; s.x < limit && !s.tabs[s.x]; s.x++ {
		}
		s.pending = false
	}
}

func (s *Screen) backTab(n int) {
	limit := s.originCol()
	for ; n > 0 && s.x > limit; n-- {
		for s.x--; s.x > limit && !s.tabs[s.x]; s.x-- {
		}
	}
	s.pending = false
}

// eraseRows clears rows from to below to.
func (s *Screen) eraseRows(from, to int) {
	b := s.blank()
	for _, r := range s.lines[from:to] {
		r.erase(b)
	}
	if from > 0 && from < to {
		s.lines[from-1].wrapped = false
	}
}

// eraseDisplay is ED, and DECSED with selective.
func (s *Screen) eraseDisplay(what int, selective bool) {
	from, to := 0, s.rows
	keep := selective || s.iso
	switch what {
	case 0:
		s.eraseLine(0, selective)
		from = s.y + 1
	case 1:
		s.eraseLine(1, selective)
		to = s.y
	case 2:
		s.pending = false
		if !selective && !s.modes.on(alternate) {
			s.scrolled = 0
		}
	case 3:
		if !selective {
			s.history.take()
			s.scrolled = 0
		}
		return
	default:
		return
	}
	if !keep {
		s.eraseRows(from, to)
		return
	}
	for _, r := range s.lines[from:to] {
		s.eraseUnprotected(r, 0, s.cols)
	}
}

// eraseLine is EL, and DECSEL with selective. A cursor that is to wrap stands behind the last column: to its right there
// is nothing to erase, and it still wraps. (Here xterm would erase the character just written; tmux and most others do
// not, and many programs clear the rest of a line that may be full.)
func (s *Screen) eraseLine(what int, selective bool) {
	from, to := 0, s.cols
	switch what {
	case 0:
		if from = s.x; s.pending && s.modes.on(autowrap) {
			return
		}
	case 1:
		to = s.x + 1
	case 2:
	default:
		return
	}
	s.pending = false
	s.eraseOrKeep(s.lines[s.y], from, to, selective || s.iso)
}

// eraseOrKeep clears columns from to below to, with keep only those that are not protected.
func (s *Screen) eraseOrKeep(r *row, from, to int, keep bool) {
	if keep {
		s.eraseUnprotected(r, from, to)
	} else {
		s.eraseCells(r, from, to)
	}
}

// deleteLines is DL: what leaves is not kept.
func (s *Screen) deleteLines(n int) {
	if !s.fullWidth() {
		s.copyRows(s.y, s.bottom, n)
		return
	}
	n = min(n, s.bottom-s.y+1)
	s.lines[s.bottom].wrapped = false
	rotate(s.lines[s.y:s.bottom+1], n)
	s.eraseRows(s.bottom-n+1, s.bottom+1)
	if s.y > 0 {
		s.lines[s.y-1].wrapped = false
	}
}

// shiftColumns inserts or deletes columns at x, in the rows of the scroll region, if the cursor is within the margins.
func (s *Screen) shiftColumns(x, n int, shift func(*Screen, *row, int, int)) {
	if !s.inMargins() {
		return
	}
	for _, r := range s.lines[s.top : s.bottom+1] {
		shift(s, r, x, n)
	}
}

// rectangle is DECFRA (x), DECERA (z), DECSERA ({) and DECCRA (v).
func (s *Screen) rectangle(b byte) {
	i := 0
	fillWith := uint32(0)
	if b == 'x' {
		if fillWith = uint32(s.arg(0, 0)); fillWith < ' ' || fillWith > '~' {
			return
		}
		i = 1
	}
	bottomMost, rightMost := s.rows, s.cols
	if s.origin {
		bottomMost, rightMost = s.bottom-s.top+1, s.right-s.left+1
	}
	top, left := s.arg(i, 1)-1, s.arg(i+1, 1)-1
	bottom, right := min(s.arg(i+2, bottomMost), bottomMost), min(s.arg(i+3, rightMost), rightMost)
	if top >= bottom || left >= right {
		return
	}
	dy, dx := s.originRow(), s.originCol()
	top, bottom, left, right = top+dy, bottom+dy, left+dx, right+dx
	if b == 'v' {
		s.copyRectangle(top, left, bottom, right, s.arg(5, 1)-1+dy, s.arg(6, 1)-1+dx)
		return
	}
	for _, r := range s.lines[top:bottom] {
		switch b {
		case 'x':
			c := s.pen
			c.ch = fillWith
			r.part(left)
			r.part(right)
			fill(r.cells[left:right], c)
		case 'z':
			s.eraseCells(r, left, right)
		case '{':
			s.eraseOrKeep(r, left, right, !s.iso)
		}
	}
}

func (s *Screen) copyRectangle(top, left, bottom, right, y, x int) {
	height, width := min(bottom-top, s.rows-y), min(right-left, s.cols-x)
	if height <= 0 || width <= 0 {
		return
	}
	one := func(i int) {
		from, to := s.lines[top+i], s.lines[y+i]
		cells := append([]cell(nil), from.cells[left:left+width]...)
		whole := row{cells: cells} // halves of characters that lie across the border stay behind
		if cells[0].attr&tail != 0 {
			cells[0] = cell{ch: ' ', bg: cells[0].bg}
		}
		if last := &whole.cells[width-1]; last.attr&wide != 0 {
			*last = cell{ch: ' ', bg: last.bg}
		}
		to.part(x)
		to.part(x + width)
		copy(to.cells[x:], cells)
	}
	for i := range height {
		if y > top {
			i = height - 1 - i
		}
		one(i)
	}
}

// selectGraphics is SGR.
func (s *Screen) selectGraphics() {
	if s.n == 0 {
		s.params[0], s.n = 0, 1
	}
	p := &s.pen
	for i := 0; i < s.n; i++ {
		end := i + 1 // subparameters are params[i+1:end]
		for end < s.n && s.subs>>end&1 != 0 {
			end++
		}
		switch n := max(s.params[i], 0); {
		case n == 0:
			s.pen = cell{attr: p.attr & protected, extra: p.extra}
			s.underlineColor(0)
		case n == 1:
			p.attr |= Bold
		case n == 2:
			p.attr |= Dim
		case n == 3:
			p.attr |= Italic
		case n == 4:
			p.attr &^= underlines
			kind := 1
			if end > i+1 {
				kind = s.params[i+1]
			}
			switch kind {
			case 0:
			case 2:
				p.attr |= Underline | Double
			case 3:
				p.attr |= Underline | Curly
			case 4:
				p.attr |= Underline | Dotted
			case 5:
				p.attr |= Underline | Dashed
			default:
				p.attr |= Underline
			}
		case n == 5, n == 6:
			p.attr |= Blink
		case n == 7:
			p.attr |= Reverse
		case n == 8:
			p.attr |= Conceal
		case n == 9:
			p.attr |= Strike
		case n == 21:
			p.attr = p.attr&^underlines | Underline | Double
		case n == 22:
			p.attr &^= Bold | Dim
		case n == 23:
			p.attr &^= Italic
		case n == 24:
			p.attr &^= underlines
		case n == 25:
			p.attr &^= Blink
		case n == 27:
			p.attr &^= Reverse
		case n == 28:
			p.attr &^= Conceal
		case n == 29:
			p.attr &^= Strike
		case n >= 30 && n <= 37:
			p.fg = Index(uint8(n - 30))
		case n >= 90 && n <= 97:
			p.fg = Index(uint8(n - 90 + 8))
		case n == 39:
			p.fg = 0
		case n >= 40 && n <= 47:
			p.bg = Index(uint8(n - 40))
		case n >= 100 && n <= 107:
			p.bg = Index(uint8(n - 100 + 8))
		case n == 49:
			p.bg = 0
		case n == 53:
			p.attr |= Overline
		case n == 55:
			p.attr &^= Overline
		case n == 59:
			s.underlineColor(0)
		case n == 38, n == 48, n == 58:
			var c Color
			var ok bool
			if end > i+1 {
				c, ok = colorSub(s.params[i+1 : end])
			} else {
				var used int
				c, used, ok = colorSemi(s.params[i+1 : s.n])
				end += used
			}
			switch {
			case !ok:
			case n == 38:
				p.fg = c
			case n == 48:
				p.bg = c
			default:
				s.underlineColor(c)
			}
		}
		i = end - 1
	}
}

func (s *Screen) underlineColor(c Color) {
	if s.pen.extra == 0 && c == 0 {
		return
	}
	e := s.extras.get(uint32(s.pen.extra))
	e.line = c
	s.extend(e)
}

// colorSub reads 5:N, 2:R:G:B or 2:SPACE:R:G:B.
func colorSub(p []int) (c Color, ok bool) {
	switch {
	case len(p) >= 2 && p[0] == 5:
		return Index(uint8(max(p[1], 0))), p[1] <= 255
	case len(p) >= 5 && p[0] == 2:
		return rgb(p[2], p[3], p[4])
	case len(p) == 4 && p[0] == 2:
		return rgb(p[1], p[2], p[3])
	}
	return 0, false
}

// colorSemi reads 5;N or 2;R;G;B and returns how many parameters that were.
func colorSemi(p []int) (c Color, used int, ok bool) {
	switch {
	case len(p) >= 2 && p[0] == 5:
		return Index(uint8(max(p[1], 0))), 2, p[1] <= 255
	case len(p) >= 4 && p[0] == 2:
		c, ok = rgb(p[1], p[2], p[3])
		return c, 4, ok
	}
	return 0, len(p), false
}

func rgb(r, g, b int) (Color, bool) {
	r, g, b = max(r, 0), max(g, 0), max(b, 0)
	return RGB(uint8(r), uint8(g), uint8(b)), r <= 255 && g <= 255 && b <= 255
}
