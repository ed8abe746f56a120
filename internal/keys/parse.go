package keys

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// longest is the longest sequence that is taken for a key, in bytes. Whatever
// goes on longer is none.
const longest = 32

// Parse returns the name of the key that b, typed by a person, begins with,
// and its length in bytes. The name is "" for bytes that no key sends: reports of
// the mouse, the brackets of a paste, bytes that are not UTF-8.
//
// If n is 0, more bytes are needed to tell, and the name is what b is when none
// come: ESC may be the key esc or the start of a sequence, which only a
// pause tells apart. An empty b gives "" and 0.
//
// For two keys with the same bytes it gives the more usual name: enter for
// ctrl-m, tab for ctrl-i, f13 for shift-f1 only where the terminal has an f13.
func Parse(b []byte) (name string, n int) {
	if len(b) == 0 {
		return "", 0
	}
	if b[0] == 0x1b {
		return parseEsc(b)
	}
	return parseChar(b)
}

// parseChar takes a key that sends a character or a control character.
func parseChar(b []byte) (string, int) {
	switch c := b[0]; {
	case c == '\r':
		return "enter", 1
	case c == 0:
		return "ctrl-space", 1
	case c < ' ' && c != '\t' && c != 0x1b:
		return "ctrl-" + strings.ToLower(string(rune(c+'@'))), 1
	}
	for name, c := range plain() {
		if b[0] == c {
			return name, 1
		}
	}
	if !utf8.FullRune(b) {
		return "", 0
	}
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError && size == 1 {
		return "", 1
	}
	return string(b[:size]), size
}

// parseEsc takes what begins with ESC: the key itself, a sequence, or a key with alt.
func parseEsc(b []byte) (string, int) {
	if len(b) == 1 {
		return "esc", 0
	}
	switch b[1] {
	case '[':
		return parseSequence(b, csiEnd(b))
	case 'O':
		if len(b) == 2 {
			return "alt-O", 0
		}
		return parseSequence(b, 3)
	case 0x1b:
		return parseEscEsc(b)
	}
	name, n := parseChar(b[1:])
	if n == 0 {
		return "", 0
	}
	if name == "" {
		return "esc", 1 // and then bytes that are no key
	}
	mod, base := split(name)
	return join(mod|alt, base), n + 1
}

// parseEscEsc takes two ESC: alt with a sequence, or alt-esc.
func parseEscEsc(b []byte) (string, int) {
	if len(b) == 2 {
		return "alt-esc", 0
	}
	if b[2] == '[' || b[2] == 'O' {
		name, n := parseEsc(b[1:])
		mod, base := split(name)
		switch {
		case n == 0:
			return "", 0
		case name != "" && mod&alt == 0:
			return join(mod|alt, base), n + 1
		}
	}
	return "alt-esc", 2
}

// csiEnd returns the length of the CSI that b begins with, or 0 if it goes on. It
// ends before a byte that cannot be part of it.
func csiEnd(b []byte) int {
	for i, c := range b[2:] {
		n := i + 3
		switch {
		case c == '[' && n == 3: // f1 to f5 of the Linux console: CSI [ A
		case c == 'M' && n == 3: // an old report of the mouse, with three bytes more
			return moreThan(b, 6)
		case c < ' ' || c > '~':
			return n - 1
		case c >= '@' || n == longest:
			return n
		}
	}
	return 0
}

// moreThan returns n if b has that many bytes, else 0.
func moreThan(b []byte, n int) int {
	if len(b) < n {
		return 0
	}
	return n
}

// parseSequence names the sequence of n bytes at the start of b; 0 if it goes on.
func parseSequence(b []byte, n int) (string, int) {
	switch {
	case n == 0 && len(b) == 2:
		return "alt-[", 0
	case n == 0:
		return "", 0
	case b[1] == 'O':
		return parseSS3(b)
	case n == 2:
		return "alt-[", 2
	}
	return nameCSI(string(b[2:n-1]), b[n-1]), n
}

// parseSS3 takes ESC O and a third byte.
func parseSS3(b []byte) (string, int) {
	if b[2] == 'M' {
		return "enter", 3 // of the keypad
	}
	if b[2] < '!' || b[2] > '~' {
		return "alt-O", 2
	}
	return finalName(b[2]), 3
}

// nameCSI names a control sequence, or returns "".
func nameCSI(params string, final byte) string {
	if params == "[" && final >= 'A' && final <= 'E' {
		return "f" + string(final-'A'+'1')
	}
	if params == "" && final == 'Z' {
		return "shift-tab"
	}
	p, ok := numbers(params)
	if !ok {
		return ""
	}
	base := ""
	switch {
	case final == 'u': // kitty's keyboard protocol
		base = charName(p[0])
	case final == '~' && p[0] == 27: // xterm's modifyOtherKeys
		base = charName(p[2])
	case final == '~':
		base = numberName(p[0])
	case p[0] <= 1:
		base = finalName(final)
	}
	mod, ok := modifiers(p[1])
	if base == "" || !ok {
		return ""
	}
	return join(mod, base)
}

// numbers reads up to three parameters; missing ones are 0. Of parameters with
// parts (1:3) it takes the first, but refuses the release of a key, which is the
// third kind of event in the second parameter.
func numbers(params string) (p [3]int, ok bool) {
	if params == "" {
		return p, true
	}
	fields := strings.Split(params, ";")
	if len(fields) > len(p) {
		return p, false
	}
	for i, field := range fields {
		first, part, _ := strings.Cut(field, ":")
		n, err := strconv.ParseUint(first, 10, 21) // holds any rune
		if err != nil && first != "" || i == 1 && part == "3" {
			return p, false
		}
		p[i] = int(n)
	}
	return p, true
}

// modifiers reads the parameter for modifiers. Locked caps and numbers do not
// count; super, hyper and meta have no names here.
func modifiers(param int) (modifier, bool) {
	const locks = 64 | 128
	m := modifier(max(param-1, 0)) &^ locks
	return m, m <= shift|alt|ctrl
}

// charName names the key of a character.
func charName(code int) string {
	if code == 0 || code >= 0xe000 && code <= 0xf8ff {
		return "" // private codes of kitty for keys without a character
	}
	name, _ := parseChar(append([]byte(string(rune(code))), 0))
	if code == 0x1b {
		return "esc"
	}
	return name
}

// numberName names the key of CSI number ~.
func numberName(number int) string {
	for _, s := range specials {
		if s.number == number && number != 0 {
			return s.name
		}
	}
	return oldNumbers()[number]
}

// finalName names the key of CSI final.
func finalName(final byte) string {
	for _, s := range specials {
		if s.final == final {
			return s.name
		}
	}
	return ""
}
