package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func newStop() *cobra.Command {
	var f far
	cmd := &cobra.Command{
		Use:   "stop [FLAGS] NAME",
		Short: "End a named program and all that it has started",
		Long: `End a named program and all that it has started: TERM and, after its --grace, KILL. It returns
when all of it has ended. How it ended is kept for spawnx wait.`,
		Example:               "  spawnx stop web",
		DisableFlagsInUseLine: true,
		Args:                  wants(1, 1),
		RunE: func(_ *cobra.Command, words []string) error {
			c, err := f.dial(session.Dialer{From: session.Nothing}, words[0])
			if err != nil {
				return err
			}
			defer c.Close()
			ctx := context.Background()
			if f.timeout > 0 {
				d := scale.Duration(f.timeout)
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeoutCause(ctx, d, &timeoutError{fmt.Sprintf("stop %s: did not end in %s", words[0], d)})
				defer cancel()
			}
			_, err = c.Bridge().Stop(ctx)
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			if exit := (*proc.ExitError)(nil); errors.As(err, &exit) {
				return nil // it has ended: that was asked for
			}
			return ofName("stop", words[0], err)
		},
		ValidArgsFunction: completeName,
	}
	f.registerTimeout(cmd.Flags(), "give up after this time, status 124 (default: never)")
	f.register(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}
