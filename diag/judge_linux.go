package diag

import (
	"slices"
	"strconv"

	"github.com/spawnx/spawnx/internal/procfs"
	"golang.org/x/sys/unix"
)

// What the first look means: who reads our input, and what speaks against it
// that the program waits for that.

// judge says what it means that all tasks sleep as they do.
func (s sight) judge(l Lanes) Evidence {
	best := Evidence{Why: "nobody reads its input", PID: l.PID, TID: l.PID, Program: s.tasks[0].status.Name}
	for _, t := range s.tasks {
		if t.status.State != procfs.Sleeping {
			continue
		}
		ev := t.reader(l)
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

// reader says whether a task waits for our input, and for nothing else. An
// Evidence without Why: it does neither, nor does it say anything else of use.
func (t task) reader(l Lanes) Evidence {
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
	var pipe, terminal, others bool
	for _, f := range w.On {
		switch {
		case f.Write:
			others = true // it wants to write too
		case f.Read && l.InputPipe != 0 && f.Link == pipeLink(l.InputPipe):
			pipe = true
		case f.Read && l.terminal(t.pid, f):
			terminal = true
		case !f.Inside && !l.pipe(f.Link):
			others = true
		}
	}
	isRelay := relay(t.status.Name) || slices.ContainsFunc(w.On, File.terminalHolder)
	ev := t.evidence(Kernel, w.Call, "it reads its input")
	if terminal {
		ev.Why = "it reads its terminal"
		if l.password() {
			ev.Password, ev.Why = true, "echo is off, it reads its terminal"
		}
	}
	switch {
	case !pipe && !terminal && isRelay:
		return t.relays(l, Unknown, attached(t.status.Name))
	case !pipe && !terminal:
		return Evidence{}
	case others && isRelay:
		return t.relays(l, Quiet, true)
	case w.Timeout >= 0, terminal && w.Op == Read && l.Timed:
		return ev.weak("it wakes by itself")
	case others:
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
		case t.status.State == procfs.Traced && !s.has(t.status.Tracer):
			return t.evidence(Unknown, "", "a debugger from elsewhere holds it")
		case t.status.State != procfs.Sleeping || t.tid == ev.TID:
		case t.pid == ev.PID:
			// A thread beside the one that reads may be the one that works.
			if why := restless(t.status.Name, decode(t.pid, t.tid, t.call)); why != "" {
				return t.evidence(Quiet, ev.Call, why)
			}
		case relay(t.status.Name) && foreground(l, t.pid):
			return t.relays(l, Quiet, true)
		default:
			others = true
		}
	}
	if others && feedsPipe(l, ev.PID) {
		// cat | worker: cat reads again while the worker has what it was given.
		for _, t := range s.tasks {
			if t.pid != ev.PID && t.status.State == procfs.Sleeping && foreground(l, t.pid) && working(decode(t.pid, t.tid, t.call)) {
				return t.evidence(Quiet, "", "it may still work on what it was given through a pipe")
			}
		}
	}
	if !foreground(l, ev.PID) {
		return ev.but("it reads in the background")
	}
	return ev
}

// has says whether a process is among those that were looked at.
func (s sight) has(pid int) bool {
	return slices.ContainsFunc(s.tasks, func(t task) bool { return t.pid == pid })
}

// feedsPipe says whether a process writes to another program, not to us.
func feedsPipe(l Lanes, pid int) bool {
	link, err := procfs.ReadLink(pid, 1)
	_, pipe := link.Pipe()
	return err == nil && pipe && !l.pipe(string(link))
}

// foreground says whether the terminal listens to a process. What has another
// terminal, or none, is not asked.
func foreground(l Lanes, pid int) bool {
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

// pipe says whether a link is one of our pipes.
func (l Lanes) pipe(link string) bool {
	return l.InputPipe != 0 && link == pipeLink(l.InputPipe) || l.lane(link) != ""
}

// working says whether a process may be at work although it sleeps: anything but
// a wait for others of its tree.
func working(w Wait) bool {
	switch w.Op {
	case Child, Thread, Signal:
		return w.Timeout >= 0 && w.Timeout < rest
	case Read, Poll:
		return w.Timeout >= 0 || slices.ContainsFunc(w.On, func(f File) bool { return !f.Inside && !unnamed(f.Link) })
	}
	return true
}

// attached says whether a program is nothing but a window on a terminal that
// a server of its own holds. A relay like ssh asks for itself first.
func attached(name string) bool {
	return slices.Contains([]string{"tmux: client", "screen", "dtach", "abduco"}, name)
}
