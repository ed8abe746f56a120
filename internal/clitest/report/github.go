package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// GitHub writes annotations of a workflow: an error for each test that failed, a warning for each flaky one,
// at the line where it failed. workspace is the folder that the paths of its files count from, "" this one.
func GitHub(w io.Writer, results []Result, workspace string) {
	for _, r := range results {
		failure := r.Failure()
		if failure == nil {
			continue
		}
		kind := "error"
		if r.Outcome == Flaky {
			kind = "warning"
		}
		fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", kind, property(within(workspace, r.Name)), max(failure.Line, 1),
			property(string(r.Outcome)+": "+r.Title()), message(failure.Error))
	}
}

// within is a path from this folder as one from another; where that does not hold it, as it was.
func within(folder, path string) string {
	if folder == "" {
		return path
	}
	abs, err := filepath.Abs(filepath.FromSlash(path))
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(folder, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return filepath.ToSlash(rel)
}

// message and property escape as the runner of workflows unescapes.
func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(message(s))
}
