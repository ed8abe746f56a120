package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/internal/doctor"
	"github.com/spawnx/spawnx/internal/escape"
)

func newDoctor() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [FLAGS]",
		Short: "Say what this machine can give",
		Long: `Say what this machine can give: whether a program's processes can outlive a killed spawnx, how
signals are sent, what can be known of a program that hangs, whether terminals and the folder of
named programs are to be had. Each line says ok, limited or missing, and what follows from it.

It tries what it speaks of: it opens a terminal and starts a program for a moment.

Exit status: 0.`,
		Example: `  spawnx doctor
  spawnx doctor --json | jq -r '.[] | select(.state != "ok").text'`,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{what: "doctor: it takes no words", hint: "spawnx doctor --help"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			lines := doctor.Judge(doctor.Look(cmd.Context(), os.Stdin, os.Stdout))
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(lines)
			}
			return printLines(cmd.OutOrStdout(), lines)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, `print one JSON list of {"what","state","text"}`)
	return cmd
}

func printLines(w io.Writer, lines []doctor.Line) error {
	widest := 0
	for _, l := range lines {
		widest = max(widest, len(l.What))
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(w, "%-*s  %-7s  %s\n", widest, l.What, l.State, escape.Visible(l.Text)); err != nil {
			return err
		}
	}
	return nil
}
