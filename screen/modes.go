package screen

// mode is one switch of the terminal.
type mode uint8

const (
	insert mode = iota
	newLine
	appCursor
	appKeypad
	reverseVideo
	autowrap
	showCursor
	reverseWrap
	reverseWrapAll
	marginMode // DECLRMM: CSI s sets the left and right margins
	allow132
	alternate
	focus
	bracketedPaste
	syncUpdate
	clustering // 2027; set at the start
	mouseX10
	mouseNormal
	mouseButton
	mouseAny
	mouseUTF8
	mouseSGR
	mouseURXVT
	mousePixels
	altScroll
	themeReports
	sizeReports
	kept // blinking, origin, saving the cursor: known, but not kept here
)

type modeSet uint64

const defaultModes = modeSet(1<<autowrap | 1<<showCursor | 1<<clustering)

func (m modeSet) on(n mode) bool { return m>>n&1 != 0 }

func (m *modeSet) set(n mode, on bool) {
	if *m &^= 1 << n; on {
		*m |= 1 << n
	}
}

// private are the modes of CSI ? n h.
var private = []struct {
	number int
	mode   mode
}{
	{1, appCursor}, {5, reverseVideo}, {6, kept}, {7, autowrap}, {9, mouseX10}, {12, kept}, {25, showCursor}, {40, allow132},
	{45, reverseWrap}, {47, alternate}, {66, appKeypad}, {69, marginMode}, {1000, mouseNormal}, {1002, mouseButton}, {1003, mouseAny}, {1004, focus},
	{1005, mouseUTF8}, {1006, mouseSGR}, {1007, altScroll}, {1015, mouseURXVT}, {1016, mousePixels}, {1045, reverseWrapAll}, {1047, alternate}, {1048, kept},
	{1049, alternate}, {2004, bracketedPaste}, {2026, syncUpdate}, {2027, clustering}, {2031, themeReports}, {2048, sizeReports},
}

// privateMode returns the mode of CSI ? n h; ok is false for one that we do not know.
func privateMode(n int) (m mode, ok bool) {
	for _, p := range private {
		if p.number == n {
			return p.mode, true
		}
	}
	return 0, false
}

// setPrivate is CSI ? n h and l.
func (s *Screen) setPrivate(n int, on bool) {
	own, known := privateMode(n)
	switch n {
	case 3: // DECCOLM: the window keeps its size, the rest is done
		if s.modes.on(allow132) {
			s.resetMargins()
			s.modes.set(marginMode, false)
			s.eraseRows(0, s.rows)
			s.home()
		}
	case 6:
		s.origin = on
		s.home()
	case 12:
		s.steady = !on
	case 47:
		s.useScreen(on)
	case 1047:
		s.useScreen(on)
	case 1048:
		if on {
			s.saveCursor()
		} else {
			s.restoreCursor()
		}
	case 1049:
		if on {
			s.saveCursor()
			s.useAlternate()
			s.eraseRows(0, s.rows) // also where it was shown already
			s.pending = false
		} else {
			s.useMain()
			s.restoreCursor()
		}
	case 69:
		s.modes.set(marginMode, on)
		if !on {
			s.left, s.right = 0, s.cols-1
			s.pending = s.pending && s.x == s.right
		}
	case 9, 1000, 1002, 1003: // of these at most one
		for _, m := range []mode{mouseX10, mouseNormal, mouseButton, mouseAny} {
			s.modes.set(m, false)
		}
		s.modes.set(own, on)
	case 1005, 1006, 1015, 1016:
		for _, m := range []mode{mouseUTF8, mouseSGR, mouseURXVT, mousePixels} {
			if on || m == own {
				s.modes.set(m, false)
			}
		}
		if on {
			s.modes.set(own, true)
		}
	default:
		if known {
			s.modes.set(own, on)
		}
	}
}

func (s *Screen) useScreen(alternate bool) {
	if alternate {
		s.useAlternate()
	} else {
		s.useMain()
	}
}

// isPrivate reports how a mode is set; ok is false for a mode that we do not know.
func (s *Screen) isPrivate(n int) (on, ok bool) {
	switch n {
	case 6:
		return s.origin, true
	case 12:
		return !s.steady, true
	case 1048:
		return false, true
	}
	m, ok := privateMode(n)
	return s.modes.on(m), ok
}

// setANSI is CSI n h and l.
func (s *Screen) setANSI(n int, on bool) {
	switch n {
	case 4:
		s.modes.set(insert, on)
	case 20:
		s.modes.set(newLine, on)
	}
}

// Modes is what the program asked of the terminal. The zero value is a terminal's state at the start.
type Modes struct {
	Alternate      bool // the alternate screen is shown: a full-screen program runs
	AppCursor      bool // cursor keys send ESC O A, not ESC [ A
	AppKeypad      bool
	BracketedPaste bool // a paste comes between ESC [ 200 ~ and ESC [ 201 ~
	Focus          bool // the program hears when the window gets and loses the focus
	Insert         bool
	Origin         bool
	NoWrap         bool // what is written beyond the last column stays in it
	NewLine        bool // Enter sends CR LF
	ReverseVideo   bool
	Sync           bool // between the two ends of a synchronized update (2026)
	Mouse          Mouse
	MouseEncoding  Encoding
}

// Mouse is what the program hears of the mouse.
type Mouse uint8

// From nothing to every movement.
const (
	NoMouse      Mouse = iota
	MousePress         // 9: presses
	MouseClick         // 1000: presses and releases
	MouseDrag          // 1002: also movements while a button is down
	MouseAnyMove       // 1003: all movements
)

// Encoding is how it hears it.
type Encoding uint8

// The encodings of mouse reports.
const (
	MouseBytes  Encoding = iota // CSI M and three bytes
	MouseUTF8                   // 1005
	MouseSGR                    // 1006
	MouseURXVT                  // 1015
	MousePixels                 // 1016
)

// Modes returns what is set.
func (s *Screen) Modes() Modes {
	on := s.modes.on
	m := Modes{Alternate: on(alternate), AppCursor: on(appCursor), AppKeypad: on(appKeypad), BracketedPaste: on(bracketedPaste),
		Focus: on(focus), Insert: on(insert), Origin: s.origin, NoWrap: !on(autowrap), NewLine: on(newLine),
		ReverseVideo: on(reverseVideo), Sync: on(syncUpdate)}
	for i, bit := range []mode{mouseX10, mouseNormal, mouseButton, mouseAny} {
		if on(bit) {
			m.Mouse = MousePress + Mouse(i)
		}
	}
	for i, bit := range []mode{mouseUTF8, mouseSGR, mouseURXVT, mousePixels} {
		if on(bit) {
			m.MouseEncoding = MouseUTF8 + Encoding(i)
		}
	}
	return m
}
