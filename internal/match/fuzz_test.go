package match

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzChunks takes one or two cases and a text, and demands of all ways to cut
// the text the answer of the standard library.
func FuzzChunks(f *testing.F) {
	for _, tt := range examples {
		one, other := text(""), text("")
		if len(tt.pats) > 0 {
			one = tt.pats[0]
		}
		if len(tt.pats) > 1 {
			other = tt.pats[1]
		}
		f.Add(one.Text, one.Regexp, other.Text, other.Regexp, []byte(tt.text), uint64(1))
	}
	f.Fuzz(func(t *testing.T, one string, oneRegexp bool, other string, otherRegexp bool, data []byte, seed uint64) {
		if len(one) > 50 || len(other) > 50 || len(data) > 200 {
			return // the oracle is slow
		}
		pats := list{{Text: one, Regexp: oneRegexp}}
		if other != "" {
			pats = append(pats, Pattern{Text: other, Regexp: otherRegexp})
		}
		for _, p := range pats {
			if !p.Regexp {
				continue
			}
			re, err := regexp.Compile(p.Text)
			if err != nil {
				if _, err := Compile(pats); err == nil {
					t.Fatalf("%v compiles, regexp says %v", pats, err)
				}
				return
			}
			if re.NumSubexp() > 8 || strings.Count(p.Text, "{") > 2 {
				return // the oracle is slow
			}
		}
		o := newOracle(t, pats)
		for _, max := range []limits{eager, fickle, {states: 8, bytes: 1 << 20}, {states: 2, bytes: 1, reuse: 1 << 20}} {
			s, err := compile(pats, max)
			if err != nil {
				t.Fatalf("%v: %v", pats, err)
			}
			checkPrefixes(t, s, o, string(data))
			checkCuts(t, s, o, string(data), seeded(seed))
		}
	})
}
