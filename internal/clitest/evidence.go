package clitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/artifact"
	"github.com/spawnx/spawnx/internal/clitest/report"
	"github.com/spawnx/spawnx/internal/escape"
)

// evidence takes down how things are at a failure, into the attempt and into a folder of its own: while the
// programs still run, so that it can be said what they do.
func (s *state) evidence(a *report.Attempt, failure error, folder string) error {
	programs := s.spoken()
	failedAt := s.log.now()
	failure = errors.New(s.veil.words(s.abbreviated(failure.Error())))
	for _, p := range programs {
		p.watch.Fail(failure)
		p.look()
	}
	var problems []error
	for _, p := range programs {
		names, err := p.watch.Save(folder)
		problems = append(problems, err)
		a.Files = append(a.Files, names...)
		a.Programs = append(a.Programs, p.shown(folder, names))
	}
	a.Folder, a.Events = folder, s.events(programs, failedAt, failure)
	for _, l := range s.test.script() {
		a.Script = append(a.Script, escape.Visible(l))
	}
	if len(programs) == 0 {
		problems = append(problems, os.MkdirAll(folder, 0o777), os.WriteFile(filepath.Join(folder, "diagnosis.txt"), []byte(failure.Error()+"\n"), 0o666))
		a.Files = append(a.Files, "diagnosis.txt")
	}
	for _, o := range []struct{ name, text string }{
		{"stdout.txt", s.veil.output(s.stdout.text)}, {"stderr.txt", s.veil.output(s.stderr.text)}, {"script.txt", s.veil.words(s.report())},
	} {
		if o.text != "" {
			problems = append(problems, os.WriteFile(filepath.Join(folder, o.name), []byte(o.text), 0o666))
			a.Files = append(a.Files, o.name)
		}
	}
	return errors.Join(problems...)
}

// spoken are the programs that the test spoke to: those that run, then those that were waited for.
func (s *state) spoken() (all []*program) {
	for _, from := range []map[string]*program{s.programs, s.ended} {
		n := len(all)
		for name, p := range from {
			if p == s.programs[name] || s.programs[name] == nil {
				all = append(all, p)
			}
		}
		slices.SortFunc(all[n:], func(a, b *program) int { return strings.Compare(a.name, b.name) })
	}
	return all
}

// look reads what the program has written and nobody has waited for, so that it is in the picture.
func (p *program) look() {
	if _, over := p.c.Bridge().Process().Exit(); over && p.waited > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = p.c.Expect(ctx, expect.Idle(time.Millisecond), expect.EOF) // what is there is there, whatever the reason to stop
}

// shown is how the program is, and what there is to be seen.
func (p *program) shown(folder string, files []string) report.Program {
	r := report.Program{Name: p.name, Command: p.command(), State: p.state()}
	for _, name := range files {
		switch {
		case strings.HasSuffix(name, "screen.svg") && p.display != nil:
			r.SVG, _ = os.ReadFile(filepath.Join(folder, name)) // else the text is shown
		case strings.HasSuffix(name, "screen.txt"):
			text, _ := os.ReadFile(filepath.Join(folder, name))
			r.Screen = escape.Visible(string(text))
		}
	}
	return r
}

// state says in a few words what the program does, or how it ended.
func (p *program) state() string {
	process := p.c.Bridge().Process()
	if exit, over := process.Exit(); over {
		return "ended: " + exit.String()
	}
	snapshot, _ := diag.TakePID(process.PID()) // what could not be seen is said in it
	for _, f := range diag.Explain(snapshot) {
		return strings.TrimPrefix(f.String(), p.command()+" ")
	}
	return "runs"
}

// events joins what happened in the script and in its conversations, in order; behind the failure, what else
// was to be read.
func (s *state) events(programs []*program, failedAt time.Duration, failure error) []report.Event {
	all := slices.Clone(s.log.all())
	kinds := map[artifact.Kind]report.Kind{
		artifact.Wait: report.Wait, artifact.Send: report.Sent, artifact.Match: report.Match, artifact.Settle: report.Settle,
		artifact.Output: report.Output, artifact.Resize: report.Resize, artifact.Note: report.Note,
	}
	for _, p := range programs {
		told := p.watch.Events()
		if n := p.watch.Dropped(); n > 0 {
			all = append(all, report.Event{At: p.begun + told[0].At, Kind: report.Cut, Program: p.name, Text: fmt.Sprintf("%d events before this are not kept", n)})
		}
		for _, e := range told {
			kind, ok := kinds[e.Kind]
			at := p.begun + e.At
			if !ok || at > failedAt && kind != report.Output {
				continue
			}
			text := escape.Visible(e.Text)
			if kind == report.Output {
				text = glance(e.Text)
			}
			all = append(all, report.Event{At: at, Kind: kind, Program: p.name, Text: s.abbreviated(text)})
		}
	}
	first, _, _ := strings.Cut(failure.Error(), "\n")
	all = append(all, report.Event{At: failedAt, Kind: report.Fail, Text: first})
	slices.SortStableFunc(all, func(a, b report.Event) int { return int(a.At - b.At) })
	before := report.Event{}
	return slices.DeleteFunc(all, func(e report.Event) bool { // a line that waits has just said for what
		twice := e.Kind == report.Wait && before.Kind == report.Line
		before = e
		return twice
	})
}

// glance is a piece of output, quoted, as short as a page can show it; the transcript has it whole.
func glance(text string) string {
	const most = 200
	if len(text) <= most {
		return escape.Quote(text)
	}
	return fmt.Sprintf("(%d bytes before) %s", len(text)-most, escape.Quote(escape.Tail(text, most)))
}

// report is the script with the time of each line that was done.
func (s *state) report() string {
	var b bytes.Buffer
	for _, step := range s.steps {
		mark := " "
		if step.Failed {
			mark = "✗"
		}
		fmt.Fprintf(&b, "%9.3f %8s %s %4d  %s\n", step.At.Seconds(), report.Round(step.Took), mark, step.Line, escape.Visible(step.Text))
	}
	return b.String()
}

// keepWork puts the test's own folder, as it is now, beside what its failure left.
func (s *state) keepWork(folder string) error {
	to := filepath.Join(folder, "work")
	err := os.Rename(s.work, to)
	if err != nil { // another file system
		err = os.CopyFS(to, os.DirFS(s.work))
	}
	return err
}
