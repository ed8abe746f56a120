package proc

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// A Containment says what ends a program's processes should this process die, by SIGKILL too.
type Containment int

const (
	// NotContained: nothing does, except that the terminal hangs up.
	NotContained Containment = iota
	// ByKeeper: a helper process, the parent of all contained programs, which adopts what they leave behind and kills
	// its descendants. A program that forks faster than it is killed may get away, one of another user (setuid) is not
	// the helper's to kill.
	ByKeeper
	// ByCgroup: the helper, and the kernel: nobody leaves the cgroup, and cgroup.kill ends all that are in it at once.
	ByCgroup
)

var containmentNames = [...]string{NotContained: "none", ByKeeper: "keeper", ByCgroup: "cgroup"}

// String returns "none", "keeper" or "cgroup".
func (c Containment) String() string {
	if c < 0 || int(c) >= len(containmentNames) {
		return fmt.Sprintf("Containment(%d)", int(c))
	}
	return containmentNames[c]
}

// CheckContainment returns what Spec.Contain gives here, or why it gives nothing. It starts the helper, which stays as
// long as this process.
func CheckContainment() (Containment, error) {
	k, err := theKeeper()
	if err != nil {
		return NotContained, err
	}
	return k.containment(), nil
}

// Containment returns what ends the program's processes should this process die. After the death of the helper it is
// NotContained: the programs are then being stopped.
func (p *Process) Containment() Containment {
	if k := p.child.keptBy(); k != nil {
		return k.containment()
	}
	return NotContained
}

// errKeeperDied is what Wait says of a program whose keeper died: only its parent could know its status.
var errKeeperDied = &reason{text: "the keeper of contained programs died, so this one was stopped: " + errStatusLost.text, err: errStatusLost}

// errStatusLost is ErrStatusUnknown for errors.Is, without its text, which tells of another reason.
var errStatusLost = &reason{text: "its exit status is unknown", err: ErrStatusUnknown}

// containAll is the switch of the tests that contains every program.
var containAll atomic.Bool

// contained makes l start its program through the keeper, where its Spec says so.
func (l *launch) contained() error {
	if !l.spec.Contain && !containAll.Load() {
		return nil
	}
	k, err := theKeeper()
	if err != nil {
		return fmt.Errorf("containment: %w", err)
	}
	l.keeper = k
	if !k.forksNot() {
		l.umask, l.steps.umask = l.steps.umask, nil
	}
	return nil
}

// watchKeeper stops the program when its keeper dies: nobody would end it after our own death, and nobody knows any
// more what it leaves behind.
func (p *Process) watchKeeper() {
	k := p.child.keptBy()
	if k == nil {
		return
	}
	forget := p.forget
	unhook := k.whenItDies(func() {
		if _, ended := p.Exit(); !ended {
			p.unkept.Store(true)
		}
		p.child.abandoned()
		_, _ = p.Stop(context.Background()) // Wait tells
	})
	p.forget = func() bool {
		unhook()
		return forget()
	}
}

// waited is what Wait says of an exit.
func (p *Process) waited() error {
	err := p.exit.err()
	switch {
	case errors.Is(err, ErrStatusUnknown) && p.child.lostKeeper():
		return errKeeperDied
	case err != nil && p.unkept.Load():
		return fmt.Errorf("the keeper of contained programs died, so this one was stopped: %w", err)
	}
	return err
}
