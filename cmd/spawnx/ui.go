package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spawnx/spawnx/internal/nearest"
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

// An ownOutput is an output of ours that remembers the first write that failed, for what prints without looking.
type ownOutput struct {
	f *os.File

	mu  sync.Mutex
	err error
}

func (c *ownOutput) Write(p []byte) (int, error) {
	n, err := c.f.Write(p)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = cmp.Or(c.err, err)
	}
	return n, err
}

// failed is the first failure, an *outputError, or nil.
func (c *ownOutput) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return &outputError{c.err}
}

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
		e.what = "unknown flag " + flag
		if near := nearestFlag(cmd, name); near != "" {
			e.hint = "did you mean " + dashes(near) + "?"
		}
	case errors.As(err, &empty):
		e.what = dashes(empty.GetSpecifiedName()) + " needs a value"
		value, _ := pflag.UnquoteUsage(empty.GetFlag()) // as --help shows it
		e.hint = "write " + dashes(empty.GetSpecifiedName()) + " " + strings.ToUpper(value)
	case errors.As(err, &invalid):
		e.what = fmt.Sprintf("%s %q: %v", dashes(invalid.GetFlag().Name), invalid.GetValue(), inWords(invalid.Unwrap()))
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

// inWords is why a value is none, without the names of what parses it.
func inWords(err error) error {
	var number *strconv.NumError
	switch {
	case errors.As(err, &number) && errors.Is(err, strconv.ErrRange):
		return errors.New("the number is too large")
	case errors.As(err, &number):
		return errors.New("a whole number is wanted")
	}
	return err
}

// groupError says in our words which flags belong together, or exclude each other.
func groupError(err error) error {
	if err == nil {
		return nil
	}
	rest, ok := strings.CutPrefix(err.Error(), "if any flags in the group [")
	if !ok {
		return err
	}
	group, rest, _ := strings.Cut(rest, "] ")
	_, which, _ := strings.Cut(rest, "[")
	which, _, _ = strings.Cut(which, "]")
	named := strings.Fields(which)
	for i := range named {
		named[i] = dashes(named[i])
	}
	if strings.Contains(rest, "; missing [") {
		return &usageError{what: strings.Join(named, " and ") + " is missing", hint: "it goes together with " + dashes(strings.Join(other(group, which), " --"))}
	}
	return &usageError{what: strings.Join(named, " and ") + " exclude each other", hint: "leave one of them out"}
}

// other are the flags of a group without these.
func other(group, without string) []string {
	return slices.DeleteFunc(strings.Fields(group), func(name string) bool { return slices.Contains(strings.Fields(without), name) })
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// nearestFlag is the flag that was probably meant.
func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return nearest.Word(name, names)
}
