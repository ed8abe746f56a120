package main

import (
	"fmt"
	"html"
	"io"
)

// The chart shows what people ask first, as bars of the ratio to the C limit.
var charted = []struct{ name, title string }{
	{"spawn/1", "start a program, read to its end, reap it"},
	{"pingpong/pty", "a line there and back, on a terminal"},
	{"pingpong/pipe", "a line there and back, on pipes"},
	{"find/pipe/literal", "find a text behind 200 MB, on a pipe"},
	{"find/pipe/captures", "find a regular expression behind 200 MB, on a pipe"},
	{"find/pty/captures", "find a regular expression behind 50 MB, on a terminal"},
	{"relay/unobserved", "our input to our output, through pipes"},
	{"sessions/1000", "1,000 terminals at once, 100 exchanges each"},
	{"dialog", "a dialog with bash, 200 commands"},
}

var colours = map[string]string{
	lim: "#9aa0a6", us: "#1a73e8", netflix: "#e37400", tcl: "#c5221f", pexpect: "#7cb342", pexpectFast: "#188038", bareGo: "#c8c8c8", goRegexp: "#c8c8c8", "cat": "#8d6e63", tmux: "#8430ce", socat: "#00838f",
}

// Sizes in pixels.
const (
	chartWidth = 760
	labelWidth = 110
	barsWidth  = 520
	barHeight  = 14
	fullScale  = 1.25 // the ratio at the right edge
)

// chart draws the medians as an SVG.
func (all *results) chart(w io.Writer) {
	byName := map[string]result{}
	for _, r := range all.Workloads {
		byName[r.Name] = r
	}
	height := 50
	for _, c := range charted {
		if r, ok := byName[c.name]; ok {
			height += 34 + barHeight*drawn(r)
		}
	}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="11">`+"\n", chartWidth, height)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, height)
	fmt.Fprintf(w, `<text x="10" y="20" font-size="13" fill="#202124">Rate as a ratio to a bare C program that makes only the necessary system calls. More is better.</text>`+"\n")
	y := 36
	for _, c := range charted {
		r, ok := byName[c.name]
		if !ok {
			continue
		}
		y += 20
		fmt.Fprintf(w, `<text x="10" y="%d" font-weight="bold" fill="#202124">%s</text>`+"\n", y, html.EscapeString(c.title))
		y += 6
		top := y
		for _, c := range r.Contestants {
			if len(c.Rates) == 0 {
				continue
			}
			width := max(1, min(c.Ratio, fullScale)/fullScale*barsWidth)
			fmt.Fprintf(w, `<text x="%d" y="%d" text-anchor="end" fill="#3c4043">%s</text>`, labelWidth-6, y+11, html.EscapeString(c.Name))
			fmt.Fprintf(w, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, labelWidth, y+1, width, barHeight-3, colours[c.Name])
			fmt.Fprintf(w, `<text x="%.1f" y="%d" fill="#3c4043">%s  (%s %s)</text>`+"\n", labelWidth+width+5, y+11, ratio(c.Ratio), figure(c.Median), r.Unit)
			y += barHeight
		}
		x := labelWidth + barsWidth/fullScale
		fmt.Fprintf(w, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#5f6368" stroke-dasharray="2,2"/>`+"\n", x, top, x, y)
		y += 8
	}
	m := all.Machine
	fmt.Fprintf(w, `<text x="10" y="%d" fill="#5f6368">%s</text>`+"\n</svg>\n", height-8,
		html.EscapeString(fmt.Sprintf("%s, %s, %d cores, Linux %s, medians of %d rounds", m.Date, m.CPU, m.Cores, m.Kernel, m.Rounds)))
}

// drawn counts the bars of a workload.
func drawn(r result) (n int) {
	for _, c := range r.Contestants {
		if len(c.Rates) > 0 {
			n++
		}
	}
	return n
}
