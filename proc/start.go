package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/ptyio"
)

// A Process is a program that was started, with all that it started in turn: its tree. Its methods may be called from
// any goroutine. Nobody has to call Wait: the end is seen and the process reaped in any case.
type Process struct {
	spec    Spec
	stdio   *ptyio.Stdio
	child   *child    // the system's handle
	started time.Time // before the fork

	exited  chan struct{} // closed when the exit was seen; exit and endedAt are valid then
	exit    Exit
	endedAt time.Time
	hold    atomic.Int32 // how much of what comes before the reaping is over: see mayReap

	afterMu sync.Mutex
	after   func() // of AfterExit
	over    bool   // it was called, or can be no more

	letReap sync.Once
	forget  func() bool // ends the watch of the context
	termed  atomic.Bool // Stop has sent TERM

	unkept      atomic.Bool // its keeper died before it did
	leftNothing atomic.Bool // it has ended, and was seen to have left nothing
}

// Start starts a program: all of it, or nothing and a *StartError. The files become the child's descriptors 3 and up;
// as with os/exec they are set to blocking mode and stay the caller's to close. When ctx ends before the program does,
// its tree is stopped, as Stop does it.
//
// The caller closes Stdio().
func Start(ctx context.Context, s Spec, files ...*os.File) (*Process, error) {
	p, reap, err := StartHeld(ctx, s, files...)
	if err != nil {
		return nil, err
	}
	reap()
	return p, nil
}

// StartHeld is Start for who has still to do with a program that ended: it stays unreaped until reap is called, so that
// its process group and its session keep their number and can be signalled. reap may be called more than once, also
// before the end.
func StartHeld(ctx context.Context, s Spec, files ...*os.File) (p *Process, reap func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	l, err := prepare(s, files)
	if err != nil {
		return nil, nil, err
	}
	stdio, err := ptyio.Open(s.Stdio, s.Size, s.NoEcho)
	if err != nil {
		return nil, nil, &StartError{stageTerminal, s.Args[0], err}
	}
	p, reap, err = l.run(ctx, stdio)
	if err != nil {
		_ = stdio.Close() // the reason is err
	}
	return p, reap, err
}

// StartOn is StartHeld on streams that the caller has opened, whatever the Spec says about them. When the start fails
// they stay the caller's to close.
func StartOn(ctx context.Context, s Spec, stdio *ptyio.Stdio, files ...*os.File) (p *Process, reap func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s.Stdio = stdio.Kind
	l, err := prepare(s, files)
	if err != nil {
		return nil, nil, err
	}
	return l.run(ctx, stdio)
}

// run starts the program and looks after it.
func (l launch) run(ctx context.Context, stdio *ptyio.Stdio) (p *Process, reap func(), err error) {
	started := time.Now()
	c, err := l.start(stdio)
	if err != nil {
		return nil, nil, err
	}
	p = &Process{
		spec:    l.spec,
		stdio:   stdio,
		child:   c,
		started: started,
		exited:  make(chan struct{}),
	}
	p.forget = context.AfterFunc(ctx, func() { _, _ = p.Stop(context.Background()) })
	p.watchKeeper()
	p.watch()
	return p, func() { p.letReap.Do(p.mayReap) }, nil
}

// A launch is a Spec, worked out: what fork and execve get.
type launch struct {
	spec  Spec
	path  string
	args  []string
	env   []string
	files []*os.File // descriptors 3 and up
	steps steps      // between fork and execve; zero: none that need the shim

	keeper *keeper // who forks; nil: we do
	umask  *uint32 // for the keeper, who needs no shim for it; nil: ours
}

// prepare does all of a start that can fail without anything to undo.
func prepare(s Spec, files []*os.File) (launch, error) {
	if err := checkSpec(s); err != nil {
		return launch{}, err
	}
	if err := checkDir(s); err != nil {
		return launch{}, err
	}
	env, err := environment(s)
	if err != nil {
		return launch{}, &StartError{stageDir, s.Args[0], err}
	}
	path, err := lookPath(s, env)
	if err != nil {
		return launch{}, err
	}
	steps, err := stepsOf(s)
	if err != nil {
		return launch{}, &StartError{stageLimits, s.Args[0], err}
	}
	l := launch{spec: s, path: path, args: s.Args, env: env, files: files, steps: steps}
	if err := l.contained(); err != nil {
		return launch{}, &StartError{stageLimits, s.Args[0], err}
	}
	return l, nil
}

// start forks. The child's pipe ends are closed on our side when it runs, the terminal when its exit was seen.
func (l launch) start(stdio *ptyio.Stdio) (*child, error) {
	if err := l.giveTerminal(stdio); err != nil {
		return nil, &StartError{stageTerminal, l.spec.Args[0], err}
	}
	given := stdio.Child()
	files := append(given[:], l.files...)
	c, err := retryBusy(func() (*child, error) {
		if l.steps.any() {
			return l.viaShim(files)
		}
		return l.fork(files)
	})
	if err != nil {
		var se *StartError
		if errors.As(err, &se) {
			return nil, se
		}
		return nil, explain(l, err)
	}
	_ = stdio.ChildStarted() // closing our copies; there is nothing to do about an error
	return c, nil
}

// busyTime is how long a program that is being written is waited for. A fork elsewhere in this process holds the
// descriptor of a program that was just written open until its own execve: go.dev/issue/22315.
const busyTime = 100 * time.Millisecond

func retryBusy(start func() (*child, error)) (*child, error) {
	c, err := start()
	deadline := time.Now().Add(scale.Duration(busyTime))
	for pause := time.Millisecond; errors.Is(err, syscall.ETXTBSY) && time.Now().Before(deadline); pause = min(2*pause, 10*time.Millisecond) {
		time.Sleep(pause)
		c, err = start()
	}
	return c, err
}

// PID is the program's process number. It may be another's after the end.
func (p *Process) PID() int { return p.child.pid }

// Spec returns what was started.
func (p *Process) Spec() Spec { return p.spec }

// Stdio returns our ends of the program's streams. The caller closes them when done.
func (p *Process) Stdio() *ptyio.Stdio { return p.stdio }

// Resize sets the size of the program's terminal, whose foreground group gets SIGWINCH. With pipes it is
// errors.ErrUnsupported.
func (p *Process) Resize(size Size) error {
	if p.stdio.Terminal == nil {
		return fmt.Errorf("resize: the program has no terminal: %w", errors.ErrUnsupported)
	}
	return p.stdio.Terminal.Resize(size)
}
