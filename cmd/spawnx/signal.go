package main

import (
	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func newSignal() *cobra.Command {
	var f far
	cmd := &cobra.Command{
		Use:   "signal [FLAGS] NAME SIGNAL",
		Short: "Send a signal to a named program",
		Long: `Send a signal to a named program itself, as kill does: HUP, SIGHUP and 1 are the same.
What a key of its terminal would do, to the program in the foreground, does spawnx sendkey NAME ctrl-c.`,
		Example:               "  spawnx signal web HUP",
		DisableFlagsInUseLine: true,
		Args:                  wants(2, 2),
		RunE: func(cmd *cobra.Command, words []string) error {
			s, err := proc.ParseSignal(words[1])
			if err != nil {
				return usageOf(cmd, err)
			}
			c, err := f.dial(session.Dialer{From: session.Nothing}, words[0])
			if err != nil {
				return err
			}
			defer c.Close()
			return ofName("signal", words[0], c.Bridge().Signal(s))
		},
		ValidArgsFunction: func(cmd *cobra.Command, words []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(words) == 1 {
				return []cobra.Completion{"HUP", "INT", "QUIT", "TERM", "KILL", "USR1", "USR2", "STOP", "CONT", "WINCH"},
					cobra.ShellCompDirectiveNoFileComp
			}
			return completeName(cmd, words, begun)
		},
	}
	f.register(cmd.Flags())
	return cmd
}
