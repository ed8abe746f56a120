package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A contestant written in Go is this binary again, as a process of its own: `bench as NAME WORKLOAD ARG...`. What it
// measured it prints as lines of a name and a number; "seconds" and "units" (of work done) are always there.
var contestants = map[string]map[string]func(args []string) error{
	"spawnx":    spawnxDoes,
	"go-expect": goExpectDoes,
	"go direct": directDoes,
	"tmux":      tmuxDoes,
}

// contest runs one workload as one contestant.
func contest(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want: as NAME WORKLOAD [ARG]")
	}
	does, ok := contestants[args[0]][args[1]]
	if !ok {
		return fmt.Errorf("%s does no %s", args[0], args[1])
	}
	profiled, err := startProfile(os.Getenv("BENCH_PROFILE"))
	if err != nil {
		return err
	}
	defer profiled()
	return does(args[2:])
}

func report(took time.Duration, units float64) {
	fmt.Printf("seconds %.9f\nunits %.0f\n", took.Seconds(), units)
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		fmt.Printf("user %.6f\nsystem %.6f\n", time.Duration(u.Utime.Nano()).Seconds(), time.Duration(u.Stime.Nano()).Seconds())
	}
	fmt.Printf("peak_kib %.0f\n", statusField("VmHWM"))
}

// exchanges are the times of a ping-pong, in which each begins where the one before ended.
type exchanges struct {
	took []time.Duration
	from time.Time // of the first that counts
	last time.Time
}

func newExchanges(n int) *exchanges { return &exchanges{took: make([]time.Duration, 0, n)} }

// begin says that exchange i begins; those below 0 do not count.
func (e *exchanges) begin(i int) {
	now := time.Now()
	switch {
	case i == 0:
		e.from = now
	case i > 0:
		e.took = append(e.took, now.Sub(e.last))
	}
	e.last = now
}

func (e *exchanges) report() {
	e.begin(1)
	report(e.last.Sub(e.from), float64(len(e.took)))
	reportLatency(e.took)
}

// reportLatency sorts took.
func reportLatency(took []time.Duration) {
	slices.Sort(took)
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	fmt.Printf("p50_us %.1f\np99_us %.1f\n", us(took[len(took)/2]), us(took[len(took)*99/100]))
}

// statusField returns a number of /proc/self/status.
func statusField(name string) float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			v, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return v
		}
	}
	return 0
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// A pattern of the command line is t and a text, or r and a regular expression.
func isRegexp(arg string) bool { return arg[0] == 'r' }

// cut splits the arguments of find: until the word "for" the command, then the patterns.
func cut(args []string) (cmd, patterns []string) {
	i := slices.Index(args, "for")
	return args[:i], args[i+1:]
}
