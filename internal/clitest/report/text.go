package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spawnx/spawnx/internal/escape"
)

// A Text tells people about a run while it goes on: what did not pass, and at the end the totals. On a
// terminal its last line says what is being run. Its methods must not be called at the same time.
type Text struct {
	W       io.Writer
	Live    bool       // W is a terminal: show progress
	Width   func() int // of that terminal
	Verbose bool       // tell what passed, too, and every step
	All     int        // how many tests there are

	done    int
	failed  int
	running []string
	drawn   time.Time
	shown   bool // a progress line stands there
}

// Start tells that a test begins.
func (t *Text) Start(r Result) {
	t.running = append(t.running, r.Title())
	t.progress(false)
}

// Done tells how a test ended.
func (t *Text) Done(r Result) {
	t.done++
	for i, name := range t.running {
		if name == r.Title() {
			t.running = append(t.running[:i], t.running[i+1:]...)
			break
		}
	}
	if r.Outcome == Failed {
		t.failed++
	}
	if text := t.result(r); text != "" {
		t.clear()
		io.WriteString(t.W, text)
	}
	t.progress(t.done == t.All)
}

func words() map[Outcome]string {
	return map[Outcome]string{Passed: "ok   ", Failed: "FAIL ", Flaky: "flaky", Skipped: "skip "}
}

// result is what is told about a test, "" for nothing.
func (t *Text) result(r Result) string {
	if r.Outcome == Passed && !t.Verbose && len(r.Updated) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", words()[r.Outcome], escape.Visible(r.Title()))
	if r.Reason != "" {
		fmt.Fprintf(&b, ": %s", escape.Visible(r.Reason))
	}
	if r.Outcome != Skipped {
		fmt.Fprintf(&b, "  %s", Round(r.Took))
	}
	b.WriteString("\n")
	for _, name := range r.Updated {
		fmt.Fprintf(&b, "  updated  %s\n", escape.Visible(name))
	}
	for i, a := range r.Attempts {
		if t.Verbose {
			for _, step := range a.Steps {
				fmt.Fprintf(&b, "  %6s  %s\n", Round(step.Took), escape.Visible(step.Text))
			}
		}
		if a.Error == "" {
			if len(r.Attempts) > 1 {
				fmt.Fprintf(&b, "attempt %d passed\n", i+1)
			}
			continue
		}
		if len(r.Attempts) > 1 {
			fmt.Fprintf(&b, "attempt %d: ", i+1)
		}
		b.WriteString(withFolder(a) + "\n")
	}
	return b.String()
}

// withFolder is an attempt's error with where to look further, before its hint.
func withFolder(a Attempt) string {
	if a.Folder == "" {
		return a.Error
	}
	text, hint, ok := strings.Cut(a.Error, "\nhint: ")
	text += "\n  left     " + escape.Visible(a.Folder)
	if ok {
		text += "\nhint: " + hint
	}
	return text
}

// End tells the totals, and where the page of all failures is, if there is one.
func (t *Text) End(totals Totals, page string) {
	t.clear()
	fmt.Fprintln(t.W, totals)
	if page != "" {
		fmt.Fprintf(t.W, "failures: %s\n", escape.Visible(page))
	}
}

func (t Totals) String() string {
	text := fmt.Sprintf("%d passed", t.Passed)
	for _, n := range []struct {
		count int
		word  string
	}{{t.Failed, "failed"}, {t.Flaky, "flaky"}, {t.Skipped, "skipped"}, {t.NotRun, "not run"}} {
		if n.count > 0 {
			text += fmt.Sprintf(", %d %s", n.count, n.word)
		}
	}
	return fmt.Sprintf("%s in %s", text, Round(t.Took))
}

// progress draws the last line, at most some times a second.
func (t *Text) progress(last bool) {
	if !t.Live || last || time.Since(t.drawn) < 50*time.Millisecond {
		return
	}
	t.drawn = time.Now()
	line := fmt.Sprintf("[%d/%d]", t.done, t.All)
	if t.failed > 0 {
		line += fmt.Sprintf(" %d failed", t.failed)
	}
	for _, name := range t.running {
		line += " " + escape.Visible(name)
	}
	width := 80
	if t.Width != nil {
		width = t.Width()
	}
	if runes := []rune(line); len(runes) >= width { // a line that wraps could not be taken back
		line = string(runes[:max(width-2, 0)]) + "…"
	}
	fmt.Fprintf(t.W, "\r\x1b[K%s", line)
	t.shown = true
}

func (t *Text) clear() {
	if t.shown {
		io.WriteString(t.W, "\r\x1b[K")
		t.shown = false
	}
}
