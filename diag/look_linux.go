package diag

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/spawnx/spawnx/internal/procfs"
	"golang.org/x/sys/unix"
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

// judge says what it means that all tasks sleep as they do.
func (s sight) judge(l Lanes) Evidence {
	best := Evidence{Why: "nobody reads its input", PID: l.PID, TID: l.PID, Program: s.tasks[0].status.Name}
	for i, t := range s.tasks {
		if t.status.State != procfs.Sleeping {
			continue
		}
		ev := s.reader(l, i)
		if ev.Grade > best.Grade || ev.Why != "" && best.Grade < Quiet {
			best = ev
		}
		if best.Grade == Kernel {
			break
		}
	}
	if best.Grade == Kernel {
		best = s.objections(l, best)
	}
	return best
}

// reader says whether task i waits for our input, and for nothing else.
func (s sight) reader(l Lanes, i int) Evidence {
	t := s.tasks[i]
	op, name := t.call.Op()
	switch op {
	case procfs.Read, procfs.Poll, procfs.Ppoll, procfs.Select, procfs.Pselect, procfs.EpollWait, procfs.EpollPwait2, procfs.Restart:
	case procfs.Uring:
		ev := t.evidence(Unknown, name, "it waits through io_uring, which cannot be looked into")
		ev.Never = t.pid == l.PID
		return ev
	default:
		return Evidence{}
	}
	w := decode(t.pid, t.tid, t.call)
	lane, other := -1, -1
	for j, f := range w.On {
		switch {
		case f.Read && !f.Write && l.input(t.pid, f):
			lane = j
		case f.Write, !f.Inside && !l.same(t.pid, f):
			other = j
		}
	}
	switch {
	case lane < 0 && relay(t.status.Name):
		return t.relays(l, Unknown, attached(t.status.Name))
	case lane < 0:
		return Evidence{}
	}
	ev := t.evidence(Kernel, w.Call, "it reads its input")
	if l.TTY != "" && l.InputPipe == 0 {
		ev.Why = "it reads its terminal"
	}
	if l.password() {
		ev.Password = true
		ev.Why = "echo is off, " + ev.Why
	}
	switch {
	case w.Op == Read && !l.Timed:
		return ev
	case w.Timeout >= 0 || w.Op == Read:
		return ev.weak("it wakes by itself")
	case other >= 0 && (relay(t.status.Name) || slices.ContainsFunc(w.On, File.terminalHolder)):
		return t.relays(l, Quiet, true)
	case other >= 0:
		return ev.weak("it waits for other things too")
	}
	return ev
}

// relays is the evidence against a relay; for good, if it is the leader that can
// be nothing else any more.
func (t task) relays(l Lanes, g Grade, forGood bool) Evidence {
	ev := t.evidence(g, "", "it passes on what a program elsewhere says")
	ev.Never = forGood && t.pid == l.PID
	return ev
}

func (e Evidence) weak(why string) Evidence {
	e.Grade, e.Why, e.Password = Quiet, why, false
	return e
}

// objections looks for what may go on without input although a task reads it.
func (s sight) objections(l Lanes, ev Evidence) Evidence {
	others := false
	for _, t := range s.tasks {
		switch {
		case t.status.State != procfs.Sleeping || t.tid == ev.TID:
		case t.pid == ev.PID:
			// A thread beside the one that reads may be the one that works.
			if why := restless(t.status.Name, decode(t.pid, t.tid, t.call)); why != "" {
				return t.evidence(Quiet, ev.Call, why)
			}
		case relay(t.status.Name) && s.foreground(l, t.pid):
			return t.relays(l, Quiet, true)
		default:
			others = true
		}
	}
	if others && s.feedsPipe(l, ev.PID) {
		// cat | worker: cat reads again while the worker has what it was given.
		for _, t := range s.tasks {
			if t.pid != ev.PID && t.status.State == procfs.Sleeping && s.foreground(l, t.pid) && working(decode(t.pid, t.tid, t.call)) {
				return t.evidence(Quiet, "", "it may still work on what it was given through a pipe")
			}
		}
	}
	if !s.foreground(l, ev.PID) {
		return ev.but("it reads in the background")
	}
	return ev
}

// feedsPipe says whether a process writes to another program, not to us.
func (s sight) feedsPipe(l Lanes, pid int) bool {
	link, err := procfs.ReadLink(pid, 1)
	_, pipe := link.Pipe()
	return err == nil && pipe && !l.pipe(string(link))
}

// foreground says whether the terminal listens to a process. What has another
// terminal, or none, is not asked.
func (s sight) foreground(l Lanes, pid int) bool {
	if l.TTY == "" {
		return true
	}
	if group, err := unix.Getpgid(pid); err == nil && group == l.Foreground {
		return true // the cheap answer, mostly
	}
	st, err := procfs.ReadStat(pid)
	if err != nil {
		return false
	}
	return st.Terminal.Path() != l.TTY || st.Foreground == st.Group
}

// input says whether a file of a process is the program's input.
func (l Lanes) input(pid int, f File) bool {
	if l.InputPipe != 0 && procfs.Link(f.Link) == procfs.Pipe(l.InputPipe) {
		return true
	}
	return l.terminal(pid, f)
}

// terminal says whether a file of a process is the program's terminal, also
// by the name that every process has for its own.
func (l Lanes) terminal(pid int, f File) bool {
	switch {
	case l.TTY == "":
		return false
	case f.Link == l.TTY:
		// A program in a container of its own may have another terminal of this name.
		return sameFile(l.TTY, "/proc/"+strconv.Itoa(pid)+"/fd/"+strconv.Itoa(f.FD))
	case f.Link != "/dev/tty":
		return false
	}
	st, err := procfs.ReadStat(pid)
	return err == nil && st.Terminal.Path() == l.TTY
}

func sameFile(a, b string) bool {
	var sa, sb unix.Stat_t
	return unix.Stat(a, &sa) == nil && unix.Stat(b, &sb) == nil && sa.Dev == sb.Dev && sa.Ino == sb.Ino
}

// same says whether a file is one of our lanes.
func (l Lanes) same(pid int, f File) bool {
	if l.input(pid, f) {
		return true
	}
	link := procfs.Link(f.Link)
	return l.OutputPipe != 0 && link == procfs.Pipe(l.OutputPipe) || l.ErrPipe != 0 && link == procfs.Pipe(l.ErrPipe)
}
