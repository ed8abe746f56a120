package debugger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/debugger/mi"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// Join serves a gdb that runs already, in somebody's window: events and the
// machine interface; its console and its program's terminal stay there. line is
// what to type at that gdb; until then the state is Starting. Close leaves that
// gdb alone.
func Join(profile string) (d *Debugger, line string, err error) {
	p, err := LookupProfile(profile)
	if err != nil {
		return nil, "", err
	}
	if p.Name != "gdb" {
		return nil, "", fmt.Errorf("%s cannot be joined: only gdb opens a second interface while it runs", p.Name)
	}
	g := &gdb{fronts: map[int]*outbox{}, waiting: map[string]func(mi.Record, string){}, joined: true}
	if g.ui, err = openRaw(); err != nil {
		return nil, "", err
	}
	d = &Debugger{
		profile: p, state: starting(p),
		fronts: map[int]*outbox{}, ended: make(chan struct{}), due: true, engine: g,
	}
	g.d = d
	far := &joined{d: d, what: "joined", ui: g.ui}
	note, end := io.Pipe()
	far.end = end
	out := bridge.NewStream(bridge.NewSource(note), 0, 0)
	d.console = bridge.New(far, out, nil, bridge.NewInput(bridge.NewSink(nowhere{}), nil), far.close)
	d.launch()
	go func() { // as long as the pipe
		_, _ = io.WriteString(end, "This gdb has its console in a window of its own.\n")
	}()
	return d, "new-ui mi " + terminalName(g.ui), nil
}

// adopt asks a gdb that was joined for what happened before. Called with d.mu held.
func (g *gdb) adopt() {
	send := g.prepare("-gdb-set mi-async on", func(mi.Record, string) {}) // refused while the program runs, which is as well
	send += g.prepare("-break-list", func(r mi.Record, _ string) {
		for _, b := range r.Results.Tuple("BreakpointTable").List("body") {
			if t, ok := b.Value.(mi.Tuple); ok {
				g.d.happen(Event{Kind: KindBreakpoint, Breakpoint: breakpoint(t)})
			}
		}
	})
	send += g.prepare("-thread-info", func(r mi.Record, _ string) {
		threads := r.Results.List("threads")
		for _, one := range threads {
			t, ok := one.Value.(mi.Tuple)
			if !ok || len(threads) > 1 && t.String("id") != r.Results.String("current-thread-id") {
				continue
			}
			if t.String("state") == "running" {
				g.d.happen(Event{Kind: KindRunning})
				continue
			}
			frame := t.Tuple("frame")
			g.d.happen(Event{
				Kind: KindStopped, File: frame.String("file"), Path: frame.String("fullname"), Line: number(frame.String("line")),
				Func: frame.String("func"), Thread: number(t.String("id")),
			})
		}
	})
	g.later(send)
}

// joined is the far side in place of a console that is elsewhere. To stop it is
// to leave.
type joined struct {
	d    *Debugger
	what string
	ui   *bridge.Bridge
	end  *io.PipeWriter
}

func (j *joined) close() error {
	_ = j.end.Close() // never fails
	return j.ui.Close()
}

func (j *joined) Wait(ctx context.Context) (proc.Exit, error) {
	select {
	case <-j.d.ended:
		return proc.Exit{}, nil
	case <-ctx.Done():
		return proc.Exit{}, context.Cause(ctx)
	}
}

func (j *joined) Stop(context.Context) (proc.Exit, error) { return proc.Exit{}, j.close() }

func (j *joined) Signal(os.Signal) error    { return errors.ErrUnsupported }
func (j *joined) Resize(proc.Size) error    { return errors.ErrUnsupported }
func (j *joined) Taken() bool               { return false }
func (j *joined) Mode() (ptyio.Mode, error) { return ptyio.Mode{}, errors.ErrUnsupported }
func (j *joined) Stats() bridge.PeerStats {
	return bridge.PeerStats{Args: []string{"gdb", "(" + j.what + ")"}, Unread: -1, Running: true}
}

type nowhere struct{}

func (nowhere) Write([]byte) (int, error) { return 0, bridge.ErrNoInput }
