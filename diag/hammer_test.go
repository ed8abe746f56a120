//go:build linux

package diag

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// Proof means that the program waits and that all it wrote was read. So, however
// soon after a send the question is asked, at the moment of proof the
// whole answer must be there.
func TestProofMeansThatTheAnswerIsComplete(t *testing.T) {
	programs := []struct {
		name   string
		rig    func(testing.TB) *rig
		line   func(i int) string
		answer func(i int) string
		rounds int
	}{
		{"cat on a terminal", terminal("cat"), numbered("%d\n"), numbered("%d\r\n%[1]d\r\n"), 400},
		{"cat on pipes", pipes("cat"), numbered("%d\n"), numbered("%d\n"), 400},
		{"sh on a terminal", terminal("sh", "-c", `while read x; do echo "<$x>"; done`), numbered("%d\n"), numbered("%d\r\n<%[1]d>\r\n"), 200},
		{"many writes", terminal("sh", "-c", `while read x; do for i in 1 2 3 4 5 6 7 8; do echo $i; done; echo "<$x>"; done`), numbered("%d\n"), numbered("8\r\n<%[1]d>\r\n"), 100},
		{"a pipeline", pipes("sh", "-c", `sed -u s/^/a/ | sed -u s/^/b/ | cat`), numbered("%d\n"), numbered("ba%d\n"), 100},
		{"bash commands", terminal("bash", "--norc", "-i"), numbered("echo $((%d*3))\r"), func(i int) string { return fmt.Sprintf("\r%d\r\n", i*3) }, 200},
		{"bash starts programs", terminal("bash", "--norc", "-i"), numbered("expr %d \\* 3\r"), func(i int) string { return fmt.Sprintf("\r%d\r\n", i*3) }, 200},
		{"python expressions", terminal(python, "-q"), numbered("%d*3\r"), func(i int) string { return fmt.Sprintf("\n%d\r\n", i*3) }, 200},
	}
	for _, beside := range []string{"alone", "beside busy loops"} {
		t.Run(beside, func(t *testing.T) {
			if beside != "alone" {
				busy(t, 2)
			}
			for _, p := range programs {
				t.Run(p.name, func(t *testing.T) {
					r := p.rig(t)
					r.proved()
					for i := range p.rounds {
						r.seen.Reset()
						r.send(p.line(i))
						ev := r.proved()
						if got := r.seen.String(); !strings.Contains(got, p.answer(i)) {
							t.Fatalf("round %d: %v\nsaw   %q\nwants %q", i, ev, got, p.answer(i))
						}
					}
				})
			}
		})
	}
}

func numbered(format string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

func terminal(args ...string) func(testing.TB) *rig {
	return func(t testing.TB) *rig { return onTerminal(t, args...) }
}

func pipes(args ...string) func(testing.TB) *rig {
	return func(t testing.TB) *rig { return onPipes(t, args...) }
}

// python is Debian's: another may be a script that starts it.
const python = "/usr/bin/python3"

// busy runs n programs that do nothing but compute.
func busy(t *testing.T, n int) {
	t.Helper()
	for range n {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		check(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill() // it never ends by itself
			_ = cmd.Wait()
		})
	}
}
