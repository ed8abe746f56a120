package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/session"
)

func newList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [FLAGS]",
		Short: "List the named programs",
		Long: `List the programs that were started with run --name: those that run, and those that have ended
and whose status nobody has asked for with spawnx wait.`,
		Example:               `  spawnx list --json | jq -r 'select(.running).name'`,
		DisableFlagsInUseLine: true,
		Args: func(cmd *cobra.Command, words []string) error {
			if len(words) > 0 {
				return usageOf(cmd, fmt.Errorf("%q is too much\nhint: spawnx list shows all", words[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := session.List(context.Background())
			if err != nil {
				return err
			}
			show := showList
			if asJSON {
				show = showListJSON
			}
			if err := show(cmd.OutOrStdout(), all, time.Now()); err != nil {
				return &outputError{err}
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON for each")
	return cmd
}

func showListJSON(w io.Writer, all []session.Info, _ time.Time) error {
	lines := json.NewEncoder(w)
	for _, info := range all {
		doors, _ := debugger.DoorsOf(info) // others have none
		line := struct {
			session.Info
			Channels map[string]string `json:"channels,omitempty"`
			PTS      string            `json:"pts,omitempty"`
			Fifo     string            `json:"fifo,omitempty"`
		}{info, doors.Channels, doors.PTS, doors.Fifo}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func showList(w io.Writer, all []session.Info, now time.Time) error {
	if len(all) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSTATE\tPID\tSINCE\tCLIENTS\tCOMMAND")
	for _, i := range all {
		pid, since, clients := "-", "-", "-"
		if i.PID != 0 && i.Running {
			pid = fmt.Sprint(i.PID)
		}
		if !i.Started.IsZero() {
			since = shortly(now.Sub(i.Started))
			clients = fmt.Sprint(i.Clients)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", i.Name, state(i), pid, since, clients, shownCommand(i))
	}
	return t.Flush()
}

// state is how it is with a program, in a word or few.
func state(i session.Info) string {
	switch {
	case i.Error != "":
		return escape.Visible(i.Error)
	case i.Running && i.Restarts > 0:
		return fmt.Sprintf("runs (restarts: %d)", i.Restarts)
	case i.Running:
		return "runs"
	case i.Exit != nil:
		return i.Exit.Exit().String()
	}
	return "ended"
}

func shownCommand(i session.Info) string {
	if len(i.Args) == 0 {
		return "-"
	}
	return escape.Visible(strings.Join(i.Args, " "))
}

// shortly is a time in its largest unit.
func shortly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
