package clitest

import (
	"strings"
	"testing"

	"github.com/spawnx/spawnx/internal/clitest/report"
)

// exec takes all that a program writes, whenever it does, and waits for nobody whom it has left its output or its input.
func TestWhatExecTakes(t *testing.T) {
	big := strings.Repeat("0123456789abcde\n", 20000)
	for name, script := range map[string]string{
		"nothing":               "exec true\n! stdout .\n! stderr .\n",
		"little":                "exec sh -c 'echo one; echo two >&2'\nstdout '^one$'\nstderr '^two$'\n",
		"little by little":      "exec sh -c 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.005; done'\nstdout -count=8 '^\\d$'\n",
		"more than pipes hold":  "exec sh -c 'cat big; cat big >&2'\ncmp stdout big\ncmp stderr big\n-- big --\n" + big,
		"as much as it is told": "stdin big\nexec cat\ncmp stdout big\n-- big --\n" + big,
		"less than it is told":  "stdin big\nexec head -n 1\nstdout -count=1 '^0'\n-- big --\n" + big,
		"not what comes late":   "exec sh -c 'sleep 1000 & echo one'\nstdout '^one$'\n",
		"what comes in time":    "exec sh -c '(sleep 0.03; echo two; sleep 0.03; echo three >&2) & echo one'\nstdout '^one$'\nstdout '^two$'\nstderr '^three$'\n",
		"in the background":     "exec sh -c 'sleep 1000 & echo one' &\nwait\nstdout '^one$'\n",
		"what is held unread":   "stdin big\nexec sh -c 'exec 3<&0; sleep 1000 <&3 >/dev/null 2>&1 & echo one'\nstdout '^one$'\n-- big --\n" + big,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, chunk := range []Chunk{{}, {seed: 1, on: true}} {
				r, _ := runScript(t, script, Options{Chunk: chunk})
				if r.Outcome != report.Passed {
					t.Errorf("%+v: %.500s", chunk, r.Attempts[0].Error)
				}
			}
		})
	}
}
