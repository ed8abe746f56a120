package match

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// Names returns the names of the groups of a case as regexp.SubexpNames does:
// the first is the whole match, unnamed groups are "". A literal has one group.
func (s *Set) Names(index int) []string {
	if re := s.cases[index].re; re != nil {
		return re.SubexpNames()
	}
	return []string{""}
}

// Locate finds where a match begins and what its groups hold. The window is the
// text from offset at on; it must reach back to f.From and one byte further if
// the text does, and on to f.End and one byte further if the text does: what
// \b and ^ say depends on it. It may be larger.
//
// The groups are pairs of offsets into window, as regexp's FindSubmatchIndex
// returns them: groups 0 and 1 are the whole match, -1 is a group that took no
// part. It is not ok if the window does not hold the match.
func (s *Set) Locate(f Found, window []byte, at int64) (start int64, groups []int, ok bool) {
	from, end := f.From-at, f.End-at
	if from < 0 || end > int64(len(window)) {
		return 0, nil, false
	}
	p := &s.cases[f.Case]
	if p.re == nil {
		from = end - int64(len(p.Text))
		if from < 0 || string(window[from:end]) != p.Text {
			return 0, nil, false
		}
		return at + from, []int{int(from), int(end)}, true
	}
	// One byte on each side is enough: it is a newline, a word character, or
	// neither, and the byte alone says which.
	which, skipped := 0, int64(0)
	if at+from > 0 {
		if from == 0 {
			return 0, nil, false
		}
		which |= windowBefore
		skipped = from - 1
	}
	if end < int64(len(window)) {
		which |= windowBehind
		end++
	}
	if re := p.window(which); re != nil {
		groups = re.FindSubmatchIndex(window[skipped:end])
		groups = groups[min(2, len(groups)):] // 0 and 1 are the window's
	} else {
		groups = p.re.FindSubmatchIndex(window[skipped:end])
	}
	if len(groups) == 0 {
		return 0, nil, false
	}
	for i := range groups {
		if groups[i] >= 0 {
			groups[i] += int(skipped)
		}
	}
	return at + int64(groups[0]), groups, true
}

// A window is an expression that must match a window from end to end: any text,
// the expression of the case as group 1, and where they exist a byte before and
// a byte behind. Among the ways in which the expression can end where the match
// ends, regexp takes the one it would have taken in the whole text.
type window struct {
	once sync.Once
	re   *regexp.Regexp // nil if regexp refuses it
}

const (
	windowBefore = 1 << iota
	windowBehind
)

func (p *pattern) window(which int) *regexp.Regexp {
	w := &p.windows[which]
	w.once.Do(func() {
		before, behind := "", ""
		if which&windowBefore != 0 {
			before = "(?s:.)"
		}
		if which&windowBehind != 0 {
			behind = "(?s:.)"
		}
		text := p.Text
		if strings.Contains(text, `\Q`) {
			// Without \E it quotes to the end, and would quote what we append.
			if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
				text = tree.String()
			}
		}
		// An error means that the expression is at the limits of regexp and what we
		// add exceeds them. By itself it finds the same, but where its neighbours
		// matter.
		w.re, _ = regexp.Compile(`\A` + before + `(?s:.*?)(` + text + `)` + behind + `\z`)
	})
	return w.re
}
