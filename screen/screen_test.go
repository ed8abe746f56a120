package screen

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func show(s *Screen) string {
	c := s.Cursor()
	return fmt.Sprintf("%d,%d %v\n%s", c.Row, c.Col, c.Pending, s.Text())
}

func logText(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "\x1b[90m2026-11-21T13:%02d:%02d\x1b[0m \x1b[1;%dmINFO\x1b[0m request \x1b[36mid=%d\x1b[0m path=/api/v1/items/%d took \x1b[33m%dms\x1b[0m ok\r\n", i/60%60, i%60, 31+i%6, i, i*7%1000, i%97)
	}
	return b.Bytes()
}

func BenchmarkWrite(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	plain := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog 0123456789 and so on and on\r\n"), 1<<14)
	words := []string{"straße ", "café ", "漢字 ", "naïve ", "привет ", "│ ", "✓ ", "log "}
	var uni strings.Builder
	for uni.Len() < 1<<20 {
		fmt.Fprintf(&uni, "\x1b[3%dm%s\x1b[m", r.IntN(8), words[r.IntN(len(words))])
		if r.IntN(8) == 0 {
			uni.WriteString("\r\n")
		}
	}
	for _, c := range []struct {
		name string
		text []byte
	}{{"colour", logText(1 << 20)}, {"plain", plain}, {"unicode", []byte(uni.String())}} {
		b.Run(c.name, func(b *testing.B) {
			s := New(24, 80)
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				for i := 0; i < len(c.text); i += 32 << 10 {
					s.Write(c.text[i:min(i+32<<10, len(c.text))])
				}
			}
		})
	}
}

func TestNoAllocations(t *testing.T) {
	unicode := strings.Repeat("straße \x1b[3;48;5;17mcafe\u0301 漢字\x1b[m 👩\u200d👧 ❤\ufe0f 🇩🇪 \x1b[4:3;58;5;9mкириллица\x1b[m │ ✓\r\n", 200)
	for name, text := range map[string][]byte{"coloured log": logText(64 << 10), "Unicode": []byte(unicode),
		"full screen": []byte(strings.Repeat("\x1b[?1049h\x1b[2J\x1b[2;20r\x1b[5L\x1b[3;3H\x1b[2Mx\x1b[r\x1b[?1049l", 100))} {
		s := New(24, 80)
		for range 100 {
			s.Write(text)
		}
		if n := testing.AllocsPerRun(20, func() { s.Write(text) }); n != 0 {
			t.Errorf("%s: %v allocations for %d bytes", name, n, len(text))
		}
	}
}
