package report

import (
	"fmt"
	"io"
	"strings"
)

// A TAP writes results as they come in the Test Anything Protocol, version 14.
type TAP struct {
	W io.Writer
	N int // how many were written
}

// Begin writes the plan.
func (t *TAP) Begin(all int) { fmt.Fprintf(t.W, "TAP version 14\n1..%d\n", all) }

// None writes that there are no tests, and why, instead of Begin.
func (t *TAP) None(reason string) {
	fmt.Fprintf(t.W, "TAP version 14\n1..0 # SKIP %s\n", tapText(reason))
}

// Start does nothing: TAP tells of ends.
func (t *TAP) Start(Result) {}

// Done writes one result.
func (t *TAP) Done(r Result) {
	t.N++
	ok := "ok"
	if r.Outcome == Failed {
		ok = "not ok"
	}
	fmt.Fprintf(t.W, "%s %d - %s", ok, t.N, tapText(r.Title()))
	if r.Outcome == Skipped {
		fmt.Fprintf(t.W, " # SKIP %s", tapText(r.Reason))
	}
	fmt.Fprintln(t.W)
	failure := r.Failure()
	if failure == nil {
		return
	}
	fmt.Fprintf(t.W, "  ---\n  outcome: %s\n  duration_ms: %d\n  attempts: %d\n", r.Outcome, r.Took.Milliseconds(), len(r.Attempts))
	if failure.Folder != "" {
		fmt.Fprintf(t.W, "  folder: %q\n", failure.Folder)
	}
	fmt.Fprintf(t.W, "  message: |\n")
	for _, line := range strings.Split(failure.Error, "\n") {
		fmt.Fprintf(t.W, "    %s\n", line)
	}
	fmt.Fprintf(t.W, "  ...\n")
}

// Stop says that the rest was not run.
func (t *TAP) Stop(reason string) { fmt.Fprintf(t.W, "Bail out! %s\n", tapText(reason)) }

// tapText is a text in one line in which no directive begins.
func tapText(s string) string {
	return strings.NewReplacer("\\", "\\\\", "#", "\\#", "\n", " ", "\r", " ").Replace(s)
}
