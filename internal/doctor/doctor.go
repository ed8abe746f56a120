// Package doctor says what a machine can give, and what it means where it cannot.
//
// Look asks the system, Judge turns what it said into lines; only Look touches anything.
package doctor

import (
	"fmt"
	"runtime"

	"github.com/spawnx/spawnx/proc"
)

// A State says how much of a thing is there.
type State string

const (
	OK      State = "ok"
	Limited State = "limited"
	Missing State = "missing"
)

// A Line is what there is to say of one thing.
type Line struct {
	What  string `json:"what"`
	State State  `json:"state"`
	Text  string `json:"text"` // what is there, and what follows from it
}

// Facts are what the system said. The zero value is a system with nothing.
type Facts struct {
	System, Kernel string // "linux", "6.12.1"
	Root           bool

	Containment    proc.Containment
	ContainmentErr error // why it is NotContained

	Pidfd, PidfdGroup bool // handles of processes; signals by them to whole groups
	Proc              bool // /proc
	Hidden            bool // /proc does not show the processes of others
	Calls             bool // /proc/PID/task/TID/syscall of a child can be read
	Yama              int  // kernel.yama.ptrace_scope
	Limits            bool // limits, umask and no_new_privs can be set
	Pids              int  // how many processes this user may have, 0 without a limit
	Files             int  // how many descriptors this process may have

	Terminal         error // why no terminal can be opened
	TerminalsUsed    int
	TerminalsMost    int  // 0: not known
	OurIn, OurOut    bool // stdin and stdout are terminals
	TypesForOthers   bool // TIOCSTI of strangers to the terminal is allowed
	Folder           string
	FolderErr        error
	Peers            bool // who connects to a unix socket can be known
	LinksAreFollowed bool // fs.protected_symlinks is off
}

// Judge says what the facts mean.
func Judge(f Facts) (lines []Line) {
	add := func(what string, state State, text string, args ...any) {
		lines = append(lines, Line{what, state, fmt.Sprintf(text, args...)})
	}
	linux := f.System == "linux"

	if linux {
		add("system", OK, "Linux %s, %s", f.Kernel, runtime.GOARCH)
	} else {
		add("system", Limited, "%s %s: what needs Linux is missing below", f.System, f.Kernel)
	}

	switch {
	case f.Containment == proc.ByCgroup:
		add("containment", OK, "keeper and cgroup.kill: nothing that a contained program starts outlives spawnx, whatever session, parent or user it has; "+
			"only what has the right to leave its cgroup can (root, another service manager)")
	case f.Containment == proc.ByKeeper:
		add("containment", Limited, "keeper only, as no cgroup (version 2, with cgroup.kill) is ours to use: what a contained program starts is killed, "+
			"but a program that forks faster than it is killed may escape, and so do processes of other users (setuid programs)")
	default:
		add("containment", Missing, "%s: only the terminal's end and Stop end what a program starts; nothing does after a SIGKILL of spawnx", reasonOf(f.ContainmentErr))
	}

	switch {
	case f.Pidfd && f.PidfdGroup:
		add("signals", OK, "by pidfd, to single processes and to groups: never to a stranger that got the same number")
	case f.Pidfd:
		add("signals", Limited, "by pidfd, but not to groups (Linux 6.9 can): a group is signalled only while its leader is unreaped")
	default:
		add("signals", Limited, "by number, as there are no pidfds (Linux 5.3 has them): a process that is found in a tree could end, and its number be another's, before the signal; a thread waits for each program")
	}

	switch {
	case !f.Proc:
		add("/proc", Missing, "a tree is its process group; why a program hangs is known only from its terminal and its silence")
	case f.Hidden:
		add("/proc", Limited, "it hides the processes of other users (hidepid): of those in a tree (setuid programs) nothing is known")
	default:
		add("/proc", OK, "all processes are seen")
	}

	switch {
	case !f.Proc:
	case f.Yama >= 3:
		add("diagnosis", Missing, "kernel.yama.ptrace_scope is %d: nobody may look into a process; what a program waits for is known only from its terminal and its silence", f.Yama)
	case f.Yama == 2 && !f.Root:
		add("diagnosis", Missing, "kernel.yama.ptrace_scope is 2: only root may look into a process; what a program waits for is known only from its terminal and its silence")
	case !f.Calls:
		add("diagnosis", Missing, "the kernel does not say in which system call a process waits (/proc/PID/syscall)")
	case f.Yama == 1 && !f.Root:
		add("diagnosis", Limited, "kernel.yama.ptrace_scope is 1: only what was started below spawnx can be looked into, not `why PID` of others")
	case !f.Root:
		add("diagnosis", OK, "what own programs wait for is proved; those of other users and setuid ones may not be looked into")
	default:
		add("diagnosis", OK, "what a program waits for is proved")
	}

	if f.Limits {
		add("limits", OK, "limits, umask, user and no_new_privs of a program can be set")
	} else {
		add("limits", Missing, "limits, umask and no_new_privs need Linux; a Spec that asks for them is refused")
	}
	add("confinement", Missing, "no landlock, no seccomp, no namespaces: a program may do what its user may; start it in a sandbox of your own, or as another user")

	switch {
	case f.Terminal != nil:
		add("terminals", Missing, "%v: programs can run on pipes only", f.Terminal)
	case f.TerminalsMost > 0 && f.TerminalsMost-f.TerminalsUsed < 64:
		add("terminals", Limited, "%d of %d are in use", f.TerminalsUsed, f.TerminalsMost)
	case f.TerminalsMost > 0:
		add("terminals", OK, "%d of %d are in use", f.TerminalsUsed, f.TerminalsMost)
	default:
		add("terminals", OK, "can be opened")
	}
	switch {
	case f.OurIn && f.OurOut:
		add("our terminal", OK, "stdin and stdout: attach, <ask> and run with a person work")
	default:
		add("our terminal", Limited, "%s: nobody can be asked, nothing attached", map[bool]string{true: "stdout is none", false: "stdin is none"}[f.OurIn])
	}
	if f.TypesForOthers {
		add("typing for others", Limited, "dev.tty.legacy_tiocsti is 1: a program on a terminal can type into it; programs here get terminals of their own, "+
			"so it is only their own input")
	}

	if f.FolderErr != nil {
		add("folder", Missing, "%v: no named programs", f.FolderErr)
	} else {
		add("folder", OK, "%s, for named programs; private", f.Folder)
	}
	if f.Peers {
		add("peers", OK, "who connects to a socket is known: only this user is let in")
	} else {
		add("peers", Limited, "who connects to a socket is not known here: only the folder keeps others out")
	}
	if f.LinksAreFollowed {
		add("links", Limited, "fs.protected_symlinks is 0: in /tmp, a log or a --fifo folder named there by another user may be a trap; use folders of your own")
	}
	if f.Files > 0 {
		programs := f.Files / 4
		state := OK
		if programs < 100 {
			state = Limited
		}
		add("descriptors", state, "%d: enough for some %d programs at a time", f.Files, programs)
	}
	if f.Pids > 0 {
		state := OK
		if f.Pids < 200 {
			state = Limited
		}
		add("processes", state, "this user may have %d; when they are used up no program can be started, and spawnx itself may fail to start a thread, which ends it (contained programs end with it)", f.Pids)
	}
	return lines
}

func reasonOf(err error) string {
	if err == nil {
		return "none"
	}
	return "none (" + err.Error() + ")"
}
