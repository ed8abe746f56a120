package escape

// Limit is the longest sequence, in bytes. What goes on longer is no sequence
// but binary output that happens to look like one; it ends there, so that it
// cannot mute matching for long.
const Limit = 4096

// Control characters by their names.
const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b
	del = 0x7f
)

// state says where in a sequence the scanner stands.
type state uint8

const (
	ground state = iota // in no sequence
	begun               // after ESC
	middle              // after ESC and intermediates: charset designations and the like
	csi                 // in a control sequence, after ESC [
	str                 // in an OSC, DCS, SOS, PM, APC or a title (ESC k), up to ST
	strEsc              // in one of those, after ESC: the first half of ST?
)

// verdict says what a byte is.
type verdict uint8

const (
	outside verdict = iota // in no sequence; an open one was broken off before it
	inside                 // in a sequence that goes on
	last                   // ends its sequence
)

// scanner finds sequences. The zero value stands at the start of the output. It
// is plain data: a copy is a snapshot.
//
// 8-bit control characters (0x80 to 0x9f) are not looked at: in UTF-8 they are
// the insides of ordinary characters.
type scanner struct {
	state state
	size  int // bytes of the open sequence so far; of the one just ended after last
}

// open reports whether the bytes so far end inside a sequence.
func (s *scanner) open() bool { return s.state != ground }

// step takes the next byte.
func (s *scanner) step(b byte) verdict {
	if s.state == ground {
		s.size = 0
		if b != esc {
			return outside
		}
		s.state, s.size = begun, 1
		return inside
	}
	s.size++
	v := s.next(b)
	if v == inside && s.size >= Limit {
		v = last
	}
	if v != inside {
		s.state = ground
	}
	return v
}

// next takes a byte within a sequence and sets the state if the sequence goes on.
func (s *scanner) next(b byte) verdict {
	switch s.state {
	case str:
		return s.nextInString(b)
	case strEsc:
		if b == '\\' {
			return last
		}
		// The string was broken off by another sequence, which is open now.
		s.state, s.size = begun, 2
	}
	switch {
	case b == esc:
		s.state, s.size = begun, 1
		return inside
	case b == can || b == sub:
		return last
	case b < ' ' || b > del:
		// A terminal would carry out a control character and go on with the
		// sequence. Nobody relies on that, and ending here keeps broken
		// sequences from eating the lines that follow.
		return outside
	case b == del:
		return inside // terminals skip it
	case b < '0':
		if s.state == begun {
			s.state = middle
		}
		return inside
	}
	switch s.state {
	case begun:
		return s.second(b)
	case csi:
		if b < '@' {
			return inside // a parameter
		}
	}
	return last
}

// second takes the byte that says which kind of sequence an ESC begins.
func (s *scanner) second(b byte) verdict {
	switch b {
	case '[':
		s.state = csi
	case ']', 'P', 'X', '^', '_', 'k': // k: a window title for screen and tmux
		s.state = str
	default:
		return last
	}
	return inside
}

// nextInString takes a byte of an OSC, DCS and so on.
func (s *scanner) nextInString(b byte) verdict {
	switch b {
	case esc:
		s.state = strEsc
	case bel, can, sub:
		return last
	case '\n':
		return outside // the line is text again, and so is its end
	}
	return inside
}

// usualCSI returns the length of the sequence that raw, which begins with ESC,
// begins with if it is a short and whole CSI, as nearly all are; else 0. It
// says what the scanner says, many times quicker.
func usualCSI(raw []byte) int {
	const short = 24
	if len(raw) < 3 || raw[1] != '[' {
		return 0
	}
	for i, b := range raw[2:min(len(raw), short)] {
		switch {
		case b < ' ' || b > '~':
			return 0
		case b >= '@':
			return i + 3
		}
	}
	return 0
}
