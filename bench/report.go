package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// results are all figures of one run of the suite, as -json writes them.
type results struct {
	Machine   machine  `json:"machine"`
	Workloads []result `json:"workloads"`
}

type machine struct {
	Date   string            `json:"date"`
	CPU    string            `json:"cpu"`
	Cores  int               `json:"cores"`
	Kernel string            `json:"kernel"`
	Go     string            `json:"go"`
	Peers  map[string]string `json:"peers"` // versions
	Load   string            `json:"load"`  // the load average when it began
	Rounds int               `json:"rounds"`
	Quick  bool              `json:"quick,omitempty"`
}

type result struct {
	Name        string        `json:"name"`
	Title       string        `json:"title"`
	Unit        string        `json:"unit"`
	Limit       string        `json:"limit"`
	Target      string        `json:"target,omitempty"`
	Extra       []string      `json:"extra,omitempty"`
	Contestants []*contestant `json:"contestants"`
}

// A contestant's figures, by round. Ratio compares rates with the limit's of the same round: the median of the rounds.
type contestant struct {
	Name   string               `json:"name"`
	Failed string               `json:"failed,omitempty"`
	Units  float64              `json:"units"` // of work in a round: operations or bytes
	Rates  []float64            `json:"rates,omitempty"`
	Median float64              `json:"median"`
	Min    float64              `json:"min"`
	Max    float64              `json:"max"`
	Ratio  float64              `json:"ratio"`
	Best   float64              `json:"best_ratio"` // of the best rounds: what others on the machine take away matters least there
	More   map[string][]float64 `json:"more,omitempty"`
}

// add takes the figures of one round.
func (c *contestant) add(figures map[string]float64, unit string) {
	scale := 1.0
	if unit == "MB/s" {
		scale = 1e6
	}
	c.Units = figures["units"]
	c.Rates = append(c.Rates, figures["units"]/scale/figures["seconds"])
	if c.More == nil {
		c.More = map[string][]float64{}
	}
	for name, v := range figures {
		if name != "units" && name != "seconds" {
			c.More[name] = append(c.More[name], v)
		}
	}
	if cpu := figures["user"] + figures["system"]; cpu > 0 {
		c.More["per_cpu_s"] = append(c.More["per_cpu_s"], figures["units"]/scale/cpu) // the contestant's own, its children left out
	}
}

func (r *result) summarize() {
	var limit []float64
	for _, c := range r.Contestants {
		if c.Name == r.Limit {
			limit = c.Rates
		}
	}
	for _, c := range r.Contestants {
		if len(c.Rates) == 0 {
			continue
		}
		c.Median, c.Min, c.Max = median(c.Rates), slices.Min(c.Rates), slices.Max(c.Rates)
		var ratios []float64
		for i := range min(len(limit), len(c.Rates)) {
			ratios = append(ratios, c.Rates[i]/limit[i])
		}
		if len(ratios) > 0 {
			c.Ratio = median(ratios)
			c.Best = c.Max / slices.Max(limit)
		}
	}
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// labels of further figures, as the table shows them.
var labels = map[string]string{
	"per_cpu_s": "per own CPU second", "peak_kib": "peak KiB", "p50_us": "p50 µs", "p99_us": "p99 µs", "kib_each": "KiB each", "threads": "threads",
}

// table prints everything as Markdown that can be read as it is.
func (all *results) table(w io.Writer) {
	all.overview(w)
	all.tables(w)
}

// overview is what was run, and one row for each workload.
func (all *results) overview(w io.Writer) {
	m := all.Machine
	fmt.Fprintf(w, "%s, %s, %d cores, Linux %s, %s, %d rounds, load average at the start %s.\n", m.Date, m.CPU, m.Cores, m.Kernel, m.Go, m.Rounds, m.Load)
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(m.Peers)) {
		versions = append(versions, name+" "+m.Peers[name])
	}
	fmt.Fprintf(w, "Versions: %s.\n", strings.Join(versions, ", "))
	switch load, _ := strconv.ParseFloat(first(m.Load), 64); {
	case m.Quick:
		fmt.Fprintln(w, "A quick run: not to compare.")
	case load > float64(m.Cores):
		fmt.Fprintln(w, "Other work ran beside it: ratios of rates scatter; the figures per own CPU second are the ones to trust.")
	}
	all.summary(w)
}

func first(words string) string {
	word, _, _ := strings.Cut(words, " ")
	return word
}

// tables are those of all workloads.
func (all *results) tables(w io.Writer) {
	for _, r := range all.Workloads {
		fmt.Fprintf(w, "\n### %s\n%s", r.Name, r.Title)
		if r.Target != "" {
			fmt.Fprintf(w, " (target: %s)", r.Target)
		}
		fmt.Fprint(w, "\n\n")
		r.table(w)
	}
}

// fillIn returns a Markdown text with the run between its marks.
func (all *results) fillIn(text []byte) ([]byte, error) {
	for name, print := range map[string]func(io.Writer){"overview": all.overview, "tables": all.tables} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
		before, rest, found := strings.Cut(string(text), begin)
		_, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			return nil, fmt.Errorf("there is no place for the figures between %q and %q", begin, end)
		}
		var b bytes.Buffer
		print(&b)
		text = []byte(before + begin + b.String() + end + after)
	}
	return text, nil
}

func (r *result) table(w io.Writer) {
	extra := append([]string{"per_cpu_s"}, r.Extra...) // of the contestant's own processor time, its children's left out
	rows := [][]string{{"", "median " + r.Unit, "min", "max", "x " + r.Limit, "best x best"}}
	for _, e := range extra {
		rows[0] = append(rows[0], labels[e])
	}
	for _, c := range r.Contestants {
		if len(c.Rates) == 0 {
			rows = append(rows, append([]string{c.Name, "failed: " + c.Failed}, make([]string, len(rows[0])-2)...))
			continue
		}
		row := []string{c.Name, figure(c.Median), figure(c.Min), figure(c.Max), ratio(c.Ratio), ratio(c.Best)}
		for _, e := range extra {
			cell := ""
			if v := c.More[e]; len(v) > 0 {
				cell = figure(median(v))
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	markdown(w, rows)
}

// summary is one row for each workload: we, and the fastest peer.
func (all *results) summary(w io.Writer) {
	rows := [][]string{{"workload", "unit", "limit", "spawnx", "x limit", "best x best", "per own CPU s", "fastest peer", "its x limit", "target"}}
	for _, r := range all.Workloads {
		var limit, ours, peer *contestant
		for _, c := range r.Contestants {
			switch {
			case len(c.Rates) == 0:
			case c.Name == r.Limit:
				limit = c
			case strings.HasPrefix(c.Name, us):
				ours = cmp.Or(ours, c)
			case c.Name != bareGo && c.Name != goRegexp && (peer == nil || c.Ratio > peer.Ratio):
				peer = c
			}
		}
		if limit == nil || ours == nil || strings.HasPrefix(r.Limit, us) {
			continue
		}
		row := []string{r.Name, r.Unit, figure(limit.Median), figure(ours.Median), ratio(ours.Ratio), ratio(ours.Best), figure(median(ours.More["per_cpu_s"])), "", "", r.Target}
		if peer != nil {
			row[7], row[8] = peer.Name, ratio(peer.Ratio)
		}
		rows = append(rows, row)
	}
	fmt.Fprintln(w)
	markdown(w, rows)
}

// markdown prints rows, the first of which is the head, as a table that can be read as it is.
func markdown(w io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s |", cell, pad)
			} else {
				fmt.Fprintf(w, " %s%s |", pad, cell)
			}
		}
		fmt.Fprintln(w)
		if n == 0 {
			for i, width := range widths {
				if i == 0 {
					fmt.Fprintf(w, "|%s|", strings.Repeat("-", width+2))
				} else {
					fmt.Fprintf(w, "%s:|", strings.Repeat("-", width+1))
				}
			}
			fmt.Fprintln(w)
		}
	}
}

// figure shows three digits that count.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func ratio(v float64) string {
	if v >= 0.01 {
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

func thisMachine(rounds int, quick bool) machine {
	m := machine{Date: time.Now().Format("2006-01-02"), Cores: runtime.NumCPU(), Go: runtime.Version(), Rounds: rounds, Quick: quick, Peers: map[string]string{}}
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		_, after, _ := strings.Cut(string(data), "model name")
		line, _, _ := strings.Cut(after, "\n")
		m.CPU = strings.TrimLeft(line, "\t :")
	}
	var u syscall.Utsname
	if syscall.Uname(&u) == nil {
		for _, b := range u.Release {
			if b == 0 {
				break
			}
			m.Kernel += string(rune(b))
		}
	}
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(data))[:3], " ")
	}
	m.Peers["go-expect"] = goExpectVersion()
	for _, p := range peers {
		out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", p.pkg).Output()
		if err == nil {
			m.Peers[p.pkg] = string(out)
		}
	}
	return m
}
