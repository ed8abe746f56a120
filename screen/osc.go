package screen

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxTitle = 1 << 10
	maxLink  = 2 << 10
)

// osc acts on an operating system command.
func (s *Screen) osc(p []byte) {
	number, rest, _ := bytes.Cut(p, []byte(";"))
	n, err := strconv.Atoi(string(number))
	if err != nil {
		return
	}
	switch n {
	case 0, 2:
		s.title = plain(rest, maxTitle)
	case 4:
		s.setPalette(string(rest))
	case 8:
		s.hyperlink(rest)
	case 10, 11, 12:
		s.setColors(n, string(rest))
	case 52:
		s.clipboard(rest)
	case 104:
		s.colors.resetPalette(string(rest))
	case 110, 111, 112:
		s.colors.special[n-110] = 0
	case 133:
		s.mark(string(rest))
	}
	s.cut()
}

// plain returns text without control characters and without what is no UTF-8, at most max bytes of it.
func plain(p []byte, max int) string {
	var b strings.Builder
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		p = p[n:]
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError && n == 1 {
			continue
		}
		if b.Len()+n > max {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hyperlink is OSC 8: what follows points to an address, or with none to nothing.
func (s *Screen) hyperlink(p []byte) {
	params, address, ok := bytes.Cut(p, []byte(";"))
	if !ok {
		return
	}
	e := s.extras.get(uint32(s.pen.extra))
	e.link = ""
	if len(address) > 0 && len(p) <= maxLink {
		e.link = plain(params, maxLink) + ";" + plain(address, maxLink)
	}
	s.extend(e)
}

func uri(link string) string {
	_, address, _ := strings.Cut(link, ";")
	return address
}

// clipboard is OSC 52. Reading it is not answered.
func (s *Screen) clipboard(p []byte) {
	_, data, ok := bytes.Cut(p, []byte(";"))
	if !ok || string(data) == "?" {
		return
	}
	text, err := base64.StdEncoding.DecodeString(string(data))
	if err != nil {
		return
	}
	s.clip = string(text)
}

// mark is OSC 133.
func (s *Screen) mark(p string) {
	kind, rest, _ := strings.Cut(p, ";")
	if len(kind) != 1 || kind[0] < 'A' || kind[0] > 'D' {
		return
	}
	s.shell.Mark = kind[0]
	s.lines[s.y].mark = kind[0]
	if kind[0] == 'D' {
		s.shell.Status = -1
		first, _, _ := strings.Cut(rest, ";")
		if n, err := strconv.Atoi(first); err == nil && n >= 0 && n < 1<<16 {
			s.shell.Status = n
		}
	}
}

// colors is what the program made of the colours. The zero value is as the terminal has them.
type colors struct {
	palette map[uint8]Color
	special [3]Color // text, background, cursor
}

func (c colors) clone() colors {
	d := colors{special: c.special}
	for n, v := range c.palette {
		d.set(n, v)
	}
	return d
}

func (c *colors) set(n uint8, v Color) {
	if c.palette == nil {
		c.palette = make(map[uint8]Color)
	}
	c.palette[n] = v
}

func (c *colors) resetPalette(which string) {
	if which == "" {
		c.palette = nil
		return
	}
	for _, f := range strings.Split(which, ";") {
		if n, err := strconv.Atoi(f); err == nil && n >= 0 && n <= 255 {
			delete(c.palette, uint8(n))
		}
	}
}

// setPalette is OSC 4: pairs of a number and a colour, or "?" to ask for it.
func (s *Screen) setPalette(p string) {
	f := strings.Split(p, ";")
	for i := 0; i+1 < len(f); i += 2 {
		n, err := strconv.Atoi(f[i])
		if err != nil || n < 0 || n > 255 {
			continue
		}
		if f[i+1] == "?" {
			s.answerColor("4;"+strconv.Itoa(n), Index(uint8(n)))
		} else if c, ok := parseColor(f[i+1]); ok {
			s.colors.set(uint8(n), c)
		}
	}
}

// setColors is OSC 10, 11 and 12; further colours are those of the next numbers.
func (s *Screen) setColors(n int, p string) {
	for _, f := range strings.Split(p, ";") {
		if n > 12 {
			return
		}
		if f == "?" {
			s.answerColor(strconv.Itoa(n), s.special(n-10))
		} else if c, ok := parseColor(f); ok {
			s.colors.special[n-10] = c
		}
		n++
	}
}

func (s *Screen) special(i int) Color {
	if c := s.colors.special[i]; c != 0 {
		return c
	}
	return [...]Color{RGB(0xd8, 0xd8, 0xd8), RGB(0x18, 0x18, 0x18), RGB(0xd8, 0xd8, 0xd8)}[i]
}

func (s *Screen) answerColor(what string, c Color) {
	r, g, b := s.Palette(c)
	end := "\x1b\\"
	if s.bell {
		end = "\a"
	}
	s.answer(fmt.Sprintf("\x1b]%s;rgb:%02x%02x/%02x%02x/%02x%02x%s", what, r, r, g, g, b, b, end))
}

// parseColor reads rgb:RR/GG/BB, #RRGGBB and the like, with one to four digits each. As in X11, rgb:f/f/f is the brightest,
// but the digits of #fff are the first of two.
func parseColor(f string) (c Color, ok bool) {
	var parts []string
	scaled := true
	if list, isRGB := strings.CutPrefix(f, "rgb:"); isRGB {
		parts = strings.Split(list, "/")
	} else if digits, isHash := strings.CutPrefix(f, "#"); isHash && len(digits)%3 == 0 {
		n := len(digits) / 3
		parts = []string{digits[:n], digits[n : 2*n], digits[2*n:]}
		scaled = false
	}
	if len(parts) != 3 {
		return 0, false
	}
	var v [3]uint8
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 16, 16)
		if err != nil || len(p) == 0 || len(p) > 4 {
			return 0, false
		}
		if scaled {
			full := uint64(1)<<(4*len(p)) - 1
			v[i] = uint8((n*255 + full/2) / full)
		} else {
			v[i] = uint8(n << 16 >> (4 * len(p)) >> 8)
		}
	}
	return RGB(v[0], v[1], v[2]), true
}

// Foreground and background are what [Screen.Palette] knows beside the colours of cells.
const (
	Foreground Color = 3 << 24
	Background Color = 4 << 24
)

// Palette returns how a colour looks: what the program made of it with OSC 4, 10 and 11, else as xterm has it.
// For the default colour of a cell ask for [Foreground] or [Background].
func (s *Screen) Palette(c Color) (r, g, b uint8) {
	switch c {
	case 0, Foreground:
		c = s.special(0)
	case Background:
		c = s.special(1)
	}
	if n, ok := c.Index(); ok {
		own, changed := s.colors.palette[n]
		if c = own; !changed {
			c = xtermColor(n)
		}
	}
	r, g, b, _ = c.RGB()
	return r, g, b
}

// xtermColor is xterm's palette: 16 named ones, a cube of 6×6×6, 24 greys.
func xtermColor(n uint8) Color {
	named := [16]uint32{0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
		0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff}
	switch {
	case n < 16:
		return direct | Color(named[n])
	case n >= 232:
		grey := 8 + 10*(n-232)
		return RGB(grey, grey, grey)
	}
	n -= 16
	level := func(i uint8) uint8 {
		if i == 0 {
			return 0
		}
		return 55 + 40*i
	}
	return RGB(level(n/36), level(n/6%6), level(n%6))
}

// dcs answers the questions that come as device control strings: DECRQSS, and XTGETTCAP, of which we know nothing.
func (s *Screen) dcs(p []byte) {
	switch {
	case bytes.HasPrefix(p, []byte("$q")) && len(p) <= 4:
		s.requestSetting(string(p[2:]))
	case bytes.HasPrefix(p, []byte("$q")):
		s.requestSetting("")
	case bytes.HasPrefix(p, []byte("+q")):
		s.answer("\x1bP0+r\x1b\\")
	}
	s.cut()
}
