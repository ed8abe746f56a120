package clitest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/clitest/report"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/lazy"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
)

// A state is one attempt at a test under way: what its script has, and what it has done so far. One
// goroutine runs it.
type state struct {
	test *Test
	opts *Options
	ctx  context.Context // of the whole attempt

	*place
	cd    string // where commands run
	env   map[string]string
	files map[string]string // of the archive: absolute path → name

	stdin          string // of the next exec
	stdout, stderr output // of the last exec or wait
	joined         bool   // stderr came on the terminal, in stdout
	jobs           []*job // in the background
	left           []*job // that have ended and left something running
	programs       map[string]*program
	ended          map[string]*program // those that were waited for, the last of each name

	updates map[string][]byte // goldens to be written: name in the archive → data
	log     *timeline
	steps   []report.Step
	number  int // of the present line
	phase   string
	short   *strings.Replacer // of the folders' names
	veil    *veil             // over what leaves the test

	contain bool    // programs and what they start are killed with us, and found wherever they went
	umask   *uint32 // see ownUmask
	stopped bool
}

// An output is what a program wrote.
type output struct {
	text string
	lost bool // its beginning is not kept
}

// errSkip ends a test that says skip.
type errSkip struct{ message string }

func (e *errSkip) Error() string { return "skipped: " + e.message }

// newState prepares the environment and the files of an attempt in a place that is empty.
func newState(ctx context.Context, t *Test, opts *Options, p *place, v *veil) (*state, error) {
	s := &state{
		test: t, opts: opts, ctx: ctx, place: p, veil: v,
		programs: map[string]*program{}, ended: map[string]*program{}, files: map[string]string{}, updates: map[string][]byte{}, log: newTimeline(),
	}
	s.cd = s.work
	s.short = strings.NewReplacer(s.work, "$WORK", s.tmp, "$TMPDIR", s.home, "$HOME")
	s.env = fixedEnv(s)
	return s, s.unpack()
}

// fixedEnv is the environment of every test: nothing of ours comes in but where programs are found.
func fixedEnv(s *state) map[string]string {
	env := map[string]string{
		"PATH":   os.Getenv("PATH"),
		"WORK":   s.work,
		"HOME":   s.home,
		"TMPDIR": s.tmp,
		"TERM":   "xterm-256color",
		"LANG":   "C.UTF-8",
		"TZ":     "UTC",
		"SHELL":  "/bin/sh",

		"GOTRACEBACK": "system",
		"goversion":   goVersion(),
		"devnull":     os.DevNull,
		"exe":         "",
		"/":           string(os.PathSeparator),
		":":           string(os.PathListSeparator),
		"$":           "$",
	}
	if runtime.GOOS == "windows" {
		env["exe"], env["USERPROFILE"], env["TMP"] = ".exe", s.home, s.tmp
		env["SYSTEMROOT"] = os.Getenv("SYSTEMROOT")
	}
	// What tells the programs of Go's own tests how to run, and how long waits may take.
	for _, name := range []string{"GOCOVERDIR", "GORACE", scale.Name} {
		if v, ok := os.LookupEnv(name); ok {
			env[name] = v
		}
	}
	return env
}

// goVersion is Go's release without the patch: 1.26.
func goVersion() string {
	return strings.TrimPrefix(release.Get().FindString(runtime.Version()), "go")
}

const release lazy.Regexp = `^go[0-9]+\.[0-9]+`

// environ is the environment of a program that is started now.
func (s *state) environ() []string {
	list := make([]string, 0, len(s.env)+1)
	for name, value := range s.env {
		if !strings.ContainsAny(name, "$/:") { // these are for scripts only
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return append(list, "PWD="+s.cd)
}

func (s *state) getenv(name string) string { return s.env[name] }

// unpack writes the files of the archive.
func (s *state) unpack() error {
	for _, f := range s.test.files {
		if strings.HasSuffix(f.name, screenSuffix) {
			continue // is read where it stands
		}
		name := s.abs(expand(f.name, s.getenv))
		if !within(name, s.work) {
			return s.test.at(f.line-1, failed("file %s would lie outside of the test's folder", escape.Quote(f.name)))
		}
		s.files[name] = f.name
		err := os.WriteFile(name, f.data, 0o666)
		if errors.Is(err, fs.ErrNotExist) {
			if err = os.MkdirAll(filepath.Dir(name), 0o777); err == nil {
				err = os.WriteFile(name, f.data, 0o666)
			}
		}
		if err != nil {
			return s.test.at(f.line-1, err)
		}
	}
	return nil
}

func within(name, dir string) bool {
	rest, ok := strings.CutPrefix(name, dir)
	return ok && strings.HasPrefix(rest, string(os.PathSeparator))
}

// abs is where a file of the script lies.
func (s *state) abs(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(s.cd, name)
}

// run does the lines of the script one after the other until one fails.
func (s *state) run() error {
	for _, l := range s.test.lines {
		if l.phase {
			s.phase = strings.TrimSpace(strings.TrimLeft(l.text, "#"))
			s.steps = append(s.steps, report.Step{Line: l.number, Text: l.text, At: s.log.now()})
			continue
		}
		began := s.log.now()
		s.log.add(report.Event{At: began, Kind: report.Line, Line: l.number, Text: l.text})
		s.number = l.number
		err := s.line(l)
		s.steps = append(s.steps, report.Step{
			Line: l.number, Text: l.text, At: began, Took: s.log.now() - began, Failed: err != nil && !isSkip(err),
		})
		if err != nil {
			return s.test.at(l.number, err)
		}
		if s.stopped {
			break
		}
	}
	return nil
}

func isSkip(err error) bool {
	var skip *errSkip
	return errors.As(err, &skip)
}

// line does one line.
func (s *state) line(l line) error {
	words := make([]string, len(l.words))
	for i, w := range l.words {
		words[i] = w.expand(s.getenv)
	}
	c, err := parseCall(words)
	if err != nil {
		return err
	}
	for _, cond := range c.conds {
		if s.holds(cond.name) == cond.not {
			return nil
		}
	}
	return s.explained(s.call(c), c)
}

// inWords is an error with its hint in the words of tests, where it is one of a conversation.
func inWords(err error, c call) error {
	var dialog *expect.Error
	if !errors.As(err, &dialog) {
		return err
	}
	if errors.Is(err, expect.ErrRepeated) {
		text, _, _ := strings.Cut(err.Error(), "\nhint: ")
		return &worded{text + "\nhint: wrong password? A secret is given once; '<secret 2 env:NAME>' gives it twice", err}
	}
	if dialog.Hint() == "" {
		if word := doubleQuoted(c.args, dialog.Unread); word != "" && c.cmd.name == "expect" {
			return &worded{err.Error() + "\nhint: " + word, err}
		}
		return err
	}
	text, found := strings.CutSuffix(err.Error(), "\nhint: "+dialog.Hint())
	if !found {
		return err
	}
	hint := grammar.Hint(dialog.Hint(), func(word string) string {
		if c.who != "" {
			word = "@" + c.who + " " + word
		}
		return word
	})
	return &worded{text + "\nhint: " + hint, err}
}

// doubleQuoted is a hint for patterns in double quotes, where the text has them without.
func doubleQuoted(patterns []string, text string) string {
	for _, p := range patterns {
		if inner, ok := strings.CutPrefix(p, `"`); ok && len(inner) > 1 && strings.HasSuffix(inner, `"`) && strings.Contains(text, inner[:len(inner)-1]) {
			return fmt.Sprintf("quotes are single; double ones are part of the text: write '%s'", inner[:len(inner)-1])
		}
	}
	return ""
}

// A worded is an error in other words.
type worded struct {
	text string
	err  error
}

func (e *worded) Error() string { return e.text }
func (e *worded) Unwrap() error { return e.err }

// call makes a call, again and again where it says retry.
func (s *state) call(c call) error {
	run := func() error { return inWords(c.cmd.run(s, c), c) }
	if c.retry == 0 {
		return run()
	}
	whole := s.ctx
	up := fmt.Errorf("the time of the retry is up: %w", context.DeadlineExceeded)
	ctx, cancel := context.WithTimeoutCause(whole, scale.Duration(c.retry), up)
	defer func() { s.ctx = whole; cancel() }()
	s.ctx = ctx
	stdin := s.stdin
	pause := 20 * time.Millisecond
	for n := 1; ; n++ {
		s.stdin = stdin // each try begins with the same
		err := run()
		if err == nil || whole.Err() != nil || isSkip(err) {
			return err
		}
		if !pauseFor(ctx, pause) {
			return failed("retry: no success in %s (%s), at last: %v", c.retry, tries(n), inCommand(c.cmd.name, err))
		}
		pause = min(2*pause, time.Second)
	}
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}

// pauseFor returns false when ctx ended first.
func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// explained is the error of a call with the command before it and, where the whole test ran out of time,
// that first.
func (s *state) explained(err error, c call) error {
	if err == nil || isSkip(err) {
		return err
	}
	if c.retry == 0 {
		err = inCommand(c.cmd.name, err)
	}
	if s.ctx.Err() != nil {
		return &overtime{context.Cause(s.ctx), err}
	}
	return err
}

// An overtime is an error that comes from the end of the whole test.
type overtime struct{ why, err error }

func (e *overtime) Error() string {
	_, details, _ := strings.Cut(e.err.Error(), "\n")
	if details != "" {
		details = "\n" + details
	}
	first, _, _ := strings.Cut(e.err.Error(), "\n")
	command, _, _ := strings.Cut(first, ":")
	return fmt.Sprintf("%s: %v%s", command, e.why, details)
}

func (e *overtime) Unwrap() []error { return []error{e.why, e.err} }

// waitTime is how long a single wait may take.
func (s *state) waitTime() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, scale.Duration(s.opts.Wait))
}

// program returns the program that a call speaks to.
func (s *state) program(c call) (*program, error) {
	p := s.programs[c.who]
	switch {
	case p != nil:
		return p, nil
	case s.ended[c.who] != nil:
		old := s.ended[c.who]
		return nil, hinted("what it wrote is in stdout; to speak to it, do so before the wait", "%s has ended: line %d waited for it", old.command(), old.waited)
	case c.who != "":
		return nil, hinted(fmt.Sprintf("write @%s spawn CMD... before", c.who), "there is no program @%s", c.who)
	case len(s.programs) > 0:
		return nil, hinted(fmt.Sprintf("this line speaks to the unnamed program; write %s before it", s.names()), "no program was spawned without a name")
	}
	return nil, hinted("write spawn CMD... before", "no program was spawned")
}

func (s *state) names() string {
	var list []string
	for name := range s.programs {
		list = append(list, "@"+name)
	}
	slices.Sort(list)
	return strings.Join(list, " or ")
}

// end ends all programs of the test, whatever they do. The error says what could not be ended.
func (s *state) end() error {
	var errs []error
	for _, p := range s.programs {
		errs = append(errs, p.close())
	}
	for _, j := range slices.Concat(s.jobs, s.left) {
		errs = append(errs, j.close())
	}
	return errors.Join(errs...)
}

// abbreviated is a text with the test's own folders as the script calls them.
func (s *state) abbreviated(text string) string {
	if text == "" { // to look for the first time is dear
		return ""
	}
	return s.short.Replace(text)
}

// spec is the Spec of a program that is started now.
func (s *state) spec(args []string) proc.Spec {
	return proc.Spec{Args: args, Dir: s.cd, Env: s.environ(), Grace: time.Second, Contain: s.contain, Umask: s.umask}
}
