package keys

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Modes is what the terminal's modes change about keys. The zero value is a
// terminal as it starts.
type Modes struct {
	AppCursor bool   // the program asked for application cursor keys (DECCKM): ESC O A for up
	Enter     string // what Enter sends; "" is \r, as on a terminal
}

// Encode returns the bytes of the key called name. An unknown name is an error
// that tells the nearest known one.
func Encode(name string, m Modes) ([]byte, error) {
	mod, base := split(name)
	seq, ok := encode(mod, base, m)
	switch {
	case ok:
		return []byte(seq), nil
	case known(base):
		return nil, fmt.Errorf("a terminal has no bytes for %q", name)
	}
	if near := nearest(name); near != "" {
		return nil, fmt.Errorf("unknown key %q, the nearest is %q", name, near)
	}
	return nil, fmt.Errorf("unknown key %q\nhint: %s", name, all)
}

// all says in a line which keys there are.
const all = "there are enter tab esc space backspace delete up down left right home end pgup pgdn insert f1 to f20, and any character, behind ctrl- alt- shift-"

// split takes the modifiers off a name, each at most once.
func split(name string) (modifier, string) {
	var mod modifier
	for i := 0; i < len(prefixes); i++ {
		p := prefixes[i]
		rest, ok := strings.CutPrefix(name, p.text)
		if ok && rest != "" && mod&p.mod == 0 {
			mod, name = mod|p.mod, rest
			i = -1 // any order
		}
	}
	return mod, name
}

// encode returns the bytes of a key, and whether a terminal has any for it.
func encode(mod modifier, base string, m Modes) (string, bool) {
	if f, ok := shifted()[base]; ok && mod&shift == 0 {
		return encode(mod|shift, f, m)
	}
	for _, s := range specials {
		if s.name == base {
			return s.encode(mod, m), true
		}
	}
	// All others send alt as an ESC in front.
	esc := ""
	if mod&alt != 0 {
		esc, mod = "\x1b", mod&^alt
	}
	seq, ok := encodeByte(mod, base, m)
	return esc + seq, ok
}

// encode returns the sequence of a special key.
func (s special) encode(mod modifier, m Modes) string {
	switch {
	case s.number != 0 && mod != 0:
		return fmt.Sprintf("\x1b[%d;%d~", s.number, 1+mod)
	case s.number != 0:
		return fmt.Sprintf("\x1b[%d~", s.number)
	case mod != 0:
		return fmt.Sprintf("\x1b[1;%d%c", 1+mod, s.final)
	case s.ss3 == always || s.ss3 == appCursor && m.AppCursor:
		return "\x1bO" + string(s.final)
	}
	return "\x1b[" + string(s.final)
}

// encodeByte returns what a key sends that has no sequence of its own, with
// ctrl and shift. Few of them have bytes for these.
func encodeByte(mod modifier, base string, m Modes) (string, bool) {
	switch {
	case base == "enter" && mod == 0:
		if m.Enter == "" {
			return "\r", true
		}
		return m.Enter, true
	case base == "tab" && mod == shift:
		return "\x1b[Z", true
	case base == "space" && mod == ctrl:
		return "\x00", true
	case base == "backspace" && mod == ctrl:
		return "\b", true
	}
	if b, ok := plain()[base]; ok {
		return string(b), mod == 0
	}
	r, size := utf8.DecodeRuneInString(base)
	if size != len(base) || r == utf8.RuneError && size <= 1 {
		return "", false
	}
	switch mod {
	case 0:
		return base, true
	case shift:
		up := unicode.ToUpper(r)
		return string(up), up != unicode.ToLower(r) // letters alone: the rest depends on the keyboard
	case ctrl:
		return control(r)
	}
	return "", false
}

// control returns what ctrl makes of a character.
func control(r rune) (string, bool) {
	switch {
	case r >= 'a' && r <= 'z':
		r -= 'a' - 'A'
	case r == '?':
		return "\x7f", true
	case r == '/':
		r = '_' // as in xterm; editors call it undo
	}
	if r < '@' || r > '_' {
		return "", false
	}
	return string(r - '@'), true
}

// known reports whether base is the name of a key or a single character.
func known(base string) bool {
	if _, ok := shifted()[base]; ok {
		return true
	}
	_, ok := encode(0, base, Modes{})
	return ok
}

// PasteStart and PasteEnd are the brackets around pasted text. Parse gives no
// name for them; what is typed between them are no keys.
const (
	PasteStart = "\x1b[200~"
	PasteEnd   = "\x1b[201~"
)

// Paste returns what a terminal sends when text is pasted: line ends become
// Enter. If the program has asked for bracketed paste, brackets stand around
// it, and any ESC is dropped, so that the text cannot close them.
func Paste(text string, bracketed bool) string {
	text = strings.ReplaceAll(text, "\r\n", "\r")
	text = strings.ReplaceAll(text, "\n", "\r")
	if !bracketed {
		return text
	}
	return PasteStart + strings.ReplaceAll(text, "\x1b", "") + PasteEnd
}
