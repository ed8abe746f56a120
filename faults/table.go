//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A fault is one case. Its function does the same with the defence and without, and complains in the same words.
type fault struct {
	ID    string
	What  string          // what is done, what has to come
	Off   string          // what the control does instead
	Quick int             // repeats in every CI
	Full  int             // repeats of a whole run
	Tries int             // how often the control is tried until it fails; zero is 1
	Root  bool            // it needs two users
	Needs func() []string // a command that has to work for it to be run
	Run   func(t *T)
	Todo  string // why there is no Run yet
}

// A result is what came of a fault; the scoreboard is made of them.
type result struct {
	ID       string
	Repeats  int
	Failures int
	Control  string // "fails", as it should; "does not fail"; "" where there is none
	Took     time.Duration
	Seed     uint64
	First    string // the first complaint
	Skipped  string // why it was not run
}

func (r result) good() bool {
	return r.Skipped != "" || r.Failures == 0 && r.Control == "fails"
}

func (r result) String() string {
	switch {
	case r.Skipped != "":
		return fmt.Sprintf("%s  -     %s", r.ID, r.Skipped)
	case r.Failures > 0:
		return fmt.Sprintf("%s  FAIL  %d of %d, %v, seed %d: %s", r.ID, r.Failures, r.Repeats, r.Took.Round(time.Millisecond), r.Seed, r.First)
	case r.Control != "fails":
		return fmt.Sprintf("%s  FAIL  0 of %d failed, but the control %s, seed %d", r.ID, r.Repeats, r.Control, r.Seed)
	}
	return fmt.Sprintf("%s  ok    0 of %d failed (less than %s), the control fails, %v", r.ID, r.Repeats, bound(r.Repeats), r.Took.Round(time.Millisecond))
}

// bound is the rate of failures that n runs without one exclude, with 95 % certainty: the rule of three.
func bound(n int) string {
	if n < 3 {
		return "100 %"
	}
	return fmt.Sprintf("%.3g %%", 300/float64(n))
}

// A T is one run of a case.
type T struct {
	context.Context
	Defended bool
	Round    int
	Quick    bool
	Rand     *rand.Rand
	Dir      string // empty, and removed afterwards
	Mark     string // NAME=VALUE for the environment of all that is started
	Spawnx   string // the binary

	mu         sync.Mutex // complaints come from any goroutine
	complaints []string
	broken     string // the case itself did not work
}

// Errorf complains.
func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complaints = append(t.complaints, fmt.Sprintf(format, args...))
}

// A gaveUp is the panic of Fatal.
type gaveUp struct{}

// Fatalf complains and ends the run.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	panic(gaveUp{})
}

// Must ends the run if there is an error.
func (t *T) Must(err error) {
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// pick returns one of the two: with the defence, or without it.
func pick[V any](t *T, defended, without V) V {
	if t.Defended {
		return defended
	}
	return without
}

type runner struct {
	quick  bool
	share  int
	seed   uint64
	spawnx string
	out    io.Writer
}

func (r runner) run(ctx context.Context, chosen []fault) (results []result, err error) {
	fmt.Fprintf(r.out, "as %s, seed %d\n", who(), r.seed)
	for _, c := range chosen {
		if ctx.Err() != nil {
			break
		}
		res := r.one(ctx, c)
		fmt.Fprintln(r.out, res)
		results = append(results, res)
	}
	return results, nil
}

// caseTime bounds one run: what hangs has failed.
const caseTime = 5 * time.Minute

func (r runner) one(ctx context.Context, c fault) (res result) {
	begun := time.Now()
	res = result{ID: c.ID, Seed: r.seed}
	switch {
	case c.Run == nil:
		res.Skipped = c.Todo
		return res
	case c.Root && os.Geteuid() != 0:
		res.Skipped = "needs root, who can be two users"
		return res
	}
	if c.Needs != nil {
		words := c.Needs()
		if err := exec.CommandContext(ctx, words[0], words[1:]...).Run(); err != nil {
			res.Skipped = "not possible here: " + strings.Join(words, " ")
			return res
		}
	}
	repeats := max(c.Full/max(r.share, 1), c.Quick)
	if r.quick {
		repeats = c.Quick
	}
	for i := range repeats {
		complaints, broken := r.once(ctx, c, i, true)
		if broken != "" {
			complaints = []string{broken}
		}
		if ctx.Err() != nil {
			break
		}
		res.Repeats++
		if len(complaints) > 0 {
			res.Failures++
			if res.First == "" {
				res.First = complaints[0]
			}
		}
	}
	res.Control = "does not fail"
	for i := range max(c.Tries, 1) {
		complaints, broken := r.once(ctx, c, i, false)
		if broken != "" { // it does not fail for the right reason
			res.Control = broken
			break
		}
		if len(complaints) > 0 {
			res.Control = "fails"
			break
		}
	}
	res.Took = time.Since(begun)
	return res
}

func (r runner) once(ctx context.Context, c fault, round int, defended bool) (complaints []string, broken string) {
	ctx, cancel := context.WithTimeout(ctx, caseTime)
	defer cancel()
	dir, err := os.MkdirTemp("", c.ID)
	if err != nil {
		return nil, err.Error()
	}
	defer os.RemoveAll(dir)
	t := &T{
		Context: ctx, Defended: defended, Round: round, Quick: r.quick, Dir: dir, Spawnx: r.spawnx,
		Rand: rand.New(rand.NewPCG(r.seed, uint64(round))),
		Mark: fmt.Sprintf("SPAWNX_FAULT=%s-%d-%d", c.ID, os.Getpid(), rand.Uint64()),
	}
	defer killMarked(t.Mark) // what a control left
	func() {
		defer func() {
			if p := recover(); p != nil && p != (gaveUp{}) {
				t.broken = fmt.Sprintf("the case broke: %v\n%s", p, debug.Stack())
			}
		}()
		c.Run(t)
	}()
	return t.complaints, t.broken
}

// A board is what the scoreboard is made of, kept beside it.
type board struct {
	Kernel, Day string
	Results     map[string][]result // by user
}

// writeScoreboard puts results in the place of older ones of the same cases.
func writeScoreboard(dir string, all map[string][]result) error {
	var name unix.Utsname
	_ = unix.Uname(&name) // cannot fail
	b := board{Results: map[string][]result{}}
	if data, err := os.ReadFile(filepath.Join(dir, "results.json")); err == nil {
		if err := json.Unmarshal(data, &b); err != nil {
			return err
		}
	}
	b.Kernel, b.Day = unix.ByteSliceToString(name.Release[:]), time.Now().Format("2 January 2006")
	for user, results := range all {
		kept := slices.DeleteFunc(b.Results[user], func(old result) bool {
			return slices.ContainsFunc(results, func(r result) bool { return r.ID == old.ID })
		})
		b.Results[user] = append(kept, results...)
		slices.SortFunc(b.Results[user], func(x, y result) int { return strings.Compare(x.ID, y.ID) })
	}
	data, err := json.MarshalIndent(b, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "results.json"), append(data, '\n'), 0o644)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "README.md"), []byte(b.scoreboard(dir)), 0o644)
}

// scoreboard is what people read. What long runs have written is in dir.
func (d board) scoreboard(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Faults

What spawnx promises, tried by breaking things: lost output, orphans, full disks, killed supervisors, planted links.
Written by `+"`go run ./faults -write`"+`; do not edit. Linux %s, %s.

"0 of N" failed: with 95 %% certainty less than 3/N fail. *Without* is the negative control, the same case with its
defence switched off, which has to fail, or the case would prove nothing. "-" was not run, and says why.

| case | what has to hold | without | %s |
|---|---|---|%s
`, d.Kernel, d.Day, strings.Join(users(d.Results), " | "), strings.Repeat("---|", len(users(d.Results))))
	for _, c := range cases {
		off := c.Off
		if off == "" {
			off = "-"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |", c.ID, c.What, off)
		for _, user := range users(d.Results) {
			i := slices.IndexFunc(d.Results[user], func(r result) bool { return r.ID == c.ID })
			if i < 0 {
				b.WriteString(" - |")
				continue
			}
			b.WriteString(" " + cell(d.Results[user][i]) + " |")
		}
		b.WriteString("\n")
	}
	for _, long := range []struct{ file, title, text string }{
		{"inject.txt", "Injection", "System calls of spawnx itself that strace let fail, with each error at the first such call of a process, the second and\n" +
			"so on, or take 150 ms; the last whole run of `go run ./faults inject`. Each time spawnx ended, nothing was left, and either all was\n" +
			"as ever (unharmed) or it said what failed (refused). Go itself ends where it has no poller."},
		{"soak.txt", "Soak", "The last long run of `go run ./faults soak`:"},
	} {
		if data, err := os.ReadFile(filepath.Join(dir, long.file)); err == nil {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```\n%s```\n", long.title, long.text, data)
		}
	}
	return b.String()
}

func users(all map[string][]result) (names []string) {
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func cell(r result) string {
	switch {
	case r.Skipped != "":
		return "- " + r.Skipped
	case !r.good():
		return fmt.Sprintf("**%d of %d**; control %s", r.Failures, r.Repeats, r.Control)
	}
	return fmt.Sprintf("0 of %d; fails without", r.Repeats)
}
