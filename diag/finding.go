package diag

import (
	"fmt"
	"strconv"
)

// A Kind is what a finding says, for programs to compare.
type Kind string

// The kinds, the most telling first: findings come in this order.
const (
	KindDeadlock   Kind = "deadlock"    // linked programs wait for each other
	KindBlocked    Kind = "blocked"     // its output is not read on our side
	KindPassword   Kind = "password"    // waits for one
	KindInput      Kind = "input"       // waits for input
	KindLineEditor Kind = "line editor" // waits for input and edits the line itself
	KindFullScreen Kind = "full screen" // waits for keys, draws on the whole screen
	KindHeld       Kind = "held"        // holds output back in a buffer of its own
	KindStopped    Kind = "stopped"     // by a signal or a debugger
	KindPeer       Kind = "peer"        // waits for another process: to read, or to write
	KindComputes   Kind = "computes"
	KindDisk       Kind = "disk"    // waits for storage
	KindRelay      Kind = "relay"   // passes on what a program elsewhere says
	KindAccepts    Kind = "accepts" // accepts input among other things, or wakes by itself
	KindNetwork    Kind = "network" // waits at a socket
	KindSleeps     Kind = "sleeps"  // for a time
	KindWaits      Kind = "waits"   // for a lock, a signal, a file, a device
	KindChild      Kind = "child"   // waits for a child
	KindUnknown    Kind = "unknown" // and Why says why
	KindZombie     Kind = "zombie"  // has ended, is not collected
	KindEnded      Kind = "ended"   // is gone
)

var order = []Kind{
	KindDeadlock, KindBlocked, KindPassword, KindInput, KindLineEditor, KindFullScreen, KindHeld, KindStopped, KindPeer,
	KindComputes, KindDisk, KindRelay, KindAccepts, KindNetwork, KindSleeps, KindWaits, KindChild, KindUnknown, KindZombie, KindEnded,
}

// A Finding is one answer to the question why a program does not go on.
type Finding struct {
	Who      string   `json:"who"` // "ssh core1 (pid 4711)"
	PID      int      `json:"pid,omitempty"`
	TID      int      `json:"tid,omitempty"` // the thread, when it is not the main one
	Kind     Kind     `json:"kind"`
	What     string   `json:"what"`            // "waits for a password"
	Why      string   `json:"why,omitempty"`   // "echo is off, it reads its terminal"
	Steps    []string `json:"steps,omitempty"` // of a deadlock, the parts of Why: who waits for whom
	Grade    Grade    `json:"grade"`
	Evidence string   `json:"evidence,omitempty"` // what was seen: "read(0) of /dev/pts/7"
	Held     string   `json:"held,omitempty"`     // the text held back; cut when it is long
	HeldSize int      `json:"held_size,omitempty"`
	Cure     string   `json:"cure,omitempty"` // what to do about it

	minor bool // held back from a file of its own, not from us
}

// String is one line: "ssh core1 (pid 4711) runs; waits for a password: echo is
// off, it reads its terminal (kernel)".
func (f Finding) String() string {
	s := f.Who
	switch f.Kind {
	case KindZombie, KindEnded, KindStopped, KindDeadlock:
		s += " " + f.What
	default:
		s += " runs; " + f.What
	}
	if f.Why != "" {
		s += ": " + f.Why
	}
	return s + " (" + f.Grade.String() + ")"
}

func pid(n int) string { return fmt.Sprintf(" (pid %d)", n) }

// quoted shows bytes of a program in one line.
func quoted(s string) string { return strconv.Quote(s) }
