package picture

import "math"

// What joins from cell to cell is drawn by hand: as glyphs of a font, lines and blocks would leave gaps.

type point struct{ x, y float64 }

// polygon is in pixels from the cell's upper left corner.
type polygon []point

func rect(x0, y0, x1, y1 float64) polygon { return polygon{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} }

// The arms of U+2500 to U+257F: left, up, right, down; 0 none, 1 light, 2 heavy, 3 double.
const arms = "1010202001010202" + // ─━│┃
	"1010202001010202" + "1010202001010202" + // the dashed ones, as if they were not
	"0011002100120022" + "1001200110022002" + "0110012002100220" + "1100210012002200" + // ┌┐└┘
	"0111012102110112" + "0212022101220222" + // ├
	"1101210112011102" + "1202220121022202" + // ┤
	"1011201110212021" + "1012201210222022" + // ┬
	"1110211011202120" + "1210221012202220" + // ┴
	"1111211111212121" + "1211111212122211" + "1221211211222221" + "2122221212222222" + // ┼
	"1010202001010202" + // dashed
	"3030030300310013" + "0033300110033003" + "0130031003303100" + "1300330001310313" + // ═
	"0333310113033303" + "3031101330333130" + "1310333031311313" + "3333" + // ╠
	"0011100111000110" + // arcs
	"000000000000" + // diagonals
	"1000010000100001" + "2000020000200002" + "1020010220100201" // ╴

// dashes is how many pieces the dashed lines have.
func dashes(r rune) int {
	switch {
	case r >= 0x2504 && r <= 0x2507:
		return 3
	case r >= 0x2508 && r <= 0x250b:
		return 4
	case r >= 0x254c && r <= 0x254f:
		return 2
	}
	return 0
}

// shape returns how a character is drawn in a cell of w by h pixels: polygons, and how much of the colour they have
// (1 is all). ok is false for those that are glyphs.
func shape(r rune, w, h int) (shapes []polygon, alpha float64, ok bool) {
	c := cellSize{w: float64(w), h: float64(h), light: math.Max(1, math.Round(float64(w)/8))}
	switch {
	case r >= 0x256d && r <= 0x2570:
		return c.arc(r), 1, true
	case r >= 0x2571 && r <= 0x2573:
		return c.diagonals(r), 1, true
	case r >= 0x2500 && r <= 0x257f:
		a := arms[4*(r-0x2500):]
		return c.box([4]byte{a[0] - '0', a[1] - '0', a[2] - '0', a[3] - '0'}, dashes(r)), 1, true
	case r >= 0x2591 && r <= 0x2593:
		return []polygon{rect(0, 0, c.w, c.h)}, 0.25 * float64(r-0x2590), true
	case r >= 0x2580 && r <= 0x259f:
		return c.block(r), 1, true
	case r >= 0x2800 && r <= 0x28ff:
		return c.braille(r), 1, true
	case r >= 0x23ba && r <= 0x23bd: // scan lines 1, 3, 7, 9
		y := math.Round((c.h - c.light) * []float64{0, 0.25, 0.75, 1}[r-0x23ba])
		return []polygon{rect(0, y, c.w, y+c.light)}, 1, true
	case r >= 0xe0b0 && r <= 0xe0b6 && r != 0xe0b5:
		return c.powerline(r), 1, true
	}
	return nil, 0, false
}

type cellSize struct{ w, h, light float64 }

func (c cellSize) thick(weight byte) float64 {
	if weight == 2 {
		return 2 * c.light
	}
	return c.light
}

// box draws the arms of a line. Double ones are two lines that stop where they meet others.
func (c cellSize) box(arm [4]byte, pieces int) (out []polygon) {
	if pieces > 0 {
		return c.dashed(arm, pieces)
	}
	left, up, right, down := arm[0], arm[1], arm[2], arm[3]
	for _, s := range c.arm(c.w, c.h, right, left, up, down, false) {
		out = append(out, rect(s.from, s.low, s.to, s.high))
	}
	for _, s := range c.arm(c.w, c.h, left, right, up, down, true) {
		out = append(out, rect(s.from, s.low, s.to, s.high))
	}
	for _, s := range c.arm(c.h, c.w, down, up, left, right, false) {
		out = append(out, rect(s.low, s.from, s.high, s.to))
	}
	for _, s := range c.arm(c.h, c.w, up, down, left, right, true) {
		out = append(out, rect(s.low, s.from, s.high, s.to))
	}
	return out
}

// stroke is a piece of an arm: from and to along it, low and high across.
type stroke struct{ from, to, low, high float64 }

// arm returns the strokes of one arm, which goes from the middle to an edge: the far one, or with near the one at 0.
// behind is the arm opposite, low and high are those at its sides.
func (c cellSize) arm(length, across float64, weight, behind, low, high byte, near bool) (out []stroke) {
	if weight == 0 {
		return nil
	}
	// Where a line of thickness t around a position begins and ends.
	begin := func(pos, t float64) float64 { return pos - math.Floor(t/2) }
	mid, d := math.Floor(length/2), c.light // d: from the middle of a double line to each of its two
	put := func(pos, t float64, meets [2]float64) {
		s := stroke{meets[0], length, begin(pos, t), begin(pos, t) + t}
		if near {
			s.from, s.to = 0, meets[1]
		}
		out = append(out, s)
	}
	// What a stroke may meet in the middle: where it begins there, and where it ends when it comes from the other side.
	var (
		nothing = [2]float64{mid, mid}
		first   = [2]float64{begin(mid-d, d), begin(mid-d, d) + d} // the nearer one of a double line, seen from 0
		second  = [2]float64{begin(mid+d, d), begin(mid+d, d) + d}
	)
	inner, outer := [2]float64{second[0], first[1]}, [2]float64{first[0], second[1]}
	line := func(a, b byte) [2]float64 {
		t := math.Max(c.thick(a), c.thick(b))
		return [2]float64{begin(mid, t), begin(mid, t) + t}
	}
	cross := math.Floor(across / 2)
	if weight != 3 {
		meets := nothing
		switch {
		case low == 3 && high == 3 && behind == 0:
			meets = inner
		case (low == 3 || high == 3) && behind == 0:
			meets = outer
		case low == 3 || high == 3:
		case low != 0 || high != 0:
			meets = line(low, high)
		}
		put(cross, c.thick(weight), meets)
		return out
	}
	for _, side := range []struct {
		pos       float64
		arm, away byte
	}{{cross - d, low, high}, {cross + d, high, low}} {
		meets := nothing
		switch {
		case side.arm == 3:
			meets = inner
		case side.arm != 0:
			meets = line(side.arm, side.away)
		case behind != 0:
		case side.away == 3:
			meets = outer
		case side.away != 0:
			meets = line(side.away, 0)
		}
		put(side.pos, c.light, meets)
	}
	return out
}

func (c cellSize) dashed(arm [4]byte, pieces int) (out []polygon) {
	length, weight := c.w, arm[0]
	if weight == 0 {
		length, weight = c.h, arm[1]
	}
	t := c.thick(weight)
	n := float64(pieces)
	for i := range pieces {
		a := math.Round(length * float64(i) / n)
		b := math.Max(a+1, math.Round(length*float64(i+1)/n)-math.Max(1, math.Round(length/n/3)))
		if arm[0] != 0 {
			y := math.Floor(c.h/2) - math.Floor(t/2)
			out = append(out, rect(a, y, b, y+t))
		} else {
			x := math.Floor(c.w/2) - math.Floor(t/2)
			out = append(out, rect(x, a, x+t, b))
		}
	}
	return out
}

// arc is a rounded corner: a quarter of a ring, with straight ends.
func (c cellSize) arc(r rune) []polygon {
	t := c.light
	mx, my := math.Floor(c.w/2), math.Floor(c.h/2) // the lines are at mx..mx+t and my..my+t
	mx, my = mx-math.Floor(t/2), my-math.Floor(t/2)
	toRight, toDown := r == 0x256d || r == 0x2570, r == 0x256d || r == 0x256e
	// The corner is drawn as ╭ in a cell where the line goes right and down, then mirrored.
	radius := math.Min(c.w-mx, c.h-my)
	if !toRight {
		radius = math.Min(mx+t, radius)
	}
	var ring polygon
	const steps = 8
	for i := 0; i <= steps; i++ {
		a := math.Pi / 2 * float64(i) / steps
		ring = append(ring, point{radius - radius*math.Cos(a), radius - radius*math.Sin(a)})
	}
	for i := steps; i >= 0; i-- {
		a := math.Pi / 2 * float64(i) / steps
		in := radius - t
		ring = append(ring, point{radius - in*math.Cos(a), radius - in*math.Sin(a)})
	}
	place := func(p polygon) polygon {
		for i := range p {
			if toRight {
				p[i].x += mx
			} else {
				p[i].x = mx + t - p[i].x
			}
			if toDown {
				p[i].y += my
			} else {
				p[i].y = my + t - p[i].y
			}
		}
		return p
	}
	const far = 1000
	out := []polygon{place(ring), place(rect(radius, 0, far, t)), place(rect(0, radius, t, far))}
	for _, p := range out {
		for i := range p {
			p[i] = point{math.Max(0, math.Min(p[i].x, c.w)), math.Max(0, math.Min(p[i].y, c.h))}
		}
	}
	return out
}

func (c cellSize) diagonals(r rune) (out []polygon) {
	t := c.light / 2
	if r != 0x2572 {
		out = append(out, polygon{{c.w - t, 0}, {c.w, 0}, {c.w, t}, {t, c.h}, {0, c.h}, {0, c.h - t}})
	}
	if r != 0x2571 {
		out = append(out, polygon{{0, 0}, {t, 0}, {c.w, c.h - t}, {c.w, c.h}, {c.w - t, c.h}, {0, t}})
	}
	return out
}

// quadrants of U+2596 to U+259F: 1 upper left, 2 upper right, 4 lower left, 8 lower right.
var quadrants = [...]byte{4, 8, 1, 13, 9, 7, 11, 2, 6, 14}

func (c cellSize) block(r rune) (out []polygon) {
	x, y := math.Round(c.w/2), math.Round(c.h/2)
	eighth := func(n rune, length float64) float64 { return math.Max(1, math.Round(length*float64(n)/8)) }
	switch {
	case r == 0x2580:
		return []polygon{rect(0, 0, c.w, y)}
	case r <= 0x2588:
		return []polygon{rect(0, c.h-eighth(r-0x2580, c.h), c.w, c.h)}
	case r <= 0x258f:
		return []polygon{rect(0, 0, eighth(0x2590-r, c.w), c.h)}
	case r == 0x2590:
		return []polygon{rect(x, 0, c.w, c.h)}
	case r == 0x2594:
		return []polygon{rect(0, 0, c.w, eighth(1, c.h))}
	case r == 0x2595:
		return []polygon{rect(c.w-eighth(1, c.w), 0, c.w, c.h)}
	}
	q := quadrants[r-0x2596]
	for i, p := range []polygon{rect(0, 0, x, y), rect(x, 0, c.w, y), rect(0, y, x, c.h), rect(x, y, c.w, c.h)} {
		if q>>i&1 != 0 {
			out = append(out, p)
		}
	}
	return out
}

// braille has its dots in two columns and four rows; the bits of the seventh and eighth are those of the last row.
func (c cellSize) braille(r rune) (out []polygon) {
	size := math.Max(1, math.Round(math.Min(c.w/4, c.h/8)))
	for bit := range 8 {
		if (r-0x2800)>>bit&1 == 0 {
			continue
		}
		col, row := bit/3, bit%3
		if bit >= 6 {
			col, row = bit-6, 3
		}
		x := math.Round(c.w*(0.25+0.5*float64(col)) - size/2)
		y := math.Round(c.h*(0.125+0.25*float64(row)) - size/2)
		out = append(out, rect(x, y, x+size, y+size))
	}
	return out
}

func (c cellSize) powerline(r rune) []polygon {
	mid, t := c.h/2, c.light*1.5
	var p polygon
	switch r {
	case 0xe0b0, 0xe0b2:
		p = polygon{{0, 0}, {c.w, mid}, {0, c.h}}
	case 0xe0b1, 0xe0b3:
		p = polygon{{0, 0}, {t, 0}, {c.w, mid}, {t, c.h}, {0, c.h}, {c.w - t, mid}}
	default: // a half disc
		const steps = 16
		for i := 0; i <= steps; i++ {
			a := math.Pi * float64(i) / steps
			p = append(p, point{c.w * math.Sin(a), mid - mid*math.Cos(a)})
		}
	}
	if r == 0xe0b2 || r == 0xe0b3 || r == 0xe0b6 {
		for i := range p {
			p[i].x = c.w - p[i].x
		}
	}
	return []polygon{p}
}
