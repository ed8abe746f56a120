package expect

import (
	"strings"

	"github.com/spawnx/spawnx/diag"
)

// A Match is what an Expect found.
type Match struct {
	Index   int     // which case, from 0; -1 for a standing rule that ended the call
	Pattern Pattern // the case itself; of a Rule, its When

	Before string   // what came before the match and was not consumed earlier
	Text   string   // what matched; empty for EOF and Idle
	Groups []string // Text and the regular expression's groups, as in regexp; nil for others

	// Offset and End are the match's place in the output of the program, in
	// bytes from its first byte. The next Expect goes on at End.
	Offset, End int64

	// Truncated: more than the retained 512 KiB lay before the end of the
	// match, so Before, or even Text and Groups, do not hold all of it.
	Truncated bool
	// Echo: the match lies wholly inside the program's own echo of the line
	// that was sent last (line editors echo what a terminal does not).
	Echo bool
	// Evidence says, of Waiting, what proves it.
	Evidence diag.Evidence

	names []string
}

// Group returns the text of the group (?P<name>…), or "".
func (m Match) Group(name string) string {
	for i, n := range m.names {
		if n == name && i < len(m.Groups) {
			return m.Groups[i]
		}
	}
	return ""
}

// String returns what matched, for people.
func (m Match) String() string {
	var b strings.Builder
	if m.Pattern != nil {
		b.WriteString(m.Pattern.String())
	}
	return b.String()
}
