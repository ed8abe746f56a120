package expect_test

import (
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A line to cat and its answer: what a dialog costs. Figures beside others are
// in bench/.
func BenchmarkPingPong(b *testing.B) {
	for _, stdio := range []proc.Stdio{proc.PTY, proc.Pipes} {
		b.Run(stdio.String(), func(b *testing.B) {
			c, err := expect.Spawn(b.Context(), proc.Spec{Args: []string{"cat"}, Stdio: stdio, NoEcho: true})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.ReportAllocs()
			for b.Loop() {
				if err := c.SendLine("ping"); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Expect(b.Context(), expect.Text("ping\n")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
