package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/session"
)

func newCommand() *cobra.Command {
	var f far
	var prompt, as string
	cmd := &cobra.Command{
		Use:   "command [FLAGS] NAME LINE",
		Short: "Type a line into a named program and print its answer",
		Long: `Type a line into a named program, press Enter, and print what it writes until its next prompt:
without the echo of the line, and without the prompt. The prompt is that of run --prompt or of
--prompt here; without one the answer ends where the program waits for input again. A later expect of
that name goes on behind the prompt.

Exit status: 0 when the prompt came, 1 when the output ended before, 124 when it did not come in time.`,
		Example: `  spawnx run -d --name db --prompt '/^\w+=# $/m' psql
  spawnx command db 'select 1;'`,
		DisableFlagsInUseLine: true,
		Args:                  wants(2, 2),
		RunE: func(cmd *cobra.Command, words []string) error {
			words = behindName(words)
			if prompt != "" {
				if _, err := grammar.Pattern(prompt); err != nil {
					return usageOf(cmd, fmt.Errorf("--prompt: %w", err))
				}
			}
			// The line that has been begun is the prompt, or a part of it.
			d := session.Dialer{From: session.FromLines(1)}
			return f.converse(d, "command", words[0], func(client *session.Client, c *expect.Console) error {
				ctx := context.Background()
				info, err := client.Info(ctx)
				if err != nil {
					return err
				}
				if err := ended(info); err != nil {
					return err
				}
				if err := catchUp(ctx, client.Bridge(), info.Output); err != nil {
					return err
				}
				if prompt == "" {
					prompt = info.Prompt
				}
				ready := []expect.Pattern{expect.Waiting}
				if prompt != "" {
					p, err := grammar.Pattern(prompt)
					if err != nil {
						return err
					}
					c = c.With(expect.Options{Prompt: p})
					ready = append(ready, p)
				}
				if err := f.settle(ctx, c, ready); err != nil {
					return err
				}
				answer, err := c.Command(ctx, words[1])
				if errors.Is(err, expect.ErrNoPrompt) {
					return fmt.Errorf("%s: it cannot be seen when the program waits for input\nhint: --prompt PATTERN, here or at its run", "no prompt is known")
				}
				if err != nil {
					return err
				}
				if err := client.SetPlace(ctx, as, consumed(client.Bridge())); err != nil {
					return err
				}
				if err := printText(cmd.OutOrStdout(), answer); err != nil {
					return &outputError{err}
				}
				return nil
			})
		},
		ValidArgsFunction: completeName,
	}
	cmd.Flags().StringVar(&prompt, "prompt", "", "the `PATTERN` that ends the answer")
	registerPlace(cmd.Flags(), &as, "move the place of this `WHO`")
	f.registerTimeout(cmd.Flags(), "give up after this time, status 124 (default 30s)")
	f.registerIdleTimeout(cmd.Flags())
	f.register(cmd.Flags())
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().SortFlags = false
	return cmd
}

// settle waits until the program is ready for a line: one that has just been started, or is still at the last
// line, would show this one twice, and its prompt might be taken for the end of an answer. Of one that cannot be
// seen waiting it is enough that it is silent, and of one whose prompt is known, that it is so for half of our time.
func (f *far) settle(ctx context.Context, c *expect.Console, ready []expect.Pattern) error {
	quiet := f.timeout / 2
	if quiet <= 0 {
		quiet = 15 * time.Second
	}
	if len(ready) == 1 {
		quiet = min(quiet, 2*time.Second)
	}
	_, err := c.Expect(ctx, append(ready, expect.Idle(quiet))...)
	if errors.Is(err, io.EOF) {
		return nil // it may still read; Command knows
	}
	return err
}

// catchUp waits until the output up to this offset has come.
func catchUp(ctx context.Context, b *bridge.Bridge, to int64) error {
	r := b.Output().Reader("catch up", bridge.Skip)
	defer r.Close()
	if _, end := b.Output().Offsets(); end >= to {
		return nil
	}
	_, err := r.Await(ctx, to-1, time.Now().Add(joinTimeout))
	if bridge.IsLost(err) {
		return nil
	}
	return err
}

// consumed is how far a conversation has come in the output.
func consumed(b *bridge.Bridge) int64 {
	for _, r := range b.Stats().Output.Readers {
		if r.Name == "expect" {
			return r.Offset
		}
	}
	return 0
}
