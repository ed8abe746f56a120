package escape

import "bytes"

// Filter turns the output of a program on a terminal into plain text, piece by
// piece: escape sequences are taken out, and \r\n is read as \n. So is \r\r\n,
// which a terminal makes when a program writes \r\n itself. All else stays byte
// for byte, also a lone \r, BS, BEL and NUL, and invalid UTF-8. What stands
// between the \r and the \n of a line end may be sequences: they are taken out first.
//
// The zero value stands at the start of an output. A Filter is plain data: a
// copy is a snapshot that goes its own way. It is not safe for concurrent use.
//
// The text does not depend on how the output was cut. So a byte is given out
// only when it is decided; see [Filter.Held].
type Filter struct {
	scan scanner
	crs  int    // carriage returns that may yet belong to a line end: 0, 1 or 2
	held [2]int // for each of those: raw bytes from it to here
}

const cr = '\r'

// oneCR is a carriage return that is given back.
var oneCR = []byte{cr}

// Next takes n bytes of raw, the output that follows what earlier calls took,
// and gives the text that they make. Call it until raw is used up:
//
//	for len(raw) > 0 {
//		text, n := f.Next(raw)
//		… use text …
//		raw = raw[n:]
//	}
//
// Text may be empty. It must not be written to and is as good as raw is. To find
// its way back to raw offsets there is [Filter.RawEnd], which goes by these rules:
//
//   - Text that is new is raw[:len(text)], and its byte i ends at raw offset i+1.
//     (n may be more: the \r of a line end behind the text.)
//   - With n == 0 text is one carriage return that had been held and is given
//     back after all. It ends Held()-1 bytes before raw, by the Held of before the call.
func (f *Filter) Next(raw []byte) (text []byte, n int) {
	if len(raw) == 0 {
		return nil, 0
	}
	if f.scan.open() || raw[0] == esc {
		if n = f.skip(raw); n > 0 {
			f.passed(n)
			return nil, n
		}
	}
	switch {
	case raw[0] == cr && f.crs < len(f.held):
		f.passed(1)
		f.held[f.crs] = 1
		f.crs++
		return nil, 1
	case raw[0] == '\n':
		f.crs = 0
	case f.crs > 0:
		f.giveBack()
		return oneCR, 0
	}
	n = textLen(raw)
	text = raw[:n]
	if n+1 < len(raw) && raw[n] == cr && raw[n+1] == '\n' {
		n++ // the common line end needs no state
	}
	return text, n
}

// skip returns how many bytes at the start of raw belong to a sequence.
func (f *Filter) skip(raw []byte) int {
	if !f.scan.open() {
		if n := usualCSI(raw); n > 0 {
			return n
		}
	}
	for i, b := range raw {
		switch f.scan.step(b) {
		case outside:
			return i
		case last:
			return i + 1
		}
	}
	return len(raw)
}

// passed counts n more bytes behind the carriage returns that are held.
func (f *Filter) passed(n int) {
	for i := range f.crs {
		f.held[i] += n
	}
}

// giveBack takes the first held carriage return, which is text.
func (f *Filter) giveBack() {
	f.held[0] = f.held[1]
	f.crs--
}

// textLen returns how much of raw comes before the next ESC or CR. It looks in
// windows that grow, so that neither byte is searched far beyond the other.
func textLen(raw []byte) int {
	for n, size := 0, 64; ; size *= 2 {
		window := raw[n:min(n+size, len(raw))]
		if i := bytes.IndexByte(window, esc); i >= 0 {
			window = window[:i]
			size = 0
		}
		if i := bytes.IndexByte(window, cr); i >= 0 {
			return n + i
		}
		n += len(window)
		if size == 0 || n == len(raw) {
			return n
		}
	}
}

// Held returns how many raw bytes at the end of what was taken are undecided:
// an unfinished sequence, or what follows a carriage return that may belong to
// a line end, with it. It is 0 when the next bytes cannot change what these were.
func (f *Filter) Held() int {
	switch {
	case f.crs > 0:
		return f.held[0]
	case f.scan.open():
		return f.scan.size
	}
	return 0
}

// Flush returns what of the held bytes is text when the output has ended: the
// carriage returns. An unfinished sequence is dropped. The Filter then stands at
// the start again. The text must not be written to.
func (f *Filter) Flush() []byte {
	text := []byte("\r\r")[:f.crs]
	*f = Filter{}
	return text
}

// Plain appends the text of raw to dst, as far as it is decided: at most two bytes
// more than raw has, carriage returns that had been held. For who searches the
// text, one piece is worth the copy: Next gives it out by the line.
func (f *Filter) Plain(dst, raw []byte) []byte {
	free := 0 // so many bytes of raw are known to have no ESC
	for len(raw) > 0 {
		n := 0
		if f.crs == 0 && !f.scan.open() && raw[0] != esc {
			if free == 0 {
				if free = bytes.IndexByte(raw, esc); free < 0 {
					free = len(raw)
				}
			}
			dst, n = plainLines(dst, raw[:free])
		}
		if n == 0 {
			var text []byte
			text, n = f.Next(raw)
			dst = append(dst, text...)
		}
		raw, free = raw[n:], max(free-n, 0)
	}
	return dst
}

// plainLines appends the text of raw, which has no ESC, up to a carriage return
// about which that and the byte behind it do not decide, and returns where it stands.
func plainLines(dst, raw []byte) (text []byte, n int) {
	from := 0
	for i := 0; ; i++ {
		k := bytes.IndexByte(raw[i:], cr)
		if k < 0 {
			return append(dst, raw[from:]...), len(raw)
		}
		i += k
		switch {
		case i+1 == len(raw), raw[i+1] == cr:
			return append(dst, raw[from:i]...), i
		case raw[i+1] == '\n':
			dst, from = append(dst, raw[from:i]...), i+1
		}
	}
}

// RawEnd returns where in raw the given number of text bytes ends: raw[:end]
// makes that text, and sequences after it are not in it. f stands where raw
// begins and is not changed. A zero Filter that goes on at the returned place
// makes the text that follows.
//
// The end is negative when the text was held by f, that is, lies before raw.
// Where raw makes less text, the carriage returns that it leaves held count as
// text, as [Filter.Flush] would have it, and after that the end is len(raw).
func (f Filter) RawEnd(raw []byte, plain int) int {
	if plain <= 0 {
		return 0
	}
	for pos := 0; pos < len(raw); {
		given := f.crs > 0
		end := pos - f.Held() + 1
		text, n := f.Next(raw[pos:])
		switch {
		case plain > len(text):
		case given && n == 0:
			return end
		default:
			return pos + plain
		}
		plain -= len(text)
		pos += n
	}
	for ; f.crs > 0; f.giveBack() {
		if plain--; plain == 0 {
			return len(raw) - f.Held() + 1
		}
	}
	return len(raw)
}
