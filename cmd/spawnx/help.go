package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Say what a verb does",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noVerb(cmd.Root(), args)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (verbs []cobra.Completion, _ cobra.ShellCompDirective) {
			if len(args) == 0 {
				for _, verb := range cmd.Root().Commands() {
					if verb.IsAvailableCommand() {
						verbs = append(verbs, cobra.CompletionWithDesc(verb.Name(), verb.Short))
					}
				}
			}
			return verbs, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// usage writes the lower half of every --help. It is no template of cobra's: with package text/template the linker has to
// keep the methods of all types, which makes every start slower.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n", cmd.UseLine())
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nVerbs:")
		for _, verb := range cmd.Commands() {
			if verb.IsAvailableCommand() || verb.Name() == "help" {
				fmt.Fprintf(&b, "\n  %-*s %s", verb.NamePadding(), verb.Name(), verb.Short)
			}
		}
		b.WriteString("\n")
	}
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(&b, "\nFlags:\n%s\n", strings.TrimRight(cmd.LocalFlags().FlagUsages(), " \n"))
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

// noVerb is what arguments without a verb of ours lead to.
func noVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "spawnx help lists the verbs; to run a program: spawnx run " + args[0]
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return &usageError{what: fmt.Sprintf("unknown verb %q", args[0]), hint: hint}
}
