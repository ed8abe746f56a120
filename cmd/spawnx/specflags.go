package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/rundir"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
	"github.com/spawnx/spawnx/session"
)

// runFlags are the flags of run, as they were given.
type runFlags struct {
	on                   []string
	stdio                *proc.Stdio // nil: not given
	timeout, idleTimeout time.Duration
	log                  string
	logSize              int64
	logKeep              int
	record               string
	restart              proc.When
	contain              bool
	unbuffered           bool
	grace                *time.Duration // nil: not given
	size                 *proc.Size     // nil: not given
	dir                  string
	env                  []string
	clearEnv             bool
	input, quiet         bool

	// with a name
	name          string
	detach, ready bool // ready: we are the detached one, and tell on our stdout when the program runs
	prompt        string
	listen        []string
	fifo          string
	window        session.Window
	windowSet     bool
	token         string
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	fs.Var((*words)(&f.on), "on", "answer: `'PATTERN => REPLY'`; repeatable; what matches first wins, then the earlier rule")
	fs.Var(value[proc.Stdio]{"kind", ptyio.ParseKind, func(k proc.Stdio) { f.stdio = &k }}, "stdio",
		"what the program gets: pty, pipes, pty-stderr (errors apart) or pty-stdout (input a pipe)")
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { f.timeout = d }}, "timeout",
		"stop it after this time, status 124")
	fs.Var(value[time.Duration]{"duration", parseDuration, func(d time.Duration) { f.idleTimeout = d }}, "idle-timeout",
		"stop it when it wrote nothing for this time, status 124")
	fs.Var(value[string]{"file", f.parseLog, func(s string) { f.log = s }}, "log", "append its output to `FILE`, as it was written, secrets masked")
	fs.Var(value[int64]{"bytes", parseBytes, func(n int64) { f.logSize = n }}, "log-size",
		"begin a new log when it is this long: 500K, 10M, 1G")
	fs.IntVar(&f.logKeep, "log-keep", 5, "how many old logs to keep, `N`")
	fs.StringVar(&f.record, "record", "", "make of the session `FILE`: .cast a recording, .star a script, .txtar a test")
	fs.Var(value[proc.When]{"when", parseWhen, func(w proc.When) { f.restart = w }}, "restart",
		"start it again when it ends: never, on-failure or always")
	fs.BoolVar(&f.contain, "contain", false, "have all that it starts killed should spawnx die; doctor says what can escape")
	fs.BoolVar(&f.unbuffered, "unbuffered", false, "do what is known to make this program write at once")
	fs.Var(value[time.Duration]{"duration", parseGrace, func(d time.Duration) { f.grace = &d }}, "grace",
		"time between asking it to end and killing it (default 5s)")
	fs.Var(value[proc.Size]{"size", ptyio.ParseSize, func(s proc.Size) { f.size = &s }}, "size",
		"rows and columns of its terminal, 24x80")
	fs.StringVar(&f.dir, "dir", "", "run it in `DIR`")
	fs.Var((*words)(&f.env), "env", "add `NAME=VALUE` to its environment; repeatable")
	fs.BoolVar(&f.clearEnv, "clear-env", false, "give it nothing of our environment")
	fs.BoolVarP(&f.input, "input", "i", false, "with --on: pass our input on although it is no terminal")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "do not print its output")
	fs.Var(value[string]{"name", parseName, func(s string) { f.name = s }}, "name", "let others join it by this `NAME`: attach, expect, send, wait and others")
	fs.BoolVarP(&f.detach, "detach", "d", false, "with --name: leave it running by itself, and return when it runs")
	fs.StringVar(&f.prompt, "prompt", "", "with --name: the `PATTERN` that ends an answer, for command")
	fs.Var((*words)(&f.listen), "listen", "with --name: one more `ADDRESS` for others: unix:PATH and tcp:HOST:PORT, bare bytes; spawnx:PATH and spawnx:HOST:PORT; ws:HOST:PORT, the same on this machine's WebSocket")
	fs.StringVar(&f.fifo, "fifo", "", "with --name: make fifos in `DIR`: in for its input, out for its output, err for separate errors")
	fs.Var(value[session.Window]{"whose", session.ParseWindow, func(w session.Window) { f.window, f.windowSet = w, true }}, "window",
		"with --name: whose window its terminal follows: driver, fixed, smallest, largest or latest")
	fs.StringVar(&f.token, "token", "", "with --listen spawnx:HOST:PORT: what clients must show, `REF` as in <secret REF> (default: SPAWNX_TOKEN, else a new one is printed)")
	fs.BoolVar(&f.ready, "ready", false, "")
	_ = fs.MarkHidden("ready") // fails for unknown flags only
}

// value is a flag that is checked when it is read.
type value[T any] struct {
	kind  string
	parse func(string) (T, error)
	set   func(T)
}

func (v value[T]) Set(s string) error {
	x, err := v.parse(s)
	if err == nil {
		v.set(x)
	}
	return err
}

func (v value[T]) Type() string { return v.kind }
func (value[T]) String() string { return "" } // the default is in the text

// words are a flag that may be given again. Those of pflag make a writer of CSV first.
type words []string

func (w *words) Set(s string) error {
	*w = append(*w, s)
	return nil
}

func (*words) Type() string         { return "words" }
func (*words) String() string       { return "" } // there is no default
func (w *words) GetSlice() []string { return *w } // for cobra, which completes it again

func parseDuration(s string) (time.Duration, error) {
	d, err := parseGrace(s)
	if err == nil && d <= 0 {
		err = fmt.Errorf("a time above zero is wanted")
	}
	return d, err
}

func parseGrace(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		hint := "write 2s, 1m30s or 1h"
		if _, err := strconv.ParseUint(s, 10, 32); err == nil {
			hint = "write " + s + "s"
		}
		return 0, fmt.Errorf("no duration\nhint: %s", hint)
	}
	return d, nil
}

func parseBytes(s string) (int64, error) {
	number, unit := s, int64(1)
	if i := strings.IndexAny(s, "KMG"); i >= 0 && i == len(s)-1 {
		number, unit = s[:i], map[byte]int64{'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}[s[i]]
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > (1<<62)/unit {
		return 0, fmt.Errorf("no size\nhint: write 500K, 10M or 1G")
	}
	return n * unit, nil
}

func parseWhen(s string) (proc.When, error) {
	w, ok := map[string]proc.When{"never": proc.Never, "on-failure": proc.OnFailure, "always": proc.Always}[s]
	if !ok {
		return 0, fmt.Errorf("never, on-failure or always is wanted")
	}
	return w, nil
}

// surroundings are what run looks at besides its flags.
type surroundings struct {
	stdinTerminal, stdoutTerminal bool
	environ                       []string
	init                          bool // we are process 1, as in a container: what programs leave behind becomes ours
}

// A plan is what run is going to do.
type plan struct {
	spec      proc.Spec
	rules     []expect.Rule
	passInput bool // our input goes to the program
	raw       bool // key by key: our terminal is in raw mode meanwhile
	follow    bool // the program's terminal has the size of ours
}

// plan decides from the flags, the words behind them and the surroundings.
func (f *runFlags) plan(words []string, here surroundings, world grammar.World) (plan, error) {
	if err := f.check(); err != nil {
		return plan{}, err
	}
	spec, err := grammar.Command(words, f.dir)
	if err != nil {
		return plan{}, err
	}
	rules, err := world.Rules(f.on)
	if err != nil {
		return plan{}, err
	}
	p := plan{spec: spec, rules: rules}

	p.spec.Stdio = f.kind(here)
	terminalIn := p.spec.Stdio == proc.PTY || p.spec.Stdio == proc.PTYStderr
	p.passInput = !f.detach && (len(rules) == 0 || here.stdinTerminal || f.input)
	p.raw = p.passInput && here.stdinTerminal && terminalIn
	// What comes from a pipe would appear twice: as it came, and echoed.
	p.spec.NoEcho = p.passInput && !here.stdinTerminal && terminalIn
	p.follow = !f.detach && f.stdio == nil && len(rules) == 0 && f.size == nil && p.spec.Stdio == proc.PTY
	if f.size != nil {
		if p.spec.Stdio == proc.Pipes {
			return plan{}, fmt.Errorf("--size needs a terminal\nhint: add --stdio pty")
		}
		p.spec.Size = *f.size
	}

	p.spec.Dir = f.dir
	p.spec.Restart.When = f.restart
	p.spec.Contain = f.contain || here.init // the keeper reaps what is left behind
	if f.grace != nil {
		p.spec.Grace = *f.grace
		if *f.grace == 0 {
			p.spec.Grace = -1 // for a Spec zero is the default, negative none
		}
	}
	p.spec.Env, err = f.environment(p.spec, here.environ)
	return p, err
}

// check finds what does not go together.
func (f *runFlags) check() error {
	if f.log == "" && f.logSize != 0 {
		return fmt.Errorf("--log-size without --log\nhint: add --log FILE")
	}
	if f.logKeep < 1 {
		return fmt.Errorf("--log-keep %d: one log or more is wanted", f.logKeep)
	}
	if err := f.checkName(); err != nil {
		return err
	}
	for _, kv := range f.env {
		if name, _, ok := strings.Cut(kv, "="); !ok || name == "" {
			return fmt.Errorf("--env %q: there is no value\nhint: write --env NAME=VALUE", kv)
		}
	}
	return nil
}

// checkName looks at what goes with a name alone.
func (f *runFlags) checkName() error {
	if f.name == "" {
		flag := ""
		switch {
		case f.detach:
			flag = "--detach"
		case f.prompt != "":
			flag = "--prompt"
		case f.listen != nil:
			flag = "--listen"
		case f.fifo != "":
			flag = "--fifo"
		case f.windowSet:
			flag = "--window"
		case f.token != "":
			flag = "--token"
		default:
			return nil
		}
		return fmt.Errorf("%s needs a name by which others find the program\nhint: add --name NAME", flag)
	}
	if err := rundir.CheckName(f.name); err != nil {
		return fmt.Errorf("--name: %w", err)
	}
	if f.detach && f.input {
		return fmt.Errorf("--input with --detach: there is no input of ours\nhint: spawnx send %s TEXT", f.name)
	}
	if f.prompt != "" {
		if _, err := grammar.Pattern(f.prompt); err != nil {
			return fmt.Errorf("--prompt: %w", err)
		}
	}
	if f.token != "" {
		return grammar.SecretRef(f.token)
	}
	return nil
}

// kind is the one place where the surroundings decide what a program gets: a terminal when there is a
// dialog, others may join, or a person watches; pipes otherwise.
func (f *runFlags) kind(here surroundings) proc.Stdio {
	switch {
	case f.stdio != nil:
		return *f.stdio
	case len(f.on) > 0 || f.name != "" || here.stdoutTerminal:
		return proc.PTY
	}
	return proc.Pipes
}

// parseLog refuses a second log: the first would be dropped.
func (f *runFlags) parseLog(s string) (string, error) {
	if f.log != "" {
		return "", fmt.Errorf("there is a log already, %s\nhint: spawnx run ... | tee FILE writes another", f.log)
	}
	return s, nil
}

// environment is nil when the program gets ours unchanged.
func (f *runFlags) environment(spec proc.Spec, ours []string) ([]string, error) {
	var more []string
	if f.unbuffered {
		var err error
		if more, err = unbuffered(spec.Args, spec.Stdio, findStdbuf); err != nil {
			return nil, err
		}
	}
	more = append(more, f.env...)
	switch {
	case f.clearEnv:
		return append([]string{}, more...), nil
	case len(more) == 0:
		return nil, nil
	}
	return slices.Concat(ours, more), nil // of doubles the last counts
}

// lookAround asks the system what plan needs to know.
func lookAround() surroundings {
	return surroundings{
		stdinTerminal:  ptyio.IsTerminal(os.Stdin),
		stdoutTerminal: ptyio.IsTerminal(os.Stdout),
		environ:        os.Environ(),
		init:           os.Getpid() == 1 && runtime.GOOS == "linux",
	}
}
