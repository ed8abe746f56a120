// Package report writes the results of tests: for people, JUnit, TAP, JSON,
// GitHub, and as one HTML page. Results are plain data; nothing here runs or
// waits.
package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/spawnx/spawnx/internal/lazy"
)

// An Outcome is how a test ended.
type Outcome string

const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Flaky   Outcome = "flaky" // it failed first, and passed when it was run again
	Skipped Outcome = "skipped"
)

// A Result is what became of one test.
type Result struct {
	Name     string        `json:"name"`            // the test file, as it was named
	Round    int           `json:"round,omitempty"` // of --repeat, from 1; 0 where each test runs once
	Outcome  Outcome       `json:"outcome"`
	Took     time.Duration `json:"took_ns"`           // of all attempts
	Reason   string        `json:"reason,omitempty"`  // why it was skipped
	Updated  []string      `json:"updated,omitempty"` // files of the test that were rewritten
	Attempts []Attempt     `json:"attempts"`
}

// Title is the name and, of a test that is repeated, the round.
func (r Result) Title() string {
	if r.Round == 0 {
		return r.Name
	}
	return fmt.Sprintf("%s (round %d)", r.Name, r.Round)
}

// Failure returns the last attempt that failed, or nil.
func (r Result) Failure() *Attempt {
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		if r.Attempts[i].Error != "" {
			return &r.Attempts[i]
		}
	}
	return nil
}

// An Attempt is one run of a test.
type Attempt struct {
	Took   time.Duration `json:"took_ns"`
	Error  string        `json:"error,omitempty"`  // the first line says where, what and why; "" if it passed
	Line   int           `json:"line,omitempty"`   // of the test file, where it failed
	Folder string        `json:"folder,omitempty"` // what the failure left
	Steps  []Step        `json:"steps,omitempty"`

	Files []string `json:"files,omitempty"` // in Folder

	Script   []string  `json:"-"` // all lines of the script
	Events   []Event   `json:"-"` // what happened, in order
	Programs []Program `json:"-"` // that the test spoke to
}

// Reason is the error in one line: its first, and what its details say of what was wanted and of the program.
func (a Attempt) Reason() string {
	first, details, _ := strings.Cut(a.Error, "\n")
	for _, label := range []string{"  wanted   ", "  program  "} {
		_, text, ok := strings.Cut("\n"+details, "\n"+label)
		if !ok {
			continue
		}
		text, _, _ = strings.Cut(text, "\n")
		if label == "  wanted   " {
			text = "wanted " + text
		}
		first += "; " + pid.Get().ReplaceAllString(certainty.Get().ReplaceAllString(text, ""), " ")
	}
	return first
}

// What is left out of the state of a program, where there is one line for all.
var (
	pid       = lazy.Regexp(` \(pid [0-9]+\) (runs; )?`)
	certainty = lazy.Regexp(` \([a-z]+\)$`)
)

// A Step is one line of a script that was done.
type Step struct {
	Line   int           `json:"line"`
	Text   string        `json:"text"`
	At     time.Duration `json:"at_ns"` // since the attempt began
	Took   time.Duration `json:"took_ns"`
	Failed bool          `json:"failed,omitempty"`
}

// An Event is something that happened during an attempt.
type Event struct {
	At      time.Duration
	Kind    Kind
	Program string // the name behind @; "" is the unnamed one
	Line    int    // of the script, for Line
	Text    string
}

// A Kind says what an Event is.
type Kind string

const (
	Line   Kind = "line"   // a line of the script begins
	Output Kind = "output" // the program wrote
	Sent   Kind = "sent"   // something was sent to it
	Wait   Kind = "wait"   // for something begins
	Match  Kind = "match"  // something matched
	Settle Kind = "settle" // the same, where more output might have changed it; and what decided it
	Exit   Kind = "exit"   // it ended
	Resize Kind = "resize"
	Note   Kind = "note" // a remark of the test itself
	Cut    Kind = "cut"  // something is left out here
	Fail   Kind = "fail"
)

// A Program is how one program of a failed attempt was at the failure.
type Program struct {
	Name    string // behind @; "" is the unnamed one
	Command string
	State   string // runs, or how it ended
	Screen  string // what was to be seen, as text
	SVG     []byte // the same as a picture
}

// Totals counts results by their outcome.
type Totals struct {
	Passed, Failed, Flaky, Skipped int
	NotRun                         int // of a run that was ended; Total leaves it 0
	Took                           time.Duration
}

// Total counts; took is how long the whole run took.
func Total(results []Result, took time.Duration) Totals {
	t := Totals{Took: took}
	for _, r := range results {
		switch r.Outcome {
		case Passed:
			t.Passed++
		case Failed:
			t.Failed++
		case Flaky:
			t.Flaky++
		case Skipped:
			t.Skipped++
		}
	}
	return t
}

// Round shortens a duration for people.
func Round(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
