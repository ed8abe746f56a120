package picture

import (
	"fmt"
	"image"
	imagecolor "image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/gofont/gomonoitalic"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
	"golang.org/x/text/unicode/norm"

	"github.com/spawnx/spawnx/screen"
)

// fonts are Go Mono's, in the order of bold and italic.
func fonts() (all [4]*opentype.Font, err error) {
	parsed.once.Do(func() {
		for i, ttf := range [][]byte{gomono.TTF, gomonobold.TTF, gomonoitalic.TTF, gomonobolditalic.TTF} {
			if parsed.fonts[i], parsed.err = opentype.Parse(ttf); parsed.err != nil {
				return
			}
		}
	})
	return parsed.fonts, parsed.err
}

var parsed struct {
	once  sync.Once
	fonts [4]*opentype.Font
	err   error
}

// PNG writes a picture, drawn with the font Go Mono. Lines, blocks, braille and powerline characters are drawn without
// gaps, some signs that programs like from dots. What the font does not have, as Chinese, Japanese and Korean, is a box
// with its number.
func PNG(w io.Writer, s *screen.Screen, o Options) error {
	if o.Cell == 0 {
		o.Cell = 20
	}
	if o.Cell < 10 || o.Cell > 100 {
		return fmt.Errorf("a cell of %d pixels: 10 to 100 are possible", o.Cell)
	}
	rows, cols := s.Size()
	if n := rows * cols * o.Cell * o.Cell / 2; n > mostPixels {
		return fmt.Errorf("%d rows of %d cells of %d pixels make too large a picture: some %d million pixels, at most %d are possible",
			rows, cols, o.Cell, n/1e6, mostPixels/1_000_000)
	}
	f := newFrame(s, o)
	c, err := newCanvas(f, o.Cell)
	if err != nil {
		return err
	}
	for y, row := range f.spots {
		for _, s := range row {
			c.spot(y, s)
		}
	}
	if !f.cursor.Hidden && f.cursor.Shape != screen.Block {
		c.fill(cursorRect(f, c.w, c.h, max(2, c.w/5)), c.margin, c.margin, f.cursorInk, 1)
	}
	return png.Encode(w, c.img)
}

// mostPixels bounds the memory, four bytes for each: a screen can have a million cells.
const mostPixels = 64_000_000

// canvas is an image of cells.
type canvas struct {
	img          *image.RGBA
	w, h, margin int // of a cell, and around all
	base         int // from a cell's top to the line the letters stand on
	faces        [4]font.Face
	fonts        [4]*opentype.Font
	buffer       sfnt.Buffer
	raster       vector.Rasterizer
}

func newCanvas(f frame, cell int) (*canvas, error) {
	all, err := fonts()
	if err != nil {
		return nil, err
	}
	c := &canvas{w: (cell + 1) / 2, h: cell, margin: cell / 2, fonts: all}
	size := float64(c.w) / 0.6 // Go Mono's letters are 0.6 of their size wide
	for i, ft := range all {
		if c.faces[i], err = opentype.NewFace(ft, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull}); err != nil {
			return nil, err
		}
	}
	m := c.faces[0].Metrics()
	c.base = (c.h-m.Ascent.Ceil()-m.Descent.Ceil())/2 + m.Ascent.Ceil()
	c.img = image.NewRGBA(image.Rect(0, 0, f.cols*c.w+2*c.margin, f.rows*c.h+2*c.margin))
	draw.Draw(c.img, c.img.Bounds(), image.NewUniform(f.bg.opaque()), image.Point{}, draw.Src)
	return c, nil
}

func (c color) opaque() imagecolor.RGBA { return imagecolor.RGBA{c.r, c.g, c.b, 0xff} }

func (c *canvas) spot(y int, s spot) {
	x0, y0 := c.margin+s.x*c.w, c.margin+y*c.h
	w := s.width * c.w
	draw.Draw(c.img, image.Rect(x0, y0, x0+w, y0+c.h), image.NewUniform(s.bg.opaque()), image.Point{}, draw.Src)
	if polygons, alpha, ok := shape(s.rune(), w, c.h); ok {
		for _, p := range polygons {
			c.fill(p, x0, y0, s.fg, alpha)
		}
	} else if s.text != " " {
		c.glyphs(s, x0, y0, w)
	}
	under, fg := s.decorations(c.w, c.h, max(1, c.w/10))
	for _, p := range under {
		c.fill(p, x0, y0, s.line, 1)
	}
	for _, p := range fg {
		c.fill(p, x0, y0, s.fg, 1)
	}
}

// fill draws a polygon that is placed at x0, y0.
func (c *canvas) fill(p polygon, x0, y0 int, ink color, alpha float64) {
	bounds := image.Rectangle{image.Point{1 << 20, 1 << 20}, image.Point{}}
	for _, pt := range p {
		x, y := x0+int(pt.x), y0+int(pt.y)
		bounds.Min.X, bounds.Min.Y = min(bounds.Min.X, x), min(bounds.Min.Y, y)
		bounds.Max.X, bounds.Max.Y = max(bounds.Max.X, x+1), max(bounds.Max.Y, y+1)
	}
	c.raster.Reset(bounds.Dx(), bounds.Dy())
	for i, pt := range p {
		x, y := float32(pt.x)+float32(x0-bounds.Min.X), float32(pt.y)+float32(y0-bounds.Min.Y)
		if i == 0 {
			c.raster.MoveTo(x, y)
		} else {
			c.raster.LineTo(x, y)
		}
	}
	c.raster.ClosePath()
	a := uint32(alpha * 255)
	mul := func(v uint8) uint8 { return uint8(uint32(v) * a / 255) }
	src := image.NewUniform(imagecolor.RGBA{mul(ink.r), mul(ink.g), mul(ink.b), uint8(a)})
	c.raster.Draw(c.img, bounds, src, image.Point{})
}

// glyphs writes a cluster: letter and accents as one character where there is such a one, else upon each other.
func (c *canvas) glyphs(s spot, x0, y0, w int) {
	which := 0
	if s.attr&screen.Bold != 0 {
		which |= 1
	}
	if s.attr&screen.Italic != 0 {
		which |= 2
	}
	drawn := false
	for _, r := range norm.NFC.String(s.text) {
		if n, err := c.fonts[which].GlyphIndex(&c.buffer, r); err == nil && n != 0 {
			d := font.Drawer{Dst: c.img, Src: image.NewUniform(s.fg.opaque()), Face: c.faces[which],
				Dot: fixed.P(x0, y0+c.base)}
			d.DrawString(string(r))
		} else if d, ok := sign(r); ok {
			c.bitmap(d, x0, y0, s.width, s.fg.opaque())
			if s.attr&screen.Bold != 0 {
				c.bitmap(d, x0+1, y0, s.width, s.fg.opaque())
			}
		} else if drawn {
			continue
		} else {
			c.box(r, x0, y0, w, s.fg)
			return
		}
		drawn = true
	}
}

// digits are 3 by 5 pixels, a row in three bits, the uppermost first.
var digits = [16]uint16{0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111, 0o75757, 0o75717,
	0o25755, 0o65656, 0o34443, 0o65556, 0o74747, 0o74744}

// box stands for a character that the font does not have: a frame with its number in it, as far as there is room.
func (c *canvas) box(r rune, x0, y0, w int, ink color) {
	k := max(1, c.h/20) // the size of its dots
	dots := func(x, y, w, h int) {
		draw.Draw(c.img, image.Rect(x, y, x+w, y+h), image.NewUniform(ink.opaque()), image.Point{}, draw.Src)
	}
	dots(x0, y0+k, w-k, k)
	dots(x0, y0+c.h-2*k, w-k, k)
	dots(x0, y0+k, k, c.h-2*k)
	dots(x0+w-2*k, y0+k, k, c.h-2*k)
	perRow, rows := (w/k-2)/4, (c.h/k-4)/6
	if perRow == 0 {
		return
	}
	for i, d := range fmt.Sprintf("%04X", r) {
		row, col := i/perRow, i%perRow
		if row >= rows {
			return
		}
		bits := digits[strings.IndexRune("0123456789ABCDEF", d)]
		for bit := range 15 {
			if bits>>(14-bit)&1 != 0 {
				dots(x0+(1+col*4+bit%3)*k, y0+(3+row*6+bit/3)*k, k, k)
			}
		}
	}
}
