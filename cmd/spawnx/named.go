package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/session"
)

// What the verbs for named programs have in common: NAME, the ways to get at it, and the clocks.

// A far is how to get at a program that another process serves.
type far struct {
	token, fingerprint   string
	timeout, idleTimeout time.Duration
}

func (f *far) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.token, "token", "", "for spawnx:HOST:PORT: the token, `REF` as in <secret REF> (default: SPAWNX_TOKEN)")
	fs.Var(value[string]{"hex", parseFingerprint, func(s string) { f.fingerprint = s }}, "fingerprint",
		"for spawnx:HOST:PORT: what its server printed")
}

func parseFingerprint(s string) (string, error) { return s, session.CheckFingerprint(s) }

// parseName refuses what an empty variable gives: without a name a program would just run.
func parseName(s string) (string, error) {
	if s == "" {
		return "", errors.New("the name is empty\nhint: use A-Z a-z 0-9 _ -")
	}
	return s, nil
}

// registerPlace registers --as.
func registerPlace(fs *pflag.FlagSet, place *string, use string) {
	fs.Var(value[string]{"who", parsePlace, func(s string) { *place = s }}, "as", use)
}

func parsePlace(s string) (string, error) {
	const most = 64 // as PROTOCOL.md says
	if len(s) > most {
		return "", fmt.Errorf("it has %d bytes, %d are the most", len(s), most)
	}
	return s, nil
}

func (f *far) registerTimeout(fs *pflag.FlagSet, use string) {
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { f.timeout = d }}, "timeout", use)
}

func (f *far) registerIdleTimeout(fs *pflag.FlagSet) {
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { f.idleTimeout = d }}, "idle-timeout",
		"give up when it wrote nothing for this time (default: never)")
}

// How long a server may take to answer. One on this machine does at once.
const joinTimeout = 10 * time.Second

// dial joins the program NAME.
func (f *far) dial(d session.Dialer, name string) (*session.Client, error) {
	if err := named(name); err != nil {
		return nil, err
	}
	d.Fingerprint = f.fingerprint
	if f.token != "" {
		var err error
		if d.Token, err = readToken(f.token); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), scale.Duration(joinTimeout),
		&timeoutError{fmt.Sprintf("join %s: its server did not answer in %s", name, joinTimeout)})
	defer cancel()
	c, err := d.Dial(ctx, name)
	if err != nil {
		return nil, &joinError{err}
	}
	return c, nil
}

// A joinError: a program cannot be joined. Its text says which.
type joinError struct{ err error }

func (e *joinError) Error() string { return e.err.Error() }
func (e *joinError) Unwrap() error { return e.err }

// named finds what was written in place of a NAME and cannot be one.
func named(name string) error {
	if scheme, _, ok := strings.Cut(name, ":"); ok && scheme != "spawnx" {
		return &usageError{what: fmt.Sprintf("%q is no name", name), hint: "write NAME of spawnx list, spawnx:PATH or spawnx:HOST:PORT"}
	}
	if host, ok := strings.CutPrefix(name, "spawnx:"); ok && !strings.Contains(host, "/") {
		if _, port, err := net.SplitHostPort(host); err != nil || port == "" {
			return &usageError{what: fmt.Sprintf("%q has no port", name), hint: "write spawnx:HOST:PORT; for a socket in this folder spawnx:./PATH"}
		}
	}
	return nil
}

// behindName leaves out a -- behind NAME, where no flag can stand any more: whoever writes it there means the same.
// Alone it is a word as others are.
func behindName(words []string) []string {
	if len(words) > 2 && words[1] == "--" {
		return slices.Delete(slices.Clone(words), 1, 2)
	}
	return words
}

// options are those of a dialog with it.
func (f *far) options() expect.Options {
	return expect.Options{Timeout: f.timeout, IdleTimeout: f.idleTimeout}
}

// wants checks how many words there are, in the words of the verb's Use.
func wants(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, words []string) error {
		if most != 1 {
			words = behindName(words)
		}
		switch {
		case len(words) == 0:
			return usageOf(cmd, fmt.Errorf("a NAME is wanted\nhint: spawnx list shows those that run"))
		case len(words) < least:
			use := strings.Fields(cmd.Use)
			return usageOf(cmd, fmt.Errorf("the %s is missing\nhint: spawnx %s", strings.TrimSuffix(use[len(use)-1], "..."), cmd.Use))
		case most > 0 && len(words) > most && strings.HasPrefix(words[most], "-"):
			return usageOf(cmd, fmt.Errorf("%s stands behind NAME\nhint: flags come before NAME: spawnx %s", words[most], cmd.Use))
		case most > 0 && len(words) > most:
			return usageOf(cmd, fmt.Errorf("%q is too much\nhint: spawnx %s, what has blanks in quotes", words[most], cmd.Use))
		}
		return nil
	}
}

// completeName completes the NAME, and nothing behind it.
func completeName(_ *cobra.Command, words []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(words) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all, _ := session.List(ctx) // nothing to complete then
	var names []cobra.Completion
	for _, info := range all {
		names = append(names, cobra.CompletionWithDesc(info.Name, shownCommand(info)))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// parsePatterns reads the PATTERNs of a verb.
func parsePatterns(words []string) ([]expect.Pattern, error) {
	var all []expect.Pattern
	for _, word := range words {
		p, err := grammar.Pattern(word)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// isAddress reports whether NAME is where a server listens, and no name.
func isAddress(name string) bool { return strings.HasPrefix(name, "spawnx:") }

// ofName puts the name into the first words of an error.
func ofName(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	return &nameError{verb, name, err}
}

type nameError struct {
	verb, name string
	err        error
}

func (e *nameError) Error() string {
	if errors.Is(e.err, errors.ErrUnsupported) {
		return e.verb + " " + e.name + ": it has no terminal" // all else can be done with every program
	}
	if errors.Is(e.err, os.ErrProcessDone) {
		return e.verb + " " + e.name + ": it has ended" // just now
	}
	return e.verb + " " + e.name + ": " + e.inWords(strings.TrimPrefix(e.err.Error(), e.verb+": "))
}

// inWords says a hint of package expect in words of the command line.
func (e *nameError) inWords(s string) string {
	text, hint, ok := strings.Cut(s, "\nhint: ")
	if !ok {
		return s
	}
	return text + "\nhint: " + grammar.Hint(hint, func(verb string) string { return "spawnx " + verb + " " + e.name })
}
func (e *nameError) Unwrap() error { return e.err }

// living refuses what would be done to a program that has ended: its terminal, which is still there, would take it.
func living(ctx context.Context, c *session.Client) error {
	info, err := c.Info(ctx)
	if err != nil {
		return err
	}
	return ended(info)
}

func ended(info session.Info) error {
	if info.Exit == nil && info.RestartAt.IsZero() {
		return nil
	}
	return &endedError{info}
}

// An endedError: the program does not run, or not now.
type endedError struct{ info session.Info }

func (e *endedError) Error() string {
	if e.info.Exit != nil {
		s := "it has ended: " + e.info.Exit.Exit().String()
		if e.info.Name != "" {
			s += "\nhint: spawnx wait " + e.info.Name + " takes its status"
		}
		return s
	}
	left := max(time.Until(e.info.RestartAt), 0).Round(100 * time.Millisecond)
	return fmt.Sprintf("it has ended, and starts again in %v", left)
}

// act joins a program that runs and does something to it.
func (f *far) act(verb, name string, do func(*session.Client) error) error {
	c, err := f.dial(session.Dialer{From: session.Nothing}, name)
	if err != nil {
		return err
	}
	defer c.Close()
	if err = living(context.Background(), c); err == nil {
		err = do(c)
	}
	return ofName(verb, name, err)
}

// converse joins a program and talks with it.
func (f *far) converse(d session.Dialer, verb, name string, talk func(*session.Client, *expect.Console) error) error {
	c, err := f.dial(d, name)
	if err != nil {
		return err
	}
	defer c.Close()
	console := expect.Attach(c.Bridge())
	defer console.Close()
	return ofName(verb, name, talk(c, console.With(f.options())))
}
