package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/bridge/fifo"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// linkFlags are the flags of link, as they were given.
type linkFlags struct {
	chain           bool
	tee             string
	transcript, hex bool
	stdio           proc.Stdio
	eof             *bridge.EOFPolicy // nil: not given
	unbuffered      bool
	timeout         time.Duration
	grace           *time.Duration // nil: not given
	dir             string
}

func newLink() *cobra.Command {
	flags := linkFlags{stdio: proc.Pipes}
	cmd := &cobra.Command{
		Use:   "link [FLAGS] ENDPOINT ENDPOINT...",
		Short: "Join programs, fifos, sockets, devices and our own input and output",
		Long: `Join two endpoints or more in a ring, each one's output to the next one's input: two programs
talk to each other. With --chain they are a line, as in a shell's pipeline; the first one's input
is then empty and the last one's output ours, unless those are endpoints of another kind.

An ENDPOINT is
  'CMD'               a program, split at blanks and quotes; there is no shell
  -                   our own input and output
  fifo:DIR            DIR/in, which others write, and DIR/out, which they read; made where missing
  fifo:PATH           a fifo that is there, at an end of a chain
  unix:PATH           a unix socket that somebody serves
  tcp:HOST:PORT       a TCP port
  tty:DEVICE,SPEED    a serial line, in raw mode
  run:NAME            a program of spawnx run --name

Programs on pipes are joined directly: nothing comes past spawnx unless it is shown or kept. What
they write to stderr appears on ours, behind their name. When they wait for each other, stderr
tells who waits for whom and what they hold back, and link goes on watching.

Every byte arrives, also what comes late. When an output ends, the next input ends behind its last
byte, that of a run:NAME too, which others may still want to use: --eof keep leaves it open. When a
program has ended, the one that wrote to it gets --grace to end, then it is stopped.

Exit status: that of the first program that failed, 128+N when signal N ended it, else 0; 1 where an
endpoint failed, 124 for a timeout, 125 for spawnx itself, 126 cannot run, 127 not found.`,
		Example: `  spawnx link ./white ./black
  spawnx link --transcript --stdio pty-stdout ./ask.py ./answer.py
  spawnx link --chain 'tail -f app.log' 'grep --line-buffered ERROR' unix:/run/collector
  spawnx link - tty:/dev/ttyUSB0,115200`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, words []string) error {
			l := &linking{flags: &flags}
			if err := l.parse(words); err != nil {
				return usageOf(cmd, err)
			}
			return l.run()
		},
		ValidArgsFunction: completeCommand,
	}
	flags.register(cmd.Flags())
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().SortFlags = false
	_ = cmd.RegisterFlagCompletionFunc("stdio", fixed("pty", "pipes", "pty-stderr", "pty-stdout")) // fails for unknown flags only
	_ = cmd.RegisterFlagCompletionFunc("eof", fixed("close", "keep", "key"))
	_ = cmd.MarkFlagDirname("dir")
	return cmd
}

func (f *linkFlags) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.chain, "chain", false, "a line instead of a ring")
	fs.StringVar(&f.tee, "tee", "", "append all that passes to `FILE`, as it was written")
	fs.BoolVar(&f.transcript, "transcript", false, "show all that passes, and from whom, on stderr")
	fs.BoolVar(&f.hex, "hex", false, "the same, in hexadecimal")
	fs.Var(value[proc.Stdio]{"kind", ptyio.ParseKind, func(k proc.Stdio) { f.stdio = k }}, "stdio",
		"what the programs get: pipes (default), pty, pty-stderr (errors apart) or pty-stdout (input a pipe)")
	fs.Var(value[bridge.EOFPolicy]{"policy", parseEOF, func(p bridge.EOFPolicy) { f.eof = &p }}, "eof",
		"when an output ends, the next input is closed (close, default), stays open (keep), or gets ctrl-d (key)")
	fs.BoolVar(&f.unbuffered, "unbuffered", false, "do what is known to make these programs write at once")
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { f.timeout = d }}, "timeout",
		"stop them after this time, status 124")
	fs.Var(value[time.Duration]{"duration", parseGrace, func(d time.Duration) { f.grace = &d }}, "grace",
		"time that a program has when nobody reads it any more, and between asking it to end and killing it (default 5s)")
	fs.StringVar(&f.dir, "dir", "", "run the programs in `DIR`")
}

func parseEOF(s string) (bridge.EOFPolicy, error) {
	for _, p := range []bridge.EOFPolicy{bridge.Close, bridge.Keep, bridge.SendKey} {
		if s == p.String() {
			return p, nil
		}
	}
	return 0, errors.New("close, keep or key is wanted")
}

// A linking is one link under way.
type linking struct {
	flags     *linkFlags
	endpoints []grammar.Endpoint
	names     []string // how each is called, none twice

	tee     *os.File // nil: none
	untold  error    // of the first write to it that failed
	traffic *traffic // nil: not shown
	errs    *labels
	copying sync.WaitGroup
	stuck   *deadlocks // from the start on
}

// parse reads the endpoints.
func (l *linking) parse(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("two endpoints or more are wanted, not %d", len(words))
	}
	self := 0
	for _, word := range words {
		e, err := grammar.ParseEndpoint(word)
		if err != nil {
			return err
		}
		if e.Kind == grammar.StdioEndpoint {
			self++
		}
		l.endpoints = append(l.endpoints, e)
	}
	last := len(l.endpoints) - 1
	if l.flags.chain && l.endpoints[last].Kind == grammar.ProgramEndpoint {
		l.endpoints = append(l.endpoints, grammar.Endpoint{Kind: grammar.StdioEndpoint, Text: "-"})
		last, self = last+1, self+1
	}
	atBothEnds := l.flags.chain && l.endpoints[0].Kind == grammar.StdioEndpoint && l.endpoints[last].Kind == grammar.StdioEndpoint
	if self > 1 && (self > 2 || !atBothEnds) {
		return errors.New("- can be joined only once\nhint: at both ends of a --chain it may stand twice")
	}
	if l.flags.transcript && l.flags.hex {
		return errors.New("--transcript and --hex show the same in two ways\nhint: leave one of them out")
	}
	l.names = endNames(l.endpoints)
	return nil
}

// endNames are what the endpoints are called in what we print: the program's name, with a number where
// several have it.
func endNames(endpoints []grammar.Endpoint) []string {
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		names[i] = e.Text
		if e.Kind == grammar.ProgramEndpoint {
			names[i] = filepath.Base(e.Spec.Args[0])
		}
	}
	plain := slices.Clone(names)
	for i, name := range plain {
		if endpoints[i].Kind != grammar.ProgramEndpoint || slices.Index(plain, name) == i && !slices.Contains(plain[i+1:], name) {
			continue
		}
		nth := 1
		for _, before := range plain[:i] {
			if before == name {
				nth++
			}
		}
		names[i] = fmt.Sprintf("%s#%d", name, nth)
	}
	return names
}

func (l *linking) run() error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	defer l.signals(cancel)()
	l.errs = newLabels(os.Stderr)
	l.stuck = newDeadlocks(l.errs)
	if l.flags.timeout > 0 {
		d := scale.Duration(l.flags.timeout)
		defer time.AfterFunc(d, func() {
			cancel(&timeoutError{fmt.Sprintf("link: did not end in %s: stopped%s", d, l.stuck.explain())})
		}).Stop()
	}
	o := bridge.LinkOptions{Chain: l.flags.chain, Started: l.started}
	if l.flags.tee != "" {
		var err error
		if l.tee, err = os.OpenFile(l.flags.tee, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
			return fmt.Errorf("link: tee: %w", err)
		}
		defer l.tee.Close()
		o.Tee = teeing{l}
	}
	if l.flags.transcript || l.flags.hex {
		l.traffic = &traffic{w: l.errs, names: l.names, hex: l.flags.hex}
		o.Watch = l.traffic.show
	}
	ends, closeAll, err := l.open(ctx)
	if err != nil {
		return err
	}
	var watching sync.WaitGroup
	watched, endWatch := context.WithCancel(ctx)
	defer endWatch()
	watching.Go(func() { l.stuck.watch(watched) })
	_, err = bridge.Link(ctx, o, ends...)
	endWatch()
	watching.Wait()
	l.copying.Wait()
	l.errs.finish()
	cerr := closeAll()
	switch {
	case err != nil:
		return l.explain(err)
	case cerr != nil:
		return cerr
	case l.untold != nil:
		return fmt.Errorf("link: --tee lacks some of it: %w", l.untold)
	}
	return nil
}

// teeing is the file of --tee. That it does not take something ends no link, but is told at the end.
type teeing struct{ l *linking }

func (t teeing) Write(p []byte) (int, error) { // one at a time
	n, err := t.l.tee.Write(p)
	t.l.untold = cmp.Or(t.l.untold, err)
	return n, err
}

// explain names the endpoint of an error.
func (l *linking) explain(err error) error {
	var at *bridge.LinkError
	var start *proc.StartError
	switch {
	case errors.As(err, &start) && start.Stage == "lookup" && start.Hint() == "" && strings.Contains(start.Path, ":") && !strings.Contains(start.Path, "/"):
		return fmt.Errorf("%w\nhint: an endpoint that is no program begins with fifo: unix: tcp: tty: run: or spawnx: as link --help says", err)
	case !errors.As(err, &at):
		return err
	case !errors.Is(at, syscall.EPIPE):
		return &endpointError{l.names[at.End], at.Err}
	case l.endpoints[at.End].Kind == grammar.StdioEndpoint:
		return &outputError{at.Err}
	}
	return &endpointError{l.names[at.End], errors.New("it takes no more")}
}

// An endpointError: an endpoint could not be opened, read or written.
type endpointError struct {
	name string
	err  error
}

func (e *endpointError) Error() string { return fmt.Sprintf("link: %s: %v", e.name, e.err) }
func (e *endpointError) Unwrap() error { return e.err }

// signals has the link ended by what is sent to us.
func (l *linking) signals(cancel context.CancelCauseFunc) (stop func()) {
	c := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGPIPE) // a write to our stdout fails instead
	done := make(chan struct{})
	go func() {
		select {
		case s := <-c:
			cancel(&signalError{number(s)})
		case <-done:
		}
	}()
	return func() {
		signal.Stop(c)
		signal.Stop(ignored)
		close(done)
	}
}

// open opens what is no program.
func (l *linking) open(ctx context.Context) (ends []bridge.End, closeAll func() error, err error) {
	closeAll = func() (first error) {
		for i, end := range ends {
			if end.Bridge == nil {
				continue
			}
			var unread *fifo.UnreadError
			if err := end.Bridge.Close(); first == nil && errors.As(err, &unread) {
				first = &endpointError{l.names[i], err}
			}
		}
		return first
	}
	for i, e := range l.endpoints {
		end := bridge.End{}
		if l.flags.eof != nil {
			end.EOF = *l.flags.eof
		}
		if e.Kind == grammar.ProgramEndpoint {
			end.Spec, err = l.spec(e.Spec)
		} else {
			end.Bridge, err = openEndpoint(ctx, e, l.uses(i), l.flags.eof)
		}
		if err != nil {
			_ = closeAll() // the error above says more
			return nil, nil, &endpointError{l.names[i], err}
		}
		ends = append(ends, end)
	}
	return ends, closeAll, nil
}

// uses says what of an endpoint is joined.
func (l *linking) uses(i int) (u uses) {
	u.reads = !l.flags.chain || i < len(l.endpoints)-1
	u.writes = !l.flags.chain || i > 0
	return u
}

func (l *linking) spec(s proc.Spec) (*proc.Spec, error) {
	s.Stdio, s.Dir = l.flags.stdio, l.flags.dir
	if l.flags.grace != nil {
		s.Grace = *l.flags.grace
		if s.Grace == 0 {
			s.Grace = -1 // for a Spec zero is the default, negative none
		}
	}
	if l.flags.unbuffered {
		more, err := unbuffered(s.Args, s.Stdio, findStdbuf)
		if err != nil {
			return nil, err
		}
		s.Env = append(os.Environ(), more...)
	}
	return &s, nil
}

// started shows what the programs write to stderr, behind their names, and begins to look for deadlocks.
func (l *linking) started(ends []*bridge.Bridge) {
	l.stuck.over(ends)
	for i, b := range ends {
		if l.endpoints[i].Kind != grammar.ProgramEndpoint || b.Stderr() == nil {
			continue
		}
		r, w := b.Stderr().Reader("stderr", bridge.Block), l.errs.label(l.names[i]+": ")
		l.copying.Go(func() { _, _ = bridge.Copy(w, r) })
	}
}
