package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// addCompletion adds cobra's own verb, which takes an unknown shell for a call for help.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	cmd, _, _ := root.Find([]string{"completion"}) // it was just added
	cmd.Use = "completion SHELL"
	cmd.Short = "Write the completion script for a shell"
	cmd.DisableFlagsInUseLine = true
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return &usageError{what: fmt.Sprintf("completion: unknown shell %q", args[0]), hint: "write bash, zsh, fish or powershell"}
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// completeCommand completes a CMD: its first word with the programs in PATH, or with a file where it has a
// slash; the others are the program's own, as a rule files.
func completeCommand(_ *cobra.Command, words []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(words) > 0 || strings.Contains(begun, "/") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []cobra.Completion
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		entries, _ := os.ReadDir(dir) // one that is not there has none
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), begun) || e.IsDir() {
				continue
			}
			if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode()&0o111 != 0 {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveDefault
}

func fixed(words ...cobra.Completion) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}
