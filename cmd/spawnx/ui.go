package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/proc"
)

// All that spawnx itself says is printed here; what programs write goes past it.
//
//   - It speaks to stderr only, and only when something did not work.
//   - "spawnx: " and the first line alone say what and why. Details follow, two blanks in; the last line
//     is "hint: " and what to do, where there is something to do.
//   - Lower case, no full stop. The bytes of programs are shown escaped.
//   - The status of a program is its own and no news: nothing is printed for it.

// complain prints what went wrong.
func complain(err error) {
	if err == nil || silent(err) {
		return
	}
	var scripted *scriptError
	if errors.As(err, &scripted) { // it begins with the place in the script
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Fprintf(os.Stderr, "spawnx: %s\n", err)
}

// silent reports whether the exit status says it all.
func silent(err error) bool {
	switch e := err.(type) {
	case *proc.ExitError:
		return true
	case *scriptError:
		if e.err == nil { // exit(n)
			return true
		}
	}
	var ended *signalError
	return errors.As(err, &ended) || errors.Is(err, errTests) || errors.Is(err, syscall.EPIPE) || errors.Is(err, secret.ErrInterrupted)
}

// flagError turns an error of the flag parser into one line and a hint.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	e := &usageError{hint: cmd.CommandPath() + " --help lists the flags"}
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		flag := dashes(name)
		if slices.Contains(flagsToCome, name) {
			e.what = flag + " is not there yet in this version"
			break
		}
		e.what = "unknown flag " + flag
		if near := nearestFlag(cmd, name); near != "" {
			e.hint = "did you mean " + dashes(near) + "?"
		}
	case errors.As(err, &empty):
		e.what = dashes(empty.GetSpecifiedName()) + " needs a value"
		e.hint = "write " + dashes(empty.GetFlag().Name) + " " + strings.ToUpper(empty.GetFlag().Value.Type())
	case errors.As(err, &invalid):
		e.what = fmt.Sprintf("%s %q: %v", dashes(invalid.GetFlag().Name), invalid.GetValue(), invalid.Unwrap())
		if _, hint, ok := strings.Cut(e.what, "\nhint: "); ok {
			e.what, e.hint = strings.TrimSuffix(e.what, "\nhint: "+hint), hint
		}
	default:
		e.what = err.Error()
	}
	if cmd.HasParent() {
		e.what = cmd.Name() + ": " + e.what
	}
	return e
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// nearestFlag is the flag that was probably meant: one that differs in little, or goes on where name ends.
func nearestFlag(cmd *cobra.Command, name string) (near string) {
	least := 3
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		d := distance(name, f.Name)
		if len(name) > 2 && strings.HasPrefix(f.Name, name) {
			d = 1
		}
		if d < least && d < len(name) {
			near, least = f.Name, d
		}
	})
	return near
}

// distance is how many letters have to be inserted, dropped or replaced to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0]++
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last, row[j+1] = row[j+1], min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
