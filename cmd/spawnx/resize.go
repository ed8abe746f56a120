package main

import (
	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/session"
)

func newResize() *cobra.Command {
	var f far
	cmd := &cobra.Command{
		Use:   "resize [FLAGS] NAME ROWSxCOLS",
		Short: "Give the terminal of a named program another size",
		Long: `Give the terminal of a named program another size. Where somebody sits at it, the size follows
their window again when that changes (run --window fixed: it does not).`,
		Example:               "  spawnx resize editor 40x120",
		DisableFlagsInUseLine: true,
		Args:                  wants(2, 2),
		RunE: func(cmd *cobra.Command, words []string) error {
			size, err := ptyio.ParseSize(words[1])
			if err != nil {
				return usageOf(cmd, err)
			}
			return f.act("resize", words[0], func(c *session.Client) error { return c.Bridge().Resize(size) })
		},
		ValidArgsFunction: completeName,
	}
	f.register(cmd.Flags())
	return cmd
}
