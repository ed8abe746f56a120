package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/session"
)

func newWait() *cobra.Command {
	var f far
	cmd := &cobra.Command{
		Use:   "wait [FLAGS] NAME",
		Short: "Wait for the end of a named program; its status is ours",
		Long: `Wait until a named program has ended, and end with its status. Of one that has ended before,
the status was kept: it is given once, and the name is then forgotten. Another program that gets the
name takes the place of a status that nobody has asked for.

Exit status: the program's, 128+N when signal N ended it; 1 when there is no such program, 124
for a timeout.`,
		Example:               "  spawnx wait web; echo $?",
		DisableFlagsInUseLine: true,
		Args:                  wants(1, 1),
		RunE: func(_ *cobra.Command, words []string) error {
			ctx := context.Background()
			if f.timeout > 0 {
				d := scale.Duration(f.timeout)
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeoutCause(ctx, d, &timeoutError{fmt.Sprintf("wait %s: did not end in %s; it goes on", words[0], d)})
				defer cancel()
			}
			err := f.collect(ctx, words[0])
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		},
		ValidArgsFunction: completeName,
	}
	f.registerTimeout(cmd.Flags(), "give up after this time, status 124 (default: never)")
	f.register(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// collect waits for the end of a program, wherever it is served, and takes its status.
func (f *far) collect(ctx context.Context, name string) error {
	if err := named(name); err != nil {
		return err
	}
	if !isAddress(name) {
		_, err := session.Collect(ctx, name)
		return err
	}
	c, err := f.dial(session.Dialer{From: session.Nothing}, name)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Collect(ctx)
	return err
}
