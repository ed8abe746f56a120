package golden

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

const (
	mask     = "[..]"
	anyLines = "..."
)

// matches reports whether a text is what a pattern with masks says.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, mask)
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(text, p)
		if !ok {
			return false
		}
		text = after
	}
	return true
}

// prefix is the number of cells in front of the first mask.
func prefix(pattern string) int {
	before, _, _ := strings.Cut(pattern, mask)
	return displaywidth.String(before)
}

// line is an expected line with the actual one that goes with it; -1: with none.
type line struct {
	want, got int
	same      bool
}

// all reports whether the actual lines are the expected ones; "..." takes any number.
func all(want, got []row, same func(p, r row) bool) bool {
	i, j := 0, 0
	dots, from := -1, 0 // the last "...", and the line at which it ends for now
	for j < len(got) {
		switch {
		case i < len(want) && want[i].any:
			dots, from = i, j
			i++
		case i < len(want) && same(want[i], got[j]):
			i, j = i+1, j+1
		case dots >= 0:
			from++
			i, j = dots+1, from
		default:
			return false
		}
	}
	for i < len(want) && want[i].any {
		i++
	}
	return i == len(want)
}

// What it costs when a line is another, is missing, or is too much. A changed line is cheaper than to let "..." swallow
// it and call the expected one missing.
const (
	other   = 2
	missing = 3
	extra   = 2
)

const tooMany = 4 << 20 // comparisons: beyond that lines are laid side by side as they come

// align lays the actual lines beside the expected ones, with as few differences as possible.
func align(want, got []row, same func(p, r row) bool) []line {
	var lines []line
	i, j := 0, 0
	for i < len(want) && j < len(got) && !want[i].any && same(want[i], got[j]) {
		lines = append(lines, line{i, j, true})
		i, j = i+1, j+1
	}
	if (len(want)-i)*(len(got)-j) > tooMany {
		for ; i < len(want) || j < len(got); i, j = i+1, j+1 {
			l := line{i, j, i < len(want) && j < len(got) && (want[i].any || same(want[i], got[j]))}
			if i >= len(want) {
				l.want = -1
			}
			if j >= len(got) {
				l.got = -1
			}
			lines = append(lines, l)
		}
		return lines
	}
	// From the ends backwards: the least cost of what is left from want[y] and got[x] on, and the step that has it.
	type step struct {
		cost   int
		dy, dx int
		same   bool
	}
	table := make([][]step, len(want)+1)
	for y := len(want); y >= i; y-- {
		table[y] = make([]step, len(got)+1)
		for x := len(got); x >= j; x-- {
			if y == len(want) && x == len(got) {
				continue
			}
			best := step{cost: -1}
			try := func(cost, dy, dx int, same bool) {
				if cost += table[y+dy][x+dx].cost; best.cost < 0 || cost < best.cost {
					best = step{cost, dy, dx, same}
				}
			}
			dots := y < len(want) && want[y].any
			if y < len(want) && x < len(got) && !dots {
				if same(want[y], got[x]) {
					try(0, 1, 1, true)
				}
				try(other, 1, 1, false)
			}
			if dots {
				try(0, 1, 0, true)
				if x < len(got) {
					try(0, 0, 1, true)
				}
			} else if y < len(want) {
				try(missing, 1, 0, false)
			}
			if x < len(got) {
				try(extra, 0, 1, false)
			}
			table[y][x] = best
		}
	}
	for i < len(want) || j < len(got) {
		s := table[i][j]
		l := line{i, j, s.same}
		if s.dx == 0 {
			l.got = -1
		}
		if s.dy == 0 && !s.same {
			l.want = -1
		}
		lines = append(lines, l)
		i, j = i+s.dy, j+s.dx
	}
	return lines
}

// Difference is the error for a screen or a text that is not as expected. Its first line alone says so; the others show
// both: "- " what was expected and is not there, "+ " what is there instead.
type Difference struct {
	head  []string
	lines []shown
}

type shown struct {
	line
	text string // without the sign
	sign byte   // ' ', '-' or '+'
}

func diff(want, got []row, same func(p, r row) bool, text func(row) string) []shown {
	var out, plus []shown
	flush := func() { out, plus = append(out, plus...), nil }
	dots := -1
	for _, l := range align(want, got, same) {
		switch {
		case l.same && want[l.want].any:
			flush()
			if dots != l.want {
				out = append(out, shown{l, anyLines, ' '})
			}
			dots = l.want
		case l.same:
			flush()
			out = append(out, shown{l, text(got[l.got]), ' '})
		default:
			if l.want >= 0 {
				out = append(out, shown{l, text(want[l.want]), '-'})
			}
			if l.got >= 0 {
				plus = append(plus, shown{l, text(got[l.got]), '+'})
			}
		}
	}
	flush()
	return out
}

// restyle says of rows that differ in nothing but their styles what these are.
func (d *Difference) restyle(want, got file) {
	if !want.styled {
		return
	}
	var lines []shown
	for _, l := range d.lines {
		lines = append(lines, l)
		if l.same || l.want < 0 || l.got < 0 || !matches(want.rows[l.want].text, got.rows[l.got].text) {
			continue
		}
		r := want.rows[l.want]
		if l.sign == '+' {
			r = got.rows[l.got]
		}
		one := file{rows: []row{r}, styled: true}
		for _, s := range strings.Split(strings.TrimSuffix(one.encode(), "\n"), "\n")[1:] {
			lines = append(lines, shown{l.line, s, l.sign})
		}
	}
	d.lines = lines
}

func (d *Difference) differs() bool {
	if len(d.head) > 0 {
		return true
	}
	for _, l := range d.lines {
		if !l.same {
			return true
		}
	}
	return false
}

const context = 3 // lines that are the same, around those that are not, in a long text

// Error is of several lines; the first says what is wrong.
func (d *Difference) Error() string {
	var b strings.Builder
	b.WriteString("it differs (- expected, + actual)")
	for _, h := range d.head {
		b.WriteString("\n  " + h)
	}
	near := make([]bool, len(d.lines))
	for i, l := range d.lines {
		if !l.same {
			for n := max(0, i-context); n <= min(len(near)-1, i+context); n++ {
				near[n] = true
			}
		}
	}
	cut := false
	for i, l := range d.lines {
		if len(d.lines) > 60 && !near[i] {
			if !cut {
				b.WriteString("\n  …")
			}
			cut = true
			continue
		}
		cut = false
		b.WriteString("\n  " + string(l.sign) + " " + l.text)
	}
	return b.String()
}
