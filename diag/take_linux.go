package diag

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spawnx/spawnx/internal/procfs"
	"golang.org/x/sys/unix"
)

func (s *Snapshot) take() error {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		s.Note = "there is no /proc here"
		return nil
	}
	found := false
	s.Lanes = slices.Clone(s.Lanes)
	for i, l := range s.Lanes {
		if l.PID <= 0 {
			continue
		}
		pids := procfs.Descendants(l.PID)
		for _, pid := range strays.of(l.PID) {
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
		for _, pid := range pids {
			if _, seen := s.process(pid); seen {
				continue
			}
			p, ok := readProcess(pid)
			if !ok && hidden(pid) {
				p, ok = Process{PID: pid, Name: "program", State: "?", Denied: hides, Written: -1}, true
			}
			if ok {
				p.Leader = l.PID
				s.Processes = append(s.Processes, p)
				found = true
			}
		}
		s.Lanes[i].readMode() // as it is now, which the caller may have read earlier
	}
	if !found {
		return ErrNone
	}
	s.outside(func(f File) bool { return !s.other(f) })
	if len(cycles(*s)) > 0 {
		// Somebody outside who holds an end too could break the circle.
		s.outside(func(File) bool { return true })
	}
	return nil
}

// other says whether a member holds the other end of a pipe.
func (s *Snapshot) other(f File) bool {
	return slices.ContainsFunc(s.Processes, func(p Process) bool {
		return slices.ContainsFunc(p.Pipes, func(e End) bool { return e.Link == f.Link && e.Write == f.Read })
	})
}

const hides = "/proc hides it (hidepid)"

// hidden says whether there is a process that /proc does not show. Signal 0 is
// not sent; it asks whether one could be.
func hidden(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := unix.Kill(pid, 0)
	return err == nil || err == unix.EPERM
}

// readProcess reads what can be read of a process; false when it is gone.
func readProcess(pid int) (Process, bool) {
	st, err := procfs.ReadStat(pid)
	if err != nil {
		return Process{}, false
	}
	p := Process{
		PID: pid, Parent: st.Parent, Group: st.Group, Session: st.Session, Name: st.Name, State: st.State.String(),
		Terminal: st.Terminal.Path(), Foreground: max(st.Foreground, 0), Written: -1,
	}
	p.Args, _ = procfs.Args(pid) // the name is enough
	status, err := procfs.ReadStatus(pid, pid)
	if err == nil {
		p.Tracer = status.Tracer
	}
	tids, _ := procfs.Tasks(pid) // none: it is gone, or hidden
	for _, tid := range tids {
		t, err := readTask(pid, tid)
		if errors.Is(err, fs.ErrPermission) {
			p.Denied = denial(status)
		}
		if t.TID != 0 {
			p.Tasks = append(p.Tasks, t)
		}
	}
	if st.State == procfs.Zombie && len(tids) < 2 {
		return p, true
	}
	p.Pipes = pipesOf(pid, func(string) bool { return true })
	if n, err := procfs.Written(pid); err == nil {
		p.Written = n
	}
	maps, err := procfs.Maps(pid)
	if err == nil {
		p.Libc, p.Screen = libraries(maps)
		p.Held, p.HeldKnown = heldBy(pid, maps)
	}
	return p, true
}

// readTask reads one thread. Its wait is missing with an error.
func readTask(pid, tid int) (Task, error) {
	st, err := procfs.ReadTaskStat(pid, tid)
	if err != nil {
		return Task{}, err
	}
	t := Task{TID: tid, Name: st.Name, State: st.State.String(), CPU: st.CPU}
	switch st.State {
	case procfs.Sleeping, procfs.Disk:
	default:
		return t, nil
	}
	call, err := procfs.ReadCall(pid, tid)
	switch {
	case err != nil:
		t.Wait = Wait{Op: Undecoded, Timeout: none}
	case call.Running && st.State == procfs.Sleeping:
		t.State = procfs.Running.String() // it woke up
	case call.Nr < 0:
		t.Wait = Wait{Op: Undecoded, Timeout: none, Unknown: "it is in no system call"}
	default:
		t.Wait = decode(pid, tid, call)
	}
	return t, err
}

// denial says why a process may not be looked into.
func denial(status procfs.Status) string {
	switch me := os.Geteuid(); {
	case status.UID != me:
		return fmt.Sprintf("it belongs to user %d", status.UID)
	case procfs.Yama() >= 2:
		return fmt.Sprintf("this system forbids it (kernel.yama.ptrace_scope %d)", procfs.Yama())
	case procfs.Yama() == 1:
		return "it is not below us (kernel.yama.ptrace_scope 1)"
	}
	return "it is protected (a setuid program, or its own wish)"
}

// pipesOf returns the ends of pipes, with a name and without, that a process
// holds.
func pipesOf(pid int, wanted func(link string) bool) []End {
	var ends []End
	fds, _ := procfs.FDs(pid) // none when it may not be looked into
	for _, fd := range fds {
		link, err := procfs.ReadLink(pid, fd)
		if err != nil {
			continue
		}
		name := string(link)
		if fifo, ok := fifoLink(link); ok && wanted(fifo) && procfs.Fifo(pid, fd) {
			name = fifo
		} else if _, ok := link.Pipe(); !ok || !wanted(name) {
			continue
		}
		if info, err := procfs.ReadFDInfo(pid, fd); err == nil {
			ends = append(ends, End{FD: fd, Link: name, Write: info.Writable()})
		}
	}
	return ends
}

// outside adds the processes beyond the trees that hold ends of pipes for which
// a member waits and which are wanted. To find them all of /proc is read, so only
// when there is such a pipe.
func (s *Snapshot) outside(wanted func(File) bool) {
	s.Processes = slices.DeleteFunc(s.Processes, func(p Process) bool { return p.Leader == 0 })
	links := map[string]bool{}
	for _, p := range s.Processes {
		for _, t := range p.Tasks {
			for _, f := range t.Wait.On {
				if isPipe(f.Link) && !f.Inside && !s.ours(f.Link) && wanted(f) {
					links[f.Link] = true
				}
			}
		}
	}
	if len(links) == 0 {
		return
	}
	pids, _ := procfs.PIDs() // none: nobody is found
	for _, pid := range pids {
		if _, seen := s.process(pid); seen {
			continue
		}
		ends := pipesOf(pid, func(link string) bool { return links[link] })
		if len(ends) == 0 {
			continue
		}
		if st, err := procfs.ReadStat(pid); err == nil {
			args, _ := procfs.Args(pid) // the name is enough
			s.Processes = append(s.Processes, Process{
				PID: pid, Parent: st.Parent, Group: st.Group, Session: st.Session, Name: st.Name, State: st.State.String(),
				Args: args, Terminal: st.Terminal.Path(), Pipes: ends, Written: -1,
			})
		}
	}
}

// ours says whether the other end of a pipe is ours.
func (s *Snapshot) ours(link string) bool {
	return slices.ContainsFunc(s.Lanes, func(l Lanes) bool { return !l.Foreign && l.pipe(link) })
}

// libraries says which C library a process has loaded, and whether it has one
// that draws on the whole screen.
func libraries(maps []procfs.Mapping) (libc string, screen bool) {
	libc = "static"
	for _, m := range maps {
		switch name := path.Base(m.Path); {
		case name == "libc.so.6":
			libc = "glibc"
		case strings.HasPrefix(name, "ld-musl-") || strings.HasPrefix(name, "libc.musl-"):
			libc = "musl"
		case strings.HasPrefix(name, "libncurses"), strings.HasPrefix(name, "libnewt"), strings.HasPrefix(name, "libslang"):
			screen = true
		}
	}
	return libc, screen
}

// lanesOf makes Lanes of a process that somebody else holds.
func lanesOf(pid int) (Lanes, error) {
	if pid <= 0 {
		return Lanes{}, ErrNone
	}
	l := Lanes{PID: pid, Foreign: true, Unread: -1, Untaken: -1}
	st, err := procfs.ReadStat(pid)
	switch {
	case err != nil && hidden(pid):
		return l, nil
	case err != nil:
		return Lanes{}, errors.Join(ErrNone, err)
	}
	l.Foreground = max(st.Foreground, 0)
	l.TTY = st.Terminal.Path()
	for fd, to := range []*uint64{&l.InputPipe, &l.OutputPipe, &l.ErrPipe} {
		link, err := procfs.ReadLink(pid, fd)
		if err != nil {
			continue // closed, or it may not be looked into
		}
		if inode, ok := link.Pipe(); ok {
			*to = inode
		}
		if fd == 0 && strings.HasPrefix(string(link), "/dev/pts/") {
			l.TTY = string(link) // it may have come from another session
		}
	}
	l.readMode()
	return l, nil
}

// readMode reads the mode of the terminal, which is opened for it and closed
// again. Only a pseudo terminal is: to open a serial line would raise its control
// lines. Where it cannot be opened, what was known stays.
func (l *Lanes) readMode() {
	if !strings.HasPrefix(l.TTY, "/dev/pts/") {
		return
	}
	fd, err := unix.Open(l.TTY, unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return // another user's: not known
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return
	}
	l.ModeKnown, l.Echo, l.Canonical = true, mode.Lflag&unix.ECHO != 0, mode.Lflag&unix.ICANON != 0
	l.Timed = !l.Canonical && (mode.Cc[unix.VMIN] == 0 || mode.Cc[unix.VTIME] != 0)
	if n, err := unix.IoctlGetInt(fd, unix.TIOCINQ); err == nil {
		l.Untaken = n
	}
}
