package screen

import "strconv"

// maxAnswers bounds what waits to be fetched. An answer that does not fit is dropped whole: whoever asks that much
// without reading gets no more.
const maxAnswers = 4 << 10

// Answers returns what the terminal would send to the program since the last call, in answer to its questions (device
// attributes, cursor position, modes, colours …); nil when there was none. At most 4 KiB are kept.
func (s *Screen) Answers() []byte {
	a := s.answers
	s.answers = nil
	return a
}

func (s *Screen) answer(a string) {
	if len(s.answers)+len(a) <= maxAnswers {
		s.answers = append(s.answers, a...)
	}
}

const (
	deviceAttributes = "\x1b[?62;22c"   // DA1: a VT220 with colours
	secondAttributes = "\x1b[>0;276;0c" // DA2: vim takes it for an xterm that knows SGR mouse reports
	unitID           = "\x1bP!|00000000\x1b\\"
	version          = "\x1bP>|spawnx\x1b\\"
	cellHeight       = 16 // pixels, for who asks
	cellWidth        = 8
)

// report is CSI n.
func (s *Screen) report(prefix byte, n int) {
	private := ""
	if prefix == '?' {
		private = "?"
	}
	switch {
	case n == 5 && prefix == 0:
		s.answer("\x1b[0n")
	case n == 6:
		y, x := s.y, s.x
		if s.origin {
			y, x = y-s.top, x-s.left
		}
		s.answer("\x1b[" + private + strconv.Itoa(y+1) + ";" + strconv.Itoa(x+1) + "R")
	case prefix != '?':
	case n == 15: // printer: none
		s.answer("\x1b[?13n")
	case n == 25: // user keys: locked
		s.answer("\x1b[?21n")
	case n == 26: // keyboard
		s.answer("\x1b[?27;1;0;0n")
	case n == 53 || n == 55: // locator: none
		s.answer("\x1b[?53n")
	case n == 996: // light or dark: dark
		s.answer("\x1b[?997;1n")
	}
}

// requestMode is DECRQM.
func (s *Screen) requestMode(prefix byte, n int) {
	private, on, ok := "", false, false
	if prefix == '?' {
		private = "?"
		on, ok = s.isPrivate(n)
	} else {
		switch n {
		case 4:
			on, ok = s.modes.on(insert), true
		case 20:
			on, ok = s.modes.on(newLine), true
		}
	}
	state := "0" // unknown
	switch {
	case ok && on:
		state = "1"
	case ok:
		state = "2"
	}
	s.answer("\x1b[" + private + strconv.Itoa(n) + ";" + state + "$y")
}

// requestSetting is DECRQSS.
func (s *Screen) requestSetting(what string) {
	value := ""
	switch what {
	case "m":
		p := painter{s: s}
		p.pen = cell{attr: 1} // anything else
		value = string(p.sgr(s.pen))
		value = value[len("\x1b["):]
	case "r":
		value = strconv.Itoa(s.top+1) + ";" + strconv.Itoa(s.bottom+1) + "r"
	case "s":
		value = strconv.Itoa(s.left+1) + ";" + strconv.Itoa(s.right+1) + "s"
	case "t":
		value = strconv.Itoa(s.rows) + "t"
	case "$|":
		value = strconv.Itoa(s.cols) + "$|"
	case "*|":
		value = strconv.Itoa(s.rows) + "*|"
	case " q":
		value = strconv.Itoa(s.shapeNumber()) + " q"
	case "\"q":
		value = "0\"q"
		if s.pen.attr&protected != 0 {
			value = "1\"q"
		}
	case "\"p":
		value = "62;1\"p"
	default:
		s.answer("\x1bP0$r\x1b\\")
		return
	}
	s.answer("\x1bP1$r" + value + "\x1b\\")
}

// window is XTWINOPS. We report sizes and never the title: what a program wrote there would come back as its input.
func (s *Screen) window(p []int) {
	two := func(kind string, a, b int) {
		s.answer("\x1b[" + kind + ";" + strconv.Itoa(a) + ";" + strconv.Itoa(b) + "t")
	}
	switch p[0] {
	case 11:
		s.answer("\x1b[1t")
	case 13:
		two("3", 0, 0)
	case 14:
		two("4", s.rows*cellHeight, s.cols*cellWidth)
	case 15:
		two("5", s.rows*cellHeight, s.cols*cellWidth)
	case 16:
		two("6", cellHeight, cellWidth)
	case 18:
		two("8", s.rows, s.cols)
	case 19:
		two("9", s.rows, s.cols)
	case 20:
		s.answer("\x1b]L\x1b\\")
	case 21:
		s.answer("\x1b]l\x1b\\")
	case 22:
		if p[1] != 1 && len(s.titles) < maxTitles {
			s.titles = append(s.titles, s.title)
		}
	case 23:
		if n := len(s.titles); p[1] != 1 && n > 0 {
			s.title, s.titles = s.titles[n-1], s.titles[:n-1]
		}
	}
}

const maxTitles = 10

func (s *Screen) shapeNumber() int {
	n := 1 + 2*int(s.shape)
	if s.steady {
		n++
	}
	return n
}
