package diag

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/spawnx/spawnx/internal/procfs"
)

// A task is one thread as the first look has seen it.
type task struct {
	pid, tid int
	status   procfs.Status
	call     procfs.Call
}

// A sight is all that the first look has seen: every task of the tree.
type sight struct{ tasks []task }

// look takes the first look. The Evidence is proof if the second one agrees.
func look(l Lanes) (sight, Evidence) {
	if l.PID <= 0 {
		return sight{}, Evidence{Never: true, Why: "it is no process of this machine"}
	}
	if !procfs.Known() {
		return sight{}, Evidence{Never: true, Why: "the system calls of this kind of processor are not known"}
	}
	var s sight
	pids := []int{l.PID}
	for i := 0; i < len(pids); i++ {
		var ev Evidence
		if pids, ev = s.add(l, pids, pids[i]); ev.Why != "" {
			return s, ev
		}
		if i+1 == len(pids) {
			// Strays last: whoever could have left one behind has been seen asleep.
			pids = union(pids, strays.of(l.PID))
		}
	}
	// What the caller knows of the terminal's mode may be older than the sleep of
	// the tasks; now nobody changes it.
	l.readMode()
	return s, s.judge(l)
}

// add looks at one process and appends its children to pids. An Evidence with
// a Why ends the look.
//
// The order matters. A thread's count of switches is read before its call, and
// in the second look after it: if the counts are equal and both calls were
// seen by the kernel with the thread off the processor, it did not run between the
// calls. So it started nothing either, and its children, read between, are all.
func (s *sight) add(l Lanes, pids []int, pid int) ([]int, Evidence) {
	tids, err := procfs.Tasks(pid)
	if err != nil || len(tids) == 0 {
		return pids, s.lost(l, pid, err)
	}
	for _, tid := range tids {
		t := task{pid: pid, tid: tid}
		if t.status, err = procfs.ReadStatus(pid, tid); err != nil {
			return pids, s.lost(l, pid, err)
		}
		if t.status.Threads != len(tids) {
			return pids, t.evidence(Unknown, "", "a thread came or went")
		}
		switch t.status.State {
		case procfs.Zombie, procfs.Dead:
			// Its children have other parents already; it counts no more.
			if len(tids) == 1 {
				if pid == l.PID {
					return pids, t.evidence(Unknown, "", "it has ended")
				}
				continue
			}
		case procfs.Sleeping:
			switch t.call, err = procfs.ReadCall(pid, tid); {
			case errors.Is(err, fs.ErrPermission):
				return pids, t.denied(l, "it may not be looked into")
			case err != nil:
				return pids, s.lost(l, pid, err)
			}
			if t.call.Running {
				return pids, t.evidence(Unknown, "", runs)
			}
		case procfs.Stopped, procfs.Traced:
			// It cannot go on by itself.
		default:
			return pids, t.evidence(Unknown, "", runs)
		}
		children, err := procfs.Children(pid, tid)
		if err != nil {
			return pids, s.lost(l, pid, err)
		}
		pids = union(pids, children)
		s.tasks = append(s.tasks, t)
	}
	return pids, Evidence{}
}

// union appends to list what is not in it.
func union(list, more []int) []int {
	for _, n := range more {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// lost is for a process that could not be read.
func (s *sight) lost(l Lanes, pid int, err error) Evidence {
	t := task{pid: pid, tid: pid}
	if errors.Is(err, fs.ErrPermission) {
		return t.denied(l, "it may not be looked into")
	}
	if why := missing(); why != "" {
		return Evidence{Never: true, PID: pid, Why: why}
	}
	_, err = procfs.ReadStat(pid)
	switch {
	case err == nil:
		return Evidence{PID: pid, Why: "a thread came or went"}
	case hidden(pid):
		return t.denied(l, hides)
	case pid == l.PID:
		return Evidence{PID: pid, Why: "it has ended"}
	}
	return Evidence{PID: pid, Why: "a process came or went"}
}

// missing says what this system does not show of any process, or "".
func missing() string {
	me := os.Getpid()
	if _, err := procfs.ReadStat(me); err != nil {
		return "there is no /proc"
	}
	if _, err := procfs.Children(me, me); errors.Is(err, fs.ErrNotExist) {
		return "this kernel does not list children (CONFIG_PROC_CHILDREN)"
	}
	if _, err := procfs.ReadCall(me, me); errors.Is(err, fs.ErrNotExist) {
		return "this kernel does not show system calls (CONFIG_HAVE_ARCH_TRACEHOOK)"
	}
	return ""
}

// denied is for a process that may not be looked into. The mode of its
// terminal speaks all the same.
func (t task) denied(l Lanes, why string) Evidence {
	ev := t.evidence(Unknown, "", why)
	ev.Never = t.pid == l.PID // a child ends, and then the leader may be seen again
	l.readMode()              // what the caller knows may be old
	if l.password() {
		ev.Grade, ev.Password, ev.Why = Termios, true, "echo is off; "+why
	}
	return ev
}

func (t task) evidence(g Grade, call, why string) Evidence {
	return Evidence{Grade: g, PID: t.pid, TID: t.tid, Program: t.status.Name, Call: call, Why: why}
}

// still takes the second look.
func (s sight) still() bool {
	for _, t := range s.tasks {
		if t.status.State == procfs.Sleeping {
			call, err := procfs.ReadCall(t.pid, t.tid)
			if err != nil || call != t.call {
				return false
			}
		}
		// A thread that came meanwhile shows in the number of threads.
		now, err := procfs.ReadStatus(t.pid, t.tid)
		if err != nil || now.Switches != t.status.Switches || now.State != t.status.State || now.Threads != t.status.Threads {
			return false
		}
	}
	return true
}
