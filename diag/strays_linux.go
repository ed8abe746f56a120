package diag

import (
	"slices"
	"sync"
	"time"

	"github.com/spawnx/spawnx/internal/procfs"
)

// A process that lost its parent is below its program's leader no more, but
// may write to the same terminal. It is found by its session. To read all of
// /proc for each look would cost milliseconds; but numbers are given in ascending
// order, so that only those since the last look are new.

// strays is one for all: what it knows does not depend on the program.
var strays census

// A census knows the processes of each session.
type census struct {
	mu       sync.Mutex // guards all below
	last     int        // the newest number seen
	sessions map[int][]int
	known    int // entries in sessions, also of processes that are gone
	living   int // how many there were at the last full count
	unborn   []unborn
}

// An unborn process has a number but is not visible yet: fork gives the number
// first. Or the number went to a thread's or process's life that is over.
type unborn struct {
	pid   int
	until time.Time // when to give it up
}

// of returns the members of the session that pid leads, without itself.
// Most of them are below it.
func (c *census) of(pid int) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.update()
	var members []int
	kept := c.sessions[pid][:0]
	for _, p := range c.sessions[pid] {
		if p == pid {
			kept = append(kept, p)
			continue
		}
		st, err := procfs.ReadStat(p)
		if err != nil || st.Session != pid {
			continue // it has ended, or has a session of its own now
		}
		kept = append(kept, p)
		if st.State != procfs.Zombie {
			members = append(members, p)
		}
	}
	if kept != nil {
		c.known += len(kept) - len(c.sessions[pid])
		c.sessions[pid] = kept
	}
	return members
}

// update notes the processes that have come.
func (c *census) update() {
	const manySteps = 1000 // beyond it a full count is cheaper
	c.retry()
	last, err := procfs.LastPID()
	switch {
	case err == nil && c.sessions != nil && last == c.last:
		return
	case err != nil || c.sessions == nil || last < c.last || last-c.last > manySteps || c.known > 2*c.living+manySteps:
		c.sessions, c.known = map[int][]int{}, 0
		c.unborn = append(c.unborn[:0], unborn{last, time.Now().Add(patience)})
		pids, _ := procfs.PIDs() // none: then nobody is known
		for _, p := range pids {
			c.note(p)
		}
		c.living = c.known
	default:
		for p := c.last + 1; p <= last; p++ {
			if !c.note(p) {
				c.unborn = append(c.unborn, unborn{p, time.Now().Add(patience)})
			}
		}
	}
	c.last = last
}

const patience = 100 * time.Millisecond

// retry looks for those that were not visible.
func (c *census) retry() {
	if len(c.unborn) == 0 {
		return
	}
	now := time.Now()
	c.unborn = slices.DeleteFunc(c.unborn, func(u unborn) bool { return c.note(u.pid) || now.After(u.until) })
}

// note says whether there is such a process or thread.
func (c *census) note(pid int) bool {
	st, err := procfs.ReadStat(pid)
	if err != nil {
		return false
	}
	// Threads have numbers too, and files below /proc that the listing does not show.
	if status, err := procfs.ReadStatus(pid, pid); err != nil || status.PID != pid || slices.Contains(c.sessions[st.Session], pid) {
		return true
	}
	c.sessions[st.Session] = append(c.sessions[st.Session], pid)
	c.known++
	return true
}
