package mi

import (
	"bytes"
	"strings"
)

// MaxLine is how long a line may be that Lines gives out: longer than any that
// a debugger's user would wait for.
const MaxLine = 16 << 20

// Lines cuts output into lines, however it was cut when it was read: gdb writes
// some of its lines byte by byte. The zero value is ready for use.
type Lines struct {
	begun []byte
	lost  int64 // of a line that is too long
}

// Feed calls each for every line that p ends, without its newline, in the order
// they came; the bytes are valid during the call. What p begins is kept for the
// next call. A line longer than MaxLine is given as its first MaxLine bytes, with
// the number of bytes that are left out.
func (l *Lines) Feed(p []byte, each func(line []byte, lost int64)) {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		end := i
		if i < 0 {
			end = len(p)
		}
		switch {
		case i >= 0 && len(l.begun) == 0 && end <= MaxLine:
			each(p[:end], 0) // the usual case needs no copy
		default:
			keep := min(end, MaxLine-len(l.begun))
			l.begun = append(l.begun, p[:keep]...)
			l.lost += int64(end - keep)
			if i >= 0 {
				each(l.begun, l.lost)
				l.begun, l.lost = l.begun[:0], 0
				if cap(l.begun) > 1<<16 { // one long line must not cost memory for good
					l.begun = nil
				}
			}
		}
		if i < 0 {
			return
		}
		p = p[i+1:]
	}
}

// Rest returns what was begun and not ended yet.
func (l *Lines) Rest() []byte { return l.begun }

// Quote writes a string as an argument of a command: in quotes where it needs
// them. gdb reads arguments without quotes as they are, up to a blank.
func Quote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\r\"\\'") && !strings.HasPrefix(s, "-") {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// SplitToken cuts a command into its token, which may be "", and the rest.
func SplitToken(command string) (token, rest string) {
	i := 0
	for i < len(command) && '0' <= command[i] && command[i] <= '9' {
		i++
	}
	return command[:i], command[i:]
}
