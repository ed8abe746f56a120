package diag

import "time"

// An Op is what a thread waits for, whatever system call it uses.
type Op string

// The operations. Poll is every call that waits for several descriptors.
const (
	Computes  Op = ""       // it does not wait
	Read      Op = "read"   // also from a socket, also for a connection
	Write     Op = "write"  // also to a socket
	Poll      Op = "poll"   // poll, select, epoll
	Sleep     Op = "sleep"  // for a time
	Child     Op = "child"  // for the end of a child
	Thread    Op = "thread" // for a lock or another thread
	Signal    Op = "signal" // for a signal
	Lock      Op = "lock"   // for a file that somebody has locked
	Open      Op = "open"   // opens something: the other side of a fifo, mostly
	Sync      Op = "sync"   // for storage
	Device    Op = "device" // for a device
	Queue     Op = "queue"  // for a message queue or semaphore
	Undecoded Op = "undecoded"
)

// A Wait is what a sleeping thread waits for.
type Wait struct {
	Op      Op            `json:"op"`
	Call    string        `json:"call,omitempty"` // the system call's name; "" = not known
	On      []File        `json:"on,omitempty"`   // the descriptors that it waits for
	Timeout time.Duration `json:"timeout"`        // as the call was given it: negative = none, 0 = some, not known how long
	Unknown string        `json:"unknown,omitempty"`
}

// A File is a descriptor in a wait.
type File struct {
	FD     int    `json:"fd"`
	Link   string `json:"link,omitempty"` // what it leads to: "pipe:[inode]", "fifo:/run/x", "/dev/pts/7"
	Read   bool   `json:"read,omitempty"`
	Write  bool   `json:"write,omitempty"`
	Inside bool   `json:"inside,omitempty"` // only the process itself (or a signal) can make it ready
}

// terminalHolder says whether a file is the holder's side of a terminal: who
// waits for that passes on what a program there says.
func (f File) terminalHolder() bool { return f.Link == "/dev/ptmx" || f.Link == "/dev/pts/ptmx" }

// restless says why a thread may go on without input, or "". It stands beside one
// of the same process that reads the input: which of them does the work cannot be seen.
func restless(name string, w Wait) string {
	const beside = "a thread beside the one that reads "
	if service(name) {
		return ""
	}
	switch w.Op {
	case Thread, Signal:
		if w.Timeout >= 0 && w.Timeout < rest {
			return beside + "waits for a time"
		}
	case Child:
	case Sleep:
		return beside + "sleeps"
	case Read, Poll:
		if w.Timeout >= 0 {
			return beside + "waits for a time"
		}
		for _, f := range w.On {
			if !f.Inside {
				return beside + "waits for something else"
			}
		}
	case Computes:
		return beside + "computes"
	default:
		return beside + "waits for something else"
	}
	return ""
}

// How long a thread's wait must be to be no clock that drives a program: the
// runtime of Go looks after itself once a minute.
const rest = 30 * time.Second
