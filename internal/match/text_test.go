package match

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A set of one text finds what bytes.Index finds, at any cuts.
func TestLoneText(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	word := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab"[rng.IntN(2)]
		}
		return b
	}
	for range 20000 {
		text, all := word(1+rng.IntN(6)), word(rng.IntN(40))
		set, err := Compile([]Pattern{{Text: string(text)}})
		if err != nil || set.lone == nil {
			t.Fatal(err)
		}
		var scan Scan
		set.Start(&scan)
		decided := false
		for rest := all; len(rest) > 0 && !decided; {
			n := 1 + rng.IntN(len(rest))
			decided = scan.Feed(rest[:n])
			rest = rest[n:]
		}
		at := bytes.Index(all, text)
		f, ok := scan.Decided()
		if ok != (at >= 0) || ok && (f.From != int64(at) || f.End != int64(at+len(text)) || f.Case != 0) {
			t.Fatalf("%q in %q: %+v, %v; it is at %d", text, all, f, ok, at)
		}
		if p, any := scan.Provisional(); any != ok || p != f {
			t.Fatalf("%q in %q: provisional %+v, %v", text, all, p, any)
		}
	}
}

// So it does in long texts, whether the byte that it goes by is rare there or not.
func TestLoneTextInLongTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	from := func(alphabet string, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[rng.IntN(len(alphabet))]
		}
		return b
	}
	for range 2000 {
		text := from("abq", 1+rng.IntN(12))
		l := newLone(string(text))
		for _, alphabet := range []string{"ab", "abcdefgh", "abq", "q"} { // the first one is the sample
			all := from(alphabet, longText+rng.IntN(2*longText))
			if rng.IntN(2) == 0 {
				copy(all[rng.IntN(len(all)-len(text)):], text)
			}
			if rng.IntN(8) == 0 {
				copy(all[len(all)-len(text):], text)
			}
			if at, want := l.index(all), bytes.Index(all, text); at != want {
				t.Fatalf("%q in %d bytes of %q: %d, not %d", text, len(all), alphabet, at, want)
			}
		}
	}
}
