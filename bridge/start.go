package bridge

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/spawnx/spawnx/proc"
)

// Start starts a program and joins its streams to a Bridge. It is all or
// nothing, as proc.Start is; when ctx ends, the program and its tree are
// stopped. Files are the program's descriptors 3 and up; they stay the
// caller's.
//
// A program whose Spec says Restart is started again in the same Bridge: its
// Stream goes on, and Wait returns when it ended for good.
func Start(ctx context.Context, spec proc.Spec, files ...*os.File) (*Bridge, error) {
	if spec.Restart.When != proc.Never && len(files) > 0 {
		return nil, errors.New("files cannot be given to a program that may be started again")
	}
	p, reap, err := proc.StartHeld(ctx, spec, files...)
	if err != nil {
		return nil, err
	}
	return join(ctx, spec, p, reap), nil
}

// join makes the Bridge of a program that has been started and is held.
func join(ctx context.Context, spec proc.Spec, p *proc.Process, reap func()) *Bridge {
	g := &program{
		spec: spec, ctx: ctx, p: p, reap: reap, began: time.Now(),
		more: spec.Restart.When != proc.Never,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	out, stderr, in := g.lanes()
	g.out = newStream(out, 0, 0, g.more)
	if stderr != nil {
		g.err = newStream(stderr, 0, 0, g.more)
	}
	g.in = NewInput(in, g.out)
	g.in.closed = p.Stdio().In == nil
	g.in.shared = p.Stdio().Terminal != nil && p.Stdio().In == p.Stdio().Out
	if g.more {
		go g.run()
	} else {
		p.AfterExit(g.ended) // without a goroutine, which would only wait
	}
	b := &Bridge{peer: g, out: g.out, err: g.err, in: g.in, close: sync.OnceValue(g.close)}
	if p.Stdio().Terminal != nil {
		b.size = spec.Size.OrDefault()
	}
	return b
}
