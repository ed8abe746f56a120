package picture

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spawnx/spawnx/screen"
)

// A cell of an SVG, and the size of the font whose letters are so wide: 0.6 of their size, as in nearly all of them.
const (
	svgWidth  = 9
	svgHeight = 18
	svgFont   = 15
	svgBase   = 13.5
	svgMargin = 9
)

// SVG writes a picture with text that can be selected. Each character stands exactly in its cell, whatever the font.
func SVG(w io.Writer, s *screen.Screen, o Options) error {
	f := newFrame(s, o)
	title := o.Title
	if title == "" {
		title = s.Title()
	}
	d := &drawing{frame: f}
	d.head(title)
	d.backgrounds()
	d.shapes()
	d.text()
	d.cursorLine()
	d.str("</svg>\n")
	_, err := w.Write(d.Bytes())
	return err
}

type drawing struct {
	frame
	bytes.Buffer
}

func (d *drawing) str(format string, a ...any) { fmt.Fprintf(&d.Buffer, format, a...) }

func (d *drawing) head(title string) {
	width, height := d.cols*svgWidth+2*svgMargin, d.frame.rows*svgHeight+2*svgMargin
	d.str(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="%d %d %d %d" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="%d">`+"\n",
		width, height, -svgMargin, -svgMargin, width, height, svgFont)
	if title != "" {
		d.str("<title>%s</title>\n", escape(title))
	}
	d.str(`<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", -svgMargin, -svgMargin, width, height, d.bg)
}

// backgrounds draws those that are not the default, one rectangle for cells beside each other.
func (d *drawing) backgrounds() {
	for y, row := range d.spots {
		for i := 0; i < len(row); {
			n := i + 1
			for n < len(row) && row[n].bg == row[i].bg {
				n++
			}
			if first, last := row[i], row[n-1]; first.bg != d.bg {
				d.str(`<rect x="%d" y="%d" width="%d" height="%d" fill="%s" shape-rendering="crispEdges"/>`+"\n",
					first.x*svgWidth, y*svgHeight, (last.x+last.width-first.x)*svgWidth, svgHeight, first.bg)
			}
			i = n
		}
	}
}

// shapes draws lines, blocks and underlines: one path for each colour of a row.
func (d *drawing) shapes() {
	for y, row := range d.spots {
		type ink struct {
			color color
			alpha float64
			crisp bool
		}
		paths := make(map[ink]*strings.Builder)
		var order []ink
		add := func(k ink, x int, polygons []polygon) {
			b := paths[k]
			if b == nil {
				b = new(strings.Builder)
				paths[k] = b
				order = append(order, k)
			}
			for _, p := range polygons {
				for i, pt := range p {
					b.WriteByte("ML"[min(i, 1)])
					b.WriteString(number(pt.x+float64(x*svgWidth)) + " " + number(pt.y+float64(y*svgHeight)))
				}
				b.WriteByte('Z')
			}
		}
		for _, s := range row {
			if polygons, alpha, ok := shape(s.rune(), s.width*svgWidth, svgHeight); ok {
				add(ink{s.fg, alpha, straight(polygons)}, s.x, polygons)
			}
			under, fg := s.decorations(svgWidth, svgHeight, 1)
			if len(under) > 0 {
				add(ink{s.line, 1, straight(under)}, s.x, under)
			}
			if len(fg) > 0 {
				add(ink{s.fg, 1, true}, s.x, fg)
			}
		}
		for _, k := range order {
			d.str(`<path d="%s" fill="%s"`, paths[k], k.color)
			if k.alpha != 1 {
				d.str(` fill-opacity="%s"`, number(k.alpha))
			}
			if k.crisp {
				d.str(` shape-rendering="crispEdges"`)
			}
			d.str("/>\n")
		}
	}
}

// straight reports whether all lines go along the axes.
func straight(polygons []polygon) bool {
	for _, p := range polygons {
		for i := range p {
			next := p[(i+1)%len(p)]
			if p[i].x != next.x && p[i].y != next.y {
				return false
			}
		}
	}
	return true
}

func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
}

const styles = screen.Bold | screen.Italic

// text writes the rows: one element each, with a part for each style. Characters of one code point in one part have a
// position each; a cluster is a part of its own, as its code points share one.
func (d *drawing) text() {
	for y, row := range d.spots {
		end := len(row)
		for end > 0 && row[end-1].text == " " {
			end--
		}
		if end == 0 {
			continue
		}
		d.str(`<text y="%s" xml:space="preserve">`, number(float64(y*svgHeight)+svgBase))
		for i := 0; i < end; {
			n := i + 1
			for n < end && simple(row[i]) && simple(row[n]) && sameInk(row[i], row[n]) {
				n++
			}
			d.part(row[i:n])
			i = n
		}
		d.str("</text>\n")
	}
}

// simple reports whether a spot can stand in a list of positions: those count characters of the Basic Multilingual Plane.
func simple(s spot) bool {
	r := s.rune()
	return r != 0 && r < 0x10000
}

func sameInk(a, b spot) bool {
	_, _, da := shape(a.rune(), svgWidth, svgHeight)
	_, _, db := shape(b.rune(), svgWidth, svgHeight)
	return a.fg == b.fg && a.attr&styles == b.attr&styles && a.link == b.link && da == db
}

func (d *drawing) part(spots []spot) {
	s := spots[0]
	link := strings.HasPrefix(s.link, "https://") || strings.HasPrefix(s.link, "http://")
	if link {
		d.str(`<a href="%s">`, escape(s.link))
	}
	d.str(`<tspan x="`)
	for i, s := range spots {
		if i > 0 {
			d.WriteByte(' ')
		}
		d.WriteString(strconv.Itoa(s.x * svgWidth))
	}
	d.str(`" fill="%s"`, s.fg)
	if _, _, drawn := shape(s.rune(), svgWidth, svgHeight); drawn {
		d.str(` fill-opacity="0"`) // it can be selected, but is drawn already
	}
	if s.attr&screen.Bold != 0 {
		d.str(` font-weight="bold"`)
	}
	if s.attr&screen.Italic != 0 {
		d.str(` font-style="italic"`)
	}
	if len(spots) == 1 && (s.width == 2 || !simple(s)) {
		d.str(` textLength="%d" lengthAdjust="spacingAndGlyphs"`, s.width*svgWidth)
	}
	d.WriteByte('>')
	for _, s := range spots {
		d.WriteString(escape(s.text))
	}
	d.str("</tspan>")
	if link {
		d.str("</a>")
	}
}

// cursorLine draws a cursor that is not a block. (A block is a cell in exchanged colours.)
func (d *drawing) cursorLine() {
	if d.cursor.Hidden || d.cursor.Shape == screen.Block {
		return
	}
	r := cursorRect(d.frame, svgWidth, svgHeight, 2)
	d.str(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n",
		number(r[0].x), number(r[0].y), number(r[2].x-r[0].x), number(r[2].y-r[0].y), d.cursorInk)
}

// cursorRect is where a bar or an underscore stands, in pixels.
func cursorRect(f frame, w, h, thick int) polygon {
	x, y := f.cursorAt.x*w, (f.cursor.Row-1)*h
	if f.cursor.Shape == screen.Bar {
		return rect(float64(x), float64(y), float64(x+thick), float64(y+h))
	}
	return rect(float64(x), float64(y+h-thick), float64(x+f.cursorAt.width*w), float64(y+h))
}

// escape makes text fit for XML, which has no place for some characters.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r < ' ' || r == 0xfffe || r == 0xffff:
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
