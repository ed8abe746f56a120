package fifo

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever clients write, a reply stays in the folder, and a request is what was sent.
func FuzzRequest(f *testing.F) {
	for _, line := range []string{"me hello", "c-1-2 ", "../x y", "a/b c", " x", "requests x", ". x", "", "me", "m\x00e x", "me\thello there"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		name, request, ok := parseRequest(line)
		if !ok {
			return
		}
		if name+" "+request != line {
			t.Errorf("%q became %q and %q", line, name, request)
		}
		if name == requests || filepath.Base(name) != name || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\\x00") {
			t.Errorf("the reply to %q would go to %q", line, name)
		}
	})
}

// Whatever is written in whatever pieces, what goes out are whole lines of the allowed length.
func FuzzWholeLines(f *testing.F) {
	f.Add([]byte("one\ntwo\nthree"), 8)
	f.Add([]byte("\n\n"), 1)
	f.Add([]byte("long"), 2)
	f.Fuzz(func(t *testing.T, p []byte, most int) {
		n := wholeLines(p, most)
		switch {
		case n < 0 || n > len(p) || n > max(most, 0):
			t.Fatalf("%d of %d bytes, at most %d", n, len(p), most)
		case n > 0 && p[n-1] != '\n':
			t.Errorf("%q is not whole", p[:n])
		case bytes.IndexByte(p[n:min(len(p), max(most, n))], '\n') >= 0:
			t.Errorf("of %q with at most %d only %d", p, most, n)
		}
	})
}
