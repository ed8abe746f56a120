package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func newDebug() *cobra.Command {
	var d debugging
	cmd := &cobra.Command{
		Use:   "debug [FLAGS] PROFILE [CMD...]",
		Short: "Run a debugger for a person and for front ends",
		Long: `Run a debugger on a program and keep apart what front ends need apart, each as a named program
or a unix socket in the folder of its NAME, which --json prints: $XDG_RUNTIME_DIR/spawnx/NAME, without that
variable ~/.local/state/spawnx/run/NAME:

  NAME.console  the debugger's own command line, a terminal: spawnx attach NAME
  NAME.tty      the debugged program's terminal: spawnx attach NAME.tty
  NAME.events   lines of JSON, the same for every debugger; requests go in, answers and events come out:
                {"id":1,"do":"break main"}  {"id":2,"interrupt":true}
  NAME.mi       gdb's machine interface, shared by any number of front ends

PROFILE is ` + strings.Join(debugger.Profiles(), ", ") + `, or one of your own:
a file PROFILE.json in spawnx/debuggers below your configuration folder. CMD is the program to debug.
Without -d you sit at the console; ctrl-\ leaves, and the debugger goes on. With -d you are told how to
come to it. spawnx stop NAME ends it.`,
		Example: `  spawnx debug gdb ./prog ARG
  spawnx debug -d --name prog gdb ./prog; nc -U "$XDG_RUNTIME_DIR/spawnx/prog/events.sock"
  spawnx list --json | jq -r .channels.events
  spawnx command prog 'info line main'
  spawnx debug -d --fifo /tmp/mine/prog pdb prog.py
  spawnx debug --join --name prog gdb     # a gdb that runs already, in another window`,
		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, words []string) error { return usageOfDebug(cmd, d.run(words)) },
		ValidArgsFunction: func(cmd *cobra.Command, words []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(words) == 0 {
				return debugger.Profiles(), cobra.ShellCompDirectiveNoFileComp
			}
			return completeCommand(cmd, words[1:], begun)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&d.name, "name", "", "the `NAME` under which others join (default: the program's)")
	f.BoolVarP(&d.detach, "detach", "d", false, "run in the background; front ends and spawnx attach join")
	f.StringVar(&d.fifo, "fifo", "", "the channels also as fifos in `DIR`: console.in and console.out, events.in and so on")
	f.BoolVar(&d.json, "json", false, "print where the channels are, as one line of JSON")
	f.StringVar(&d.record, "record", "", "write the session of gdb to `FILE`, for --replay")
	f.StringVar(&d.replay, "replay", "", "play the session in `FILE` as the debugger, without one: for tests of front ends")
	f.BoolVar(&d.join, "join", false, "serve a gdb that runs already: prints the line to type there")
	f.StringVar(&d.dir, "dir", "", "run the debugger in `DIR`")
	f.StringArrayVar(&d.env, "env", nil, "add `K=V` to its environment")
	f.BoolVar(&d.ready, "ready", false, "")
	_ = f.MarkHidden("ready")
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.MarkFlagDirname("fifo")
	cmd.MarkFlagsMutuallyExclusive("join", "record", "replay")
	f.SortFlags = false
	return cmd
}

// A debugging is one spawnx debug.
type debugging struct {
	name, fifo, dir           string
	record, replay            string
	env                       []string
	detach, json, join, ready bool
}

var errNoProfile = errors.New("a PROFILE is wanted\nhint: spawnx debug gdb ./prog")

// usageOfDebug makes usage errors of what a person can have typed wrong.
func usageOfDebug(cmd *cobra.Command, err error) error {
	if errors.Is(err, errNoProfile) || errors.Is(err, errUnknownProfile) || errors.Is(err, errNoDebugName) {
		return usageOf(cmd, err)
	}
	return err
}

var (
	errUnknownProfile = errors.New("unknown profile")
	errNoDebugName    = errors.New("the program's name cannot be a NAME\nhint: choose one with --name: letters, digits, _ and -")
)

func (d *debugging) run(words []string) error {
	if len(words) == 0 {
		return errNoProfile
	}
	profile, err := debugger.LookupProfile(words[0])
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w %q\nhint: there are %s", errUnknownProfile, words[0], strings.Join(debugger.Profiles(), ", "))
	}
	if err != nil {
		return err
	}
	if d.name == "" {
		if d.name = nameOf(words); d.name == "" {
			return errNoDebugName
		}
	}
	if d.ready {
		return d.serve(profile, words[1:])
	}
	n, err := detach("debug", false)
	if err != nil {
		return err
	}
	if d.json || d.detach || d.join {
		for _, line := range n.Doors {
			if _, err := fmt.Println(line); err != nil {
				return &outputError{err}
			}
		}
	}
	if d.detach || d.join {
		return nil
	}
	return (&attaching{take: true}).run(d.name)
}

// nameOf is the NAME that is meant when none is given: the program's, without what is behind a dot; "" when it cannot
// be one.
func nameOf(words []string) string {
	what := words[0]
	if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
		what, _, _ = strings.Cut(filepath.Base(words[1]), ".")
	}
	for _, r := range what {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-') {
			return ""
		}
	}
	return what
}

// serve is what the detached one does: it tells who waits for it when the debugger takes commands.
func (d *debugging) serve(profile debugger.Profile, program []string) (err error) {
	told := false
	tell := func(n notice) {
		if !told {
			told = true
			n.write(os.Stdout)
		}
	}
	defer func() {
		if err != nil {
			tell(notice{Status: max(status(err), didNotWork), Error: errorText(err)})
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name, err := session.Reserve(d.name)
	if err != nil {
		return err
	}
	defer func() { _ = name.Release() }() // what cannot be removed is in nobody's way
	dbg, line, err := d.start(ctx, profile, program)
	if err != nil {
		return err
	}
	defer dbg.Close()
	p, err := dbg.Publish(name, d.fifo)
	if err != nil {
		return err
	}
	defer p.Close()
	if d.record != "" {
		file, err := os.OpenFile(d.record, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		stop, err := dbg.Record(file)
		if err != nil {
			return errors.Join(err, file.Close())
		}
		defer func() { _ = errors.Join(stop(), file.Close()) }() // there is nobody to tell
	}
	tell(notice{Doors: d.says(p.Doors(), line)})
	werr := p.Wait(ctx)
	if ctx.Err() != nil {
		return &signalError{syscall.SIGTERM}
	}
	return werr
}

// start starts the debugger, or joins one; line is then what to type there.
func (d *debugging) start(ctx context.Context, profile debugger.Profile, program []string) (dbg *debugger.Debugger, line string, err error) {
	if d.join {
		return debugger.Join(profile.Name)
	}
	if d.replay != "" {
		file, err := os.Open(d.replay)
		if err != nil {
			return nil, "", err
		}
		defer file.Close()
		dbg, err := debugger.Replay(ctx, file)
		return dbg, "", ofFile(d.replay, err)
	}
	spec := proc.Spec{Args: program, Dir: d.dir}
	if len(d.env) > 0 {
		spec.Env = append(os.Environ(), d.env...)
	}
	if _, err := proc.CheckContainment(); err == nil {
		spec.Contain = true
	}
	dbg, err = debugger.StartProfile(ctx, profile, spec)
	return dbg, "", err
}

func ofFile(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// says is what the person is told.
func (d *debugging) says(doors debugger.Doors, line string) (lines []string) {
	if d.json {
		b, err := json.Marshal(struct {
			debugger.Doors
			Type string `json:"type,omitempty"`
		}{doors, line})
		if err != nil { // it is plain data
			panic(err)
		}
		return []string{string(b)}
	}
	if line != "" {
		return []string{"type this at the gdb that runs: " + line}
	}
	return []string{
		"console      spawnx attach " + doors.Name,
		"front ends   " + filepath.Dir(doors.Channels[debugger.ChannelEvents]),
		"end          spawnx stop " + doors.Name,
	}
}

// ofLines splits NAME.events and NAME.mi, the channels of a debugger that are lines and not a terminal.
func ofLines(name string) (of, channel string, ok bool) {
	of, channel, _ = strings.Cut(name, ".")
	return of, channel, channel == debugger.ChannelEvents || channel == debugger.ChannelMI
}

// lines joins our input and output and such a channel, as a front end of its own: for one that would start a debugger
// on pipes.
func (a *attaching) lines(name, channel string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	conn, err := debugger.Dial(ctx, name, channel)
	if err != nil {
		return &joinError{err}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if !a.readOnly {
		go func() { // as long as our input
			_, _ = io.Copy(conn, os.Stdin) // the connection's end is seen below
			_ = conn.(*net.UnixConn).CloseWrite()
		}()
	}
	if _, err := io.Copy(os.Stdout, conn); err != nil && ctx.Err() == nil {
		return &outputError{err}
	}
	return nil
}
