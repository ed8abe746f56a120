package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/session"
)

func newSend() *cobra.Command {
	return sender(&cobra.Command{
		Use:   "send [FLAGS] NAME TEXT",
		Short: "Type text into a named program, as it is",
		Long: `Type text into a named program, as it is, without Enter. Where its terminal would take a byte of it
for a key (ctrl-c, backspace), nothing is sent: spawnx sendkey NAME ctrl-c presses it.`,
		Example: "  spawnx send editor 'some text'",
		Args:    wants(2, 2),
	}, func(_ context.Context, _ *session.Client, c *expect.Console, words []string) error {
		return c.Send(words[0])
	})
}

func newSendline() *cobra.Command {
	return sender(&cobra.Command{
		Use:     "sendline [FLAGS] NAME [TEXT]",
		Short:   "Type a line into a named program and press Enter",
		Long:    "Type a line into a named program and press Enter; without TEXT, Enter alone.",
		Example: "  spawnx sendline db 'select 1;'",
		Args:    wants(1, 2),
	}, func(_ context.Context, _ *session.Client, c *expect.Console, words []string) error {
		return c.SendLine(strings.Join(words, "")) // one or none
	})
}

func newSendkey() *cobra.Command {
	return sender(&cobra.Command{
		Use:   "sendkey [FLAGS] NAME KEY...",
		Short: "Press keys in a named program",
		Long: `Press keys in a named program: enter tab esc space backspace delete up down left right home end
pgup pgdn insert f1 to f20, any single character; with ctrl- alt- shift- before it.`,
		Example: "  spawnx sendkey editor esc : w q enter\n  spawnx sendkey sh ctrl-c",
		Args: func(cmd *cobra.Command, words []string) error {
			if err := wants(2, 0)(cmd, words); err != nil {
				return err
			}
			for _, key := range behindName(words)[1:] {
				if err := grammar.Key(key); err != nil {
					return usageOf(cmd, err)
				}
			}
			return nil
		},
	}, func(ctx context.Context, client *session.Client, c *expect.Console, words []string) error {
		picture, err := client.Repaint(ctx)
		switch {
		case errors.Is(err, errors.ErrUnsupported): // it has no terminal, and so no modes
		case err != nil:
			return err
		default:
			shown := screen.New(picture.Size.Rows, picture.Size.Cols)
			_, _ = shown.Write(picture.Bytes) // it never fails
			c = c.With(expect.Options{Screen: keyScreen{shown}})
		}
		return c.SendKey(words...)
	})
}

// A keyScreen says which cursor keys the program has asked for: before we came, too.
type keyScreen struct{ *screen.Screen }

func (s keyScreen) AppCursor() bool { return s.Modes().AppCursor }

func newSendeof() *cobra.Command {
	return sender(&cobra.Command{
		Use:   "sendeof [FLAGS] NAME",
		Short: "End the input of a named program",
		Long: `End the input of a named program: press ctrl-d where it has a terminal, close its input where it
has a pipe.`,
		Example: "  spawnx sendeof db",
		Args:    wants(1, 1),
	}, func(_ context.Context, _ *session.Client, c *expect.Console, _ []string) error { return c.SendEOF() })
}

func newSendsecret() *cobra.Command {
	var unproved bool
	var f *pflag.FlagSet
	cmd := sender(&cobra.Command{
		Use:   "sendsecret [FLAGS] NAME REF",
		Short: "Type a secret into a named program",
		Long: `Type a secret into a named program and press Enter, once its terminal shows nothing of what is typed
and reads by lines; until then it waits. REF says where the secret is: env:NAME, file:PATH, fd:N,
cmd:COMMAND or ask:PROMPT. Over relays (ssh), to pipes and to programs that edit the line themselves
it cannot be proved that the secret will not show; with -unproved it is typed all the same.`,
		Example: "  PW=... spawnx sendsecret db env:PW",
		Args: func(cmd *cobra.Command, words []string) error {
			if err := wants(2, 2)(cmd, words); err != nil {
				return err
			}
			if err := grammar.SecretRef(words[1]); err != nil {
				return usageOf(cmd, err)
			}
			return nil
		},
	}, func(ctx context.Context, _ *session.Client, c *expect.Console, words []string) error {
		if err := missing(words[0]); err != nil {
			return err
		}
		return c.With(expect.Options{UnprovedSecrets: unproved}).SendSecret(ctx, expect.SecretRef(words[0]))
	})
	f = cmd.Flags()
	f.BoolVar(&unproved, "unproved", false, "type it although it may show (-unproved is the same)")
	// The vocabulary's -unproved has one dash, as in scripts and tests. The parser knows long flags with two only.
	cmd.DisableFlagParsing = true
	run, check := cmd.RunE, cmd.Args
	cmd.Args = nil
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		words = slices.Clone(words)
		for i, word := range words {
			if word == "-unproved" {
				words[i] = "--unproved"
			}
		}
		f.SetInterspersed(true)
		switch err := f.Parse(words); {
		case errors.Is(err, pflag.ErrHelp):
			return cmd.Help()
		case err != nil:
			return flagError(cmd, err)
		}
		if err := check(cmd, f.Args()); err != nil {
			return err
		}
		return run(cmd, f.Args())
	}
	return cmd
}

// missing says at once what would otherwise come to light when the program asks for its secret: that there is none.
// It reads nothing, since some can be read only once.
func missing(ref string) error {
	scheme, arg, _ := strings.Cut(ref, ":")
	switch scheme {
	case "env":
		if _, ok := os.LookupEnv(arg); !ok {
			return fmt.Errorf("secret %q: the variable is not set", ref)
		}
	case "file":
		if _, err := os.Stat(arg); err != nil {
			return fmt.Errorf("secret %q: %w", ref, err)
		}
	}
	return nil
}

// sender is a verb that sends something to NAME: do gets the words behind it.
func sender(cmd *cobra.Command, do func(ctx context.Context, client *session.Client, c *expect.Console, words []string) error) *cobra.Command {
	var f far
	cmd.Long += `

It returns when the program's input has taken it, or when that does not happen for --timeout.`
	cmd.DisableFlagsInUseLine = true
	cmd.ValidArgsFunction = completeName
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		words = behindName(words)
		// From now: whether the program is ready for a secret shows in what it does, not in what it did.
		return f.converse(session.Dialer{From: session.FromNow}, cmd.Name(), words[0], func(client *session.Client, c *expect.Console) error {
			ctx := context.Background()
			if err := living(ctx, client); err != nil {
				return err
			}
			return do(ctx, client, c, words[1:])
		})
	}
	f.registerTimeout(cmd.Flags(), "give up after this time, status 124 (default 30s)")
	f.register(cmd.Flags())
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().SortFlags = false
	return cmd
}
