package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/ptyio"
)

// A lines passes input that is no person's on to a program's terminal, which, where it reads by lines, would
// cut a long one without a word.
type lines struct {
	program *bridge.Bridge
	cancel  context.CancelCauseFunc
	begun   int // bytes of a line that has not ended
}

// typed passes on what comes before a line that is too long, and then ends the run.
func (l *lines) typed(p []byte) (pass []byte, leave bool) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexAny(rest, "\r\n")
		if end < 0 {
			end = len(rest)
		}
		if l.begun += end; l.begun > ptyio.MaxCanonical {
			if mode, err := l.program.Mode(); err == nil && mode.Canonical {
				l.cancel(&inputError{fmt.Sprintf("a line of our input has more than %d bytes: the program's terminal, which reads by lines, would cut it", ptyio.MaxCanonical)})
				return p[:len(p)-len(rest)], true
			}
		}
		if end < len(rest) {
			l.begun = 0
			end++
		}
		rest = rest[end:]
	}
	return p, false
}

// An inputError: our input cannot be passed on as it is.
type inputError struct{ what string }

func (e *inputError) Error() string {
	return "run: " + e.what + "\nhint: --stdio pipes passes on everything as it is"
}
