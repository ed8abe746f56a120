package report

import (
	"encoding/json"
	"io"
	"time"
)

// JSON writes results as one document: {"tests": [...], "totals": {...}}. Times are in nanoseconds. The
// fields are those of Result, Attempt and Step.
func JSON(w io.Writer, results []Result, took time.Duration) error {
	t := Total(results, took)
	if results == nil {
		results = []Result{}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Tests  []Result       `json:"tests"`
		Totals map[string]int `json:"totals"`
		Took   time.Duration  `json:"took_ns"`
	}{results, map[string]int{"passed": t.Passed, "failed": t.Failed, "flaky": t.Flaky, "skipped": t.Skipped}, took})
}
