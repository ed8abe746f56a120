package keys

import (
	"maps"
	"slices"
	"strings"
)

// modifier is a set of modifier keys, numbered as xterm does in its sequences,
// where the parameter is 1 more.
type modifier int

const (
	shift modifier = 1 << iota
	alt
	ctrl
)

// prefixes in the order in which names are written.
var prefixes = []struct {
	text string
	mod  modifier
}{{"ctrl-", ctrl}, {"alt-", alt}, {"shift-", shift}}

// join returns the name of a key with modifiers.
func join(m modifier, base string) string {
	var b strings.Builder
	for _, p := range prefixes {
		if m&p.mod != 0 {
			b.WriteString(p.text)
		}
	}
	return b.String() + base
}

// special is a key that sends a sequence: CSI number ~, or CSI final, or, if
// ss3 is set and no modifier held, SS3 final. With modifiers it is
// CSI number ; 1+m ~ and CSI 1 ; 1+m final.
type special struct {
	name   string
	number int  // 0 with final
	final  byte // 0 with number
	ss3    when
}

// when says when a key without modifiers sends SS3 instead of CSI.
type when int

const (
	never when = iota
	appCursor
	always
)

var specials = []special{
	{"up", 0, 'A', appCursor},
	{"down", 0, 'B', appCursor},
	{"right", 0, 'C', appCursor},
	{"left", 0, 'D', appCursor},
	{"home", 0, 'H', appCursor},
	{"end", 0, 'F', appCursor},
	{"insert", 2, 0, never},
	{"delete", 3, 0, never},
	{"pgup", 5, 0, never},
	{"pgdn", 6, 0, never},
	{"f1", 0, 'P', always},
	{"f2", 0, 'Q', always},
	{"f3", 0, 'R', always},
	{"f4", 0, 'S', always},
	{"f5", 15, 0, never},
	{"f6", 17, 0, never},
	{"f7", 18, 0, never},
	{"f8", 19, 0, never},
	{"f9", 20, 0, never},
	{"f10", 21, 0, never},
	{"f11", 23, 0, never},
	{"f12", 24, 0, never},
}

// shifted are the keys that no keyboard has any more: xterm-256color says that
// they are f1 to f8 with shift, and programs look for just that.
func shifted() map[string]string {
	return map[string]string{
		"f13": "f1", "f14": "f2", "f15": "f3", "f16": "f4",
		"f17": "f5", "f18": "f6", "f19": "f7", "f20": "f8",
	}
}

// oldNumbers are what terminals send for f13 to f20 that have such keys.
func oldNumbers() map[int]string {
	return map[int]string{
		25: "f13", 26: "f14", 28: "f15", 29: "f16", 31: "f17", 32: "f18", 33: "f19", 34: "f20",
		1: "home", 4: "end", 7: "home", 8: "end", // the Linux console and rxvt
		11: "f1", 12: "f2", 13: "f3", 14: "f4",
	}
}

// plain are the named keys that send a single byte. Enter is not among them:
// what it sends is for the caller to say.
func plain() map[string]byte {
	return map[string]byte{"tab": '\t', "esc": 0x1b, "space": ' ', "backspace": 0x7f}
}

// names lists all names that are longer than a character, in a fixed order.
func names() []string {
	all := []string{"enter"}
	all = slices.AppendSeq(all, maps.Keys(plain()))
	all = slices.AppendSeq(all, maps.Keys(shifted()))
	for _, s := range specials {
		all = append(all, s.name)
	}
	slices.Sort(all)
	return all
}
