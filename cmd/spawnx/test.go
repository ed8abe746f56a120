package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/internal/clitest"
	"github.com/spawnx/spawnx/internal/clitest/report"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/ptyio"
)

// testFlags are the flags of test.
type testFlags struct {
	update, lastFailed, strict, tap, verbose bool
	run, shard, junit, json, keep, chunk     string
	jobs, retries, repeat                    int
	timeout, wait                            time.Duration
}

func newTest() *cobra.Command {
	var flags testFlags
	cmd := &cobra.Command{
		Use:   "test [FLAGS] [PATH...]",
		Short: "Run tests of command-line programs",
		Long: `Run the tests *.txtar at or below each PATH (default: this folder). A test is a txtar
archive: a script, one command a line, and the files that it begins with. The commands are
those of testscript and those of a dialog:

  spawn [-size 24x80] [-stdio pipes] CMD...   start a program, on a terminal
  expect [-timeout 5s] [-screen] PATTERN...   wait for one of these
  send TEXT, sendline TEXT, sendkey KEY..., sendsecret REF, sendeof, paste TEXT, mouse
  on PATTERN REPLY                            answer it from now on
  screen [-styles] NAME                       wait until the screen equals NAME.screen
  resize 30x100, signal INT, wait [STATUS], retry 30s COMMAND..., @NAME COMMAND...
  exec stdout stderr grep cmp cmpenv cp mv cd chmod env exists mkdir rm symlink stdin
  unquote unix2dos kill skip stop             as in testscript

docs/tests.md describes them. Every test has its own folder and a fixed environment, and
what it starts is gone afterwards.

Exit status: 0 all passed or were skipped, 1 not all did, 125 wrong usage.`,
		Example: `  spawnx test
  spawnx test -u vim.txtar
  spawnx test --run 'login|sudo' --retries 2 --junit report.xml tests/
  spawnx test --repeat 20 --chunk 1 flaky.txtar`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, paths []string) error {
			plan, err := flags.plan(paths)
			if err == nil {
				err = plan.open()
			}
			if err != nil {
				return usageOf(cmd, err)
			}
			return plan.run()
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVarP(&flags.update, "update", "u", false, "write what came into the screens and files that differ")
	f.StringVar(&flags.run, "run", "", "only tests whose path this regular `expression` matches")
	f.BoolVar(&flags.lastFailed, "last-failed", false, "only tests that failed when they were run last")
	f.StringVar(&flags.shard, "shard", "", "only the i-th of n parts, `i/n`, such as 1/3")
	f.IntVar(&flags.jobs, "jobs", runtime.GOMAXPROCS(0), "how many run at a time; one for each processor unless set")
	f.IntVar(&flags.retries, "retries", 0, "run what failed again, up to this often; a pass then is flaky")
	f.BoolVar(&flags.strict, "strict", false, "flaky tests count as failed")
	f.IntVar(&flags.repeat, "repeat", 1, "run each test this often")
	f.StringVar(&flags.chunk, "chunk", "", "cut the reads of output, to find races: `1` byte each, or random:SEED")
	f.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { flags.timeout = d }}, "timeout", "of each test (default 10m)")
	f.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { flags.wait = d }}, "wait-timeout",
		"of each wait that sets none itself (default 30s)")
	f.StringVar(&flags.junit, "junit", "", "write results as JUnit's XML to this `file`")
	f.StringVar(&flags.json, "json", "", "write results as JSON to this `file`; - is our output")
	f.BoolVar(&flags.tap, "tap", false, "write results as TAP, instead of ours")
	f.StringVar(&flags.keep, "keep", "", "leave what failures leave in this `folder`, with the tests' own folders")
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "tell of every test and every line")
	return cmd
}

// A testPlan is what the flags of test ask for.
type testPlan struct {
	flags testFlags
	tests []*clitest.Test
	opts  clitest.Options
	none  string // why there is nothing to do, if so
	out   *ownOutput

	junit, json *os.File // nil: not asked for, or json is our output
}

// plan reads the tests. What it says no to is wrong usage.
func (f testFlags) plan(paths []string) (p testPlan, err error) {
	p = testPlan{flags: f, out: &ownOutput{f: os.Stdout}, opts: clitest.Options{
		Update: f.update, Jobs: f.jobs, Retries: f.retries, Repeat: f.repeat, Timeout: f.timeout, Wait: f.wait, Keep: f.keep,
	}}
	if err := f.check(); err != nil {
		return p, err
	}
	if f.chunk != "" {
		if p.opts.Chunk, err = clitest.ParseChunk(f.chunk); err != nil {
			return p, fmt.Errorf("--chunk: %w", err)
		}
	}
	var only *regexp.Regexp
	if f.run != "" {
		if only, err = regexp.Compile(f.run); err != nil {
			return p, fmt.Errorf("--run: %w", err)
		}
	}
	files, err := clitest.Find(paths)
	if err != nil {
		return p, err
	}
	if only != nil {
		files = slices.DeleteFunc(files, func(name string) bool { return !only.MatchString(filepath.ToSlash(name)) })
		if len(files) == 0 {
			return p, fmt.Errorf("--run %s matches none of the tests", f.run)
		}
	}
	if f.lastFailed {
		failed := clitest.LastFailed()
		files = slices.DeleteFunc(files, func(name string) bool { return !failed(name) })
		if len(files) == 0 {
			p.none = "none of these failed when they were run last"
		}
	}
	if f.shard != "" {
		i, n, _ := clitest.ParseShard(f.shard) // was checked
		if files = clitest.Shard(files, i, n); len(files) == 0 && p.none == "" {
			p.none = "there are fewer tests than parts"
		}
	}
	if len(files) > 0 {
		clitest.Prepare()
	}
	p.tests, err = clitest.ReadAll(files)
	return p, err
}

// open opens what the run is to write, so that it does not fail for that at its end. What an earlier run has left there
// is gone then: it would be taken for this one's.
func (p *testPlan) open() (err error) {
	for _, report := range []struct {
		flag, name string
		file       **os.File
	}{{"--junit", p.flags.junit, &p.junit}, {"--json", p.flags.json, &p.json}} {
		if report.name == "" || report.name == "-" {
			continue
		}
		if strings.HasSuffix(report.name, ".txtar") { // the file's name was forgotten, and this would be overwritten
			return fmt.Errorf("%s %s: that is a test\nhint: write %s FILE, and the tests behind it", report.flag, report.name, report.flag)
		}
		if *report.file, err = os.Create(report.name); err != nil {
			return fmt.Errorf("%s: %w", report.flag, err)
		}
	}
	if p.flags.keep == "" {
		return nil
	}
	if err := os.MkdirAll(p.flags.keep, 0o777); err != nil {
		return fmt.Errorf("--keep: %w", err)
	}
	try, err := os.CreateTemp(p.flags.keep, ".try-")
	if err != nil {
		return fmt.Errorf("--keep: %s cannot be written to", p.flags.keep)
	}
	return errors.Join(try.Close(), os.Remove(try.Name()))
}

func (f testFlags) check() error {
	switch {
	case f.update && os.Getenv("CI") != "":
		return errors.New("-u is refused where CI is set: what a machine saw would become what is expected\nhint: run it at your desk, and commit what it changed")
	case f.update && f.repeat > 1:
		return errors.New("-u and --repeat: which of the rounds is to be written?")
	case f.update && f.retries > 0:
		return errors.New("-u and --retries: which of the tries is to be written?")
	case f.retries < 0:
		return errors.New("--retries must not be negative")
	case f.repeat < 1:
		return errors.New("--repeat must be 1 or more")
	case f.jobs < 1:
		return errors.New("--jobs must be 1 or more")
	case f.tap && f.json == "-":
		return errors.New("--tap and --json - both write to our output")
	case f.junit == "-":
		return errors.New("--junit writes to a file\nhint: --junit /dev/stderr, or --json - for our output")
	}
	if f.shard != "" {
		if _, _, err := clitest.ParseShard(f.shard); err != nil {
			return fmt.Errorf("--shard: %w", err)
		}
	}
	return scale.Check()
}

// errTests: not all tests passed. What was wrong has been said.
var errTests = errors.New("tests failed")

func (p testPlan) run() error {
	if p.none != "" {
		return p.nothing()
	}
	ctx, stop := untilSignal()
	defer stop()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // little is kept: what is collected more often takes time from the tests
	}
	watch, end := p.watcher()
	began := time.Now()
	run, err := clitest.Run(ctx, p.tests, p.opts, watch)
	if err != nil && run.Results == nil {
		return err
	}
	took := time.Since(began)
	end(run, took, ctx.Err() != nil)
	if err := errors.Join(err, p.reports(run.Results, took)); err != nil {
		return err
	}
	totals := report.Total(run.Results, took)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case totals.Failed > 0, p.flags.strict && totals.Flaky > 0:
		return errTests
	}
	return p.out.failed()
}

// nothing tells that there is nothing to do, and why.
func (p testPlan) nothing() error {
	if p.flags.tap {
		tap := report.TAP{W: p.out}
		tap.None(p.none)
	} else {
		fmt.Fprintln(p.people(), "0 tests: "+p.none)
	}
	return errors.Join(p.reports(nil, 0), p.out.failed())
}

// people is where people read.
func (p testPlan) people() *ownOutput {
	if p.flags.json == "-" {
		return &ownOutput{f: os.Stderr}
	}
	return p.out
}

// watcher tells people, or programs that read TAP, what happens; end tells the rest.
func (p testPlan) watcher() (clitest.Watcher, func(run clitest.Outcome, took time.Duration, stopped bool)) {
	all := len(p.tests) * p.flags.repeat
	if p.flags.tap {
		tap := &report.TAP{W: p.out}
		tap.Begin(all)
		return tap, func(_ clitest.Outcome, _ time.Duration, stopped bool) {
			if stopped {
				tap.Stop("interrupted")
			}
		}
	}
	out := p.people()
	text := &report.Text{W: out, Verbose: p.flags.verbose, All: all, Live: isTerminal(out.f), Width: func() int { return width(out.f) }}
	return text, func(run clitest.Outcome, took time.Duration, _ bool) {
		totals := report.Total(run.Results, took)
		totals.NotRun = all - len(run.Results)
		text.End(totals, run.Page)
		if os.Getenv("GITHUB_ACTIONS") == "true" {
			report.GitHub(out, run.Results, os.Getenv("GITHUB_WORKSPACE"))
		}
	}
}

func isTerminal(f *os.File) bool { return ptyio.IsTerminal(f) && os.Getenv("TERM") != "dumb" }

func width(f *os.File) int {
	size, err := ptyio.SizeOf(f)
	if err != nil {
		return 80
	}
	return size.Cols
}

// reports writes the files that were asked for.
func (p testPlan) reports(results []report.Result, took time.Duration) error {
	write := func(flag string, file *os.File, to func(io.Writer) error) error {
		if file == nil {
			return nil
		}
		var b strings.Builder
		err := to(&b)
		if err == nil {
			_, err = io.WriteString(file, b.String())
		}
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		return nil
	}
	err := errors.Join(
		write("--junit", p.junit, func(w io.Writer) error { return report.JUnit(w, results, took) }),
		write("--json", p.json, func(w io.Writer) error { return report.JSON(w, results, took) }),
	)
	if p.flags.json == "-" {
		err = errors.Join(err, report.JSON(p.out, results, took))
	}
	return err
}
