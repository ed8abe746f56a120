package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/screen/picture"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew")

func show(rows, cols int, text string) *screen.Screen {
	s := screen.New(rows, cols)
	s.Write([]byte(text))
	return s
}

// demo has one of everything.
func demo() *screen.Screen {
	return show(14, 58, "\x1b]0;demo <1>\a\x1b[1;31mbold red\x1b[m \x1b[3mitalic\x1b[m \x1b[4munder\x1b[m \x1b[4:3;58:2::255:0:0mcurly\x1b[m "+
		"\x1b[9mstrike\x1b[m \x1b[7mreverse\x1b[m \x1b[2mdim\x1b[m \x1b[53mover\x1b[m\r\n"+
		"\x1b[4:2mdouble\x1b[m \x1b[4:4mdotted\x1b[m \x1b[4:5mdashed\x1b[m \x1b[8mhidden\x1b[m \x1b[1;3;38;2;255;128;0mboth\x1b[m\r\n"+
		"┌──┬──┐ ╔══╦══╗ ╭──╮ ┏━━┳━━┓ ╒╤╕ ╓╥╖ ┄┅┆┇ ╱╲╳ ╴╵╶╷\r\n│  │  │ ║  ║  ║ │  │ ┃  ┃  ┃ ╞╪╡ ╟╫╢ ┈┉┊┋ ┝┿┥ ┠╂┨\r\n"+
		"├──┼──┤ ╠══╬══╣ ╰──╯ ┣━━╋━━┫ ╘╧╛ ╙╨╜ ╌╍╎╏ ╼╽╾╿\r\n└──┴──┘ ╚══╩══╝      ┗━━┻━━┛\r\n"+
		"▀▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▐░▒▓▔▕▖▗▘▙▚▛▜▝▞▟ ⠁⠃⠇⡇⣇⣧⣷⣿ \x1b[44m\ue0b0\x1b[m\ue0b1\ue0b2\ue0b3\ue0b4\ue0b6\r\n"+
		"漢字 한국 é e\u0301 👩\u200d👧 ❤\ufe0f ∑∫√ →←↑↓ ✓✗ Привет αβγ\r\n"+
		"\x1b[40m \x1b[41m \x1b[42m \x1b[43m \x1b[44m \x1b[45m \x1b[46m \x1b[47m \x1b[100m \x1b[107m \x1b[48;5;200m \x1b[48;2;1;2;3m \x1b[m\r\n"+
		"\x1b]8;;https://example.org/?a=1&b=2\x1b\\link\x1b]8;;javascript:x\x1b\\none\x1b]8;;\x1b\\ <&>\"'\r\n⎺⎻⎼⎽ 漢\b")
}

func TestGoldens(t *testing.T) {
	var svg, img bytes.Buffer
	if err := picture.SVG(&svg, demo(), picture.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := picture.PNG(&img, demo(), picture.Options{}); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"testdata/demo.svg": svg.String(), "testdata/demo.png.txt": sketch(decode(t, img.Bytes()))} {
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) && !(strings.HasSuffix(name, ".txt") && alike(got, string(want))) {
			t.Errorf("it differs from %s; look at both pictures, then run the test with -update", name)
		}
	}
}

// sketch is how bright each quarter of a cell of 10 by 20 pixels is, in hexadecimal.
func sketch(img image.Image) string {
	var b strings.Builder
	const w, h, margin = 5, 10, 10
	for y := margin; y+margin < img.Bounds().Dy(); y += h {
		for x := margin; x+margin < img.Bounds().Dx(); x += w {
			sum := 0
			for at := range w * h {
				r, g, bl, _ := img.At(x+at%w, y+at/w).RGBA()
				sum += int(r>>8) + int(g>>8) + int(bl>>8)
			}
			fmt.Fprintf(&b, "%x", sum/(w*h*3*16))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// alike reports whether two sketches differ by no more than rounding, which differs between processors.
func alike(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	digit := func(c byte) int { return strings.IndexByte("0123456789abcdef", c) }
	for i := range a {
		if d := digit(a[i]) - digit(b[i]); d < -1 || d > 1 {
			return false
		}
	}
	return true
}

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// wellFormed returns the text of an SVG.
func wellFormed(svg []byte) (text string, err error) {
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(svg))
	inText := false
	for {
		token, err := d.Token()
		switch v := token.(type) {
		case xml.StartElement:
			inText = inText || v.Name.Local == "text"
		case xml.EndElement:
			if v.Name.Local == "text" {
				inText = false
				b.WriteByte('\n')
			}
		case xml.CharData:
			if inText {
				b.Write(v)
			}
		}
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		} else if err != nil {
			return "", err
		}
	}
}

func TestSVG(t *testing.T) {
	var b bytes.Buffer
	s := show(3, 20, "a \x1b[31mred\x1b[m 漢<&>\r\n\r\n\x1b]8;;https://example.org/?a&b\x1b\\here\x1b]8;;\x1b\\")
	if err := picture.SVG(&b, s, picture.Options{Title: "x & y", NoCursor: true, Fg: screen.RGB(1, 2, 3), Bg: screen.RGB(4, 5, 6)}); err != nil {
		t.Fatal(err)
	}
	text, err := wellFormed(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if want := "a red 漢<&>\nhere\n"; text != want {
		t.Errorf("its text is %q, not %q", text, want)
	}
	for _, want := range []string{"<title>x &amp; y</title>", `fill="#cd0000"`, `fill="#010203"`, `fill="#040506"`,
		`<a href="https://example.org/?a&amp;b">`, `<tspan x="45 54 72`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in it:\n%s", want, b.String())
		}
	}
	if err := picture.SVG(failing{}, s, picture.Options{}); !errors.Is(err, os.ErrClosed) {
		t.Error("a writer that fails:", err)
	}
	if err := picture.PNG(failing{}, s, picture.Options{}); !errors.Is(err, os.ErrClosed) {
		t.Error("a writer that fails:", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

// at returns the colour in the middle of a cell of 10 by 20 pixels.
func at(img image.Image, row, col int) string {
	r, g, b, _ := img.At(10+10*(col-1)+5, 10+20*(row-1)+10).RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func TestPNGColours(t *testing.T) {
	s := show(2, 12, "\x1b[41m \x1b[48;5;21m \x1b[48;2;9;8;7m \x1b[m\x1b[7m \x1b[m \x1b[38;2;1;2;3m█\x1b[2m█\x1b[m\x1b[42m漢\x1b[m")
	var b bytes.Buffer
	if err := picture.PNG(&b, s, picture.Options{}); err != nil {
		t.Fatal(err)
	}
	img := decode(t, b.Bytes())
	for col, want := range map[int]string{1: "#cd0000", 2: "#0000ff", 3: "#090807", 4: "#d8d8d8", 5: "#181818", 6: "#010203", 7: "#0c0d0d",
		10: "#d8d8d8" /* the cursor */, 11: "#181818"} {
		if got := at(img, 1, col); got != want {
			t.Errorf("column %d is %s, not %s", col, got, want)
		}
	}
	s.Write([]byte("\x1b]11;#ffffff\x1b\\\x1b]10;#000000\x1b\\\x1b[?25l\x1b[?5h"))
	b.Reset()
	if err := picture.PNG(&b, s, picture.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := at(decode(t, b.Bytes()), 2, 5); got != "#000000" {
		t.Errorf("reversed, the background is %s", got)
	}
}

// Lines of neighbours meet: where one touches the edge, the other does.
func TestBoxesMeet(t *testing.T) {
	const right, left = "─┌└├┬┴┼═╔╚╠╦╩╬╭╰━┏┗┣┳┻╋╶╺", "─┐┘┤┬┴┼═╗╝╣╦╩╬╮╯━┓┛┫┳┻╋╴╸"
	for _, cell := range []int{10, 11, 13, 20, 27, 40, 100} {
		ink := func(r rune, x int) (rows string) {
			var b bytes.Buffer
			if err := picture.PNG(&b, show(1, 1, string(r)), picture.Options{Cell: cell, NoCursor: true}); err != nil {
				t.Fatal(err)
			}
			img := decode(t, b.Bytes())
			w := (cell + 1) / 2
			if x < 0 {
				x += w
			}
			for y := range cell {
				r, _, _, _ := img.At(cell/2+x, cell/2+y).RGBA()
				rows += map[bool]string{true: "#", false: "."}[r > 0x8000]
			}
			return rows
		}
		kind := func(r rune) rune {
			switch {
			case strings.ContainsRune("━┏┗┣┳┻╋╺┓┛┫╸", r):
				return '━'
			case strings.ContainsRune("═╔╚╠╦╩╬╗╝╣", r):
				return '═'
			}
			return '─'
		}
		for _, r := range right {
			if got, want := ink(r, -1), ink(kind(r), -1); got != want {
				t.Errorf("cell of %d: the right edge of %c is %s, not %s", cell, r, got, want)
			}
		}
		for _, r := range left {
			if got, want := ink(r, 0), ink(kind(r), -1); got != want {
				t.Errorf("cell of %d: the left edge of %c is %s, not %s", cell, r, got, want)
			}
		}
	}
}

func TestCursors(t *testing.T) {
	pictures := make(map[string]string)
	for name, seq := range map[string]string{"block": "\x1b[2 q", "underscore": "\x1b[4 q", "bar": "\x1b[6 q", "none": "\x1b[?25l"} {
		var b, svg bytes.Buffer
		s := show(2, 4, "ab\x1b[1;2H"+seq)
		if err := picture.PNG(&b, s, picture.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := picture.SVG(&svg, s, picture.Options{}); err != nil {
			t.Fatal(err)
		}
		for other, p := range pictures {
			if p == b.String() {
				t.Errorf("the cursors %s and %s look the same", name, other)
			}
		}
		pictures[name] = b.String()
		if _, err := wellFormed(svg.Bytes()); err != nil {
			t.Error(err)
		}
	}
}

func TestTooManyPixels(t *testing.T) {
	err := picture.PNG(io.Discard, screen.New(screen.MaxSize, screen.MaxSize), picture.Options{})
	if err == nil || !strings.Contains(err.Error(), "too large a picture: some 200 million pixels") {
		t.Errorf("got %v", err)
	}
}

// inkOf draws one character and returns its pixels: what of its cells is inked, and that nothing else is.
func inkOf(t *testing.T, text string, cell int) (ink string, bounds image.Rectangle) {
	t.Helper()
	var b bytes.Buffer
	if err := picture.PNG(&b, show(1, 4, " "+text), picture.Options{NoCursor: true, Cell: cell}); err != nil {
		t.Fatal(err)
	}
	img := decode(t, b.Bytes())
	background := img.At(0, 0)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if img.At(x, y) != background {
				ink += fmt.Sprint(x, ",", y, ":", img.At(x, y), " ")
				bounds = bounds.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return ink, bounds
}

// Signs that Go Mono does not have are drawn, not boxed: no two of these look alike, and they stay in their cells.
func TestSigns(t *testing.T) {
	for _, cell := range []int{10, 20, 33} {
		width := (cell + 1) / 2
		cells := image.Rect(cell/2+width, cell/2, cell/2+3*width, cell/2+cell)
		seen := make(map[string]string)
		for _, text := range []string{"漢", "✓", "✗", "★", "☐", "☑", "☒", "❯", "❮", "⚠", "⏵", "⏸", "⏹", "⏺", "✅", "❌", "⚡", "❗", "❓"} {
			ink, bounds := inkOf(t, text, cell)
			if ink == "" || seen[ink] != "" {
				t.Errorf("cell of %d: %s is empty or looks as %s", cell, text, seen[ink])
			}
			seen[ink] = text
			if !bounds.In(cells) {
				t.Errorf("cell of %d: %s is drawn in %v, outside of its cells %v", cell, text, bounds, cells)
			}
		}
	}
}

func TestCellSize(t *testing.T) {
	for size, ok := range map[int]bool{-1: false, 0: true, 9: false, 10: true, 100: true, 101: false} {
		if err := picture.PNG(io.Discard, show(1, 2, "x漢"), picture.Options{Cell: size}); (err == nil) != ok {
			t.Errorf("a cell of %d: %v", size, err)
		}
	}
}

// Whatever the screen shows, the SVG is well-formed and the PNG can be drawn.
func FuzzPicture(f *testing.F) {
	f.Add([]byte("a\x1b[1;31m<b>\x1b[m漢e\u0301\ufffe\x00┼⣿"))
	f.Add([]byte("\x1b]8;;https://\"<>&\x1b\\x\x1b]0;<&>\a\x1b[4:3;9;53;58:5:1m漢\x1b[4 q\b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := show(4, 12, string(text))
		var b bytes.Buffer
		if err := picture.SVG(&b, s, picture.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := wellFormed(b.Bytes()); err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if err := picture.PNG(io.Discard, s, picture.Options{Cell: 10}); err != nil {
			t.Fatal(err)
		}
	})
}

func ExampleSVG() {
	s := screen.New(2, 20)
	fmt.Fprint(s, "hello \x1b[1;32mworld\x1b[m")
	var b strings.Builder
	if err := picture.SVG(&b, s, picture.Options{Title: "greeting"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(b.String(), "<title>greeting</title>"), strings.Contains(b.String(), ">world</tspan>"))
	// Output: true true
}

func ExamplePNG() {
	s := screen.New(24, 80)
	fmt.Fprint(s, "hello")
	var b bytes.Buffer
	if err := picture.PNG(&b, s, picture.Options{}); err != nil {
		fmt.Println(err)
	}
	img, _ := png.DecodeConfig(&b)
	fmt.Println(img.Width, img.Height)
	// Output: 820 500
}
