// Package golden is the screen file of the tests, and its masks.
//
//	24x80 cursor 1,6
//	|hello
//	:aaa
//	|~
//	...
//	|-- INSERT --
//	=a bold fg=2 bg=#102030
//
// The first line is size and cursor ("cursor hidden" when it is). Each row begins with "|"; blanks at its end and empty
// rows at the end are left out. A line that begins with ":" gives a letter for each cell of the row above it, "." for a
// plain one; those that begin with "=" explain the letters. "[..]" in a row is any text, a line "..." any number of rows.
// Only what a file states is compared.
package golden

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/screen"
)

// Format returns the file for a screen.
func Format(s *screen.Screen, styles bool) string {
	f := read(s, styles)
	return f.encode()
}

// Compare returns nil when the screen is as the file says, a *Difference when it is not, and another error when the file
// is none. Styles are compared when styles is set or the file states any.
func Compare(text string, s *screen.Screen, styles bool) error {
	want, err := parse(text)
	if err != nil {
		return err
	}
	want.styled = want.styled || styles
	got := read(s, want.styled)
	d := &Difference{}
	if !all(want.rows, got.rows, want.sameRow) {
		d.lines = diff(want.rows, got.rows, want.sameRow, func(r row) string { return "|" + r.text })
	}
	if h := want.header(); h != got.headerLike(want) {
		d.head = []string{"- " + h, "+ " + got.headerLike(want)}
	}
	d.restyle(want, got)
	if d.differs() {
		return d
	}
	return nil
}

// Check returns an error that names the line when a text is no screen file.
func Check(text string) error {
	_, err := parse(text)
	return err
}

// Update returns the file for a screen, with the lines of the old one whose masks still match. What the old file did not
// state (the first line) the new one does not either; an empty or broken old file has nothing to keep.
func Update(old string, s *screen.Screen, styles bool) string {
	was, err := parse(old)
	if err != nil || strings.TrimSpace(old) == "" {
		return Format(s, styles)
	}
	is := read(s, styles || was.styled)
	is.size, is.cursor = is.size && was.size, is.cursor && was.cursor
	var rows []row
	for _, l := range align(was.rows, is.rows, sameText) {
		switch {
		case l.want >= 0 && was.rows[l.want].any:
			if len(rows) == 0 || !rows[len(rows)-1].any {
				rows = append(rows, row{any: true})
			}
		case l.same:
			r := is.rows[l.got]
			if p := was.rows[l.want]; strings.Contains(p.text, mask) {
				r.text = p.text
				r.styles = r.styles[:min(prefix(p.text), len(r.styles))]
			}
			rows = append(rows, r)
		case l.got >= 0:
			rows = append(rows, is.rows[l.got])
		}
	}
	is.rows = rows
	return is.encode()
}

// Lines compares a text with one that may have masks: "[..]" for any text in a line, a line "..." for any number of
// lines. It returns nil or a *Difference.
func Lines(pattern, text string) error {
	want, got := plainRows(pattern), plainRows(text)
	if all(want, got, sameText) {
		return nil
	}
	return &Difference{lines: diff(want, got, sameText, func(r row) string { return r.text })}
}

// UpdateLines returns the text, with the lines of the pattern whose masks still match.
func UpdateLines(pattern, text string) string {
	want, got := plainRows(pattern), plainRows(text)
	var b strings.Builder
	dots := false
	for _, l := range align(want, got, sameText) {
		switch {
		case l.want >= 0 && want[l.want].any:
			if !dots {
				b.WriteString(anyLines + "\n")
			}
			dots = true
			continue
		case l.same:
			b.WriteString(want[l.want].text + "\n")
		case l.got >= 0:
			b.WriteString(got[l.got].text + "\n")
		}
		dots = false
	}
	if !strings.HasSuffix(text, "\n") {
		return strings.TrimSuffix(b.String(), "\n")
	}
	return b.String()
}

func sameText(p, r row) bool { return matches(p.text, r.text) }

func plainRows(text string) []row {
	if text == "" {
		return nil
	}
	var rows []row
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		rows = append(rows, row{text: l, any: l == anyLines})
	}
	return rows
}

// file is what a screen file states.
type file struct {
	size, cursor  bool // it has them
	height, width int
	hidden        bool
	row, col      int
	rows          []row
	styled        bool
}

type row struct {
	any    bool // "...": any number of rows
	text   string
	styles []screen.Style // of its cells, up to the last that is not plain
}

// read makes the file of a screen. Without styles a blank is a blank, whatever its colour: rows at the end that are
// nothing else are left out.
func read(s *screen.Screen, styled bool) file {
	f := file{size: true, cursor: true, styled: styled}
	f.height, f.width = s.Size()
	c := s.Cursor()
	f.hidden, f.row, f.col = c.Hidden, c.Row, c.Col
	for y := 1; y <= f.height; y++ {
		l := s.Line(y)
		r := row{text: l.Text()}
		end := 0
		if styled {
			end = len(l.Cells)
		}
		for end > 0 && unseen(l.Cells[end-1]) {
			end--
		}
		for _, c := range l.Cells[:end] {
			r.styles = append(r.styles, c.Style)
		}
		r.styles = trim(r.styles)
		f.rows = append(f.rows, r)
	}
	for n := len(f.rows); n > 0 && f.rows[n-1].text == "" && len(f.rows[n-1].styles) == 0; n-- {
		f.rows = f.rows[:n-1]
	}
	return f
}

// unseen reports whether a cell looks like an empty one: the colour of a blank's text cannot be seen.
func unseen(c screen.Cell) bool {
	const seen = screen.Underline | screen.Reverse | screen.Strike | screen.Overline
	return c.Text == " " && c.Bg == 0 && c.Attr&seen == 0
}

func trim(styles []screen.Style) []screen.Style {
	for n := len(styles); n > 0 && styles[n-1] == (screen.Style{}); n-- {
		styles = styles[:n-1]
	}
	return styles
}

func (f *file) header() string {
	var parts []string
	if f.size {
		parts = append(parts, fmt.Sprintf("%dx%d", f.height, f.width))
	}
	switch {
	case f.cursor && f.hidden:
		parts = append(parts, "cursor hidden")
	case f.cursor:
		parts = append(parts, fmt.Sprintf("cursor %d,%d", f.row, f.col))
	}
	return strings.Join(parts, " ")
}

// headerLike is the first line with no more in it than that of another file.
func (f file) headerLike(o file) string {
	f.size, f.cursor = o.size, o.cursor
	return f.header()
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// letter is the n-th: those of the alphabet and the digits, then others.
func letter(n int) rune {
	if n < len(letters) {
		return rune(letters[n])
	}
	return 'À' + rune(n-len(letters))
}

func (f *file) encode() string {
	var b strings.Builder
	if h := f.header(); h != "" {
		b.WriteString(h + "\n")
	}
	names := make(map[screen.Style]rune)
	var order []screen.Style
	for _, r := range f.rows {
		if r.any {
			b.WriteString(anyLines + "\n")
			continue
		}
		b.WriteString("|" + r.text + "\n")
		if !f.styled || len(trim(r.styles)) == 0 {
			continue
		}
		b.WriteByte(':')
		for _, st := range trim(r.styles) {
			if st == (screen.Style{}) {
				b.WriteByte('.')
				continue
			}
			if names[st] == 0 {
				names[st] = letter(len(order))
				order = append(order, st)
			}
			b.WriteRune(names[st])
		}
		b.WriteByte('\n')
	}
	for i, st := range order {
		b.WriteString("=" + string(letter(i)) + " " + words(st) + "\n")
	}
	return b.String()
}

var attrWords = []struct {
	attr screen.Attr
	word string
}{
	{screen.Bold, "bold"}, {screen.Dim, "dim"}, {screen.Italic, "italic"}, {screen.Underline, "underline"},
	{screen.Double, "double"}, {screen.Curly, "curly"}, {screen.Dotted, "dotted"}, {screen.Dashed, "dashed"},
	{screen.Blink, "blink"}, {screen.Reverse, "reverse"}, {screen.Strike, "strike"},
	{screen.Conceal, "conceal"}, {screen.Overline, "overline"},
}

func words(st screen.Style) string {
	var w []string
	for _, a := range attrWords {
		if st.Attr&a.attr != 0 {
			w = append(w, a.word)
		}
	}
	for _, c := range []struct {
		name  string
		color screen.Color
	}{{"fg", st.Fg}, {"bg", st.Bg}, {"line", st.Line}} {
		if c.color != 0 {
			w = append(w, c.name+"="+c.color.String())
		}
	}
	return strings.Join(w, " ")
}

func parseStyle(text string) (st screen.Style, err error) {
next:
	for _, w := range strings.Fields(text) {
		for _, a := range attrWords {
			if w == a.word {
				st.Attr |= a.attr
				continue next
			}
		}
		name, value, _ := strings.Cut(w, "=")
		c, ok := parseColor(value)
		switch {
		case !ok:
			return st, fmt.Errorf("%q is no style (bold dim italic underline blink reverse strike fg= bg=, a number or #rrggbb)", w)
		case name == "fg":
			st.Fg = c
		case name == "bg":
			st.Bg = c
		case name == "line":
			st.Line = c
		default:
			return st, fmt.Errorf("%q is no style (bold dim italic underline blink reverse strike fg= bg=, a number or #rrggbb)", w)
		}
	}
	return st, nil
}

func parseColor(v string) (screen.Color, bool) {
	if hex, ok := strings.CutPrefix(v, "#"); ok {
		n, err := strconv.ParseUint(hex, 16, 24)
		return screen.RGB(uint8(n>>16), uint8(n>>8), uint8(n)), err == nil && len(hex) == 6
	}
	n, err := strconv.ParseUint(v, 10, 8)
	return screen.Index(uint8(n)), err == nil
}

// parse reads a screen file.
func parse(text string) (file, error) {
	var f file
	type pending struct {
		row     int
		letters string
		line    int
	}
	var styleLines []pending
	names := map[rune]screen.Style{'.': {}}
	number := 0
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		number++
		l = strings.TrimRight(l, " \r")
		bad := func(format string, a ...any) (file, error) {
			return file{}, fmt.Errorf("line %d of the screen file: "+format, append([]any{number}, a...)...)
		}
		switch {
		case l == "":
			if text != "" && strings.TrimSpace(text) != "" {
				return bad("it is empty: an empty row is written |")
			}
		case l == anyLines:
			f.rows = append(f.rows, row{any: true})
		case l[0] == '|':
			f.rows = append(f.rows, row{text: l[1:]})
		case l[0] == ':':
			if len(f.rows) == 0 || f.rows[len(f.rows)-1].any {
				return bad("styles stand below their row")
			}
			f.styled = true
			styleLines = append(styleLines, pending{len(f.rows) - 1, l[1:], number})
		case l[0] == '=':
			f.styled = true
			name, rest, _ := strings.Cut(l[1:], " ")
			st, err := parseStyle(rest)
			if err != nil {
				return bad("%w", err)
			}
			if len([]rune(name)) != 1 || name == "." {
				return bad("a letter stands behind the =")
			}
			names[[]rune(name)[0]] = st
		case number == 1:
			if err := f.parseHeader(l); err != nil {
				return bad("%w", err)
			}
		default:
			return bad("a row begins with |, styles with :, their meaning with =; %q does not", l)
		}
	}
	for _, p := range styleLines {
		r := &f.rows[p.row]
		for _, name := range p.letters {
			st, ok := names[name]
			if !ok {
				return file{}, fmt.Errorf("line %d of the screen file: no line explains the letter %c (=%c bold)", p.line, name, name)
			}
			r.styles = append(r.styles, st)
		}
		r.styles = trim(r.styles)
	}
	for n := len(f.rows); n > 0 && !f.rows[n-1].any && f.rows[n-1].text == "" && len(f.rows[n-1].styles) == 0; n-- {
		f.rows = f.rows[:n-1]
	}
	return f, nil
}

func (f *file) parseHeader(l string) error {
	bad := fmt.Errorf("%q is no size and cursor, such as 24x80 cursor 1,6 or 24x80 cursor hidden", l)
	w := strings.Fields(l)
	if len(w) == 0 {
		return bad
	}
	if rows, cols, ok := pair(w[0], "x"); ok {
		f.size, f.height, f.width = true, rows, cols
		w = w[1:]
	}
	switch {
	case len(w) == 0:
		return nil
	case len(w) != 2 || w[0] != "cursor":
		return bad
	case w[1] == "hidden":
		f.cursor, f.hidden = true, true
		return nil
	}
	row, col, ok := pair(w[1], ",")
	if !ok {
		return bad
	}
	f.cursor, f.row, f.col = true, row, col
	return nil
}

func pair(text, between string) (a, b int, ok bool) {
	left, right, ok := strings.Cut(text, between)
	a, err1 := strconv.Atoi(left)
	b, err2 := strconv.Atoi(right)
	return a, b, ok && err1 == nil && err2 == nil && a > 0 && b > 0
}

// sameRow compares a row of the file with one of the screen. Where a mask stands, the styles behind it are not known.
func (f *file) sameRow(p, r row) bool {
	if !matches(p.text, r.text) {
		return false
	}
	return !f.styled || sameStyles(p, r)
}

func sameStyles(p, r row) bool {
	a, b := p.styles, r.styles
	if strings.Contains(p.text, mask) {
		n := prefix(p.text)
		a, b = trim(a[:min(n, len(a))]), trim(b[:min(n, len(b))])
	}
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
