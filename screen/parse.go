package screen

import "unicode/utf8"

// parser is where the bytes so far have led: the states of Paul Williams' VT500 parser (vt100.net/emu/dec_ansi_parser),
// and those of UTF-8.
type parser struct {
	state  state
	inter  [2]byte // intermediate bytes of an escape or control sequence
	inters int     // how many there were; more than two is no sequence of ours
	prefix byte    // one of < = > ? in a control sequence
	params [maxParams]int
	subs   uint32 // bit i: parameter i belongs to the one before it (a colon stood between them)
	n      int    // parameters begun
	str    []byte // OSC and DCS: what came so far
	over   bool   // … and it is too long

	utf8     [4]byte // of a character that is not complete
	utf8Len  int
	utf8Need int
	bell     bool // a string ended with BEL: answers end so too
}

type state uint8

const (
	ground    state = iota
	escape          // ESC
	escInter        // ESC and an intermediate
	csiParams       // CSI
	csiInter        // CSI and an intermediate
	csiIgnore       // CSI that is none of ours, up to its end
	oscString
	dcsString
	ignString // SOS, PM, APC
)

const (
	maxParams = 32
	maxParam  = 1 << 16
	maxString = 64 << 10
)

// Write shows output of a program. It takes all of it and never fails.
func (s *Screen) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		switch s.state {
		case ground:
			rest = s.ground(rest)
		case escape, escInter:
			s.escape(rest[0])
			rest = rest[1:]
		case csiParams, csiInter, csiIgnore:
			rest = s.csi(rest)
		default:
			rest = s.collect(rest)
		}
	}
	return len(p), nil
}

// ground takes text and controls, up to and including an ESC.
func (s *Screen) ground(p []byte) []byte {
	if s.utf8Need > 0 {
		return s.continueRune(p)
	}
	b := p[0]
	switch {
	case b >= ' ' && b < 0x7f:
		n := 1
		for n < len(p) && p[n] >= ' ' && p[n] < 0x7f {
			n++
		}
		s.printRun(p[:n])
		return p[n:]
	case b < ' ':
		s.control(b)
		return p[1:]
	case b == 0x7f:
		return p[1:]
	}
	if r, n := utf8.DecodeRune(p); r != utf8.RuneError || n == 3 {
		s.decoded(r)
		return p[n:]
	}
	return s.beginRune(p)
}

// decoded takes a character that came in more than one byte. A C1 control so written does nothing, as in xterm and tmux.
func (s *Screen) decoded(r rune) {
	if r < 0xa0 {
		s.cut()
		return
	}
	s.print(r)
}

// beginRune takes the first byte of a character that is cut off or wrong.
func (s *Screen) beginRune(p []byte) []byte {
	switch b := p[0]; {
	case b >= 0xc2 && b <= 0xdf:
		s.utf8Need = 2
	case b >= 0xe0 && b <= 0xef:
		s.utf8Need = 3
	case b >= 0xf0 && b <= 0xf4:
		s.utf8Need = 4
	default:
		s.print(utf8.RuneError)
		return p[1:]
	}
	s.utf8[0], s.utf8Len = p[0], 1
	return p[1:]
}

// continueRune takes the next byte of such a character. A byte that cannot follow ends it as U+FFFD and begins anew,
// so that what is shown for wrong bytes does not depend on how they were cut either.
func (s *Screen) continueRune(p []byte) []byte {
	b := p[0]
	low, high := byte(0x80), byte(0xbf)
	if s.utf8Len == 1 {
		switch s.utf8[0] {
		case 0xe0:
			low = 0xa0
		case 0xed:
			high = 0x9f // no surrogates
		case 0xf0:
			low = 0x90
		case 0xf4:
			high = 0x8f // up to U+10FFFF
		}
	}
	if b < low || b > high {
		s.utf8Len, s.utf8Need = 0, 0
		s.print(utf8.RuneError)
		return p
	}
	s.utf8[s.utf8Len] = b
	s.utf8Len++
	if s.utf8Len == s.utf8Need {
		r, _ := utf8.DecodeRune(s.utf8[:s.utf8Len])
		s.utf8Len, s.utf8Need = 0, 0
		s.decoded(r)
	}
	return p[1:]
}

// control is a C0 control. It works also in the middle of a sequence.
func (s *Screen) control(b byte) {
	switch b {
	case 0x1b:
		s.state, s.inters = escape, 0
		return
	case 0x18, 0x1a: // CAN, SUB
		s.state = ground
	case '\b':
		s.backspace()
	case '\t':
		s.tab(1)
	case '\n', '\v', '\f':
		s.index()
		if s.modes.on(newLine) {
			s.x = s.leftEdge()
		}
		s.pending = false
	case '\r':
		s.x = s.leftEdge()
		s.pending = false
	case 0x0e: // SO
		s.gl = 1
	case 0x0f: // SI
		s.gl = 0
	default:
		// NUL and BEL show nothing, ENQ is not answered
	}
	s.cut()
}

// escape takes a byte after ESC.
func (s *Screen) escape(b byte) {
	switch {
	case b < ' ':
		s.control(b)
	case b < '0':
		if s.inters < len(s.inter) {
			s.inter[s.inters] = b
		}
		s.inters = min(s.inters+1, len(s.inter)+1)
		s.state = escInter
	case b < 0x7f:
		s.state = ground
		s.escapeFinal(b)
	case b == 0x7f:
	default: // no sequence has such bytes: it ends, and the byte is text
		s.state = ground
		s.ground([]byte{b})
	}
}

// begin enters a control sequence or a string.
func (s *Screen) begin(next state) {
	s.state = next
	s.inters, s.prefix, s.n, s.subs = 0, 0, 0, 0
	s.str, s.over = s.str[:0], false
}

// csi takes bytes of a control sequence.
func (s *Screen) csi(p []byte) []byte {
	for i, b := range p {
		switch {
		case b >= '0' && b <= '9' && s.state == csiParams:
			if s.n == 0 {
				s.n, s.params[0] = 1, -1
			}
			if s.n <= maxParams {
				v := &s.params[s.n-1]
				*v = min(max(*v, 0)*10+int(b-'0'), maxParam)
			}
		case (b == ';' || b == ':') && s.state == csiParams:
			if s.n == 0 {
				s.n, s.params[0] = 1, -1
			}
			if s.n < maxParams {
				s.params[s.n] = -1
				if b == ':' {
					s.subs |= 1 << s.n
				}
			}
			s.n = min(s.n+1, maxParams+1)
		case b >= '<' && b <= '?' && s.state == csiParams && s.n == 0 && s.prefix == 0:
			s.prefix = b
		case b >= ' ' && b < '0' && s.state != csiIgnore:
			if s.inters < len(s.inter) {
				s.inter[s.inters] = b
			}
			s.inters = min(s.inters+1, len(s.inter)+1)
			s.state = csiInter
		case b >= '@' && b < 0x7f:
			ours := s.state != csiIgnore
			s.state = ground
			if ours {
				s.n = min(s.n, maxParams)
				s.controlSequence(b)
			}
			return p[i+1:]
		case b < ' ':
			s.control(b)
			if s.state != csiParams && s.state != csiInter && s.state != csiIgnore {
				return p[i+1:]
			}
		case b == 0x7f:
		case b >= 0x80: // no sequence has such bytes: it ends, and the byte is text
			s.state = ground
			return p[i:]
		default:
			s.state = csiIgnore
		}
	}
	return nil
}

// collect takes bytes of a string, up to its end: ST, BEL for an OSC, or an ESC that begins something else.
func (s *Screen) collect(p []byte) []byte {
	for i, b := range p {
		switch {
		case b == 0x1b:
			s.finish()
			s.state, s.inters = escape, 0
			return p[i+1:]
		case b == 0x18, b == 0x1a:
			s.state = ground
			return p[i+1:]
		case b == '\a' && s.state == oscString:
			s.bell = true
			s.finish()
			s.state = ground
			return p[i+1:]
		case b < ' ' && s.state == oscString, s.state == ignString:
		case len(s.str) == maxString:
			s.over = true
		default:
			s.str = append(s.str, b)
		}
	}
	return nil
}

// finish acts on a complete string.
func (s *Screen) finish() {
	if !s.over {
		switch s.state {
		case oscString:
			s.osc(s.str)
		case dcsString:
			s.dcs(s.str)
		}
	}
	s.bell = false
	if cap(s.str) > 4<<10 {
		s.str = nil
	}
	s.str = s.str[:0]
}

// unfinished returns the bytes of a sequence or character that has begun, so that they can be given to another screen.
func (s *Screen) unfinished() []byte {
	var b []byte
	inters := func() {
		b = append(b, s.inter[:min(s.inters, len(s.inter))]...)
		if s.inters > len(s.inter) {
			b = append(b, s.inter[0])
		}
	}
	switch s.state {
	case ground:
		b = append(b, s.utf8[:s.utf8Len]...)
	case escape, escInter:
		b = append(b, 0x1b)
		inters()
	case csiIgnore:
		return []byte("\x1b[ 0") // a parameter behind an intermediate: no sequence
	case csiParams, csiInter:
		b = append(b, "\x1b["...)
		if s.prefix != 0 {
			b = append(b, s.prefix)
		}
		for i := range min(s.n, maxParams) {
			switch {
			case i == 0:
			case s.subs>>i&1 != 0:
				b = append(b, ':')
			default:
				b = append(b, ';')
			}
			if v := s.params[i]; v >= 0 {
				b = appendInt(b, v)
			}
		}
		if s.n > maxParams {
			b = append(b, ';')
		}
		inters()
	case oscString:
		b = append(append(b, "\x1b]"...), s.str...)
	case dcsString:
		b = append(append(b, "\x1bP"...), s.str...)
	case ignString:
		b = append(b, "\x1b_"...)
	}
	return b
}
