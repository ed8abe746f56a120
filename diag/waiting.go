package diag

import "cmp"

// Evidence is the answer of [Waiting]. Its zero value says: not known to wait.
// Values can be compared.
type Evidence struct {
	// Grade says how well it is known that the program waits for input. Kernel
	// is proof. Termios: its terminal is as for a password, but it may not be
	// looked into. Quiet: it accepts input, but may go on without. Unknown: it does
	// something else, or nothing can be said; Why tells.
	Grade Grade `json:"grade"`
	// Never: as long as the leader is the program it is now, no look will prove it:
	// it passes on what a program elsewhere says, belongs to another user, or this
	// system does not show what programs do. A child of it that does so ends.
	Never    bool   `json:"never,omitempty"`
	Password bool   `json:"password,omitempty"` // echo is off and lines are read: as for a password
	PID      int    `json:"pid,omitempty"`      // who reads, or who stands against it; 0 where it is nobody
	TID      int    `json:"tid,omitempty"`      // its thread
	Program  string `json:"program,omitempty"`  // the name of that thread
	Call     string `json:"call,omitempty"`     // the system call in which it sleeps
	Why      string `json:"why"`                // in words: "it reads its terminal", "a thread computes"
}

// Proved says whether the program certainly waits for input and everything it
// wrote was read.
func (e Evidence) Proved() bool { return e.Grade == Kernel }

// Busy says whether a task of the program was running or ready to run when it
// was looked at: what it writes next may come at once.
func (e Evidence) Busy() bool { return e.Why == runs || e.Why == moved }

const (
	runs  = "it runs"
	moved = "it moved while it was looked at"
)

// String is one line: "python3 (pid 12) waits for input: it reads its terminal (kernel)".
func (e Evidence) String() string {
	who := "program"
	if e.PID != 0 {
		who = cmp.Or(visible(e.Program), who) + pid(e.PID)
	}
	what := "not known to wait for input"
	switch {
	case e.Grade >= Termios && e.Password:
		what = "waits for a password"
	case e.Grade >= Termios:
		what = "waits for input"
	case e.Grade == Quiet:
		what = "accepts input"
	}
	s := who + ": " + what
	if e.Grade > Quiet {
		s = who + " " + what
	}
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s + " (" + e.Grade.String() + ")"
}

// Waiting answers whether the program waits for input and everything it wrote
// was read. It looks twice, and between the looks at the caller's own ends:
//
//   - every task of the program's tree sleeps, one of them in a read of its input
//     (or in a poll without timeout whose other descriptors stay inside the process);
//   - taken must report whether no input waits that the program has not taken: on a
//     terminal a poll of the slave, which alone pushes on what sits in the kernel's
//     flip buffer, on a pipe FIONREAD; nil where it cannot be known and is not asked;
//   - flush must read what the program wrote, without waiting, and report whether there
//     was any; it must have seen EAGAIN when it says no;
//   - the same tasks sleep in the same calls and have not run in between.
//
// Only then is the Grade Kernel. The mode of a pseudo terminal is read anew between
// the looks, so that Password holds for the moment of proof. It never waits, starts nothing and changes
// nothing in the program. An answer costs two small files of /proc per thread and
// look. The error of flush makes the answer Unknown.
//
// A process that has left both the tree and the leader's session is not seen.
//
// Waiting may be called concurrently; taken and flush are called by the caller's goroutine.
func Waiting(l Lanes, taken func() bool, flush func() (got bool, err error)) Evidence {
	first, ev := look(l)
	if ev.Grade < Kernel {
		return ev
	}
	if taken != nil && !taken() {
		return ev.but("it has not taken its input yet")
	}
	switch got, err := flush(); {
	case err != nil:
		return ev.but("its output cannot be read")
	case got:
		return ev.but("it was still writing")
	}
	if !first.still() {
		return ev.but(moved)
	}
	return ev
}

// but takes the proof back.
func (e Evidence) but(why string) Evidence {
	e.Grade, e.Why, e.Password = Unknown, why, false
	return e
}

// password says whether the terminal is as programs set it for a password.
func (l Lanes) password() bool {
	return l.ModeKnown && !l.Echo && l.Canonical && !l.NoEcho
}
