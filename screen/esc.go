package screen

// escapeFinal ends a sequence of ESC: the intermediates are in s.inter.
func (s *Screen) escapeFinal(b byte) {
	switch s.inters {
	case 0:
		s.escapePlain(b)
	case 1:
		s.escapeInter(s.inter[0], b)
	}
	if s.state == ground { // else it was only the beginning
		s.cut()
	}
}

func (s *Screen) escapePlain(b byte) {
	switch b {
	case '[':
		s.begin(csiParams)
	case ']':
		s.begin(oscString)
	case 'P':
		s.begin(dcsString)
	case 'X', '^', '_', 'k': // SOS, PM, APC, and the title of screen(1)
		s.begin(ignString)
	case '7':
		s.saveCursor()
	case '8':
		s.restoreCursor()
	case 'D': // IND
		s.index()
		s.pending = false
	case 'E': // NEL
		s.index()
		s.x = s.leftEdge()
		s.pending = false
	case 'H': // HTS
		s.tabs[s.x] = true
	case 'M': // RI
		s.reverseIndex()
		s.pending = false
	case 'N':
		s.single = 2
	case 'O':
		s.single = 3
	case 'V': // SPA
		s.pen.attr |= protected
		s.iso = true
	case 'W': // EPA
		s.pen.attr &^= protected
	case 'Z': // DECID
		s.answer(deviceAttributes)
	case 'c':
		s.fullReset()
	case '=':
		s.modes.set(appKeypad, true)
	case '>':
		s.modes.set(appKeypad, false)
	case 'n':
		s.gl = 2
	case 'o':
		s.gl = 3
	case '6':
		s.backIndex()
	case '9':
		s.forwardIndex()
	}
}

func (s *Screen) escapeInter(inter, b byte) {
	switch inter {
	case '(', ')', '*', '+':
		s.charsets[inter-'('] = charset(b)
	case '#':
		if b == '8' {
			s.alignmentTest()
		}
	}
}

// charset: line drawing, the British set and ASCII. The other national sets are taken for ASCII.
func charset(b byte) byte {
	if b == '0' || b == 'A' {
		return b
	}
	return 'B'
}

func (s *Screen) saveCursor() {
	c := s.cursor
	c.single = 0
	c.pending = c.pending && c.x == s.cols-1
	s.saved[s.side()] = c
}

func (s *Screen) restoreCursor() {
	s.cursor = s.saved[s.side()]
	s.y, s.x = min(s.y, s.rows-1), min(s.x, s.cols-1)
	if s.origin {
		y, x := max(s.top, min(s.y, s.bottom)), max(s.left, min(s.x, s.right))
		s.pending = s.pending && y == s.y && x == s.x
		s.y, s.x = y, x
	}
}

// side is 1 on the alternate screen.
func (s *Screen) side() int {
	if s.modes.on(alternate) {
		return 1
	}
	return 0
}

// fullReset is RIS. The title and the scrollback stay.
func (s *Screen) fullReset() {
	s.useMain()
	s.reset()
	for _, r := range s.lines {
		r.erase(cell{})
	}
	s.scrolled = 0
}

// softReset is DECSTR: what a program may have left behind that spoils the next one. The text stays.
func (s *Screen) softReset() {
	for _, m := range []mode{appCursor, appKeypad, insert, newLine, reverseWrap, reverseWrapAll, marginMode} {
		s.modes.set(m, false)
	}
	s.modes.set(autowrap, true)
	s.modes.set(showCursor, true)
	s.resetMargins()
	home := cursor{charsets: [4]byte{'B', 'B', 'B', 'B'}}
	s.saved[s.side()] = home
	home.y, home.x, home.pending = s.y, s.x, s.pending && s.x == s.cols-1
	s.cursor = home
	s.iso = false
}

// alignmentTest is DECALN.
func (s *Screen) alignmentTest() {
	s.resetMargins()
	s.origin = false
	s.y, s.x, s.pending = 0, 0, false
	for _, r := range s.lines {
		r.erase(cell{ch: 'E'})
	}
}

// backIndex is DECBI: a column to the left; at the left margin the text moves to the right.
func (s *Screen) backIndex() {
	s.pending = false
	if s.x != s.left || !s.inMargins() {
		s.x = max(s.x-1, 0)
		return
	}
	for y := s.top; y <= s.bottom; y++ {
		s.insertCells(s.lines[y], s.left, 1)
	}
}

// forwardIndex is DECFI, the same to the right.
func (s *Screen) forwardIndex() {
	if s.x != s.right || !s.inMargins() {
		s.x, s.pending = min(s.x+1, s.cols-1), false
		return
	}
	for y := s.top; y <= s.bottom; y++ {
		s.deleteCells(s.lines[y], s.left, 1)
	}
}

// useAlternate shows the alternate screen, always empty at first.
func (s *Screen) useAlternate() {
	if s.modes.on(alternate) {
		return
	}
	s.modes.set(alternate, true)
	s.saved[1] = cursor{charsets: [4]byte{'B', 'B', 'B', 'B'}}
	s.other, s.lines, s.spare = s.lines, s.spare, nil
	if s.lines == nil {
		s.lines = newRows(s.rows, s.cols)
	}
	s.eraseRows(0, s.rows)
}

func (s *Screen) useMain() {
	if !s.modes.on(alternate) {
		return
	}
	s.modes.set(alternate, false)
	s.lines, s.other, s.spare = s.other, nil, s.lines
}
