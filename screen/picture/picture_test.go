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
	if *update {
		for name, b := range map[string][]byte{"testdata/demo.svg": svg.Bytes(), "testdata/demo.png": img.Bytes()} {
			if err := os.WriteFile(name, b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, err := os.ReadFile("testdata/demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(svg.Bytes(), want) {
		t.Errorf("the SVG differs from testdata/demo.svg; look at both, then run the test with -update")
	}
	wantPNG, err := os.ReadFile("testdata/demo.png")
	if err != nil {
		t.Fatal(err)
	}
	a, b := decode(t, img.Bytes()), decode(t, wantPNG)
	if a.Bounds() != b.Bounds() {
		t.Fatalf("the PNG is of %v, not %v", a.Bounds(), b.Bounds())
	}
	// Rounding differs a little between processors.
	far := func(x, y uint32) bool { return max(x, y)-min(x, y) > 0x0800 }
	wrong := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, bl2, _ := b.At(x, y).RGBA()
			if far(r, r2) || far(g, g2) || far(bl, bl2) {
				wrong++
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d pixels differ from testdata/demo.png; look at both, then run the test with -update", wrong)
	}
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
