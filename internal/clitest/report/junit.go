package report

import (
	"encoding/xml"
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
	suite := junitSuite{
		Name: "spawnx test", Tests: len(results), Failures: totals.Failed, Skipped: totals.Skipped, Time: seconds(took),
	}
	for _, r := range results {
		suite.Cases = append(suite.Cases, junitOf(r))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	File    string       `xml:"file,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitText   `xml:"failure"`
	Flaky   []junitText  `xml:"flakyFailure"`
	Rerun   []junitText  `xml:"rerunFailure"`
	Skipped *junitReason `xml:"skipped"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitReason struct {
	Message string `xml:"message,attr,omitempty"`
}

func junitOf(r Result) junitCase {
	dir, name := "spawnx", r.Title()
	if i := strings.LastIndexByte(r.Name, '/'); i >= 0 {
		dir, name = r.Name[:i], r.Title()[i+1:]
	}
	c := junitCase{Name: clean(name), Class: clean(strings.ReplaceAll(dir, "/", ".")), File: clean(r.Name), Time: seconds(r.Took)}
	if r.Outcome == Skipped {
		c.Skipped = &junitReason{clean(r.Reason)}
	}
	for i, a := range r.Attempts {
		if a.Error == "" {
			continue
		}
		text := junitText{clean(a.Reason()), clean(withFolder(a))}
		switch {
		case r.Outcome == Flaky:
			c.Flaky = append(c.Flaky, text)
		case i == len(r.Attempts)-1:
			c.Failure = &text
		default:
			c.Rerun = append(c.Rerun, text)
		}
	}
	return c
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// clean replaces what XML cannot hold. Bytes of programs are escaped before; names of files are not.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r != utf8.RuneError && r != 0xFFFE && r != 0xFFFF {
			return r
		}
		return '\uFFFD'
	}, s)
}
