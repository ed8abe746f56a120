package match

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
)

// logText is n bytes of lines as programs write them.
func logText(n int) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	words := []string{"connection", "from", "accepted", "user", "session", "opened", "closed", "request", "served", "in", "cache", "miss", "worker", "started", "GET", "/index.html", "status", "for", "the", "process"}
	levels := []string{"INFO", "DEBUG", "WARN"}
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "2026-03-%02d %02d:%02d:%02d.%03d %s [%d]", 1+i%28, i%24, i%60, i%59, r.IntN(1000), levels[r.IntN(3)], 1000+r.IntN(9000))
		for range 4 + r.IntN(8) {
			b.WriteString(" " + words[r.IntN(len(words))])
		}
		b.WriteByte('\n')
	}
	return b.Bytes()[:n]
}

var benchmarks = []struct {
	name string
	pats []Pattern
}{
	{"literal", list{{Text: "END-OF-THE-LOG"}}},
	{"prompt", list{{Text: "login: "}}},
	{"literal-everywhere", list{{Text: "2026-03-40 "}}},
	{"captures", list{{Text: `user=(\w+) id=(\d+)`, Regexp: true}}},
	{"captures-open", list{{Text: `(\w+)=(\d+) ms`, Regexp: true}}},
	{"captures-everywhere", list{{Text: `2026-03-(\d+) .* FATAL (\w+)`, Regexp: true}}},
	{"fold", list{{Text: `(?i)password:`, Regexp: true}}},
	{"fold-everywhere", list{{Text: `(?i)session denied`, Regexp: true}}},
	{"alternatives", list{{Text: `error|failed|panic|refused|timeout|denied|abort|fatal`, Regexp: true}}},
	{"alternatives-everywhere", list{{Text: `user x|session x|request x|cache x|worker x|status x|process x|closed x`, Regexp: true}}},
	{"8-cases", list{{Text: "login: "}, {Text: "Password:"}, {Text: "(yes/no)"}, {Text: `\$ $`, Regexp: true}, {Text: "refused"}, {Text: "timed out"}, {Text: `(?i)denied`, Regexp: true}, {Text: "No route"}}},
	{"prompt-at-end", list{{Text: `[$#>] $`, Regexp: true}}},
	{"gdb", list{{Text: `(?m)^\(gdb\) $`, Regexp: true}}},
	{"unicode", list{{Text: `\pL+é(\d+)`, Regexp: true}}},
}

const piece = 64 << 10

func BenchmarkFeed(b *testing.B) {
	text := logText(16 << 20)
	for _, bm := range benchmarks {
		b.Run(bm.name, func(b *testing.B) {
			s, err := Compile(bm.pats)
			if err != nil {
				b.Fatal(err)
			}
			var sc Scan
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s.Start(&sc)
				for at := 0; at < len(text); at += piece {
					if sc.Feed(text[at : at+piece]) {
						b.Fatal("found")
					}
				}
			}
		})
	}
}

// BenchmarkStandard is what regexp needs for the same bytes.
func BenchmarkStandard(b *testing.B) {
	text := logText(1 << 20)
	for _, bm := range benchmarks {
		b.Run(bm.name, func(b *testing.B) {
			var res []*regexp.Regexp
			for _, p := range bm.pats {
				if !p.Regexp {
					p.Text = regexp.QuoteMeta(p.Text)
				}
				res = append(res, regexp.MustCompile(p.Text))
			}
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for _, re := range res {
					if re.FindSubmatchIndex(text) != nil {
						b.Fatal("found")
					}
				}
			}
		})
	}
}
