package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/internal/escape"
)

func newWhy() *cobra.Command {
	var w why
	cmd := &cobra.Command{
		Use:   "why PID|NAME [FLAGS]",
		Short: "Say what a program is waiting for",
		Long: `Say what a program and all that it started are doing: waiting for input, for a password, for
somebody to read their output, for each other, computing, sleeping; and which output they hold
back in a buffer of their own. It looks from outside and changes nothing in the program.

The program need not have been started by spawnx. A PID is looked at with all below it. Each line
ends with what it rests on: (kernel) and (termios) are what the system says, (pattern) is what such
programs usually do, (quiet) and (unknown) are no more than they say.

Exit status: 0 when something could be said, 1 when there is no such process.`,
		Example: `  spawnx why 4711
  spawnx why $! --watch
  spawnx why $(pgrep -n vim) --json`,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{what: "why: one PID or NAME is wanted", hint: "spawnx why PID, or spawnx why NAME of spawnx list"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			take, err := lookAt(args[0])
			if err != nil {
				return err
			}
			w.who, w.out = args[0], cmd.OutOrStdout()
			return w.run(context.Background(), take)
		},
	}
	cmd.Flags().BoolVar(&w.json, "json", false, "print the findings and what they rest on as JSON, one line each time")
	cmd.Flags().BoolVar(&w.watch, "watch", false, "go on, and print again whenever something changed, until it has ended")
	cmd.Flags().SortFlags = false
	return cmd
}

// lookAt returns what takes a Snapshot of the program that a PID or NAME stands for.
func lookAt(who string) (func(context.Context) (diag.Snapshot, error), error) {
	pid, err := strconv.Atoi(who)
	switch {
	case err == nil && pid > 0:
		return func(context.Context) (diag.Snapshot, error) { return diag.TakePID(pid) }, nil
	case err == nil || errors.Is(err, strconv.ErrRange):
		return nil, &usageError{what: fmt.Sprintf("why: %s is no PID", who), hint: "ps shows the PIDs"}
	}
	return nil, &usageError{
		what: fmt.Sprintf("why: %s is no PID", escape.Quote(who)), hint: "pgrep -l finds the PID of a name",
	}
}

// A why is one question, asked once or again and again.
type why struct {
	who         string
	json, watch bool
	out         io.Writer
}

// How often --watch looks. A look costs some milliseconds.
const whyPause = 500 * time.Millisecond

func (w *why) run(ctx context.Context, take func(context.Context) (diag.Snapshot, error)) error {
	tick := time.NewTicker(whyPause)
	defer tick.Stop()
	var last []diag.Finding
	for first := true; ; first = false {
		s, err := take(ctx)
		if err != nil && (first || !errors.Is(err, diag.ErrNone)) {
			return &whyError{w.who, err}
		}
		if err != nil {
			return nil // it has ended meanwhile
		}
		found := diag.Explain(s)
		if first || !slices.Equal(told(found), told(last)) {
			if err := w.print(s, found, first); err != nil {
				return &outputError{err}
			}
		}
		last = found
		if !w.watch {
			return nil
		}
		<-tick.C
	}
}

// told is what of the findings is worth a new message: not how long something lasts.
func told(found []diag.Finding) (lines []string) {
	for _, f := range found {
		lines = append(lines, fmt.Sprint(f.PID, f.TID, f.Kind, f.What, f.Held))
	}
	return lines
}

func (w *why) print(s diag.Snapshot, found []diag.Finding, first bool) error {
	if w.json {
		return json.NewEncoder(w.out).Encode(struct {
			Findings []diag.Finding `json:"findings"`
			Snapshot diag.Snapshot  `json:"snapshot"`
		}{found, s})
	}
	if w.watch {
		before := "\n"
		if first {
			before = ""
		}
		if _, err := fmt.Fprintf(w.out, "%s%s\n", before, s.Time.Format(time.TimeOnly)); err != nil {
			return err
		}
	}
	for _, f := range found {
		if _, err := fmt.Fprintln(w.out, escape.Visible(f.String())); err != nil {
			return err
		}
		for _, detail := range [][2]string{{"seen", f.Evidence}, {"do", f.Cure}} {
			if detail[1] == "" {
				continue
			}
			if _, err := fmt.Fprintf(w.out, "  %-5s %s\n", detail[0], escape.Visible(detail[1])); err != nil {
				return err
			}
		}
	}
	if s.Note != "" {
		_, err := fmt.Fprintf(w.out, "  note  %s\n", s.Note)
		return err
	}
	return nil
}

// A whyError: nothing could be said.
type whyError struct {
	who string
	err error
}

func (e *whyError) Error() string {
	if errors.Is(e.err, diag.ErrNone) {
		return "why " + e.who + ": no such process"
	}
	return "why " + e.who + ": " + e.err.Error()
}
func (e *whyError) Unwrap() error { return e.err }
