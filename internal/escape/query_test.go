package escape

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var queryTests = []struct {
	raw  string
	kind Kind // 0 for no question
}{
	{"\x1b[c", DeviceAttributes},
	{"\x1b[0c", DeviceAttributes},
	{"\x1bZ", DeviceAttributes},
	{"\x1b[?62;22c", 0}, // an answer
	{"\x1b[1c", 0},
	{"\x1b[>c", SecondAttributes},
	{"\x1b[>0c", SecondAttributes},
	{"\x1b[=c", ThirdAttributes},
	{"\x1b[5n", Status},
	{"\x1b[0n", 0}, // an answer
	{"\x1b[6n", Cursor},
	{"\x1b[?6n", ExtendedCursor},
	{"\x1b[?996n", PrivateStatus},
	{"\x1b[?n", 0},
	{"\x1b[1;1R", 0},
	{"\x1b[?2026$p", Mode},
	{"\x1b[4$p", Mode},
	{"\x1b[$p", 0},
	{"\x1b[!p", 0},
	{"\x1b[?2026;1$y", 0}, // an answer
	{"\x1b[>q", Version},
	{"\x1b[>0q", Version},
	{"\x1b[2 q", 0}, // cursor shape
	{"\x1b[?u", KeyboardFlags},
	{"\x1b[u", 0},
	{"\x1b[>1u", 0},
	{"\x1b[18t", WindowReport},
	{"\x1b[14;2t", WindowReport},
	{"\x1b[22;0t", 0},
	{"\x1b[8;24;80t", 0},
	{"\x1b]10;?\a", Colour},
	{"\x1b]11;?\x1b\\", Colour},
	{"\x1b]4;1;?\a", Colour},
	{"\x1b]11;#000000\a", 0},
	{"\x1b]11;?\n", 0},   // broken off
	{"\x1b]11;?\x18", 0}, // broken off
	{"\x1b]0;why;?\a", 0},
	{"\x1b]133;?\a", 0},
	{"\x1b]52;c;?\a", Clipboard},
	{"\x1b]52;c;aGk=\a", 0},
	{"\x1bP$qm\x1b\\", Setting},
	{"\x1bP1$rm\x1b\\", 0}, // an answer
	{"\x1bP$qm\x18", 0},
	{"\x1bP+q544e\x1b\\", TermcapCapability},
	{"\x1b[6\x18n", 0},
	{"\x1b[" + strings.Repeat("0", 100) + "c", 0},
	{"\x1b[38;5;1m", 0},
	{"text", 0},
}

func TestQueries(t *testing.T) {
	for _, tt := range queryTests {
		want := []Query(nil)
		if tt.kind != 0 {
			want = []Query{{tt.kind, tt.kind.Answer(), 4, 4 + int64(len(tt.raw))}}
		}
		raw := "ab\r\n" + tt.raw + "tail"
		for _, size := range []int{1, 2, 3, len(raw)} {
			if got := queries(raw, func(int) int { return size }); !slices.Equal(got, want) {
				t.Errorf("%q in pieces of %d: %v, want %v", tt.raw, size, got, want)
			}
		}
	}
}

func TestQueriesInOrder(t *testing.T) {
	raw := "\x1b]0;x\x1b[6n\x1b[5\x1b[c\x1b[>c" // the first two begin within broken sequences
	want := []Query{
		{Cursor, "\x1b[1;1R", 5, 9},
		{DeviceAttributes, "\x1b[?62;22c", 12, 15},
		{SecondAttributes, "", 15, 19},
	}
	if got := queries(raw, func(int) int { return 2 }); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// An answer that a terminal echoes must not be taken for a question, or two
// programs would answer each other for ever.
func TestAnswersAreNoQuestions(t *testing.T) {
	for k := DeviceAttributes; k <= TermcapCapability; k++ {
		if got := queries(k.Answer(), func(n int) int { return n }); got != nil {
			t.Errorf("the answer %q is taken for %v", k.Answer(), got)
		}
	}
}

func queries(raw string, cut func(left int) int) (found []Query) {
	var q Queries
	for raw != "" {
		n := min(cut(len(raw)), len(raw))
		q.Feed([]byte(raw[:n]), func(q Query) { found = append(found, q) })
		raw = raw[n:]
	}
	return found
}

func FuzzQueries(f *testing.F) {
	for _, tt := range queryTests {
		f.Add([]byte(tt.raw+"x"+tt.raw), uint64(1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		whole := queries(string(raw), func(left int) int { return left })
		cut := queries(string(raw), func(left int) int { return 1 + r.IntN(left) })
		if !slices.Equal(whole, cut) {
			t.Fatalf("%q: whole %v, cut %v", raw, whole, cut)
		}
		for _, q := range whole {
			// A question is one whole sequence, so it leaves no text.
			if got := plain(string(raw[q.Start:q.End]), nil); got != "" {
				t.Fatalf("%q: %v leaves %q", raw, q, got)
			}
		}
	})
}

func BenchmarkQueries(b *testing.B) {
	raw := []byte(strings.Repeat("\x1b[32mINFO\x1b[0m the quick brown fox jumps over the lazy dog\r\n", 1000))
	b.SetBytes(int64(len(raw)))
	var q Queries
	for b.Loop() {
		q.Feed(raw, func(Query) {})
	}
}
