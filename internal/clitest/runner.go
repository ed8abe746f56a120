package clitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/clitest/report"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
)

const (
	defaultTimeout = 10 * time.Minute // of a test
	defaultWait    = 30 * time.Second // of one wait
)

// A Watcher is told what happens during Run, by one goroutine at a time.
type Watcher interface {
	Start(r report.Result)
	Done(r report.Result)
}

// An Outcome is what became of a Run.
type Outcome struct {
	Results []report.Result // in the order of the tests
	Page    string          // the HTML page of all failures, "" if there were none
}

// Prepare begins with what Run needs and what takes a while, beside what the caller does until then: reading the tests.
func Prepare() {
	go func() {
		_, _ = proc.CheckContainment() // Run asks again, and waits for this
		sweepRoots()
	}()
}

// Run runs tests, several at a time. When ctx ends, the tests under way are ended and fail, and those that
// were not begun are left out. The error says why none could be run at all, or why the page could not be
// written.
func Run(ctx context.Context, tests []*Test, opts Options, watch Watcher) (Outcome, error) {
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Wait == 0 {
		opts.Wait = defaultWait
	}
	if opts.Jobs <= 0 {
		opts.Jobs = runtime.GOMAXPROCS(0)
	}
	root, err := newRoot()
	if err != nil {
		return Outcome{}, err
	}
	if release, ok := occupy(root); ok {
		defer release()
	}
	defer catchIgnored()()
	defer os.RemoveAll(root) // empty by now, but for what could not be removed, which was said then
	how, _ := proc.CheckContainment()
	r := &runner{opts: opts, root: root, watch: watch, contain: how != proc.NotContained, shelf: shelf{keep: opts.Keep}}
	switch how {
	case proc.ByCgroup:
		_ = proc.AdoptOrphans() // else the keeper does
	case proc.ByKeeper:
		r.umask = ownUmask()
	}
	began := time.Now()
	results := r.all(ctx, tests)
	remember(results)
	page, err := r.page(results, time.Since(began))
	return Outcome{results, page}, err
}

// catchIgnored has signals that are ignored, as in a shell's background job, caught by nobody instead. No program inherits that
// they are ignored, and to see to it at each start costs a fifth of what a small program does.
func catchIgnored() (ignore func()) {
	var ignored []os.Signal
	for s := syscall.Signal(1); s < 32; s++ {
		if signal.Ignored(s) {
			ignored = append(ignored, s)
		}
	}
	if len(ignored) == 0 {
		return func() {}
	}
	signal.Notify(make(chan os.Signal, 1), ignored...)
	return func() { signal.Ignore(ignored...) }
}

// A runner is one Run under way.
type runner struct {
	opts    Options
	root    string
	contain bool
	umask   *uint32 // ours, where programs are contained

	mu    sync.Mutex // guards what follows, and the calls of watch
	watch Watcher
	shelf shelf
	left  int // folders on it
}

// An item is one test in one round.
type item struct {
	test  *Test
	round int
}

func (r *runner) all(ctx context.Context, tests []*Test) []report.Result {
	var items []item
	for _, t := range tests {
		if r.opts.Repeat < 2 {
			items = append(items, item{t, 0})
			continue
		}
		for round := range r.opts.Repeat {
			items = append(items, item{t, round + 1})
		}
	}
	results := make([]*report.Result, len(items))
	next := make(chan int)
	var workers sync.WaitGroup
	for n := range min(r.opts.Jobs, len(items)) {
		p := &place{root: filepath.Join(r.root, fmt.Sprintf("%03d", n+1))}
		workers.Go(func() {
			for i := range next {
				results[i] = r.one(ctx, items[i], p)
			}
		})
	}
	for i := range items {
		if ctx.Err() != nil {
			break
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	var all []report.Result
	for _, result := range results {
		if result != nil {
			all = append(all, *result)
		}
	}
	return all
}

// one runs a test, and runs it again when it failed.
func (r *runner) one(ctx context.Context, it item, p *place) *report.Result {
	result := report.Result{Name: it.test.Name, Round: it.round}
	r.mu.Lock()
	r.watch.Start(result)
	r.mu.Unlock()
	began := time.Now()
	var v veil
	for n := 0; ; n++ {
		attempt, skip, updated := r.attempt(ctx, it.test, p, &v)
		v.attempt(&attempt)
		result.Attempts = append(result.Attempts, attempt)
		result.Updated = append(result.Updated, updated...)
		switch {
		case skip != nil:
			result.Outcome, result.Reason = report.Skipped, v.words(skip.message)
		case attempt.Error == "" && n > 0:
			result.Outcome = report.Flaky
		case attempt.Error == "":
			result.Outcome = report.Passed
		case n < r.opts.Retries && it.test.Err == nil && ctx.Err() == nil:
			continue
		default:
			result.Outcome = report.Failed
		}
		break
	}
	result.Took = time.Since(began)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch.Done(result)
	return &result
}

// attempt runs a test once.
func (r *runner) attempt(ctx context.Context, t *Test, p *place, v *veil) (a report.Attempt, skip *errSkip, updated []string) {
	began := time.Now()
	defer func() { a.Took = time.Since(began) }()
	fail := func(err error) report.Attempt {
		a := report.Attempt{Error: err.Error()}
		var where *lineError
		if errors.As(err, &where) {
			a.Line = where.line
		}
		return a
	}
	if t.Err != nil {
		return fail(t.Err), nil, nil
	}
	limit := scale.Duration(r.opts.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &outOfTime{limit})
	defer cancel()

	if err := p.prepare(); err != nil {
		return fail(err), nil, nil
	}
	s, err := newState(ctx, t, &r.opts, p, v)
	if err != nil {
		return fail(err), nil, nil
	}
	s.contain, s.umask = r.contain, r.umask
	err = s.run()
	if errors.As(err, &skip) {
		err = nil
	}
	var problems []error // with what is left; they matter less than why the test failed
	if err != nil {
		a = fail(err)
		folder, ferr := r.leave(t)
		if ferr == nil {
			ferr = s.evidence(&a, err, folder)
		}
		problems = append(problems, ferr)
	}
	a.Steps = s.steps
	problems = append(problems, s.end()) // what the script began ends before its folder goes
	if a.Folder != "" && r.opts.Keep != "" {
		problems = append(problems, s.keepWork(a.Folder))
	}
	problems = append(problems, s.save(&updated), p.clear())
	for _, err := range problems {
		switch {
		case err == nil:
		case a.Error == "":
			a.Error = t.Name + ": " + err.Error()
		default:
			a.Error += "\n  besides  " + strings.ReplaceAll(escape.Visible(err.Error()), "\n", "\n           ")
		}
	}
	a.Error = s.abbreviated(a.Error)
	return a, skip, updated
}

// outOfTime: the whole test took too long.
type outOfTime struct{ limit time.Duration }

func (e *outOfTime) Error() string { return fmt.Sprintf("the test did not end in %s", e.limit) }
func (e *outOfTime) Unwrap() error { return context.DeadlineExceeded }

// save writes the goldens that changed into the test file.
func (s *state) save(updated *[]string) error {
	if len(s.updates) == 0 {
		return nil
	}
	now, err := os.ReadFile(s.test.path)
	if err != nil {
		return err
	}
	if string(now) != string(s.test.data) {
		return fmt.Errorf("not updated: the file was changed while the test ran")
	}
	path, err := filepath.EvalSymlinks(s.test.path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		var of *fs.PathError // a file that nobody knows
		if errors.As(err, &of) {
			err = of.Err
		}
		return fmt.Errorf("not updated: its folder cannot be written to: %w", err)
	}
	defer os.Remove(part.Name()) // not there any more once it was renamed
	_, err = part.Write(s.test.replaced(s.updates))
	if err := errors.Join(err, part.Chmod(info.Mode().Perm()), part.Close()); err != nil {
		return err
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return err
	}
	*updated = slices.Sorted(maps.Keys(s.updates))
	return nil
}

// leave makes the folder for what a failure leaves.
func (r *runner) leave(t *Test) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	dir, err := r.shelf.make()
	if err != nil {
		return "", err
	}
	r.left++
	name := strings.Map(func(c rune) rune {
		if c == '_' || c == '.' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			return c
		}
		return '-'
	}, strings.TrimSuffix(filepath.Base(t.Name), ".txtar"))
	folder := filepath.Join(dir, fmt.Sprintf("%d-%s", r.left, name))
	if r.opts.Keep != "" { // that of an earlier run
		err = os.RemoveAll(folder)
	}
	return folder, err
}

// page writes the page of all failures, if there are any.
func (r *runner) page(results []report.Result, took time.Duration) (string, error) {
	if !slices.ContainsFunc(results, func(r report.Result) bool { return r.Failure() != nil }) {
		return "", nil
	}
	dir, err := r.shelf.make()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := report.HTML(&b, results, took, dir); err != nil {
		return "", err
	}
	page := filepath.Join(dir, "index.html")
	if err := os.WriteFile(page, b.Bytes(), 0o666); err != nil {
		return "", err
	}
	return page, nil
}
