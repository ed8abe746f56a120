package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/record"
)

func newPlay() *cobra.Command {
	var o record.PlayOptions
	cmd := &cobra.Command{
		Use:   "play FILE.cast [FLAGS]",
		Short: "Play a recording",
		Long: `Play a recording of a terminal, of run --record or of asciinema (versions 1 to 3), as it was.

Keys, where we are at a terminal: space stops it and lets it go on, . goes one step, ] goes to the
next marker, ctrl-c ends it. FILE may be - for our input.

Exit status: 0, 1 where a part of the recording is missing, 125 for what is no recording.`,
		Example: `  spawnx run --record demo.cast bash
  spawnx play demo.cast --speed 2 --idle-limit 1s`,
		DisableFlagsInUseLine: true,
		Args:                  oneRecording,
		RunE: func(_ *cobra.Command, args []string) error {
			r, stop, err := openRecording(args[0])
			if err != nil {
				return err
			}
			defer stop()
			return play(args[0], r, o)
		},
		ValidArgsFunction: completeRecording,
	}
	fs := cmd.Flags()
	fs.Var(value[float64]{"factor", parseSpeed, func(x float64) { o.Speed = x }}, "speed", "2 is twice as fast, 0.5 half (default 1)")
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { o.IdleLimit = d }}, "idle-limit",
		"let no pause be longer (default what the recording says)")
	fs.Var(value[time.Duration]{"duration", parseGrace, func(d time.Duration) { o.From = d }}, "from",
		"begin there; what came before is shown at once")
	fs.BoolVar(&o.PauseOnMarkers, "pause-on-markers", false, "stop at every marker, until space is pressed")
	fs.SortFlags = false
	return cmd
}

func oneRecording(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return &usageError{what: cmd.Name() + ": one FILE.cast is wanted", hint: "spawnx run --record FILE.cast CMD makes one"}
	}
	return nil
}

func completeRecording(_ *cobra.Command, words []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(words) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"cast"}, cobra.ShellCompDirectiveFilterFileExt
}

func parseSpeed(s string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
	if err != nil || !(x > 0 && x < 1e6) {
		return 0, errors.New("no speed\nhint: write 2 for twice as fast, 0.5 for half")
	}
	return x, nil
}

// openRecording opens a file, or our input for "-".
func openRecording(name string) (r *record.Reader, stop func(), err error) {
	f := os.Stdin
	if name != "-" {
		if f, err = os.Open(name); err != nil {
			return nil, nil, err
		}
	}
	if r, err = record.NewReader(f); err != nil {
		_ = f.Close() // the error above says it
		return nil, nil, &usageError{what: fmt.Sprintf("%s: %v", name, err)}
	}
	return r, func() { _ = f.Close() }, nil
}

// A recordingError: a part of a recording is missing.
type recordingError struct {
	name string
	err  error
}

func (e *recordingError) Error() string { return e.name + ": " + e.err.Error() }
func (e *recordingError) Unwrap() error { return e.err }

func play(name string, r *record.Reader, o record.PlayOptions) error {
	ctx, stop := untilSignal()
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	shown := newOnTerminal(proc.Size{Rows: r.Header().Rows, Cols: r.Header().Cols})
	o.Event = func(e record.Event) {
		switch e.Kind {
		case record.Output:
			_, _ = shown.Write(e.Data) // never fails
		case record.Resize:
			shown.Resize(e.Rows, e.Cols)
		}
	}
	if name != "-" && ptyio.IsTerminal(os.Stdin) && ptyio.IsTerminal(os.Stdout) && !inBackground() {
		wishes := make(chan record.Control)
		leave, err := watchKeys(ctx, wishes, cancel)
		if err != nil {
			return err
		}
		defer leave()
		o.Control = wishes
	}
	err := record.Play(ctx, os.Stdout, r, o)
	if ptyio.IsTerminal(os.Stdout) {
		_, _ = os.Stdout.WriteString(shown.leave()) // where it fails the terminal is gone
	}
	var write *os.PathError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &write):
		return &outputError{err}
	}
	return &recordingError{name, err}
}

// watchKeys reads the keys of whoever watches, until leave.
func watchKeys(ctx context.Context, wishes chan<- record.Control, cancel context.CancelCauseFunc) (leave func(), err error) {
	in, err := ptyio.OpenReader(os.Stdin)
	if err != nil {
		return nil, err
	}
	terminal, err := ptyio.Remember(os.Stdin)
	if err != nil {
		_ = in.Close() // the error above says it
		return nil, err
	}
	unguard, err := proc.GuardTerminal(terminal) // first: we may be killed between the two
	if err != nil {
		unguard = func() {} // a helper that gives it back after our death: without it all else works
	}
	if err := terminal.Raw(); err != nil {
		unguard()
		_ = in.Close()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		keys := map[byte]record.Control{' ': record.Pause, '.': record.Step, ']': record.NextMarker}
		buf := make([]byte, 256)
		for {
			n, err := in.Read(buf)
			if err != nil {
				return
			}
			if buf[0] == 0x1b { // a key that is none of ours, or the terminal's answer to a question of the recording
				continue
			}
			for _, key := range buf[:n] {
				if key == 3 {
					cancel(&signalError{number(os.Interrupt)})
					return
				}
				if wish, ok := keys[key]; ok {
					select {
					case wishes <- wish:
					case <-ctx.Done():
						return
					}
				}
			}
		}
	}()
	return func() {
		cancel(nil)
		_ = in.SetReadDeadline(time.Unix(1, 0))
		<-done
		_ = in.Close()
		_ = terminal.Restore() // where it fails the terminal is gone
		unguard()
	}, nil
}
