package escape

import "testing"

func TestAppCursor(t *testing.T) {
	for _, tt := range []struct {
		name, output string
		want         bool
	}{
		{"nothing", "", false},
		{"asked for", "\x1b[?1h", true},
		{"among others", "x\x1b[?1049;1;25h\x1b=y", true},
		{"given back", "\x1b[?1h\x1b[?1l", false},
		{"another mode", "\x1b[?12h\x1b[?1001h", false},
		{"no private mode", "\x1b[1h", false},
		{"soft reset", "\x1b[?1h\x1b[!p", false},
		{"full reset", "\x1b[?1h\x1bc", false},
		{"broken off", "\x1b[?1\x18h", false},
		{"in a title", "\x1b]0;[?1h\a", false},
	} {
		var whole, pieces Queries
		whole.Feed([]byte(tt.output), func(Query) {})
		for i := range len(tt.output) {
			pieces.Feed([]byte(tt.output[i:i+1]), func(Query) {})
		}
		if whole.AppCursor != tt.want || pieces.AppCursor != tt.want {
			t.Errorf("%s: %v, by the byte %v, want %v", tt.name, whole.AppCursor, pieces.AppCursor, tt.want)
		}
	}
}
