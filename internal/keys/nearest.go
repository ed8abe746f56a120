package keys

import (
	"regexp"
	"strings"
)

// elsewhere are names that other programs use.
func elsewhere() map[string]string {
	return map[string]string{
		"return": "enter", "cr": "enter", "ret": "enter", "newline": "enter",
		"escape": "esc", "spacebar": "space", "spc": "space", "backtab": "shift-tab",
		"bs": "backspace", "del": "delete", "ins": "insert", "dc": "delete", "ic": "insert",
		"pageup": "pgup", "ppage": "pgup", "prior": "pgup", "pagedown": "pgdn", "npage": "pgdn", "next": "pgdn",
		"arrowup": "up", "arrowdown": "down", "arrowleft": "left", "arrowright": "right",
	}
}

// An otherPrefix is a way in which other programs write a modifier.
type otherPrefix struct {
	re  *regexp.Regexp
	mod modifier
}

func otherPrefixes() []otherPrefix {
	return []otherPrefix{
		{regexp.MustCompile(`^(?:(?i:ctrl|control)[-+ ]|[cC][-+]|\^)`), ctrl},
		{regexp.MustCompile(`^(?:(?i:alt|meta|option)[-+ ]|[mMaA][-+])`), alt},
		{regexp.MustCompile(`^(?:(?i:shift)[-+ ]|[sS][-+])`), shift},
	}
}

// nearest returns the known name that was probably meant, or "".
func nearest(name string) string {
	base, mods := name, modifier(0)
	if inner, ok := strings.CutPrefix(base, "<"); ok {
		base = strings.TrimSuffix(inner, ">")
	}
	others := otherPrefixes()
	for i := 0; i < len(others); i++ {
		p := others[i]
		if at := p.re.FindStringIndex(base); at != nil && at[1] < len(base) {
			base, mods = base[at[1]:], mods|p.mod
			i = -1
		}
	}
	more, base := split(nearestBase(base))
	if _, ok := encode(mods|more, base, Modes{}); ok {
		return join(mods|more, base)
	}
	return ""
}

// nearestBase returns the known name nearest to one without modifiers, or the
// name itself when none is near.
func nearestBase(base string) string {
	low := strings.ToLower(base)
	if name, ok := elsewhere()[strings.NewReplacer("-", "", "_", "", " ", "").Replace(low)]; ok {
		return name
	}
	if known(base) {
		return base
	}
	best, least := base, 1+len(low)/4 // more changes than that make another word
	for _, name := range names() {
		if d := distance(low, name); d <= least && (d < least || best == base) {
			best, least = name, d
		}
	}
	return best
}

// distance returns how many bytes have to be inserted, dropped, replaced or
// swapped with their neighbour to make b of a.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost(a[i] != b[j]))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func cost(differ bool) int {
	if differ {
		return 1
	}
	return 0
}
