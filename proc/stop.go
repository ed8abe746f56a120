package proc

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/scale"
)

const (
	// killTime is how long Stop goes on killing what will not die or makes new processes, and how often at least: on a
	// crowded machine a single look at all processes can take longer than that.
	killTime   = 10 * time.Second
	killRounds = 10

	// Pauses between looks at the tree: nobody tells when a process that is not our child ends.
	shortestPause = time.Millisecond
	longestPause  = 50 * time.Millisecond
)

// Stop ends the program and all that it started: TERM, then CONT for those that are stopped, to the whole tree; after
// Spec.Grace, or when ctx ends, KILL to what is left, until nothing is. The tree are the program's process group, its
// session, their descendants, and what these were found to have started (Linux; elsewhere the group); of a contained
// program really all that it started. On a terminal, what ignores TERM gets HUP too: interactive shells do, and obey
// that.
//
// Stop after the program's own end does the same to what it left. It returns when the program's exit was seen and the
// tree is gone. The error says what could not be ended; the program's status is not an error. Any number of goroutines
// may call Stop: TERM is sent once.
func (p *Process) Stop(ctx context.Context) (Exit, error) {
	e, err := p.stop(ctx)
	if err == nil {
		p.child.stopped()
	}
	return e, err
}

// Left reports whether the program, or something that it started, still runs, as far as Stop would find it.
func (p *Process) Left() bool {
	_, ended := p.Exit()
	return !ended || newTree(p).left()
}

func (p *Process) stop(ctx context.Context) (Exit, error) {
	t := newTree(p)
	if _, ended := p.Exit(); ended && !t.left() {
		return p.exit, nil
	}
	if grace := scale.Duration(p.spec.grace()); grace > 0 {
		if p.termed.CompareAndSwap(false, true) {
			t.terminate()
		}
		patience, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if t.waitGone(patience, t.hangUp) {
			return p.exit, nil
		}
	}
	deadline := time.Now().Add(scale.Duration(killTime))
	pause := shortestPause
	for round := 0; round < killRounds || time.Now().Before(deadline); round++ {
		t.kill()
		if t.waitShort(pause) {
			return p.exit, nil
		}
		pause = min(2*pause, longestPause)
	}
	// Where all are dead, it is only that nobody has told us yet.
	if len(t.names()) == 0 {
		p.child.proveKeeper()
		if t.waitShort(scale.Duration(killTime)) {
			return p.exit, nil
		}
	}
	e, _ := p.Exit()
	return e, t.survived()
}

// waitShort is waitGone for a time.
func (t *tree) waitShort(d time.Duration) bool {
	short, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return t.waitGone(short, func() {})
}

// survived is the error of a Stop in vain.
func (t *tree) survived() error {
	if names := t.names(); len(names) > 0 {
		return fmt.Errorf("stop: these could not be ended: %s", strings.Join(names, ", "))
	}
	return fmt.Errorf("stop: %d was killed, but the system has not told its end%s", t.p.PID(), t.p.child.heldBy())
}

// waitGone waits until the leader's exit was seen and nothing of the tree is left, and calls again from time to time; it
// returns false when ctx ends first.
func (t *tree) waitGone(ctx context.Context, again func()) bool {
	exited := t.p.exited
	for pause := shortestPause; !t.gone(); pause = min(2*pause, longestPause) {
		timer := time.NewTimer(pause)
		select {
		case <-exited:
			exited = nil // what is left now ends without our being told
		case <-timer.C:
			again()
		case <-ctx.Done():
			timer.Stop()
			return t.gone()
		}
		timer.Stop()
	}
	return true
}

// terminate asks the whole tree to end.
func (t *tree) terminate() {
	t.look()
	t.signal(syscall.SIGTERM)
	t.resume()
}

// kill leaves the tree no choice. The group at once first: its members cannot fork away from one signal to all.
func (t *tree) kill() {
	_ = t.p.child.signalGroup(syscall.SIGKILL) // an empty group is what we want
	t.p.child.killStrays()
	t.look()
	t.signal(syscall.SIGKILL)
}
