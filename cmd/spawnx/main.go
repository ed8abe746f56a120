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
	root := rootOf(args)
	root.SetArgs(args)
	out := &ownOutput{f: os.Stdout}
	root.SetOut(out)
	err := groupError(root.Execute())
	if err == nil {
		err = out.failed()
	}
	complain(err)
	return status(err)
}

// verbs is their table. Each is in a file of its name, or with those that do nearly the same.
var verbs = []struct {
	name string
	make func() *cobra.Command
}{
	{"run", newRun}, {"link", newLink}, {"play", newPlay}, {"screen", newScreen}, {"script", newScript}, {"test", newTest},
	{"debug", newDebug}, {"web", newWeb}, {"why", newWhy}, {"doctor", newDoctor},
	{"list", newList}, {"attach", newAttach}, {"expect", newExpect}, {"command", newCommand}, {"send", newSend},
	{"sendline", newSendline}, {"sendkey", newSendkey}, {"sendsecret", newSendsecret}, {"sendeof", newSendeof},
	{"wait", newWait}, {"signal", newSignal}, {"resize", newResize}, {"stop", newStop},
}

// rootOf is newRoot with the one verb that is asked for: the others with their flags would take a tenth of the start.
func rootOf(args []string) *cobra.Command {
	for _, v := range verbs {
		if len(args) > 0 && args[0] == v.name {
			root := bareRoot()
			root.CompletionOptions.DisableDefaultCmd = true
			root.AddCommand(v.make())
			return root
		}
	}
	return newRoot()
}

// newRoot is the command with all verbs.
func newRoot() *cobra.Command {
	root := bareRoot()
	root.Version = version()
	for _, v := range verbs {
		root.AddCommand(v.make())
	}
	root.SetHelpCommand(newHelp())
	addCompletion(root)
	addMan(root)
	return root
}

func bareRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "spawnx VERB [FLAGS] ...",
		Short: "Run other programs and talk to them",
		Long: `Spawnx runs other programs and talks to them: it answers their questions, gives them
a terminal or pipes, watches over them and passes on what a person types.`,
		Example:       `  spawnx run --on 'Name? => Ada' --on '[Y/n] => y' ./install.sh`,
		SilenceErrors: true, // ui.go prints them
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2, // letters that differ

		Args: noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.DisableFlagsInUseLine = true
	root.SetUsageFunc(usage)
	root.SetFlagErrorFunc(flagError)
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
