// Spawnx runs other programs and talks to them: it answers their questions, watches their end and passes
// on what a person types. `spawnx help` lists its verbs.
package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/proc"
)

func main() {
	proc.MaybeShim()
	os.Exit(spawnx(os.Args[1:]))
}

// spawnx does what the arguments say and returns the exit status.
func spawnx(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.Execute()
	complain(err)
	return status(err)
}

// newRoot is the table of verbs. Each is in a file of its name.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "spawnx VERB [FLAGS] ...",
		Short: "Run other programs and talk to them",
		Long: `Spawnx runs other programs and talks to them: it answers their questions, gives them
a terminal or pipes, watches over them and passes on what a person types.`,
		Example:       `  spawnx run --on 'Name? => Ada' --on '[Y/n] => y' ./install.sh`,
		Version:       version(),
		SilenceErrors: true, // ui.go prints them
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2, // letters that differ

		Args: noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.DisableFlagsInUseLine = true
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newRun(), newLink(), newPlay(), newScreen(), newScript(), newTest(), newDebug(), newWeb(), newWhy(), newDoctor(),
		newList(), newAttach(), newExpect(), newCommand(), newSend(), newSendline(), newSendkey(), newSendsecret(), newSendeof(),
		newWait(), newSignal(), newResize(), newStop())
	root.SetHelpCommand(newHelp())
	addCompletion(root)
	addMan(root)
	return root
}

// version is that of the module, for a build from a clone the commit's.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
