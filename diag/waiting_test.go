//go:build linux

package diag

import (
	"testing"

	"github.com/spawnx/spawnx/internal/procfs"
)

func treeOf(pid int) []int { return append(procfs.Descendants(pid), strays.of(pid)...) }

func TestCatWaits(t *testing.T) {
	for _, r := range []*rig{onTerminal(t, "cat"), onPipes(t, "cat")} {
		t.Log(r.proved())
	}
}

func TestBashWaits(t *testing.T) {
	r := onTerminal(t, "bash", "--norc", "-i")
	t.Log(r.proved())
	r.send("sleep 1000 & true\r")
	t.Log(r.proved(), r.seen.String())
}

func BenchmarkWaiting(b *testing.B) {
	for name, args := range map[string][]string{"cat": {"cat"}, "bash": {"bash", "--norc", "-i"}} {
		b.Run(name, func(b *testing.B) {
			r := onTerminal(b, args...)
			r.proved()
			l := r.lanes()
			b.ReportAllocs()
			for b.Loop() {
				if !Waiting(l, r.taken, r.flush).Proved() {
					b.Fatal("not proved")
				}
			}
		})
	}
}

func BenchmarkTake(b *testing.B) {
	r := onTerminal(b, "bash", "--norc", "-i")
	r.proved()
	for b.Loop() {
		if _, err := Take(r.lanes()); err != nil {
			b.Fatal(err)
		}
	}
}
