// Package picture draws what a terminal shows: as SVG, with text that can be selected, or as PNG.
package picture

import (
	"fmt"
	"unicode/utf8"

	"github.com/spawnx/spawnx/screen"
)

// Options say how a picture is drawn. The zero value draws the screen with its cursor, light on dark.
type Options struct {
	Title    string       // of an SVG; "" = the screen's
	NoCursor bool         // leave the cursor out
	Fg, Bg   screen.Color // the default colours; zero = the screen's
	Cell     int          // PNG: the height of a cell in pixels, 10 to 100; zero = 20
}

// color is red, green and blue.
type color struct{ r, g, b uint8 }

func (c color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// blend is the colour half way between two.
func blend(a, b color) color {
	mix := func(x, y uint8) uint8 { return uint8((int(x) + int(y)) / 2) }
	return color{mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)}
}

// spot is a character as it is drawn.
type spot struct {
	x, width int // in cells
	text     string
	fg, bg   color
	line     color // of the underline
	attr     screen.Attr
	link     string
}

// rune returns the character, or 0 when the text is a cluster of several.
func (s spot) rune() rune {
	r, n := utf8.DecodeRuneInString(s.text)
	if n != len(s.text) {
		return 0
	}
	return r
}

// frame is a screen with its colours worked out.
type frame struct {
	rows, cols int
	bg         color
	spots      [][]spot
	cursor     screen.Cursor
	cursorAt   spot // the character under it
	cursorInk  color
}

func newFrame(s *screen.Screen, o Options) frame {
	rgb := func(c screen.Color) color {
		r, g, b := s.Palette(c)
		return color{r, g, b}
	}
	pick := func(own, usual screen.Color) color {
		if own != 0 {
			return rgb(own)
		}
		return rgb(usual)
	}
	fg, bg := pick(o.Fg, screen.Foreground), pick(o.Bg, screen.Background)
	if s.Modes().ReverseVideo {
		fg, bg = bg, fg
	}
	f := frame{bg: bg, cursor: s.Cursor(), cursorInk: fg}
	f.cursor.Hidden = f.cursor.Hidden || o.NoCursor
	f.rows, f.cols = s.Size()
	for y := 1; y <= f.rows; y++ {
		var row []spot
		for x, c := range s.Line(y).Cells {
			if c.Width == 0 {
				if y == f.cursor.Row && x+1 == f.cursor.Col {
					f.cursorAt = row[len(row)-1]
				}
				continue
			}
			p := spot{x: x, width: c.Width, text: c.Text, fg: fg, bg: bg, attr: c.Attr, link: c.Link}
			if c.Fg != 0 {
				p.fg = rgb(c.Fg)
			}
			if c.Bg != 0 {
				p.bg = rgb(c.Bg)
			}
			if c.Attr&screen.Reverse != 0 {
				p.fg, p.bg = p.bg, p.fg
			}
			if c.Attr&screen.Dim != 0 {
				p.fg = blend(p.fg, p.bg)
			}
			p.line = p.fg
			if c.Line != 0 {
				p.line = rgb(c.Line)
			}
			if c.Attr&screen.Conceal != 0 {
				p.text, p.attr = " ", 0
			}
			if y == f.cursor.Row && x+1 == f.cursor.Col {
				f.cursorAt = p
			}
			row = append(row, p)
		}
		f.spots = append(f.spots, row)
	}
	if !f.cursor.Hidden && f.cursor.Shape == screen.Block {
		row := f.spots[f.cursor.Row-1]
		for i := range row {
			if row[i].x == f.cursorAt.x {
				row[i].bg, row[i].fg = f.cursorInk, bg
				row[i].line = bg
			}
		}
	}
	return f
}

// decorations are the lines at a character: rectangles in pixels from its upper left corner.
func (s spot) decorations(w, h, thick int) (underline, fg []polygon) {
	width := float64(s.width * w)
	at := func(y int) polygon { return rect(0, float64(y), width, float64(y+thick)) }
	base := h - h/8 - thick
	if s.attr&screen.Underline != 0 {
		dash := func(on, off int) {
			for x := 0; x < s.width*w; x += on + off {
				underline = append(underline, rect(float64(x), float64(base), float64(min(x+on, s.width*w)), float64(base+thick)))
			}
		}
		switch {
		case s.attr&screen.Double != 0:
			underline = append(underline, at(base-thick), at(base+thick))
		case s.attr&screen.Dotted != 0:
			dash(thick, thick)
		case s.attr&screen.Dashed != 0:
			dash(w/2, w-w/2)
		case s.attr&screen.Curly != 0:
			step := float64(w) / 4
			for i := range 4 * s.width {
				x, up, down := float64(i)*step, float64(base-thick), float64(base+thick)
				if i%2 == 0 {
					up, down = down, up
				}
				t := float64(thick)
				underline = append(underline, polygon{{x, up}, {x + step, down}, {x + step, down + t}, {x, up + t}})
			}
		default:
			underline = append(underline, at(base))
		}
	}
	if s.attr&screen.Strike != 0 {
		fg = append(fg, at(h/2))
	}
	if s.attr&screen.Overline != 0 {
		fg = append(fg, at(0))
	}
	return underline, fg
}
