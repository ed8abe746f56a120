package escape

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns s with everything written out that would do something to a
// terminal or to the order of what people read: control characters except \n
// and \t, DEL, bidirectional controls, line separators, and bytes that are not
// UTF-8. They become \r, \x1b, \u202e and so on. All else stays, backslashes too:
// it is for people to read in several lines, not to be read back; see [Quote].
func Visible(s string) string {
	i := firstHidden(s)
	if i < 0 {
		return s
	}
	var b strings.Builder
	for i >= 0 {
		b.WriteString(s[:i])
		r, size := utf8.DecodeRuneInString(s[i:])
		b.WriteString(written(r, s[i]))
		s = s[i+size:]
		i = firstHidden(s)
	}
	b.WriteString(s)
	return b.String()
}

// firstHidden returns where in s the first character stands that has to be
// written out, or -1.
func firstHidden(s string) int {
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t':
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		case unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp):
			return i
		}
	}
	return -1
}

// written returns the escape for r, which begins with the byte b.
func written(r rune, b byte) string {
	switch {
	case r == '\r':
		return `\r`
	case r == utf8.RuneError || r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, b)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Quote returns s in one line and double quotes, as Go would write it: with \n,
// \t, \" and \\, and everything written out that is not printable, spaces other
// than the usual one included. Read back as a Go string it is s.
func Quote(s string) string { return strconv.Quote(s) }

// Tail returns the last n bytes of text, or a few less so as not to cut a
// character, after an ellipsis. Text that is not longer stays whole. An n below
// 1 keeps nothing. Secrets are masked before, or one might lose its beginning and
// not be found.
func Tail[T string | []byte](text T, n int) string {
	if len(text) <= n {
		return string(text)
	}
	// A character is at most utf8.UTFMax bytes: what is no start of one after
	// that many is no character either.
	rest := string(text[len(text)-max(n, 0):])
	for range utf8.UTFMax - 1 {
		if rest == "" || utf8.RuneStart(rest[0]) {
			break
		}
		rest = rest[1:]
	}
	return "…" + rest
}
