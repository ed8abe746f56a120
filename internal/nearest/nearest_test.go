package nearest

import "testing"

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "axc", 1}, {"abc", "ac", 1},
		{"ab", "ba", 2}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2},
	} {
		if got := Distance(tt.a, tt.b); got != tt.want || Distance(tt.b, tt.a) != got {
			t.Errorf("from %q to %q: %d, back %d; want %d", tt.a, tt.b, got, Distance(tt.b, tt.a), tt.want)
		}
	}
}

func TestWord(t *testing.T) {
	words := []string{"timeout", "idle-timeout", "expect", "exec", "send", "sendline", "EOF", "rm", "cd"}
	for name, want := range map[string]string{
		"timout": "timeout", "tiemout": "timeout", "exepct": "expect", "exce": "exec", "eof": "EOF", "Send": "send", "sned": "send",
		"idle": "idle-timeout", "id": "cd", "rn": "rm", "r": "", "x": "", "": "", "sendl": "send", "nothing": "", "c": "",
	} {
		if got := Word(name, words); got != want {
			t.Errorf("%q: %q; want %q", name, got, want)
		}
	}
	if got := Word("aa", []string{"ac", "ab"}); got != "ab" {
		t.Errorf("of two as near: %q", got)
	}
}

// Whatever the words, the distance is that of a metric.
func FuzzDistance(f *testing.F) {
	f.Add("send", "sned", "end")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if len(a)+len(b)+len(c) > 1000 {
			return
		}
		ab, ba, bc, ac := Distance(a, b), Distance(b, a), Distance(b, c), Distance(a, c)
		if ab != ba || (ab == 0) != (a == b) || ac > ab+bc || ab > max(len(a), len(b)) {
			t.Fatalf("%q %q %q: %d %d %d %d", a, b, c, ab, ba, bc, ac)
		}
	})
}
