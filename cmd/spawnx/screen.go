package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/internal/golden"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/record"
	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/screen/picture"
	"github.com/spawnx/spawnx/session"
)

func newScreen() *cobra.Command {
	at := time.Duration(-1)
	var out string
	var f far
	cmd := &cobra.Command{
		Use:   "screen NAME|FILE.cast [FLAGS]",
		Short: "Show what is on a screen, or make a picture of it",
		Long: `Show what stands on the screen of a named program now, or at the end of a recording or at a time
of it, as text, or make a picture of it. A secret that a named program shows is in it.

With -o the end of the name says what is made: .svg and .png pictures, .txt the screen file of
tests, with its size and its cursor.

Exit status: 0, 1 where there is no such program or a part of the recording is missing, 125 for what is
no recording.`,
		Example: `  spawnx screen db
  spawnx screen demo.cast
  spawnx screen demo.cast --at 12.5s -o demo.svg`,
		DisableFlagsInUseLine: true,
		Args:                  wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			draw, err := drawing(out)
			if err != nil {
				return err
			}
			var s *screen.Screen
			var missing error
			switch {
			case isRecording(args[0]):
				s, missing = screenOf(args[0], at)
			case at >= 0:
				return usageOf(cmd, fmt.Errorf("--at %s: a program that runs has no past\nhint: run --record FILE.cast keeps it", at))
			default:
				s, missing = f.screen(args[0])
			}
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
		ValidArgsFunction: func(cmd *cobra.Command, words []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if names, _ := completeName(cmd, words, begun); len(names) > 0 {
				return names, cobra.ShellCompDirectiveDefault
			}
			return completeRecording(cmd, words, begun)
		},
	}
	fs := cmd.Flags()
	fs.Var(value[time.Duration]{"duration", parseGrace, func(d time.Duration) { at = d }}, "at", "at this time of the recording (default its end)")
	fs.StringVarP(&out, "output", "o", "", "make `FILE`: .svg, .png or .txt")
	f.register(fs)
	fs.SortFlags = false
	return cmd
}

// isRecording reports whether a word names a file, and no program.
func isRecording(name string) bool {
	return name == "-" || !isAddress(name) && (filepath.Ext(name) == ".cast" || strings.ContainsRune(name, filepath.Separator))
}

// screen is what stands on the screen of a named program.
func (f *far) screen(name string) (*screen.Screen, error) {
	c, err := f.dial(session.Dialer{From: session.Nothing}, name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), scale.Duration(joinTimeout))
	defer cancel()
	p, err := c.Repaint(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		err = errors.New("it has no screen: it runs on pipes")
	}
	if err != nil {
		return nil, ofName("screen", name, err)
	}
	s := screen.New(p.Size.Rows, p.Size.Cols)
	_, _ = s.Write(p.Bytes) // never fails
	return s, nil
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
	case ".svg":
		return func(w io.Writer, s *screen.Screen) error { return picture.SVG(w, s, picture.Options{Title: s.Title()}) }, nil
	case ".png":
		return func(w io.Writer, s *screen.Screen) error { return picture.PNG(w, s, picture.Options{Title: s.Title()}) }, nil
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
