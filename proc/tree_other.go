//go:build !linux

package proc

import (
	"strconv"
	"syscall"
)

// A tree is the program and its process group: this system shows no more in a way that all of them share. What leaves
// the group, and what the leader leaves behind when it ends, is not found.
type tree struct{ p *Process }

func newTree(p *Process) *tree { return &tree{p} }

func (t *tree) look() {}

func (t *tree) gone() bool {
	_, ended := t.p.Exit()
	return ended
}

// signal: an error means that the group is gone, which is seen by waiting.
func (t *tree) signal(sig syscall.Signal) { _ = t.p.child.signalGroup(sig) }

// hangUp: who ignores TERM is not known here.
func (t *tree) hangUp() {}

// resume lets those that are stopped run on, to their end.
func (t *tree) resume() {
	if sig := signalNamed("SIGCONT"); sig != 0 {
		t.signal(sig)
	}
}

func (t *tree) names() []string { return []string{strconv.Itoa(t.p.PID())} }

// heldBy: not known here.
func (c *child) heldBy() string { return "" }

// left cannot be known either; a Stop does no harm.
func (t *tree) left() bool { return false }

// leftNothing cannot be known without looking.
func (t *tree) leftNothing() bool { return false }
