package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
			return f.act("signal", words[0], func(c *session.Client) error { return c.Bridge().Signal(s) })
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
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if word := asKillHasIt(err); word != "" {
			return &usageError{what: "signal: -" + word + " is no flag", hint: "spawnx signal NAME " + word}
		}
		return flagError(cmd, err)
	})
	return cmd
}

// asKillHasIt is the signal in an unknown flag such as -9 or -HUP; "" if there is none.
func asKillHasIt(err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	word := unknown.GetSpecifiedShortnames()
	if word == "" {
		word = unknown.GetSpecifiedName()
	}
	if _, err := proc.ParseSignal(word); err != nil {
		return ""
	}
	return strings.ToUpper(word)
}
