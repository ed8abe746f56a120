package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.starlark.net/starlark"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/secret"
)

// A run is one run of a script.
type run struct {
	program *Program
	opts    Options
	main    *task
	screens atomic.Bool // a file of the script speaks of screens: every program gets one

	mu       sync.Mutex
	mask     secret.Mask
	secrets  [][]byte // that are known, for logs that begin later
	logs     []*masked
	programs []*program       // that were begun, in order
	unkept   error            // of the first write to a log= that failed
	freezing []starlark.Value // what a parallel freezes besides the globals: what all files see
	modules  map[string]*module

	printing sync.Mutex // one line at a time
}

// A task is a thread of the script: the main one, or one item of a parallel.
type task struct {
	run      *run
	ctx      context.Context
	thread   *starlark.Thread
	programs []*program // that it began

	calls  sync.Mutex        // held by an answer
	inside []*expect.Console // of the waits that its answers are given in
}

// deepestCall is how deep functions may call each other.
const deepestCall = 2000

func newRun(ctx context.Context, p *Program, o Options) *run {
	if o.Stdin == nil {
		o.Stdin = strings.NewReader("")
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	r := &run{program: p, opts: o, modules: map[string]*module{}}
	r.screens.Store(p.screens)
	r.main = r.newTask(ctx)
	return r
}

type taskKey struct{}

// taskOf is the task that waits under ctx, or else t: an answer of a standing rule is given by whoever
// waits then.
func taskOf(ctx context.Context, t *task) *task {
	if now, ok := ctx.Value(taskKey{}).(*task); ok {
		return now
	}
	return t
}

func (r *run) newTask(ctx context.Context) *task {
	t := &task{run: r}
	t.ctx = context.WithValue(ctx, taskKey{}, t)
	t.thread = &starlark.Thread{Name: r.program.name, Load: r.load, Print: func(_ *starlark.Thread, msg string) { _ = r.print(r.opts.Stdout, msg+"\n") }}
	t.thread.SetLocal("task", t)
	// Now and then a thread looks up: whether it shall go on, and how deep it is in calls, for which Go's
	// stack would otherwise be the bound.
	const steps = 200
	t.thread.SetMaxExecutionSteps(steps)
	t.thread.OnMaxSteps = func(th *starlark.Thread) {
		th.SetMaxExecutionSteps(th.ExecutionSteps() + steps)
		if ctx.Err() != nil {
			th.Cancel("given up")
		}
		if th.CallStackDepth() > deepestCall {
			th.Cancel(tooManyCalls)
		}
	}
	return t
}

const tooManyCalls = "functions call each other too deep"

func taskOfThread(thread *starlark.Thread) *task { return thread.Local("task").(*task) }

// stop ends what still runs, all at the same time.
func (r *run) stop() {
	r.mu.Lock()
	programs := r.programs
	r.mu.Unlock()
	closeAll(programs)
}

// forget lets go of programs that were stopped, so that a long script holds no more than it uses.
func (r *run) forget(programs []*program) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.programs = slices.DeleteFunc(r.programs, func(p *program) bool { return slices.Contains(programs, p) })
	for _, p := range programs {
		r.logs = slices.DeleteFunc(r.logs, func(l *masked) bool { return slices.Contains(p.logs, l) })
	}
}

func closeAll(programs []*program) {
	var all sync.WaitGroup
	for _, p := range programs {
		all.Go(func() { _ = p.close() }) // what could not be ended is of no use to whoever is at the end
	}
	all.Wait()
}

// outcome is the status of the script, and its error as the person sees it.
func (r *run) outcome(err error) (int, error) {
	var exit exitError
	if errors.As(err, &exit) {
		return int(exit), nil
	}
	if ctx := r.main.ctx; ctx.Err() != nil && err != nil {
		return didNotWork, context.Cause(ctx)
	}
	if err == nil {
		return 0, nil
	}
	e := r.explain(err)
	return e.Status(), e
}

// An exitError is exit(n).
type exitError int

func (exitError) Error() string { return "exit" }

// ---- secrets

// secret is what fetches a secret; from then on nothing that is printed shows it.
func (r *run) secret(ref string) expect.Secret {
	fetch := expect.SecretRef(ref)
	return func(ctx context.Context) ([]byte, error) {
		value, err := fetch(ctx)
		if err == nil {
			r.hide(value)
		}
		return value, err
	}
}

func (r *run) hide(value []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mask.Add(value)
	r.secrets = append(r.secrets, bytes.Clone(value))
	for _, l := range r.logs {
		l.hide(value)
	}
}

func (r *run) masked(s string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mask.Text(s)
}

// ErrOutput: what the script prints could not be written.
var ErrOutput = errors.New("write our output")

// print writes a text whole, secrets masked.
func (r *run) print(w io.Writer, s string) error {
	s = r.masked(s)
	r.printing.Lock()
	defer r.printing.Unlock()
	if _, err := io.WriteString(w, s); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// ---- parts of a script in other files

// A module is a file that load has read.
type module struct {
	globals starlark.StringDict
	err     error // until it was read: that it loads itself
}
