// Package screen knows what a terminal shows.
//
// A [Screen] is an [io.Writer] of terminal output. It follows xterm, and tmux where that is more useful (lines flow when
// the width changes, a cleared screen never shines through the alternate one); texts are cut into cells by grapheme
// clusters. Whatever the bytes, and wherever they are cut into writes: the same bytes make the same screen.
//
//	s := screen.New(24, 80)
//	io.Copy(s, terminalOutput)
//	fmt.Println(s.Text())
//
// It is a picture of a terminal, not a terminal: it reads no descriptor and no clock and starts no goroutine. What the
// terminal would answer to the program's questions is fetched with [Screen.Answers] and sent by whoever feeds it.
package screen

import (
	"strings"
)

// MaxSize is the greatest number of rows and of columns.
const MaxSize = 1000

// historyMax is how many lines that left the screen at the top are kept.
const historyMax = 1000

// Screen is what a terminal shows. It is made by [New]. It is not safe for concurrent use.
// Rows and columns count from 1 in all exported methods, and from 0 within the package.
type Screen struct {
	rows, cols int
	lines      []*row // what is shown
	other      []*row // the main screen while the alternate one is shown; otherwise nil
	spare      []*row // the alternate screen while it is not shown, to be used again
	history    history
	scrolled   int // how many lines of the history a taller screen gets back: those since it was last cleared

	cursor
	saved [2]cursor // DECSC, of the main and of the alternate screen

	top, bottom int // the scroll region, both inclusive
	left, right int
	tabs        []bool
	modes       modeSet
	savedModes  modeSet // XTSAVE
	iso         bool    // protected by SPA, from ED, EL and ECH too; otherwise by DECSCA, from selective erases only
	shape       Shape
	steady      bool // the cursor does not blink; it does at the start

	title    string
	titles   []string // XTWINOPS 22
	shell    Shell
	clip     string
	colors   colors
	clusters table[string]
	extras   table[extra]

	parser
	last    cell // what REP repeats: the character printed just before; its ch is 0 after anything else
	joined  []byte
	lastX   int // where its cell is; -1 when the next character cannot continue it
	answers []byte
}

// cursor is what DECSC saves.
type cursor struct {
	x, y     int
	pending  bool // the last column was written: the next character goes to the next row
	origin   bool // positions count from the margins
	pen      cell // how characters are written
	charsets [4]byte
	gl       int // which of the four is in use
	single   int // the one for the next character only (SS2, SS3), or 0
}

// New returns an empty screen. Sizes beyond 1 to [MaxSize] are made to fit.
func New(rows, cols int) *Screen {
	s := &Screen{rows: clamp(rows), cols: clamp(cols)}
	s.history.max = historyMax
	s.clusters.max = 1 << 14
	s.extras.max = 1 << 12
	s.lines = newRows(s.rows, s.cols)
	s.reset()
	return s
}

func clamp(n int) int { return max(1, min(n, MaxSize)) }

// reset is RIS without the erasing.
func (s *Screen) reset() {
	s.cursor = cursor{charsets: [4]byte{'B', 'B', 'B', 'B'}}
	s.saved = [2]cursor{s.cursor, s.cursor}
	s.lastX = -1
	s.last = cell{}
	s.modes = defaultModes
	s.savedModes = defaultModes
	s.iso = false
	s.shape, s.steady = Block, false
	s.titles = nil
	s.shell = Shell{}
	s.colors = colors{}
	s.resetMargins()
	s.resetTabs()
}

func (s *Screen) resetMargins() {
	s.top, s.bottom, s.left, s.right = 0, s.rows-1, 0, s.cols-1
}

func (s *Screen) resetTabs() {
	s.tabs = make([]bool, s.cols)
	for i := 8; i < s.cols; i += 8 {
		s.tabs[i] = true
	}
}

// Size returns the number of rows and columns.
func (s *Screen) Size() (rows, cols int) { return s.rows, s.cols }

// Resize changes the size. Lines of the main screen flow anew when the width changes, and come from or go to the
// scrollback when the height changes, as in tmux; the alternate screen is cut or padded, its program draws it again.
// Margins and tab stops are reset.
func (s *Screen) Resize(rows, cols int) {
	rows, cols = clamp(rows), clamp(cols)
	if rows == s.rows && cols == s.cols {
		return
	}
	if s.modes.on(alternate) {
		lines := s.lines
		s.lines = s.other
		main := s.saved[0]
		main.y, main.x = s.resizeMain(rows, cols, main.y, main.x)
		main.pending = main.pending && main.x == cols-1
		s.saved[0] = main
		s.other = s.lines
		s.lines = lines
		s.y = s.resizeAlternate(rows, cols)
	} else {
		s.y, s.x = s.resizeMain(rows, cols, s.y, s.x)
	}
	s.spare = nil
	widthChanged := cols != s.cols
	s.rows, s.cols = rows, cols
	s.y, s.x = min(s.y, rows-1), min(s.x, cols-1)
	s.pending = s.pending && s.x == cols-1 && !widthChanged
	for i := range s.saved {
		c := &s.saved[i]
		c.y, c.x = min(c.y, rows-1), min(c.x, cols-1)
		c.pending = c.pending && c.x == cols-1
	}
	for _, lines := range [][]*row{s.lines, s.other} {
		if lines != nil {
			lines[rows-1].wrapped = false
		}
	}
	s.resetMargins()
	if widthChanged {
		s.resetTabs()
	}
	s.cut()
}

// resizeAlternate cuts at the bottom as far as the cursor allows, then at the top. It returns the cursor's row.
func (s *Screen) resizeAlternate(rows, cols int) (y int) {
	y = s.y
	if over := len(s.lines) - rows; over > 0 {
		low := min(over, len(s.lines)-1-y)
		high := over - low
		s.lines = s.lines[high : len(s.lines)-low]
		y -= high
	}
	for _, r := range s.lines {
		r.resize(cols)
	}
	if more := rows - len(s.lines); more > 0 {
		s.lines = append(s.lines[:len(s.lines):len(s.lines)], newRows(more, cols)...)
	}
	return y
}

// resizeMain returns where the cursor is afterwards.
func (s *Screen) resizeMain(rows, cols, cy, cx int) (y, x int) {
	old := s.history.len()
	all := append(s.history.take(), s.lines...)
	top, y := old, old+cy // the first row shown, and the cursor's
	height := len(s.lines)
	if rows < height { // cut below the cursor, then the history takes the rest
		over := height - rows
		low := min(over, height-1-cy)
		all = all[:len(all)-low]
		top += over - low
		s.scrolled += over - low
	} else { // take back what was scrolled out, then add empty rows
		back := min(rows-height, s.scrolled, old)
		top -= back
		s.scrolled -= back
		if more := rows - height - back; more > 0 {
			all = append(all, newRows(more, s.cols)...)
		}
	}
	x = cx
	if cols != s.cols {
		all, y, x = reflow(all, cols, y, cx)
		if more := rows - len(all); more > 0 {
			all = append(all, newRows(more, cols)...)
		}
		top = len(all) - rows
	}
	for _, r := range all[:top] {
		s.history.push(r)
	}
	s.scrolled = min(s.scrolled, s.history.len())
	s.lines = append([]*row(nil), all[top:]...)
	return max(y-top, 0), x
}

// Scrollback returns how many lines above row 1 are kept: those that left the main screen at its top, at most 1000.
func (s *Screen) Scrollback() int { return s.history.len() }

// Line is a row with all its cells.
type Line struct {
	Cells   []Cell
	Wrapped bool // the text goes on in the next row
	Mark    byte // what the shell said of it by OSC 133: 'A' a prompt begins, 'B' input, 'C' output, 'D' the end; or 0
}

// Text returns the line without the blanks at its end.
func (l Line) Text() string {
	var b strings.Builder
	for _, c := range l.Cells {
		b.WriteString(c.Text)
	}
	return strings.TrimRight(b.String(), " ")
}

// Line returns a row: 1 is the first one shown, 0 the line that left the screen last, 1-[Screen.Scrollback] the oldest
// kept. A row that is not there is empty.
func (s *Screen) Line(row int) Line {
	r := s.row(row)
	if r == nil {
		return Line{}
	}
	l := Line{Cells: make([]Cell, len(r.cells)), Wrapped: r.wrapped, Mark: r.mark}
	for i, c := range r.cells {
		l.Cells[i] = s.cell(c)
	}
	return l
}

func (s *Screen) row(n int) *row {
	switch {
	case n >= 1 && n <= s.rows:
		return s.lines[n-1]
	case n <= 0 && n > -s.history.len():
		return s.history.at(s.history.len() - 1 + n)
	}
	return nil
}

// Cell returns one cell of what is shown; a blank one for a position that is not there.
func (s *Screen) Cell(row, col int) Cell {
	if row < 1 || row > s.rows || col < 1 || col > s.cols {
		return s.cell(cell{})
	}
	return s.cell(s.lines[row-1].cells[col-1])
}

// Text returns the rows, joined by "\n". Blanks at a row's end and empty rows at the end are left out.
func (s *Screen) Text() string {
	b := make([]byte, 0, s.rows*(s.cols+1))
	end := 0
	for y, r := range s.lines {
		if y > 0 {
			b = append(b, '\n')
		}
		start := len(b)
		for _, c := range r.cells[:r.used()] {
			b = append(b, s.text(c)...)
		}
		for len(b) > start && b[len(b)-1] == ' ' {
			b = b[:len(b)-1]
		}
		if len(b) > start {
			end = len(b)
		}
	}
	return string(b[:end])
}

// Cursor is where the cursor is and how it looks.
type Cursor struct {
	Row, Col int
	Hidden   bool
	Shape    Shape
	Blink    bool
	Pending  bool // the last column was written: the next character goes to the next row
}

// Shape is the form of the cursor.
type Shape uint8

// The shapes.
const (
	Block Shape = iota
	Underscore
	Bar
)

// Cursor returns the cursor.
func (s *Screen) Cursor() Cursor {
	return Cursor{Row: s.y + 1, Col: s.x + 1, Hidden: !s.modes.on(showCursor), Shape: s.shape, Blink: !s.steady,
		Pending: s.pending && s.modes.on(autowrap)}
}

// Title returns the window's title, without control characters.
func (s *Screen) Title() string { return s.title }

// Clipboard returns what the program put there last with OSC 52, at most some 48 KiB.
// A program that asks for it gets no answer.
func (s *Screen) Clipboard() string { return s.clip }

// Shell is what the shell told by OSC 133.
type Shell struct {
	Mark   byte // 'A' a prompt begins, 'B' input, 'C' output, 'D' the command has ended; 0 = it never told
	Status int  // of the last command that ended; -1 when it did not say
}

// Shell returns what the shell told last.
func (s *Screen) Shell() Shell { return s.shell }

// Clone returns an independent copy, without the scrollback.
func (s *Screen) Clone() *Screen {
	c := *s
	c.lines = cloneRows(s.lines)
	c.other = cloneRows(s.other)
	c.spare = nil
	c.history.rows, c.history.head, c.scrolled = nil, 0, 0
	c.tabs = append([]bool(nil), s.tabs...)
	c.titles = append([]string(nil), s.titles...)
	c.str = append([]byte(nil), s.str...)
	c.joined = nil
	c.answers = append([]byte(nil), s.answers...)
	c.clusters = s.clusters.clone()
	c.extras = s.extras.clone()
	c.colors = s.colors.clone()
	return &c
}

func cloneRows(rows []*row) []*row {
	if rows == nil {
		return nil
	}
	c := newRows(len(rows), len(rows[0].cells))
	for i, r := range rows {
		copy(c[i].cells, r.cells)
		c[i].wrapped, c[i].mark = r.wrapped, r.mark
	}
	return c
}
