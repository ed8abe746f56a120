package report

import (
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// HTML writes one page that shows every attempt that failed, also of tests that passed later: the error, what a
// person would have seen, the script with the time of each line, and what happened in between. It needs no
// other file and runs no code; links lead to what lies beside it. dir is the folder that it is written to.
func HTML(w io.Writer, results []Result, took time.Duration, dir string) error {
	p := &page{dir: dir}
	totals := Total(results, took)
	p.printf(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>spawnx test: %d failed</title>
<link rel="icon" href="data:,">
<style>%s</style>
</head>
<body>
<header>
<h1>%s</h1>
</header>
`, totals.Failed, style, esc(totals.String()))
	p.contents(results)
	for i, r := range results {
		for n, a := range r.Attempts {
			if a.Error != "" {
				p.attempt(r, a, i, n)
			}
		}
	}
	p.printf("</body>\n</html>\n")
	_, err := io.WriteString(w, p.b.String())
	return err
}

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --bad: #c22; --good: #282; --dim: #888 }
@media (prefers-color-scheme: dark) { :root { --bad: #f77; --good: #7c7 } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 75rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.15rem; margin: 0 0 .5rem } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem }
pre, code, td, .script { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 13px }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: .7rem; margin: .4rem 0; border-radius: 4px }
pre b { color: var(--bad) }
nav ul { list-style: none; padding: 0 } nav li { margin: .15rem 0 }
section { border-top: 3px solid var(--line); padding: 1rem 0 2rem; margin-top: 1rem }
.failed { color: var(--bad) } .flaky { color: #b80 } .passed { color: var(--good) } .dim { color: var(--dim) }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .1rem .6rem .1rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
td.n { text-align: right; white-space: nowrap; color: var(--dim); width: 1% } td.k { white-space: nowrap; width: 1% }
tr.bad td { background: #f002 } tr.phase td { font-weight: bold; padding-top: .5rem } tr.not td { color: var(--dim) }
tr.line td { border-top: 1px solid var(--line); font-weight: bold } tr.gap td { color: var(--bad); font-style: italic }
img { max-width: 100%; height: auto; border-radius: 4px; display: block; margin: .4rem 0 }
.beside { display: flex; flex-wrap: wrap; gap: 0 2rem } .beside > div { flex: 2 1 22rem; min-width: 0 } .beside > div:first-child { flex: 3 1 36rem } .beside p { margin: .2rem 0 }
tr.fail td { background: #f002; font-weight: bold }
details { margin: .5rem 0 } summary { cursor: pointer }
`

type page struct {
	b   strings.Builder
	dir string
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

func esc(s string) string { return html.EscapeString(s) }

// contents lists the tests that failed or were flaky.
func (p *page) contents(results []Result) {
	p.printf("<nav>\n<ul>\n")
	for i, r := range results {
		if r.Failure() == nil {
			continue
		}
		p.printf("<li><a href=\"#t%d-%d\"><span class=\"%s\">%s</span> %s</a> <span class=\"dim\">%s</span></li>\n",
			i, r.firstFailure(), r.Outcome, r.Outcome, esc(r.Title()), esc(strings.Replace(r.Failure().Reason(), r.Name+":", "line ", 1)))
	}
	p.printf("</ul>\n</nav>\n")
}

func (r Result) firstFailure() int {
	for n, a := range r.Attempts {
		if a.Error != "" {
			return n
		}
	}
	return 0
}

func (p *page) attempt(r Result, a Attempt, i, n int) {
	p.printf("<section id=\"t%d-%d\">\n<h2><span class=\"%s\">%s</span> %s", i, n, r.Outcome, r.Outcome, esc(r.Title()))
	if len(r.Attempts) > 1 {
		p.printf(" <span class=\"dim\">attempt %d of %d</span>", n+1, len(r.Attempts))
	}
	p.printf(" <span class=\"dim\">%s</span></h2>\n", Round(a.Took))
	first, rest, _ := strings.Cut(a.Error, "\n")
	if rest != "" {
		rest = "\n" + rest
	}
	p.printf("<pre class=\"error\"><b>%s</b>%s</pre>\n", esc(first), esc(rest))
	p.printf("<div class=\"beside\">\n")
	if len(a.Programs) > 0 {
		p.printf("<div>\n")
		for _, program := range a.Programs {
			p.program(program)
		}
		p.printf("</div>\n")
	}
	p.script(a)
	p.printf("</div>\n")
	p.timeline(a.Events)
	p.files(a)
	p.printf("</section>\n")
}

func (p *page) program(program Program) {
	name := ""
	if program.Name != "" {
		name = "@" + program.Name + " "
	}
	p.printf("<h3>%s%s</h3>\n<p class=\"dim\">%s</p>\n", esc(name), esc(program.Command), esc(program.State))
	if len(program.SVG) > 0 {
		p.printf("<img alt=\"the screen\" src=\"data:image/svg+xml;base64,%s\">\n", base64.StdEncoding.EncodeToString(program.SVG))
	}
	if program.Screen != "" {
		open := ""
		if len(program.SVG) == 0 {
			open = " open"
		}
		p.printf("<details%s><summary>the screen as text</summary>\n<pre>%s</pre></details>\n", open, esc(program.Screen))
	}
}

// script shows all lines: those that were done with their times, the one that failed, and those it did not come to.
func (p *page) script(a Attempt) {
	if len(a.Script) == 0 {
		return
	}
	done := map[int]Step{}
	for _, s := range a.Steps {
		done[s.Line] = s
	}
	p.printf("<div>\n<h3>the script</h3>\n<table class=\"script\">\n")
	for i, text := range a.Script {
		step, ok := done[i+1]
		class, took := "", ""
		switch {
		case ok && step.Failed || a.Line == i+1:
			class = "bad"
		case !ok:
			class = "not"
		}
		if strings.HasPrefix(text, "#") {
			class = "phase"
		} else if ok {
			took = Round(step.Took).String()
		}
		p.printf("<tr class=\"%s\"><td class=\"n\">%d</td><td class=\"n\">%s</td><td>%s</td></tr>\n", class, i+1, took, esc(text))
	}
	p.printf("</table>\n</div>\n")
}

const longGap = 500 * time.Millisecond // without any event: worth a line of its own

func (p *page) timeline(events []Event) {
	if len(events) == 0 {
		return
	}
	p.printf("<details open><summary>what happened</summary>\n<table class=\"timeline\">\n")
	last := time.Duration(0)
	for _, e := range shortened(events) {
		if gap := e.At - last; gap >= longGap && e.Kind != Cut {
			p.printf("<tr class=\"gap\"><td class=\"n\"></td><td class=\"k\"></td><td>nothing for %s</td></tr>\n", Round(gap))
		}
		last = e.At
		who := string(e.Kind)
		if e.Program != "" {
			who = "@" + e.Program + " " + who
		}
		text := e.Text
		if e.Kind == Line {
			text = fmt.Sprintf("%d  %s", e.Line, e.Text)
		}
		p.printf("<tr class=\"%s\"><td class=\"n\">%.3f</td><td class=\"k\">%s</td><td>%s</td></tr>\n",
			e.Kind, e.At.Seconds(), esc(who), esc(text))
	}
	p.printf("</table>\n</details>\n")
}

// mostOutputs is how many pieces of output in a row are shown.
const mostOutputs = 6

// shortened are events without the middle of long output.
func shortened(events []Event) (short []Event) {
	for len(events) > 0 {
		n := 0
		for n < len(events) && events[n].Kind == Output {
			n++
		}
		if n > mostOutputs {
			from, to := mostOutputs/2, n-mostOutputs/2
			short = append(short, events[:from]...)
			short = append(short, Event{At: events[to-1].At, Kind: Cut, Text: fmt.Sprintf("%d more pieces of output: see the transcript", to-from)})
			events, n = events[to:], n-to
		}
		n = max(n, 1)
		short, events = append(short, events[:n]...), events[n:]
	}
	return short
}

// files links to what the failure left.
func (p *page) files(a Attempt) {
	if a.Folder == "" || len(a.Files) == 0 {
		return
	}
	folder, err := filepath.Rel(p.dir, a.Folder)
	if err != nil {
		folder = a.Folder
	}
	p.printf("<h3>left</h3>\n<p>")
	for _, name := range a.Files {
		p.printf("<a href=\"%s\">%s</a> ", esc(escapeURL(filepath.ToSlash(filepath.Join(folder, name)))), esc(name))
	}
	p.printf("</p>\n")
}

// escapeURL keeps a path from being read as anything else.
func escapeURL(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23", " ", "%20", ":", "%3A").Replace(path)
}
