package clitest

import (
	"fmt"
	"strings"

	"github.com/spawnx/spawnx/internal/escape"
)

const (
	around   = 3       // equal lines that are shown before and behind a change
	mostDiff = 60      // lines of a difference that are shown
	mostWork = 4 << 20 // pairs of lines that are compared to find the shortest difference
)

// diffLines shows how two texts differ: lines that are expected after "- ", those that came after "+ ",
// those around them after "  ". All is escaped.
func diffLines(want, have string) (lines []string) {
	a, b := cut(want), cut(have)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	if first := max(0, head-around); first > 0 {
		lines = append(lines, fmt.Sprintf("… (%s before)", count(first)))
		for _, text := range a[first:head] {
			lines = append(lines, "  "+text)
		}
	} else {
		for _, text := range a[:head] {
			lines = append(lines, "  "+text)
		}
	}
	lines = append(lines, changes(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, text := range a[len(a)-tail : len(a)-tail+min(tail, around)] {
		lines = append(lines, "  "+text)
	}
	if tail > around {
		lines = append(lines, fmt.Sprintf("… (%s behind)", count(tail-around)))
	}
	if len(lines) > mostDiff {
		lines = append(lines[:mostDiff], fmt.Sprintf("… (%s more)", count(len(lines)-mostDiff)))
	}
	return lines
}

func count(n int) string {
	if n == 1 {
		return "1 line"
	}
	return fmt.Sprintf("%d lines", n)
}

// cut returns the lines of a text, escaped; a last one without its end says so.
func cut(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	} else {
		lines[last] += " (no line end)"
	}
	for i := range lines {
		lines[i] = escape.Visible(lines[i])
	}
	return lines
}

// changes is the shortest way from a to b (longest common subsequence), or all of both where that would
// be too much work.
func changes(a, b []string) (lines []string) {
	if len(a)*len(b) > mostWork {
		for _, text := range a {
			lines = append(lines, "- "+ends(text))
		}
		for _, text := range b {
			lines = append(lines, "+ "+ends(text))
		}
		return lines
	}
	width := len(b) + 1
	common := make([]int32, (len(a)+1)*width) // of a[i:] and b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, "  "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[(i+1)*width+j] >= common[i*width+j+1]:
			lines = append(lines, "- "+ends(a[i]))
			i++
		default:
			lines = append(lines, "+ "+ends(b[j]))
			j++
		}
	}
	return lines
}

// ends is a line with the blanks at its end to be seen.
func ends(text string) string {
	plain := strings.TrimRight(text, " \t")
	return plain + strings.NewReplacer(" ", `\x20`, "\t", `\t`).Replace(text[len(plain):])
}
