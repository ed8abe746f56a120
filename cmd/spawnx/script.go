package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/script"
	"github.com/spawnx/spawnx/session"
)

// scriptFlags are the flags of script, as they were given.
type scriptFlags struct {
	code                 []string
	check                bool
	timeout, idleTimeout time.Duration
	far                  far // how to get at what connect names
}

func newScript() *cobra.Command {
	var flags scriptFlags
	cmd := &cobra.Command{
		Use:   "script [FLAGS] FILE.star [ARG...]",
		Short: "Run a dialog script",
		Long: `Run a dialog that is written down, in Starlark: Python's look, without its exceptions.

  p = spawn(["ssh", args[0]], prompt = re(r"[$#] $"))
  p.expect(on("password: ", secret("env:PW")), p.prompt)
  print(p.command("uptime"))

FILE may be - for our input. What goes wrong ends the script with its line and the state of the
dialog; programs that it started and that still run are then stopped. docs/scripts.md has all words.

Exit status: 0, what exit(N) says, 124 for a timeout that the script does not expect, 1 for anything
else that did not work, 125 for what is no script, 126 and 127 for a program that cannot be started.`,
		Example: `  spawnx script deploy.star host1 host2
  spawnx script --check deploy.star
  spawnx script -e 'p = spawn("sh", prompt = "$ ", env = {"PS1": "$ "}); p.expect("$ "); print(p.command("date"))'`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, words []string) error {
			name, src, args, err := flags.source(words, os.Stdin)
			if err != nil {
				return usageOf(cmd, err)
			}
			return flags.run(name, src, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(words) > 0 || len(flags.code) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return []cobra.Completion{"star"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVarP(&flags.code, "code", "e", nil, "run `CODE` instead of a file; repeatable, each is a line")
	fs.BoolVar(&flags.check, "check", false, "find mistakes, run nothing")
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { flags.timeout = d }}, "timeout",
		"of each wait that sets none itself (default 30s)")
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { flags.idleTimeout = d }}, "idle-timeout",
		"end a wait when nothing comes for this time (default none)")
	flags.far.register(fs)
	fs.SetInterspersed(false)
	fs.SortFlags = false
	return cmd
}

// source is the script that the words name, and its arguments.
func (f *scriptFlags) source(words []string, stdin io.Reader) (name string, src []byte, args []string, err error) {
	if len(f.code) > 0 {
		return "-e", []byte(strings.Join(f.code, "\n") + "\n"), words, nil
	}
	if len(words) == 0 {
		return "", nil, nil, errors.New("no script\nhint: write spawnx script FILE.star, or spawnx script -e CODE")
	}
	if name, args = words[0], words[1:]; name == "-" {
		src, err = io.ReadAll(stdin)
		return "stdin", src, args, err
	}
	src, err = os.ReadFile(name)
	return name, src, args, err
}

// A scriptError is how a script ended. Without err it ended itself.
type scriptError struct {
	status int
	err    error
}

func (e *scriptError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit(%d)", e.status)
	}
	return e.err.Error()
}
func (e *scriptError) Unwrap() error { return e.err }

func (f *scriptFlags) run(name string, src []byte, args []string) error {
	program, err := script.Load(name, src)
	if err != nil {
		return &scriptError{ourselves, err}
	}
	if f.check {
		return checked(program.Check())
	}
	ctx, stop := untilSignal()
	defer stop()
	status, err := program.Run(ctx, script.Options{
		Args: args, Env: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Timeout: f.timeout, IdleTimeout: f.idleTimeout,
		Ask: askAtTerminal, Connect: f.connect,
	})
	switch {
	case ctx.Err() != nil && err != nil:
		return context.Cause(ctx)
	case errors.Is(err, script.ErrOutput) && errors.Is(err, syscall.EPIPE): // nobody wants to read it any more
		return &outputError{err}
	case err != nil || status != 0:
		return &scriptError{status, err}
	}
	return nil
}

// connect joins a program that another process serves, and says the prompt that its run --prompt named. Closing the
// Console leaves it.
func (f *scriptFlags) connect(ctx context.Context, addr string) (c *expect.Console, prompt expect.Pattern, err error) {
	client, err := f.far.dial(session.Dialer{}, addr)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, scale.Duration(joinTimeout))
	defer cancel()
	info, err := client.Info(ctx)
	if err == nil && info.Prompt != "" {
		prompt, err = grammar.Pattern(info.Prompt)
	}
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return expect.Attach(client.Bridge()), prompt, nil
}

// checked prints what a check found. Warnings alone are no failure.
func checked(found []*script.Error) error {
	status, all := 0, []error{}
	for _, e := range found {
		if !e.Warning {
			status = didNotWork
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil
	}
	return &scriptError{status, errors.Join(all...)}
}

// untilSignal is a context that a signal ends which would end us.
func untilSignal() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) { // nohup(1)
			signal.Notify(signals, s)
		}
	}
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE) // a write fails instead
	go func() {
		if s, ok := <-signals; ok {
			cancel(&signalError{number(s)})
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		signal.Stop(broken)
	}
}

// askAtTerminal puts a question to the person at the terminal that we were started from.
func askAtTerminal(ctx context.Context, question string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", grammar.ErrNobody
	}
	defer tty.Close()
	if _, err := fmt.Fprint(tty, question); err != nil {
		return "", err
	}
	return readLine(ctx, tty)
}
