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
	"github.com/spawnx/spawnx/session"
)

func newWhy() *cobra.Command {
	var w why
	cmd := &cobra.Command{
		Use:   "why PID|NAME [FLAGS]",
		Short: "Say what a program is waiting for",
		Long: `Say what a program and all that it started are doing: waiting for input, for a password, for
somebody to read their output, for each other, computing, sleeping; and which output they hold
back in a buffer of their own. It looks from outside and changes nothing in the program.

A PID need not have been started by spawnx; it is looked at with all below it. A NAME is one of spawnx list. Each line
ends with what it rests on: (kernel) and (termios) are what the system says, (pattern) is what such
programs usually do, (quiet) and (unknown) are no more than they say.

Exit status: 0 when something could be said, 1 when there is no such process.`,
		Example: `  spawnx why 4711
  spawnx why $! --watch
  spawnx why $(pgrep -n vim) --json
  spawnx run -d --name x sh -c 'read line'; spawnx why x`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeName,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{what: "why: one PID or NAME is wanted", hint: "spawnx why PID, or spawnx why NAME of spawnx list"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w.who, w.out = args[0], cmd.OutOrStdout()
			look, leave, err := w.lookAt(args[0])
			if err != nil {
				return err
			}
			defer leave()
			return w.run(context.Background(), look)
		},
	}
	cmd.Flags().BoolVar(&w.json, "json", false, "print the findings and what they rest on as JSON, one line each time")
	cmd.Flags().BoolVar(&w.watch, "watch", false, "go on, and print again whenever something changed, until it has ended")
	w.far.register(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// lookAt returns what looks at the program that a PID or NAME stands for. A named program is looked at by its server,
// which knows besides who reads its output. The Snapshot is nil then.
func (w *why) lookAt(who string) (look func(context.Context) ([]diag.Finding, *diag.Snapshot, error), leave func(), err error) {
	pid, err := strconv.Atoi(who)
	switch {
	case err == nil && pid > 0:
		return func(context.Context) ([]diag.Finding, *diag.Snapshot, error) {
			s, err := diag.TakePID(pid)
			return diag.Explain(s), &s, err
		}, func() {}, nil
	case err == nil || errors.Is(err, strconv.ErrRange):
		return nil, nil, &usageError{what: fmt.Sprintf("why: %s is no PID", who), hint: "ps shows the PIDs"}
	}
	c, err := w.far.dial(session.Dialer{From: session.Nothing}, who)
	if err != nil {
		return nil, nil, ofName("why", who, err)
	}
	return func(ctx context.Context) ([]diag.Finding, *diag.Snapshot, error) {
		found, err := c.Why(ctx)
		if ended := living(ctx, c); err != nil && ended != nil {
			err = ended
		}
		return found, nil, err
	}, func() { _ = c.Close() }, nil
}

// A why is one question, asked once or again and again.
type why struct {
	far         far
	who         string
	json, watch bool
	out         io.Writer
}

// How often --watch looks. A look costs some milliseconds.
const whyPause = 500 * time.Millisecond

func (w *why) run(ctx context.Context, look func(context.Context) ([]diag.Finding, *diag.Snapshot, error)) error {
	tick := time.NewTicker(whyPause)
	defer tick.Stop()
	var last []diag.Finding
	for first := true; ; first = false {
		found, s, err := look(ctx)
		gone := (*endedError)(nil)
		switch {
		case err != nil && !first && errors.As(err, &gone) && gone.info.Exit == nil: // it is started again
			found, s = last, nil
		case err != nil && !first && (gone != nil || errors.Is(err, diag.ErrNone)):
			return nil // it has ended meanwhile
		case err != nil:
			return &whyError{w.who, err}
		}
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

func (w *why) print(s *diag.Snapshot, found []diag.Finding, first bool) error {
	if w.json {
		return json.NewEncoder(w.out).Encode(struct {
			Findings []diag.Finding `json:"findings"`
			Snapshot *diag.Snapshot `json:"snapshot,omitempty"`
		}{found, s})
	}
	if w.watch {
		before := "\n"
		if first {
			before = ""
		}
		if _, err := fmt.Fprintf(w.out, "%s%s\n", before, time.Now().Format(time.TimeOnly)); err != nil {
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
	if s != nil && s.Note != "" {
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
	if ended := (*endedError)(nil); errors.As(e.err, &ended) {
		return "why " + e.who + ": " + ended.Error()
	}
	if errors.Is(e.err, diag.ErrNone) {
		return "why " + e.who + ": no such process"
	}
	return "why " + e.who + ": " + e.err.Error()
}
func (e *whyError) Unwrap() error { return e.err }
