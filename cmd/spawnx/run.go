package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

func newRun() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [FLAGS] CMD...",
		Short: "Run a program: status and output are the program's",
		Long: `Run a program, answer its questions and pass on its output, its status and our input.

CMD is the program and its arguments; flags stop at the first word that is not one. There
is no shell: write sh -c '...' for one. A single word such as 'make -j4' is split at blanks.

The program gets a terminal where there is an --on or where our output is a terminal, and
pipes otherwise. With --on our input is passed on only when it is a terminal, or with -i.

A PATTERN of --on is text as it appears on the screen, or /a regular expression/ (flags i, m
and s behind it), or <waiting> (it waits for input, and no other rule matches), <eof> or
<idle 2s>. A REPLY is text, sent as a line, or keys and other items in angle brackets:
  <y>  <enter>  <down><down><enter>  <ctrl-c>     keys, without Enter
  <secret env:NAME>                               a secret, once; also file:PATH, fd:N,
                                                  cmd:COMMAND and ask:PROMPT
  <secret 2 env:NAME>                             the same, twice
  <eof>  <ask>  <fail MESSAGE>                    end the input; leave it to the person at the
                                                  terminal; stop the program, status 1
A leading \ makes the rest plain text, of either.

With --name others can join the program while it runs, from any shell: spawnx list, attach, expect,
command, send and others. It gets a terminal, and ends when this spawnx does, killed or not. With -d
it is left running by itself: spawnx returns when it runs, or cannot; spawnx wait NAME gives its status.

Exit status: the program's, 128+N when signal N ended it; 1 for <fail> and where a dialog
failed, 124 for a timeout, 125 for spawnx itself, 126 cannot run, 127 not found.`,
		Example: `  spawnx run --on 'Name? => Ada' sh -c 'printf "Name? "; read n; echo hello $n'
  spawnx run --on '[Y/n] => y' --on 'Password: => <secret env:PW>' ./install.sh
  spawnx run --on '<waiting> => <fail unknown question>' ./install.sh
  spawnx run --timeout 5m --log build.log make
  spawnx run -d --name web --stdio pipes --restart on-failure --log web.log --log-size 10M ./server
  spawnx run -d --name db psql; spawnx expect db '=# '; spawnx command db 'select 1;'`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, words []string) error {
			r := &running{flags: &flags, here: lookAround()}
			var err error
			if cmd.Flags().Changed("dir") && flags.dir == "" { // an unset variable of a script, mostly
				return usageOf(cmd, errors.New("--dir is empty\nhint: write --dir . for this folder"))
			}
			r.plan, err = flags.plan(words, r.here, grammar.World{Ask: r.ask, Secret: r.secret})
			if err != nil {
				return usageOf(cmd, err)
			}
			switch {
			case flags.ready:
				return r.runDetached()
			case flags.detach:
				return flags.detached()
			}
			return r.run()
		},
	}
	flags.register(cmd.Flags())
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().SortFlags = false // they stand in the order of use
	cmd.ValidArgsFunction = completeCommand
	_ = cmd.RegisterFlagCompletionFunc("stdio", fixed("pty", "pipes", "pty-stderr", "pty-stdout")) // fails for unknown flags only
	_ = cmd.RegisterFlagCompletionFunc("restart", fixed("never", "on-failure", "always"))
	_ = cmd.MarkFlagDirname("dir")
	return cmd
}

// usageOf is the error of a command line that a verb does not understand.
func usageOf(cmd *cobra.Command, err error) error {
	what, hint, ok := strings.Cut(err.Error(), "\nhint: ")
	if !ok {
		hint = cmd.CommandPath() + " --help"
	}
	return &usageError{what: cmd.Name() + ": " + what, hint: hint}
}

// A running is one run under way.
type running struct {
	flags *runFlags
	here  surroundings
	plan  plan

	keys  *keyboard // nil: our input is not passed on
	log   *logFile  // nil: none
	tape  *tape     // nil: none
	place *foreground

	served *served // nil: it has no name
	ready  func()  // others can join; nil: nobody waits for that

	console *expect.Console
	idle    *time.Timer // nil: no --idle-timeout
	copying sync.WaitGroup
}

// How long a single answer may take: until it may be typed, and until the program takes it.
const answerTimeout = 30 * time.Second

func (r *running) run() (err error) {
	if r.flags.name != "" {
		if r.served, err = r.reserve(); err != nil {
			return err
		}
		defer r.served.release()
	}
	if err := r.prepare(); err != nil {
		return err
	}
	// What the program wrote is all there and the terminal given back before an error is printed.
	defer func() {
		r.place.leave()
		if r.log != nil {
			if cerr := r.log.Close(); err == nil && cerr != nil {
				err = fmt.Errorf("log: %w", cerr)
			}
		}
	}()
	console, err := expect.Spawn(context.Background(), r.plan.spec)
	if err != nil {
		if r.tape != nil {
			r.tape.discard()
		}
		return err
	}
	defer console.Close()
	if r.served != nil {
		if err := r.served.open(console.Bridge()); err != nil {
			return err
		}
		defer r.served.close()
	}
	if r.tape != nil {
		r.tape.start(console.Bridge())
		defer func() {
			if terr := r.tape.end(console.Bridge()); err == nil {
				err = terr
			}
		}()
	}
	r.console = console.With(expect.Options{Timeout: -1, IdleTimeout: -1})
	for i := range r.plan.rules {
		r.plan.rules[i].Do = bounded(r.plan.rules[i].Do)
	}
	if r.tape != nil {
		r.plan.rules = r.tape.watching(r.plan.rules)
	}
	r.console.Always(r.plan.rules...)

	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	r.place.serve(console.Bridge(), func(s os.Signal) { cancel(&signalError{number(s)}) })
	defer r.clocks(cancel)()
	r.record()
	shown := r.show(cancel)

	failure := r.dialog(ctx)
	var ended *signalError
	if errors.As(failure, &ended) {
		return failure // the program has ended already, and somebody does not want to wait for its output
	}
	if failure != nil {
		_, _ = console.Bridge().Stop(context.Background()) // how it ended is no news any more
	}
	lost := <-shown
	_, exit := console.Wait(context.Background())
	r.copying.Wait()
	if r.log != nil {
		complain(r.log.gaps())
	}
	if r.served != nil {
		r.served.end(ctx)
	}
	switch { // what ended the program goes before how it then ended
	case failure != nil:
		return failure
	case lost != nil:
		return lost
	}
	return exit
}

// prepare does what can fail before there is a program.
func (r *running) prepare() (err error) {
	if r.flags.log != "" {
		if r.log, err = openLog(r.flags.log, r.flags.logSize, r.flags.logKeep); err != nil {
			return err
		}
	}
	if r.plan.passInput {
		if r.keys, err = openKeyboard(os.Stdin); err != nil {
			return err
		}
	}
	if r.plan.follow {
		if size, err := ptyio.SizeOf(os.Stdout); err == nil {
			r.plan.spec.Size = size
		}
	}
	if r.flags.record != "" {
		if r.tape, err = openTape(r.flags, r.plan); err != nil {
			return err
		}
	}
	r.place, err = takePlace(r.plan)
	return err
}

// clocks starts the timeouts.
func (r *running) clocks(cancel context.CancelCauseFunc) (stop func()) {
	program := escape.Visible(r.plan.spec.Args[0])
	end := func(d time.Duration, why string) *time.Timer {
		if d == 0 {
			return nil
		}
		d = scale.Duration(d)
		return time.AfterFunc(d, func() {
			cancel(&timeoutError{fmt.Sprintf("run %s: "+why+": stopped", program, d)})
		})
	}
	total := end(r.flags.timeout, "did not end in %s")
	r.idle = end(r.flags.idleTimeout, "no output for %s")
	return func() {
		for _, timer := range []*time.Timer{total, r.idle} {
			if timer != nil {
				timer.Stop()
			}
		}
	}
}

// record copies the output into the log. A log that fails is marked there, and ends nothing.
func (r *running) record() {
	if r.log == nil {
		return
	}
	b := r.console.Bridge()
	for _, stream := range []*bridge.Stream{b.Output(), b.Stderr()} {
		if stream == nil {
			continue
		}
		reader, lane := stream.Reader("log", bridge.Block), r.log.lane()
		r.copying.Add(1)
		go func() {
			defer r.copying.Done()
			lost, _ := bridge.Copy(lane, reader) // the output ended, in which way is no matter of the log
			r.log.lost(lost)
		}()
	}
}

// show joins the person and the program. shown tells when the output has been passed on, or why it cannot be.
func (r *running) show(cancel context.CancelCauseFunc) (shown chan error) {
	seat := bridge.Seat{
		Out:   &display{r, os.Stdout, 0},
		Err:   &display{r, os.Stderr, 1},
		Typed: r.place.typed,
		// A program's questions to its terminal come through to the person's, which answers.
		Terminal: r.plan.raw && r.here.stdoutTerminal && !r.flags.quiet,
	}
	if r.keys != nil {
		seat.In = r.keys
	}
	if !r.plan.raw {
		seat.Typed = (&lines{program: r.console.Bridge(), cancel: cancel}).typed
	}
	if r.tape != nil {
		seat.Typed = r.tape.listen(seat.Typed)
	}
	join := func(ctx context.Context, seat bridge.Seat) error { return bridge.Join(ctx, r.console.Bridge(), seat) }
	if r.served != nil && !r.flags.detach { // the person is one of several
		c, err := r.served.sit(seat.Terminal)
		if err != nil {
			cancel(err)
		} else {
			r.place.through(c.Bridge())
			join = c.Join
		}
	}
	shown = make(chan error, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		err := join(context.Background(), seat)
		if err != nil {
			err = &outputError{err}
			cancel(err)
		}
		shown <- err
	}()
	if seat.Terminal { // the person's terminal answers, and the dialog does not: not before it is so
		select {
		case <-r.keys.begun:
		case <-over:
		}
	}
	return shown
}

// A display is where the person sees the output.
type display struct {
	r    *running
	w    io.Writer
	lane int // 1: the errors that come apart
}

func (s *display) Write(p []byte) (int, error) {
	if s.r.tape != nil {
		s.r.tape.output(s.lane, p)
	}
	if s.r.idle != nil {
		s.r.idle.Reset(scale.Duration(s.r.flags.idleTimeout))
	}
	if s.r.flags.quiet {
		return len(p), nil
	}
	return s.w.Write(p)
}

// dialog answers the program's questions until its output has ended.
func (r *running) dialog(ctx context.Context) error {
	if len(r.plan.rules) == 0 {
		_, err := r.console.Wait(ctx)
		var exit *proc.ExitError
		if err == nil || errors.As(err, &exit) {
			return nil
		}
		return r.explain(ctx, err)
	}
	m, err := r.console.Expect(ctx, expect.EOF)
	if err == nil {
		err = r.atEnd(ctx, m)
	}
	return r.explain(ctx, err)
}

// atEnd answers the end of the output by the first rule for it, if there is one.
func (r *running) atEnd(ctx context.Context, m expect.Match) error {
	for _, rule := range r.plan.rules {
		if rule.When == expect.EOF {
			return rule.Do(ctx, r.console, m)
		}
	}
	return nil
}

// explain puts what ended the dialog first, and keeps of its error the details.
func (r *running) explain(ctx context.Context, err error) error {
	var dialog *expect.Error
	isDialog := errors.As(err, &dialog)
	switch why := context.Cause(ctx); {
	case err == nil:
		return nil
	case why != nil && isDialog:
		return &explained{why, details(err) + secretHeld(dialog)}
	case why != nil:
		return why
	case isDialog:
		return &reworded{err, dialog}
	}
	return fmt.Errorf("run %s: %w", escape.Visible(r.plan.spec.Args[0]), err) // a reply's
}

// explained is an error with details from elsewhere.
type explained struct {
	err     error
	details string
}

func (e *explained) Error() string { return e.err.Error() + e.details }
func (e *explained) Unwrap() error { return e.err }

// secretHeld says that a rule for a secret has matched, and what it waits for.
func secretHeld(e *expect.Error) string {
	const unproved = "\nhint: <secret unproved env:NAME> types it all the same"
	switch {
	case e.Op != "sendsecret":
		return ""
	case errors.Is(e, expect.ErrUnproved):
		return "\n  secret   not given: " + strings.TrimPrefix(e.Err.Error(), expect.ErrUnproved.Error()+": ") + unproved
	}
	return "\n  secret   not given: its rule matched, and the terminal still shows what is typed" + unproved
}

// reworded is an error of the dialog with its hint in words of the command line.
type reworded struct {
	err    error
	dialog *expect.Error
}

func (e *reworded) Error() string {
	text, hint, _ := strings.Cut(e.err.Error(), "\nhint: ")
	switch {
	case errors.Is(e.err, expect.ErrRepeated):
		hint = "wrong password? A secret is given once; <secret 2 env:NAME> gives it twice"
	case errors.Is(e.err, expect.ErrUnproved):
		hint = "<secret unproved env:NAME> types it all the same"
	case hint == "":
		return text
	default:
		hint = grammar.Hint(hint, func(verb string) string { return "spawnx " + verb + " NAME" })
	}
	return text + "\nhint: " + hint
}
func (e *reworded) Unwrap() error { return e.err }

// details are the lines of an error about the state of the dialog: not its first, and nothing about the
// cases, which nobody wrote.
func details(err error) string {
	var keep strings.Builder
	for _, line := range strings.Split(err.Error(), "\n")[1:] {
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "  wanted ") {
			keep.WriteString("\n" + line)
		}
	}
	return keep.String()
}

// bounded gives an answer as much time as a single call has, although the whole dialog has more.
func bounded(do expect.Action) expect.Action {
	return func(ctx context.Context, c *expect.Console, m expect.Match) error {
		return do(ctx, c.With(expect.Options{Timeout: answerTimeout}), m)
	}
}
