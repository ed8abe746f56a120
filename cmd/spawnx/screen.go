package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/record"
	"github.com/spawnx/spawnx/screen"
)

func newScreen() *cobra.Command {
	at := time.Duration(-1)
	var out string
	cmd := &cobra.Command{
		Use:   "screen FILE.cast [FLAGS]",
		Short: "Show what is on a screen, or make a picture of it",
		Long: `Show what stands on the screen at the end of a recording, or at a time, as text, or make a
picture of it.

With -o the end of the name says what is made: .svg and .png pictures, .txt the screen file of
tests, with its size and its cursor.

Exit status: 0, 1 where a part of the recording is missing, 125 for what is no recording.`,
		Example: `  spawnx screen demo.cast
  spawnx screen demo.cast --at 12.5s -o demo.svg`,
		DisableFlagsInUseLine: true,
		Args:                  oneRecording,
		RunE: func(cmd *cobra.Command, args []string) error {
			draw, err := drawing(out)
			if err != nil {
				return err
			}
			s, missing := screenOf(args[0], at)
			if s == nil {
				return missing
			}
			var text bytes.Buffer
			if err := draw(&text, s); err != nil {
				return err
			}
			if out == "" {
				_, err = text.WriteTo(cmd.OutOrStdout())
			} else {
				err = os.WriteFile(out, text.Bytes(), 0o666)
			}
			if err != nil {
				return err
			}
			return missing
		},
		ValidArgsFunction: completeRecording,
	}
	fs := cmd.Flags()
	fs.Var(value[time.Duration]{"duration", parseGrace, func(d time.Duration) { at = d }}, "at", "at this time of the recording (default its end)")
	fs.StringVarP(&out, "output", "o", "", "make `FILE`: .svg, .png or .txt")
	fs.SortFlags = false
	return cmd
}

// screenOf is what stands on the screen of a recording. With a screen, the error is what was missing.
func screenOf(name string, at time.Duration) (*screen.Screen, error) {
	r, stop, err := openRecording(name)
	if err != nil {
		return nil, err
	}
	defer stop()
	s := screen.New(r.Header().Rows, r.Header().Cols)
	if err := record.Render(s, r, at); err != nil {
		return s, &recordingError{name, err}
	}
	return s, nil
}

// drawing is what makes the file of this name; "" is text.
func drawing(name string) (func(io.Writer, *screen.Screen) error, error) {
	switch filepath.Ext(name) {
	case ".txt":
		return func(w io.Writer, s *screen.Screen) error {
			_, err := io.WriteString(w, golden.Format(s, false))
			return err
		}, nil
	}
	if name != "" {
		return nil, &usageError{what: fmt.Sprintf("screen: it is not clear what %q is to be", name), hint: "end it in .svg, .png or .txt"}
	}
	return func(w io.Writer, s *screen.Screen) error {
		_, err := fmt.Fprintln(w, s.Text())
		return err
	}, nil
}
