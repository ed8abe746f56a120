package picture

import (
	"image"
	imagecolor "image/color"
	"math"
)

// dots are the rows of a sign that Go Mono does not have, from above. A row's uppermost bit of 12 is on the left; a sign
// of one cell has the first six.
type dots [13]uint16

const dotsWide = 12 // of a sign of two cells

// bitmap draws dots in a cell, or two, each as large as fits: a pixel gets as much of the ink as dots cover of it.
func (c *canvas) bitmap(d dots, x0, y0, width int, ink imagecolor.RGBA) {
	w, wide := width*c.w, dotsWide*width/2
	scale := float64(2*c.w) / dotsWide
	top := (float64(c.h)-dotsWide*scale)/2 - scale // the uppermost row is empty nearly always
	// How much of row or column i of dots lies in pixel p.
	part := func(i, p int, from float64) float64 {
		a, b := from+float64(i)*scale, from+float64(i+1)*scale
		return max(0, min(b, float64(p+1))-max(a, float64(p)))
	}
	for y := range c.h {
		for x := range w {
			covered := 0.0
			for row := max(0, int(math.Floor((float64(y)-top)/scale))); row < len(d) && part(row, y, top) > 0; row++ {
				for col := int(float64(x) / scale); col < wide && part(col, x, 0) > 0; col++ {
					if d[row]>>(dotsWide-1-col)&1 != 0 {
						covered += part(row, y, top) * part(col, x, 0)
					}
				}
			}
			if covered > 0 {
				c.blend(image.Pt(x0+x, y0+y), ink, min(covered, 1))
			}
		}
	}
}

// blend puts so much ink upon a pixel.
func (c *canvas) blend(at image.Point, ink imagecolor.RGBA, part float64) {
	was := c.img.RGBAAt(at.X, at.Y)
	mix := func(a, b uint8) uint8 { return uint8(float64(a)*(1-part) + float64(b)*part + 0.5) }
	c.img.SetRGBA(at.X, at.Y, imagecolor.RGBA{mix(was.R, ink.R), mix(was.G, ink.G), mix(was.B, ink.B), 0xff})
}
