package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// sample is what two contestants of one workload measured in three rounds.
func sample() results {
	r := result{Name: "spawn/1", Title: "start it", Unit: "ops/s", Limit: lim, Contestants: []*contestant{
		{Name: lim, Rates: []float64{100, 10, 200}},
		{Name: us, Rates: []float64{50, 10, 40}},
		{Name: tcl, Failed: "exit status 1"},
	}}
	r.summarize()
	return results{Workloads: []result{r}}
}

func TestRatioIsTheMedianOfTheRounds(t *testing.T) {
	c := sample().Workloads[0].Contestants[1]
	if c.Ratio != 0.5 { // of 0.5, 1 and 0.2; not 40/100
		t.Errorf("ratio %v", c.Ratio)
	}
	if c.Best != 0.25 {
		t.Errorf("ratio of the best rounds %v", c.Best)
	}
	if c.Median != 40 || c.Min != 10 || c.Max != 50 {
		t.Errorf("median %v, from %v to %v", c.Median, c.Min, c.Max)
	}
}

func TestTableShowsWhoFailedAndWhy(t *testing.T) {
	var b strings.Builder
	all := sample()
	all.table(&b)
	for _, want := range []string{"| spawnx ", "failed: exit status 1", "x C limit"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestChartIsWellFormed(t *testing.T) {
	var b strings.Builder
	all := sample()
	all.chart(&b)
	bars := 0
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 3 { // the background and those who did not fail
		t.Errorf("%d rectangles in\n%s", bars, b.String())
	}
}

func TestFiguresOfAContestant(t *testing.T) {
	var c contestant
	c.add(map[string]float64{"seconds": 2, "units": 8e6, "user": 0.5, "system": 0.5, "peak_kib": 100}, "MB/s")
	if c.Rates[0] != 4 || c.More["per_cpu_s"][0] != 8 || c.More["peak_kib"][0] != 100 {
		t.Errorf("%+v", c)
	}
}

func TestEveryWorkloadHasItsLimitAndUs(t *testing.T) {
	for _, w := range workloads(place{}) {
		var limit, ours bool
		for _, r := range w.runs {
			limit = limit || r.who == w.limit
			ours = ours || strings.HasPrefix(r.who, us)
		}
		if !limit || !ours {
			t.Errorf("%s: of %v, limit %v, spawnx %v", w.name, names(w.runs), limit, ours)
		}
	}
}

func TestEveryContestantInGoDoesItsWorkload(t *testing.T) {
	for _, w := range workloads(place{self: "self"}) {
		for _, r := range w.runs {
			if r.argv[0] == "self" && contestants[r.argv[2]][r.argv[3]] == nil {
				t.Errorf("%s: %s does no %s", w.name, r.argv[2], r.argv[3])
			}
		}
	}
}

func TestFiguresGoBetweenTheMarks(t *testing.T) {
	all := sample()
	text := "# head\n<!-- overview -->\nold\n<!-- end of overview -->\nprose\n<!-- tables -->\n<!-- end of tables -->\ntail\n"
	once, err := all.fillIn([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# head\n<!-- overview -->\n", "| spawn/1 ", "<!-- end of overview -->\nprose\n", "### spawn/1", "<!-- end of tables -->\ntail\n"} {
		if !strings.Contains(string(once), want) {
			t.Errorf("%q is not in\n%s", want, once)
		}
	}
	if strings.Contains(string(once), "old") {
		t.Error("the old figures are still there")
	}
	if twice, err := all.fillIn(once); err != nil || string(twice) != string(once) {
		t.Errorf("%v; the second time gives something else:\n%s", err, twice)
	}
	if _, err := all.fillIn([]byte("no marks")); err == nil {
		t.Error("a text without marks is no error")
	}
}
