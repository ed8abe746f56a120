package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/session"
)

func newExpect() *cobra.Command {
	var e expecting
	cmd := &cobra.Command{
		Use:   "expect [FLAGS] NAME PATTERN...",
		Short: "Wait until a named program has written one of these",
		Long: `Wait until a named program has written one of the patterns, and print what matched. The one that
matches first wins, of two at the same place the one that is named first.

Waiting goes on where the last expect of that name stopped, also when that was in another process;
the first one begins at the oldest output that is kept. With --as everybody has a place of their own.

A PATTERN is text as it appears on the screen, or /a regular expression/ (flags i, m and s behind
it), or <eof> (the output has ended), <waiting> (it waits for input), <idle 2s> or <timeout>. What is
listed is no error: <eof> and <timeout> among the patterns are matches.

Exit status: 0 when one matched, 1 when the output ended before, 124 when none did in time.`,
		Example: `  spawnx expect db '=# '
  spawnx expect --print json core1 'password: ' '/[$#] $/' '<eof>'
  spawnx expect --screen editor -- '-- INSERT --'`,
		DisableFlagsInUseLine: true,
		Args:                  wants(2, 0),
		RunE: func(cmd *cobra.Command, words []string) error {
			if plain := behindName(words); len(plain) < len(words) {
				words = plain
			} else if err := misplaced(cmd, words[1:]); err != nil {
				return usageOf(cmd, err)
			}
			if err := e.parse(words[1:]); err != nil {
				return usageOf(cmd, err)
			}
			e.out = cmd.OutOrStdout()
			return e.run(words[0])
		},
		ValidArgsFunction: completeName,
	}
	fs := cmd.Flags()
	fs.StringVar(&e.print, "print", "text", "`WHAT`: text (what matched), before (what came before it), pattern (the one that matched) or json (all)")
	registerPlace(fs, &e.as, "keep a place of one's own, of this `WHO`")
	fs.StringVar(&e.from, "from", "", "`WHERE` to begin instead: start (the oldest output) or now")
	fs.BoolVar(&e.screen, "screen", false, "the patterns are looked for on the settled screen, not in what was written; the place stays")
	e.registerTimeout(fs, "give up after this time, status 124 (default 30s)")
	e.registerIdleTimeout(fs)
	e.register(fs)
	fs.SetInterspersed(false)
	fs.SortFlags = false
	_ = cmd.RegisterFlagCompletionFunc("print", fixed("text", "before", "pattern", "json")) // fails for unknown flags only
	_ = cmd.RegisterFlagCompletionFunc("from", fixed("start", "now"))
	return cmd
}

// misplaced finds flags behind NAME: there they are patterns, and would be waited for.
func misplaced(cmd *cobra.Command, words []string) error {
	for _, word := range words {
		flag, ok := strings.CutPrefix(word, "--")
		flag, _, _ = strings.Cut(flag, "=")
		if ok && cmd.Flags().Lookup(flag) != nil {
			return fmt.Errorf("--%s stands behind NAME\nhint: flags come before NAME; for this very text write '\\%s'", flag, word)
		}
	}
	return nil
}

// An expecting is one expect NAME.
type expecting struct {
	far
	print, as, from string
	screen          bool
	out             io.Writer

	words   []string // the patterns, as they were written
	cases   []expect.Pattern
	at      []int // their places in words
	timeout int   // the place of <timeout>, or -1
}

// parse reads the patterns, and finds what of the flags cannot be meant.
func (e *expecting) parse(words []string) error {
	e.words, e.timeout = words, -1
	switch e.print {
	case "text", "before", "pattern", "json":
	default:
		return fmt.Errorf("--print %q: text, before, pattern or json is wanted", e.print)
	}
	switch e.from {
	case "", "start", "now":
	default:
		return fmt.Errorf("--from %q: start or now is wanted", e.from)
	}
	for i, word := range words {
		if word == "<timeout>" {
			e.timeout = i
			continue
		}
		p, err := parsePatterns([]string{word})
		if err != nil {
			return err
		}
		if e.screen && p[0] != expect.EOF {
			switch p[0].(type) {
			case expect.Text, expect.Regexp:
				p[0] = expect.OnScreen(p[0])
			default:
				return fmt.Errorf("--screen: %s is nothing that a screen shows", word)
			}
		}
		e.cases, e.at = append(e.cases, p[0]), append(e.at, i)
	}
	if len(e.cases) == 0 {
		return errors.New("<timeout> alone only waits\nhint: add what is expected, or sleep")
	}
	return nil
}

func (e *expecting) run(name string) error {
	if e.screen {
		return e.runOnScreen(name)
	}
	d := session.Dialer{From: session.FromPlace(e.as)}
	switch e.from {
	case "start":
		d.From = session.From{}
	case "now":
		d.From = session.FromNow
	}
	return e.converse(d, "expect", name, func(client *session.Client, c *expect.Console) error {
		ctx := context.Background()
		f, err := e.expect(ctx, c)
		if err != nil {
			return err
		}
		if f.End > 0 {
			if err := client.SetPlace(ctx, e.as, f.End); err != nil {
				return err
			}
		}
		return e.show(f)
	})
}

// runOnScreen begins with what the screen shows, and goes on with what is written from there.
func (e *expecting) runOnScreen(name string) error {
	client, err := e.dial(session.Dialer{From: session.Nothing}, name)
	if err != nil {
		return err
	}
	ctx := context.Background()
	picture, err := client.Repaint(ctx)
	client.Close()
	if err != nil {
		return ofName("expect", name, err)
	}
	shown := screen.New(picture.Size.Rows, picture.Size.Cols)
	_, _ = shown.Write(picture.Bytes) // it never fails
	d := session.Dialer{From: session.FromOffset(picture.Offset)}
	return e.converse(d, "expect", name, func(_ *session.Client, c *expect.Console) error {
		f, err := e.expect(ctx, c.With(expect.Options{Screen: shown}))
		if err != nil {
			return err
		}
		return e.show(f)
	})
}

func (e *expecting) expect(ctx context.Context, c *expect.Console) (found, error) {
	m, err := c.Expect(ctx, e.cases...)
	if err != nil && e.timeout >= 0 && errors.Is(err, context.DeadlineExceeded) {
		return found{Index: e.timeout, Pattern: e.words[e.timeout]}, nil
	}
	if err != nil {
		return found{}, err
	}
	return e.found(m), nil
}

// A found is a match as it is printed.
type found struct {
	Index   int               `json:"index"` // of the pattern, from 0
	Pattern string            `json:"pattern"`
	Text    string            `json:"text"`
	Before  string            `json:"before"`
	Groups  []string          `json:"groups,omitempty"` // of a regular expression, from 1
	Named   map[string]string `json:"named,omitempty"`
	Offset  int64             `json:"offset"` // in all that the program wrote
	End     int64             `json:"end"`
}

func (e *expecting) found(m expect.Match) found {
	at := e.at[m.Index]
	f := found{Index: at, Pattern: e.words[at], Text: m.Text, Before: m.Before, Offset: m.Offset, End: m.End}
	if len(m.Groups) > 1 {
		f.Groups = m.Groups[1:]
	}
	if re, ok := m.Pattern.(expect.Regexp); ok {
		for _, name := range regexp.MustCompile(string(re)).SubexpNames() {
			if name != "" {
				if f.Named == nil {
					f.Named = map[string]string{}
				}
				f.Named[name] = m.Group(name)
			}
		}
	}
	return f
}

// show prints what was asked for, as a line. At a terminal no byte of the program does anything.
func (e *expecting) show(f found) (err error) {
	switch e.print {
	case "json":
		err = json.NewEncoder(e.out).Encode(f)
	case "before":
		err = e.line(f.Before)
	case "pattern":
		err = e.line(f.Pattern)
	default:
		err = e.line(f.Text)
	}
	if err != nil {
		return &outputError{err}
	}
	return nil
}

func (e *expecting) line(s string) error {
	if s == "" {
		return nil
	}
	return printText(e.out, s)
}

// printText prints what a program wrote, as text that ends with a newline. At a terminal it is made harmless.
func printText(w io.Writer, s string) error {
	if s == "" {
		return nil
	}
	if lookAround().stdoutTerminal {
		s = escape.Visible(s)
	}
	if s[len(s)-1] != '\n' {
		s += "\n"
	}
	_, err := io.WriteString(w, s)
	return err
}
