//go:build linux

package screen_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/screen"
)

const behaviours = "../testdata/screen/behaviours.txt"

// behaviour is one line of the table: what is written to a screen of 5 rows and 10 columns, and what it shows then.
type behaviour struct {
	line                    int
	name, input, want, tmux string
}

func readBehaviours(t *testing.T) (all []behaviour) {
	t.Helper()
	text, err := os.ReadFile(behaviours)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(string(text), "\n") {
		if l == "" || l[0] == '#' {
			continue
		}
		f := append(strings.Split(l, "\t"), "", "")
		input, err := strconv.Unquote(`"` + strings.NewReplacer(`\e`, `\x1b`, `"`, `\"`, `\0`, `\x00`).Replace(f[1]) + `"`)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		all = append(all, behaviour{i + 1, f[0], input, f[2], f[3]})
	}
	return all
}

// told is how the table writes what a screen shows: its rows, then the cursor.
func told(l looks) string {
	rows := strings.TrimRight(strings.Join(l.rows, "¦"), "¦")
	return rows + " @" + l.cursor
}

func TestBehaviours(t *testing.T) {
	table := readBehaviours(t)
	if len(table) < 500 {
		t.Fatalf("only %d behaviours", len(table))
	}
	r := rand.New(rand.NewPCG(1, 1))
	for _, b := range table {
		for how, cut := range map[string]func(int) int{
			"whole": func(n int) int { return n }, "byte by byte": func(int) int { return 1 },
			"cut at random": func(n int) int { return 1 + r.IntN(n) },
		} {
			s := screen.New(5, 10)
			for text := []byte(b.input); len(text) > 0; {
				n := cut(len(text))
				s.Write(text[:n])
				text = text[n:]
			}
			if got := told(look(s)); got != b.want {
				t.Errorf("%s:%d: %s, %s: %q shows\n%s\nnot\n%s", behaviours, b.line, b.name, how, b.input, got, b.want)
			}
			again := screen.New(5, 10)
			again.Write(s.Repaint())
			if got := told(look(again)); got != b.want {
				t.Errorf("%s:%d: %s: repainted it shows\n%s\nnot\n%s", behaviours, b.line, b.name, got, b.want)
			}
		}
	}
}

// What tmux shows: the same, or what the table says of it.
func TestBehavioursOfTmux(t *testing.T) {
	table := readBehaviours(t)
	if !*heavy {
		r := rand.New(rand.NewPCG(2, 2))
		r.Shuffle(len(table), func(i, j int) { table[i], table[j] = table[j], table[i] })
		table = table[:25]
	}
	p := newPane(t, 5, 10)
	for _, b := range table {
		p.write([]byte("\x1b\\\x1b[?1049l\x1bc\x1b[3g\x1b[1;9H\x1bH\x1b[H" + b.input))
		want := b.want
		if b.tmux != "" {
			want = b.tmux
		}
		if got := told(p.capture(5, 10)); got != want && want != "-" {
			t.Errorf("%s:%d: %s: %q: tmux shows\n%s\nnot\n%s", behaviours, b.line, b.name, b.input, got, want)
		}
	}
}

func ExampleScreen() {
	s := screen.New(3, 20)
	fmt.Fprint(s, "Name: \x1b[1mAda\x1b[m\r\n\x1b[32mready\x1b[m")
	fmt.Println(s.Text())
	fmt.Println(s.Cursor().Row, s.Cursor().Col, s.Cell(2, 1).Fg, s.Cell(1, 7).Attr == screen.Bold)
	// Output:
	// Name: Ada
	// ready
	// 2 6 2 true
}
