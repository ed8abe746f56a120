package report

import (
	"fmt"
	"io"
	"strings"
)

// GitHub writes annotations of a workflow: an error for each test that failed, a warning for each flaky one,
// at the line where it failed.
func GitHub(w io.Writer, results []Result) {
	for _, r := range results {
		failure := r.Failure()
		if failure == nil {
			continue
		}
		kind := "error"
		if r.Outcome == Flaky {
			kind = "warning"
		}
		fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", kind, property(r.Name), max(failure.Line, 1),
			property(string(r.Outcome)+": "+r.Title()), message(failure.Error))
	}
}

// message and property escape as the runner of workflows unescapes.
func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(message(s))
}
