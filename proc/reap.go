package proc

import (
	"context"
	"time"
)

// watch has the end of the program seen to: by who tells of all ends or, where the system does not tell, by a goroutine of
// its own.
func (p *Process) watch() {
	if !p.child.tells(p.stdio.Out, p.told) {
		go p.await(time.Time{})
	}
}

// told is called when the program has ended, and waits for nothing: the ends of others are told on the same goroutine.
func (p *Process) told(at time.Time) {
	if e, known := p.child.exitNow(); known {
		p.ended(e, at)
	} else {
		go p.await(at) // its debugger is told the status first, as with strace(1)
	}
}

// await waits until the system tells the status. at is when the end was seen, zero where it has still to come.
func (p *Process) await(at time.Time) {
	e := p.child.seeExit()
	if at.IsZero() {
		at = time.Now()
	}
	p.ended(e, at)
}

// ended sees to the end of the program, in an order that loses nothing: the exit is told at once, our end of its terminal
// is closed (a read of the other end says EOF from then on), then, when that is allowed, the program is reaped and its
// number is free for others.
func (p *Process) ended(e Exit, at time.Time) {
	p.exit, p.endedAt = e, at
	close(p.exited)
	p.forget()
	if t := p.stdio.Terminal; t != nil {
		_ = t.Release() // there is nothing to do about an error
	}
	if after := p.seen(); after != nil {
		after()
	}
	p.mayReap()
}

// mayReap is called when the end was seen to, and when the program may be reaped. The second call reaps it.
func (p *Process) mayReap() {
	switch {
	case p.hold.Add(1) < 2:
	case p.child.keptBy() != nil:
		go p.child.reap() // an order to the keeper, who may be slow to take it
	default:
		p.child.reap()
	}
}

// AfterExit calls f once the exit was seen, on the goroutine that saw it, so that who only has something to do then
// needs none of their own. f waits for nothing: others wait for that goroutine. It is for one caller.
func (p *Process) AfterExit(f func()) {
	p.afterMu.Lock()
	defer p.afterMu.Unlock()
	if p.over {
		go f()
		return
	}
	p.after = f
}

// seen notes that the exit was told, and returns what is to be called after it.
func (p *Process) seen() (after func()) {
	p.afterMu.Lock()
	defer p.afterMu.Unlock()
	p.over = true
	return p.after
}

// Exited is closed as soon as the exit was seen: before the program is reaped, waiting for no reader of its output.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Exit returns how the program ended; ok says whether it has.
func (p *Process) Exit() (e Exit, ok bool) {
	select {
	case <-p.exited:
		return p.exit, true
	default:
		return Exit{}, false
	}
}

// EndedAt is when the program's end was seen, zero before. Of several programs it shows which ended first, except that
// of those that end at the same moment it may not, where the system has no pidfds.
func (p *Process) EndedAt() time.Time {
	select {
	case <-p.exited:
		return p.endedAt
	default:
		return time.Time{}
	}
}

// Wait waits for the program's end, not for its output or for what it left running. The error is an *ExitError unless
// the status is 0, ErrStatusUnknown when nobody knows it, or why ctx ended. Any number of goroutines may wait.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-p.exited:
		return p.exit, p.waited()
	default:
	}
	select {
	case <-p.exited:
		return p.exit, p.waited()
	case <-ctx.Done():
		return Exit{}, ctx.Err()
	}
}
