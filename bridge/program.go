package bridge

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// A program is the Peer that was started here. Every end is taken in the one
// order that loses nothing: the exit is seen, the output is read to its end,
// only then is the process reaped. Where its Spec says so, a goroutine does that
// and starts the program again; else whoever sees the exit and whoever reads the
// last of the output do it.
type program struct {
	spec     proc.Spec
	ctx      context.Context
	more     bool // it may be started again
	out, err *Stream
	in       *Input
	stop     chan struct{} // closed by Stop: no more starts
	stopped  sync.Once
	done     chan struct{} // closed when it ended for good and its output is complete

	mu       sync.Mutex // also held while the program is started, so that Stop prevents a start or ends what it started
	p        *proc.Process
	reap     func()
	outlets  []*outlet     // of p
	began    time.Time     // of p
	ran      time.Duration // of p, once its exit was seen
	restarts int
	again    time.Time // when it is started again; zero unless it waits for that

	exit proc.Exit // valid after done
	fail error
}

// lanes returns the present process's ends as the lanes want them. Those that a
// pipe joins to another program directly are not ours: no lane begins there.
func (g *program) lanes() (out, stderr Source, in Sink) {
	linger := g.spec.LingerTime()
	std := g.p.Stdio()
	g.outlets = nil
	size, _ := g.ctx.Value(piecesKey{}).(func() int)
	lane := func(f *ptyio.File) Source {
		o := &outlet{f: f, linger: linger, size: size}
		g.outlets = append(g.outlets, o)
		return o
	}
	out, in = nowhere{}, nowhere{}
	if std.Out != nil {
		out = lane(std.Out)
	}
	if std.In != nil {
		in = std.In
	}
	if std.Err != nil {
		stderr = lane(std.Err)
	}
	return out, stderr, in
}

// nowhere is the end of a lane that is not ours: nothing comes, nothing is taken.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)         { return 0, io.EOF }
func (nowhere) Write([]byte) (int, error)        { return 0, ErrNoInput }
func (nowhere) Close() error                     { return nil }
func (nowhere) SetReadDeadline(time.Time) error  { return nil }
func (nowhere) SetWriteDeadline(time.Time) error { return nil }

// ended is called when the exit of a program that is not started again was
// seen, and waits for nothing.
func (g *program) ended() {
	g.note()
	g.exit, g.fail = g.p.Wait(context.Background()) // it is known
	for _, o := range g.outlets {
		o.ended()
	}
	lanes := g.streams()
	var left atomic.Int32
	left.Store(int32(len(lanes)))
	for _, s := range lanes {
		s.ending(func() {
			if left.Add(-1) == 0 {
				g.reap()
				close(g.done)
			}
		})
	}
}

// note keeps how long the process has run, and returns it.
func (g *program) note() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ran = time.Since(g.began)
	return g.ran
}

// run is the goroutine of a program that may be started again.
func (g *program) run() {
	defer close(g.done)
	var history proc.RestartState
	for {
		<-g.p.Exited()
		ran := g.note()
		exit, err := g.p.Wait(context.Background()) // it is known
		g.drained()
		g.exit, g.fail = exit, err
		if !g.startAgain(&history, exit, ran) {
			break
		}
	}
	g.reap()
	g.exit.Restarts = g.restarts
	if e, ok := g.fail.(*proc.ExitError); ok {
		e.Exit.Restarts = g.restarts
	}
	g.out.resume(nil)
	if g.err != nil {
		g.err.resume(nil)
	}
}

// drained waits until the output of the process that ended was read to its
// end, or its readers gave it up.
func (g *program) drained() {
	for _, o := range g.outlets {
		o.ended()
	}
	for _, s := range g.streams() {
		s.ending(nil)
		<-s.gone()
	}
}

func (g *program) streams() []*Stream {
	if g.err == nil {
		return []*Stream{g.out}
	}
	return []*Stream{g.out, g.err}
}

// startAgain starts the program once more, after the delay that its Spec
// asks for. What it left running is ended first: it would be in the way of its
// successor, and nobody would know it any more. It reports false when the
// program has ended for good.
func (g *program) startAgain(history *proc.RestartState, exit proc.Exit, ran time.Duration) bool {
	defer g.resting(time.Time{})
	for {
		next, delay, again := g.spec.Restart.Next(*history, exit, ran)
		if !again {
			return false
		}
		*history = next
		_, _ = g.p.Stop(context.Background()) // what cannot be ended may still be no hindrance
		g.reap()
		g.resting(time.Now().Add(delay))
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-g.stop:
			timer.Stop()
			return false
		case <-g.ctx.Done():
			timer.Stop()
			return false
		}
		switch err := g.startNext(); {
		case err == errStopped:
			return false
		case err != nil:
			// What could be started once may be so again: count it as a failed run.
			g.fail, exit, ran = err, proc.Exit{Code: 127}, 0
			continue
		}
		return true
	}
}

var errStopped = errors.New("stopped")

// startNext starts the next process and goes on with it.
func (g *program) startNext() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.stop:
		return errStopped
	default:
	}
	p, reap, err := proc.StartHeld(g.ctx, g.spec)
	if err != nil {
		return err
	}
	old := g.p
	g.p, g.reap, g.began, g.ran, g.again = p, reap, time.Now(), 0, time.Time{}
	g.restarts++
	out, stderr, in := g.lanes()
	g.in.swap(in)
	_ = old.Stdio().Close() // read to its end, or given up
	g.out.resume(out)
	if g.err != nil {
		g.err.resume(stderr)
	}
	return nil
}

// resting notes until when there is no process, on purpose.
func (g *program) resting(until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.again = until
}

func (g *program) process() *proc.Process {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.p
}

func (g *program) Wait(ctx context.Context) (proc.Exit, error) {
	select {
	case <-g.done:
		return g.exit, g.fail
	case <-ctx.Done():
		return proc.Exit{}, context.Cause(ctx)
	}
}

func (g *program) Stop(ctx context.Context) (proc.Exit, error) {
	g.stopped.Do(func() { close(g.stop) })
	exit, err := g.process().Stop(ctx) // the last one: see mu
	g.mu.Lock()
	defer g.mu.Unlock()
	exit.Restarts = g.restarts
	return exit, err
}

func (g *program) Signal(sig os.Signal) error  { return g.process().Signal(sig) }
func (g *program) Resize(size proc.Size) error { return g.process().Resize(size) }

func (g *program) Taken() bool {
	std := g.process().Stdio()
	switch {
	case std.In == nil:
		return false // another program's matter
	case std.In == std.Out:
		return std.Terminal.Taken()
	}
	n, err := std.In.Unread() // a pipe tells it at both ends
	return err == nil && n == 0
}

func (g *program) Mode() (ptyio.Mode, error) {
	t := g.process().Stdio().Terminal
	if t == nil {
		return ptyio.Mode{}, ptyio.ErrUnsupported
	}
	return t.Mode()
}

func (g *program) Stats() PeerStats {
	g.mu.Lock()
	p, ran, restarts, again := g.p, g.ran, g.restarts, g.again
	if ran == 0 {
		ran = time.Since(g.began)
	}
	g.mu.Unlock()
	std := p.Stdio()
	st := PeerStats{PID: p.PID(), Args: g.spec.Args, Unread: -1, Restarts: restarts, RestartAt: again, Running: true, Ran: ran}
	select {
	case <-p.Exited():
		st.Running = false
	default:
	}
	if std.Out != nil {
		if n, err := std.Out.Unread(); err == nil {
			st.Unread = n
		}
		if std.Kind == ptyio.Pipes {
			st.OutputPipe = std.Out.Inode()
		}
	}
	if std.In != nil && std.In != std.Out {
		st.InputPipe = std.In.Inode()
	}
	if std.Err != nil {
		st.ErrPipe = std.Err.Inode()
	}
	if t := std.Terminal; t != nil {
		st.NoEcho = g.spec.NoEcho
		st.Terminal = t.Name()
		st.Foreground, _ = t.Foreground() // unknown after the end
	}
	return st
}

// close ends the program and gives everything back.
func (g *program) close() error {
	for _, s := range g.streams() {
		s.release()
	}
	_, err := g.Stop(context.Background())
	for _, s := range g.streams() {
		s.abandon()
	}
	g.in.close()
	<-g.done
	_ = g.process().Stdio().Close()
	return err
}
