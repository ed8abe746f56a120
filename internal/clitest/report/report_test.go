package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var results = []Result{
	{Name: "tests/a.txtar", Outcome: Passed, Took: 12 * time.Millisecond, Attempts: []Attempt{{Took: 12 * time.Millisecond}}},
	{Name: "tests/b.txtar", Outcome: Failed, Took: 2 * time.Second, Attempts: []Attempt{
		{Error: "tests/b.txtar:2: exec: first\n  stdout   x", Line: 2},
		{Error: "tests/b.txtar:3: exec: 100% <wrong>\n  stdout   # no comment\nhint: look, there", Line: 3, Folder: "/left/2-b", Files: []string{"a b.txt"},
			Script:   []string{"# one", "exec true", "exec false", "exec later"},
			Steps:    []Step{{Line: 1, Text: "# one"}, {Line: 2, Text: "exec true", Took: time.Millisecond}, {Line: 3, Text: "exec false", At: 1, Took: 2, Failed: true}},
			Events:   []Event{{Kind: Line, Line: 2, Text: "exec true"}, {At: time.Second, Kind: Output, Program: "srv", Text: `"<out>"`}},
			Programs: []Program{{Name: "srv", Command: "server -x", State: "sleeps", Screen: "5x5\n|<hi>", SVG: []byte("<svg/>")}}},
	}},
	{Name: "c d#.txtar", Round: 2, Outcome: Flaky, Took: 90 * time.Second, Updated: []string{"x.screen"}, Attempts: []Attempt{{Error: "c d#.txtar:1: x", Line: 1}, {}}},
	{Name: "s.txtar", Outcome: Skipped, Reason: "no moon", Attempts: []Attempt{{}}},
}

// A line says why, where there is one line for all.
func TestReason(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"a:1: exec: no\n  stdout   x": "a:1: exec: no",
		"a:2: expect: nothing matched in 2s\n  wanted   \"$ \"\n  unread   \"\"\n  program  sh (pid 12) runs; waits for input: it reads its terminal (kernel)\n           cat (pid 13) runs\nhint: x": "a:2: expect: nothing matched in 2s; wanted \"$ \"; sh waits for input: it reads its terminal",
		"a:2: expect: the output ended before a match\n  wanted   \"x\"\n  program  sh (pid 12) ended after 1s: exit status 3":                                                                        "a:2: expect: the output ended before a match; wanted \"x\"; sh ended after 1s: exit status 3",
	} {
		if got := (Attempt{Error: text}).Reason(); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestText(t *testing.T) {
	var b strings.Builder
	text := Text{W: &b, All: len(results)}
	for _, r := range results {
		text.Start(r)
		text.Done(r)
	}
	text.End(Total(results, 3*time.Second), "/left/index.html")
	const want = `FAIL  tests/b.txtar  2s
attempt 1: tests/b.txtar:2: exec: first
  stdout   x
attempt 2: tests/b.txtar:3: exec: 100% <wrong>
  stdout   # no comment
  left     /left/2-b
hint: look, there
flaky c d#.txtar (round 2)  1m30s
  updated  x.screen
attempt 1: c d#.txtar:1: x
attempt 2 passed
skip  s.txtar: no moon
1 passed, 1 failed, 1 flaky, 1 skipped in 3s
failures: /left/index.html
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

func TestTextTellsAll(t *testing.T) {
	var b strings.Builder
	text := Text{W: &b, All: 1, Verbose: true}
	text.Done(Result{Name: "a", Took: time.Millisecond, Outcome: Passed, Attempts: []Attempt{{Steps: []Step{{Text: "exec \x1b", Took: time.Millisecond}}}}})
	if want := "ok    a  1ms\n     1ms  exec \\x1b\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}

// The line of progress is as wide as the terminal at most, and is taken back before anything else is written.
func TestProgress(t *testing.T) {
	var b strings.Builder
	text := Text{W: &b, All: 2, Live: true, Width: func() int { return 20 }}
	text.Start(Result{Name: "tests/with-a-long-name.txtar"})
	text.Done(results[1])
	text.End(Totals{}, "")
	if want := "\r\x1b[K[0/2] tests/with-a…\r\x1b[KFAIL  tests/b.txtar"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("%q", b.String())
	}
}

func TestTAP(t *testing.T) {
	var b strings.Builder
	tap := TAP{W: &b}
	tap.Begin(len(results))
	for _, r := range results {
		tap.Start(r)
		tap.Done(r)
	}
	tap.Stop("enough")
	const want = `TAP version 14
1..4
ok 1 - tests/a.txtar
not ok 2 - tests/b.txtar
  ---
  outcome: failed
  duration_ms: 2000
  attempts: 2
  folder: "/left/2-b"
  message: |
    tests/b.txtar:3: exec: 100% <wrong>
      stdout   # no comment
    hint: look, there
  ...
ok 3 - c d\#.txtar (round 2)
  ---
  outcome: flaky
  duration_ms: 90000
  attempts: 2
  message: |
    c d#.txtar:1: x
  ...
ok 4 - s.txtar # SKIP no moon
Bail out! enough
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

func TestGitHub(t *testing.T) {
	var b strings.Builder
	GitHub(&b, results, "")
	const want = `::error file=tests/b.txtar,line=3,title=failed%3A tests/b.txtar::tests/b.txtar:3: exec: 100%25 <wrong>%0A  stdout   # no comment%0Ahint: look, there
::warning file=c d#.txtar,line=1,title=flaky%3A c d#.txtar (round 2)::c d#.txtar:1: x
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

// The paths count from the top of the clone, wherever the tests were run.
func TestGitHubWorkspace(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(sub)
	for name, want := range map[string]string{"a.txtar": "sub/a.txtar", "t/a.txtar": "sub/t/a.txtar", "../../a.txtar": "../../a.txtar", dir + "/b.txtar": "b.txtar"} {
		var b strings.Builder
		GitHub(&b, []Result{{Name: name, Outcome: Failed, Attempts: []Attempt{{Error: "x", Line: 2}}}}, dir)
		if !strings.HasPrefix(b.String(), "::error file="+want+",line=2,") {
			t.Errorf("%s: %s", name, b.String())
		}
	}
}

func TestJUnit(t *testing.T) {
	var b strings.Builder
	if err := JUnit(&b, results, 3*time.Second); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="spawnx test" tests="4" failures="1" errors="0" skipped="1" time="3.000">
    <testcase name="a.txtar" classname="tests" file="tests/a.txtar" time="0.012"></testcase>
    <testcase name="b.txtar" classname="tests" file="tests/b.txtar" time="2.000">
      <failure message="tests/b.txtar:3: exec: 100% &lt;wrong&gt;">tests/b.txtar:3: exec: 100% &lt;wrong&gt;&#xA;  stdout   # no comment&#xA;  left     /left/2-b&#xA;hint: look, there</failure>
      <rerunFailure message="tests/b.txtar:2: exec: first">tests/b.txtar:2: exec: first&#xA;  stdout   x</rerunFailure>
    </testcase>
    <testcase name="c d#.txtar (round 2)" classname="spawnx" file="c d#.txtar" time="90.000">
      <flakyFailure message="c d#.txtar:1: x">c d#.txtar:1: x</flakyFailure>
    </testcase>
    <testcase name="s.txtar" classname="spawnx" file="s.txtar" time="0.000">
      <skipped message="no moon"></skipped>
    </testcase>
  </testsuite>
</testsuites>
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

// Whatever a file is called, the XML can be read.
func FuzzJUnit(f *testing.F) {
	f.Add("a\x00b\xff\ufffe<&>]]>\r")
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		r := Result{Name: s, Outcome: Failed, Reason: s, Attempts: []Attempt{{Error: s}}}
		if err := JUnit(&b, []Result{r}, 0); err != nil {
			t.Fatal(err)
		}
		dec := xml.NewDecoder(strings.NewReader(b.String()))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatalf("%v: %q", err, b.String())
			}
		}
	})
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	if err := JSON(&b, results, time.Second); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests []struct {
			Name, Outcome, Reason string
			Took                  int64 `json:"took_ns"`
			Attempts              []struct {
				Error, Folder string
				Line          int
				Steps         []struct {
					Line   int
					Failed bool
				}
			}
		}
		Totals map[string]int
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	second := got.Tests[1].Attempts[1]
	if len(got.Tests) != 4 || got.Totals["flaky"] != 1 || got.Tests[1].Took != 2e9 || second.Folder != "/left/2-b" || !second.Steps[2].Failed ||
		second.Line != 3 || got.Tests[3].Reason != "no moon" {
		t.Errorf("%s", b.String())
	}
	b.Reset()
	if err := JSON(&b, nil, 0); err != nil || !strings.Contains(b.String(), `"tests": []`) {
		t.Errorf("%v %s", err, b.String())
	}
}

// However much came, the page stays one that can be read.
func TestShortened(t *testing.T) {
	for _, n := range []int{0, 1, mostOutputs, mostOutputs + 1, 1000} {
		events := []Event{{Kind: Line}}
		for i := range n {
			events = append(events, Event{Kind: Output, At: time.Duration(i)})
		}
		events = append(events, Event{Kind: Fail})
		got := shortened(events)
		want := min(n, mostOutputs)
		if n > mostOutputs {
			want++
		}
		if len(got) != want+2 || got[0].Kind != Line || got[len(got)-1].Kind != Fail || n > 0 && got[len(got)-2].At != time.Duration(n-1) {
			t.Errorf("%d pieces: %v", n, got)
		}
	}
}

// The page escapes all that others wrote, and shows each attempt that failed.
func TestHTML(t *testing.T) {
	var b strings.Builder
	if err := HTML(&b, results, time.Second, "/left"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"<b>tests/b.txtar:3: exec: 100% &lt;wrong&gt;</b>", "attempt 1 of 2", "attempt 2 of 2", "server -x", "|&lt;hi&gt;", "data:image/svg+xml;base64,PHN2Zy8+",
		`<tr class="bad"><td class="n">3</td>`, `<tr class="not"><td class="n">4</td>`, `href="2-b/a%20b.txt"`, "nothing for 1s", "&#34;&lt;out&gt;&#34;",
		`<span class="flaky">flaky</span> c d#.txtar (round 2)`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, not := range []string{"<wrong>", "<hi>", "<out>", "tests/a.txtar", "<script"} {
		if strings.Contains(page, not) {
			t.Errorf("%s stands there", not)
		}
	}
}
