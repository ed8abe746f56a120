package clitest

import (
	"flag"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/spawnx/spawnx/internal/clitest/report"
)

var heavy = flag.Bool("heavy", false, "also measure what tests cost beside their bare programs")

// What 500 small tests take, beside their programs run bare by os/exec, with the same parallelism. It reports, and
// fails for wrong results only: the figures are for a machine at rest.
func TestCost(t *testing.T) {
	if !*heavy {
		t.Skip("-heavy measures")
	}
	for _, tt := range []struct {
		name, program string
		n             int
	}{
		{"a millisecond", "echo hello", 500},
		{"some milliseconds", "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; echo hello", 500},
		{"python", `python3 -c 'print("hello")'`, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tests []*Test
			for range tt.n {
				tests = append(tests, parse("cost", []byte("exec sh -c '"+quoteSingle(tt.program)+"'\nstdout hello\n")))
			}
			began := time.Now()
			for _, r := range runAll(t, tests, Options{}) {
				if r.Outcome != report.Passed {
					t.Fatal(r.Attempts[0].Error)
				}
			}
			ours := time.Since(began)
			began = time.Now()
			work := make(chan int)
			var workers sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				workers.Go(func() {
					for range work {
						if out, err := exec.Command("sh", "-c", tt.program).Output(); err != nil || string(out) != "hello\n" {
							t.Errorf("%q, %v", out, err)
						}
					}
				})
			}
			for i := range tt.n {
				work <- i
			}
			close(work)
			workers.Wait()
			bare := time.Since(began)
			t.Logf("%v for %d tests, bare %v: %.2f times", ours.Round(time.Millisecond), tt.n, bare.Round(time.Millisecond), float64(ours)/float64(bare))
		})
	}
}

func quoteSingle(s string) string {
	var b []byte
	for i := range len(s) {
		b = append(b, s[i])
		if s[i] == '\'' {
			b = append(b, '\'')
		}
	}
	return string(b)
}
