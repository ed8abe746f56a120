package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/shim"
	"golang.org/x/sys/unix"
)

// AdoptOrphans is for a process that starts many contained programs. Where they are in a cgroup it starts them itself from
// now on, and what they leave behind becomes its child, and is reaped by it; the keeper only sees to it that all of them
// end with us. A program then costs little more than without containment: nobody has to be woken for it. Where there is
// no cgroup it does nothing: the keeper has to be the parent.
//
// The process stays a subreaper, see prctl(2), as long as it lives: what its other children leave behind becomes its child, too, and
// nobody reaps that.
func AdoptOrphans() error {
	k, err := theKeeper()
	if err != nil || k.group == "" {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopting orphans: %w", err)
	}
	adopts.Store(true)
	return nil
}

// adopts is set by AdoptOrphans.
var adopts atomic.Bool

// forksNot reports whether the keeper only guards the programs, and we start them.
func (k *keeper) forksNot() bool { return k.group != "" && adopts.Load() }

// A cell is the cgroup of a program that was started here.
type cell struct {
	*shim.Cell

	// Guarded by the mu of its cells.
	spoilt bool   // for others: it was killed as a whole, see killStrays
	owner  *child // nil: nobody of the program is left in it
}

// cells are those of a keeper that no program runs in.
type cells struct {
	mu     sync.Mutex
	spare  []*cell
	left   []*cell // their programs were reaped, but were not all that was in them
	closed bool    // the keeper is gone
}

// mostSpare is how many cells wait to be used again.
const mostSpare = 64

// take returns a cell that was used before, nil where there is none.
func (cs *cells) take() *cell {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.tidy()
	n := len(cs.spare)
	if n == 0 {
		return nil
	}
	c := cs.spare[n-1]
	cs.spare = cs.spare[:n-1]
	return c
}

// in calls fork with a cell in which nobody is. A program may have had the right to do something to its cell that keeps others
// out: then the next one gets another.
func (cs *cells) in(group string, fork func(c *cell) error) error {
	if c := cs.take(); c != nil {
		err := fork(c)
		if err == nil {
			return nil
		}
		spoilt := c.Gone() || errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EOPNOTSUPP)
		cs.give(c, spoilt)
		if !spoilt {
			return err
		}
	}
	fresh, err := shim.NewCell(group)
	if err != nil {
		return err
	}
	c := &cell{Cell: fresh}
	if err = fork(c); err != nil {
		cs.give(c, false)
	}
	return err
}

// own notes whose a cell is. The one before may still ask for it.
func (cs *cells) own(c *cell, owner *child) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.owner = owner
}

// tidy takes cells back that became empty since. mu is held.
func (cs *cells) tidy() {
	cs.left = slices.DeleteFunc(cs.left, cs.keep)
}

// keep keeps a cell for the next program, or removes it. It reports false where that is not possible: somebody is left in it.
// mu is held.
func (cs *cells) keep(c *cell) bool {
	if !c.Empty() {
		return false
	}
	c.owner = nil
	if c.spoilt || cs.closed || len(cs.spare) >= mostSpare {
		return c.Remove() == nil
	}
	cs.spare = append(cs.spare, c)
	return true
}

// give gives a cell back, behind the reaping of its program.
func (cs *cells) give(c *cell, spoilt bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.spoilt = c.spoilt || spoilt
	if !cs.keep(c) {
		cs.left = append(cs.left, c)
	}
}

// close gives back what cells hold of a keeper that is gone, with those that are given back later.
func (cs *cells) close() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.closed = true
	cs.left = append(cs.left, cs.spare...)
	cs.spare = nil
	cs.tidy()
}

// empty reports whether nobody of a program is left in its cell.
func (cs *cells) empty(c *cell, owner *child) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return c.owner != owner || c.Empty()
}

// members returns who is left of a program in its cell. That it is still its own holds until they are named.
func (cs *cells) members(c *cell, owner *child) []int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.owner != owner {
		return nil
	}
	return shim.GroupMembers(c.Dir())
}

// kill kills who is left in a program's cell.
func (cs *cells) kill(c *cell, owner *child) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.owner == owner && !c.Empty() { // which is cheap to ask: the kernel kills one group at a time
		c.spoilt = true
		shim.KillGroup(c.Dir())
	}
}

// forkHere is forkExec into a cell.
func (k *keeper) forkHere(path string, args, env []string, dir string, fds []uintptr, attr *syscall.SysProcAttr) (*child, error) {
	adopted.forking.RLock()
	defer adopted.forking.RUnlock()
	var c *child
	err := k.cells.in(k.group, func(in *cell) (err error) {
		attr.UseCgroupFD, attr.CgroupFD = true, in.FD()
		if c, err = forkExec(path, args, env, dir, fds, attr); err != nil {
			return err
		}
		adopted.add(c.pid, k.group)
		k.cells.own(in, c)
		c.keeper, c.cell, c.group = k, in, in.Dir()
		return nil
	})
	if err != nil && k.dead.Err() != nil { // its cgroup is gone, or soon will be
		err = errKeeperGone
	}
	return c, err
}

// vacate is for a child in a cell that was just reaped. c.mu is held.
func (c *child) vacate() {
	c.keeper.cells.give(c.cell, false)
	if c.keeper.cells.empty(c.cell, c) {
		c.alone, c.treeGone, c.cell, c.group = true, true, nil, ""
	}
	adopted.ended(c.pid)
}

// adopted are our children by AdoptOrphans.
var adopted orphanage

type orphanage struct {
	forking sync.RWMutex // held for reading from before a fork until its child is among programs

	mu       sync.Mutex
	programs map[int]bool // in cells, unreaped
	groups   []string     // the ends of the names of keepers' cgroups
	timer    *time.Timer  // until the next look; nil while there is none
	idle     bool         // there were no programs at the last look
}

// lookTime is how often orphans are looked for while programs run; they are also looked for behind each program.
const lookTime = 200 * time.Millisecond

func (o *orphanage) add(pid int, group string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.programs == nil {
		o.programs = map[int]bool{}
	}
	o.programs[pid] = true
	if name := "/" + filepath.Base(group) + "/"; !slices.Contains(o.groups, name) {
		o.groups = append(o.groups, name)
	}
	if o.timer == nil {
		o.idle, o.timer = false, time.AfterFunc(lookTime, o.look)
	}
}

// ended notes that a program was reaped.
func (o *orphanage) ended(pid int) {
	o.mu.Lock()
	delete(o.programs, pid)
	o.mu.Unlock()
	o.reap(false)
}

// look is what the timer does.
func (o *orphanage) look() {
	o.reap(true)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.idle && len(o.programs) == 0 {
		o.timer = nil
		return
	}
	o.idle = len(o.programs) == 0 // once more: those that a Stop has killed
	o.timer.Reset(lookTime)
}

// reap reaps what programs in cells left behind, as far as it has ended. Where an ended program stands before them, which its
// owner will reap, it finds the others only when it is to be thorough.
func (o *orphanage) reap(thorough bool) {
	pid, _, err := shim.Waitid(unix.P_ALL, 0, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG)
	if err != nil || pid == 0 || !o.forking.TryLock() { // who forks will look afterwards
		return
	}
	defer o.forking.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.programs[pid] && !thorough {
		return
	}
	for _, pid := range shim.Children() {
		if !o.programs[pid] && o.held(pid) {
			_, _, _ = waitid(unix.P_PID, pid, unix.WEXITED|unix.WNOHANG) // it may live
		}
	}
}

// held reports whether a child, which may be dead, was in one of the cells.
func (o *orphanage) held(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	return err == nil && slices.ContainsFunc(o.groups, func(name string) bool { return bytes.Contains(data, []byte(name)) })
}
