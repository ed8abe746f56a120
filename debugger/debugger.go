package debugger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/proc"
)

// A Debugger is a debugger that runs, its program, and the front ends that are
// connected. Its methods may be called concurrently. Whoever started it closes
// it.
type Debugger struct {
	profile Profile
	console *bridge.Bridge
	tty     *bridge.Bridge // nil: the program shares the console
	engine  engine
	begin   sync.Once
	work    sync.WaitGroup // goroutines
	stop    context.CancelFunc
	ended   chan struct{} // closed when the debugger has ended

	mu     sync.Mutex // guards what follows; nothing waits while it is held
	state  State
	before State // the program was let run
	seq    int64
	due    bool // the next prompt is news
	fronts map[int]*outbox
	next   int // number of the next front end
}

// An engine is how one kind of debugger is spoken to.
type engine interface {
	// run reads what the debugger says until it ends.
	run(ctx context.Context)
	do(ctx context.Context, command string) (Reply, error)
	interrupt(ctx context.Context) error
	// ready says, with mu held, whether it takes commands, once its state is not Starting any more.
	ready() bool
}

// A Reply is a debugger's answer to a command.
type Reply struct {
	OK   bool            `json:"ok"`           // it did not complain
	Text string          `json:"text"`         // what it said, as at the prompt
	MI   json.RawMessage `json:"mi,omitempty"` // gdb's result: {"class":"done","results":{...}}
}

// ErrEnded: the debugger has ended, or did so before it answered.
var ErrEnded = errors.New("the debugger has ended")

// A BusyError says that a command cannot be given now.
type BusyError struct{ Why, Hint string }

func (e *BusyError) Error() string {
	if e.Hint == "" {
		return e.Why
	}
	return e.Why + "\nhint: " + e.Hint
}

// Start starts a debugger on a program. The profile is one of Profiles. Of the
// Spec Args, Dir, Env and Size are the program's; Args may be empty where the
// debugger can do without. It returns when the debugger takes commands.
func Start(ctx context.Context, profile string, program proc.Spec) (*Debugger, error) {
	p, err := LookupProfile(profile)
	if err != nil {
		return nil, err
	}
	return StartProfile(ctx, p, program)
}

// StartProfile is Start with a Profile of one's own.
func StartProfile(ctx context.Context, p Profile, program proc.Spec) (*Debugger, error) {
	if p.Name == "gdb" || p.Name == "lldb" {
		if err := findProgram(program); err != nil {
			return nil, err
		}
	}
	d := &Debugger{
		profile: p, state: starting(p),
		fronts: map[int]*outbox{}, ended: make(chan struct{}), due: true,
	}
	start := startConsole
	if p.Name == "gdb" {
		start = startGDB
	}
	if err := start(d, p, program); err != nil {
		return nil, err
	}
	d.launch()
	err := d.ready(ctx)
	for _, command := range p.Init {
		if err == nil {
			err = d.initial(ctx, command)
		}
	}
	if err != nil {
		_ = d.Close() // the reason counts
		return nil, err
	}
	return d, nil
}

// findProgram: gdb and lldb go on without a program that is not there, and only say so at their console.
func findProgram(program proc.Spec) error {
	if len(program.Args) == 0 || strings.HasPrefix(program.Args[0], "-") { // options of theirs
		return nil
	}
	name := program.Args[0]
	file := name
	if !filepath.IsAbs(file) {
		file = filepath.Join(program.Dir, file)
	}
	_, err := os.Stat(file)
	if err != nil && !strings.Contains(name, "/") {
		_, err = exec.LookPath(name)
	}
	if err != nil {
		return &proc.StartError{Stage: "lookup", Path: name, Err: fs.ErrNotExist}
	}
	return nil
}

// initial gives one of the profile's own commands.
func (d *Debugger) initial(ctx context.Context, command string) error {
	r, err := d.Do(ctx, command)
	if err == nil && !r.OK {
		err = errors.New(escape.Quote(r.Text))
	}
	if err != nil {
		return fmt.Errorf("start %s: %s: %w", d.profile.Name, command, err)
	}
	return nil
}

// starting is the state before the debugger takes commands.
func starting(p Profile) State {
	return State{Debugger: p.Name, Phase: Starting, Breakpoints: []Breakpoint{}, Commands: p.Commands}
}

// launch begins to read what the debugger says.
func (d *Debugger) launch() {
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.work.Add(1)
	go func() {
		defer d.work.Done()
		d.engine.run(ctx)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.state.Phase = Ended
		close(d.ended)
		for _, o := range d.fronts {
			o.end()
		}
	}()
}

// ready waits until the debugger takes commands.
func (d *Debugger) ready(ctx context.Context) error {
	for e, err := range d.Events(ctx) {
		switch {
		case err != nil:
			return fmt.Errorf("start %s: it did not show its prompt: %w", d.profile.Name, err)
		case e.Kind == KindPrompt, e.Kind == KindState && e.State.Phase != Starting && d.takesCommands():
			return nil
		}
	}
	return fmt.Errorf("start %s: %w before it took commands: %s", d.profile.Name, ErrEnded, d.lastWords())
}

func (d *Debugger) takesCommands() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.Phase != Ended && d.engine.ready()
}

// lastWords is the end of what its terminals show.
func (d *Debugger) lastWords() string {
	const most = 500
	var all []byte
	for _, b := range []*bridge.Bridge{d.console, d.tty} {
		if b == nil {
			continue
		}
		out := b.Output()
		_, _ = out.Flush() // what nobody has read yet
		start, end := out.Offsets()
		r := out.Reader("last words", bridge.Skip)
		first, second := r.View(max(start, end-most), end)
		all = append(append(all, first...), second...)
		_ = r.Close()
	}
	return escape.Quote(string(all))
}

// Console is the debugger's own command line: a terminal, for people.
func (d *Debugger) Console() *bridge.Bridge { return d.console }

// TTY is the debugged program's terminal; nil where the program shares the
// console, as the debugger cannot do otherwise.
func (d *Debugger) TTY() *bridge.Bridge { return d.tty }

// Profile is what is known of the debugger.
func (d *Debugger) Profile() Profile { return d.profile }

// State is the present state.
func (d *Debugger) State() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Ended is closed when the debugger has ended.
func (d *Debugger) Ended() <-chan struct{} { return d.ended }

// Do gives the debugger a command as at its prompt, or to gdb, where it begins
// with a hyphen, one of its machine interface, and returns the answer. A
// command that lets the program run is answered at once: what then happens is
// an event. The error is not the debugger's complaint, which is a Reply.
func (d *Debugger) Do(ctx context.Context, command string) (Reply, error) {
	return d.engine.do(ctx, command)
}

// Interrupt stops the program where it is, if it runs, by whatever means the
// debugger has for it.
func (d *Debugger) Interrupt(ctx context.Context) error {
	if phase := d.State().Phase; phase == Ended {
		return ErrEnded
	} else if phase != Running {
		return &BusyError{Why: "the program does not run: its state is " + phase}
	}
	return d.engine.interrupt(ctx)
}

// interruptSoon interrupts the program, if it runs, for who must not wait.
func (d *Debugger) interruptSoon() (runs bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Phase != Running {
		return false
	}
	d.later(func() { _ = d.engine.interrupt(context.Background()) }) // who types sees what comes of it
	return true
}

// later does what may have to wait. Called with mu held, while the debugger has not
// ended: its end ends what waits.
func (d *Debugger) later(do func()) {
	d.work.Add(1) // run is still counted
	go func() {
		defer d.work.Done()
		do()
	}()
}

// Events yields the present state first, then what happens. It ends without an
// error when the debugger has ended. Who is too slow misses events, and is told
// by an event of kind state, which says how it is now.
func (d *Debugger) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		o := newOutbox(d.resync)
		defer d.enter(o)()
		for {
			lines, err := o.take(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, line := range lines {
				var e Event
				if err := json.Unmarshal(line, &e); err != nil { // we wrote it
					panic(err)
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// resync is the line for a front end that has missed events: how it is now. Events
// that it has seen in the state already may follow; their numbers tell.
func (d *Debugger) resync(_, _ int, putting bool) []byte {
	if !putting { // what puts holds mu
		d.mu.Lock()
		defer d.mu.Unlock()
	}
	return d.stateLine()
}

// enter lets a front end hear what happens. The first line is the state.
func (d *Debugger) enter(o *outbox) (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.next
	d.next++
	o.put(d.stateLine(), true)
	if d.state.Phase == Ended {
		o.end()
	}
	d.fronts[n] = o
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.fronts, n)
		o.end()
	}
}

func (d *Debugger) stateLine() []byte {
	s := d.state
	return Event{Seq: d.seq, Kind: KindState, State: &s}.line()
}

// happen makes an event known. Called with mu held.
func (d *Debugger) happen(e Event) {
	if e.Kind == KindPrompt {
		if !d.due {
			return
		}
		d.due = false
	}
	switch e.Kind {
	case KindRunning:
		if d.state.Phase == Running {
			return // once for each thread, and for both interfaces
		}
		d.before = d.state
	case KindStopped, KindExited:
		d.due = true
	case KindState: // it has not been let run: the command has failed
		if d.state.Phase != Running {
			return
		}
		d.before.Breakpoints = d.state.Breakpoints
		d.state = d.before
		d.due = true
		now := d.state
		e.State = &now
	}
	d.state.apply(e)
	d.seq++
	e.Seq = d.seq
	line := e.line()
	for _, o := range d.fronts {
		o.put(line, false)
	}
}

// Close ends the debugger with its program and all front ends. It may be called
// more than once.
func (d *Debugger) Close() error {
	err := d.console.Close()
	if d.tty != nil {
		err = errors.Join(err, d.tty.Close())
	}
	d.begin.Do(func() {
		if d.stop != nil {
			d.stop()
		}
	})
	d.work.Wait()
	return err
}
