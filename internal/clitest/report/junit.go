package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// JUnit writes results as JUnit's XML, as Jenkins and GitLab read it. A flaky test has a flakyFailure for
// each attempt that failed, as Maven's Surefire writes it.
func JUnit(w io.Writer, results []Result, took time.Duration) error {
	totals := Total(results, took)
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="spawnx test" tests="%d" failures="%d" errors="0" skipped="%d" time="%s">
`, len(results), totals.Failed, totals.Skipped, seconds(took))
	for _, r := range results {
		b.WriteString(testcase(r))
	}
	b.WriteString("  </testsuite>\n</testsuites>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// testcase is the element of one test.
func testcase(r Result) string {
	dir, name := "spawnx", r.Title()
	if i := strings.LastIndexByte(r.Name, '/'); i >= 0 {
		dir, name = r.Name[:i], r.Title()[i+1:]
	}
	failure, others := "", ""
	for i, a := range r.Attempts {
		if a.Error == "" {
			continue
		}
		first, _, _ := strings.Cut(a.Error, "\n")
		element := func(tag string) string {
			return fmt.Sprintf("\n      <%s message=\"%s\">%s</%[1]s>", tag, inXML(first), inXML(withFolder(a)))
		}
		switch {
		case r.Outcome == Flaky:
			others += element("flakyFailure")
		case i == len(r.Attempts)-1:
			failure = element("failure")
		default:
			others += element("rerunFailure")
		}
	}
	if r.Outcome == Skipped {
		others += fmt.Sprintf("\n      <skipped message=\"%s\"></skipped>", inXML(r.Reason))
	}
	inside := failure + others
	if inside != "" {
		inside += "\n    "
	}
	return fmt.Sprintf("    <testcase name=\"%s\" classname=\"%s\" file=\"%s\" time=\"%s\">%s</testcase>\n",
		inXML(name), inXML(strings.ReplaceAll(dir, "/", ".")), inXML(r.Name), seconds(r.Took), inside)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// inXML is a text as an attribute or between tags. What XML cannot hold is replaced: bytes of programs are escaped before,
// names of files are not. Package encoding/xml would make its tables at every start of spawnx.
func inXML(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r != utf8.RuneError && r != 0xFFFE && r != 0xFFFF {
			return r
		}
		return '\uFFFD'
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;").Replace(s)
}
