package diag

import (
	"path"
	"strings"
	"time"
	"unicode"
)

// Lanes is what diag must know of a program that somebody holds at the other
// end: plain data, filled in by the holder. The zero value of a field is said
// beside it.
type Lanes struct {
	Name       string   `json:"name,omitempty"` // how the program is called; "" = by its command line
	PID        int      `json:"pid"`            // the leader; 0: not a process of this machine
	TTY        string   `json:"tty,omitempty"`  // "/dev/pts/7"; "" = no terminal
	InputPipe  uint64   `json:"input_pipe,omitempty"`
	OutputPipe uint64   `json:"output_pipe,omitempty"` // inodes of the pipes of which we hold the other ends: "pipe:[inode]"; 0 = none
	ErrPipe    uint64   `json:"err_pipe,omitempty"`
	Unread     int      `json:"unread"`                // bytes that we have not read; -1 = not known
	Untaken    int      `json:"untaken"`               // bytes of input that the program has not taken; -1 = not known
	ModeKnown  bool     `json:"mode_known"`            // the terminal's mode below was read; false also without terminal
	Echo       bool     `json:"echo"`                  // the terminal shows what is typed
	Canonical  bool     `json:"canonical"`             // the terminal gives whole lines
	Timed      bool     `json:"timed,omitempty"`       // reads of the terminal return by themselves (VMIN 0 or VTIME, not canonical)
	NoEcho     bool     `json:"no_echo,omitempty"`     // we started the terminal without echo: that proves no password
	Foreground int      `json:"foreground,omitempty"`  // the process group that the terminal listens to; 0 = not known
	Foreign    bool     `json:"foreign,omitempty"`     // somebody else holds the other ends
	FullScreen bool     `json:"full_screen,omitempty"` // it has switched to the alternate screen; false = not or not known
	Readers    []Reader `json:"readers,omitempty"`     // who reads its output here
}

// A Reader is one reader of a program's output on our side.
type Reader struct {
	Name    string    `json:"name"`
	Lane    string    `json:"lane,omitempty"`    // "output" (also "") or "stderr"
	Policy  string    `json:"policy,omitempty"`  // "block" or "skip"
	Blocked bool      `json:"blocked,omitempty"` // it holds the lane: the program waits for it
	Since   time.Time `json:"since,omitzero"`    // since when it holds the lane
	Feeds   int       `json:"feeds,omitempty"`   // the leader whose input it writes to, in a link; 0 = none
}

// A Snapshot is what programs did at one moment, as far as it could be seen:
// plain data. It can be stored as JSON and explained later, on any system.
type Snapshot struct {
	Time      time.Time `json:"time"`
	System    string    `json:"system"` // "linux/amd64"
	Lanes     []Lanes   `json:"lanes"`
	Processes []Process `json:"processes,omitempty"` // each leader before those below it; at the end those outside that hold a pipe of theirs
	Note      string    `json:"note,omitempty"`      // why less could be seen than elsewhere
}

// A Process of a tree.
type Process struct {
	PID        int      `json:"pid"`
	Parent     int      `json:"parent,omitempty"`
	Group      int      `json:"group,omitempty"`
	Session    int      `json:"session,omitempty"`
	Leader     int      `json:"leader,omitempty"` // PID of the Lanes to whose tree it belongs; 0: outside
	Name       string   `json:"name"`
	Args       []string `json:"args,omitempty"`
	State      string   `json:"state"` // of the main thread: a letter as in ps
	Terminal   string   `json:"terminal,omitempty"`
	Foreground int      `json:"foreground,omitempty"` // the process group that this terminal listens to
	Tracer     int      `json:"tracer,omitempty"`     // the debugger that holds it
	Denied     string   `json:"denied,omitempty"`     // why the threads' waits are not known
	Tasks      []Task   `json:"tasks,omitempty"`
	Pipes      []End    `json:"pipes,omitempty"`
	Libc       string   `json:"libc,omitempty"`    // "glibc", "musl", "static"; "" = not known
	Screen     bool     `json:"screen,omitempty"`  // it has a library for full-screen programs loaded
	Written    int64    `json:"written,omitempty"` // bytes written since its start; -1 = not known
	Held       []Held   `json:"held,omitempty"`    // output in its stdio buffers
	HeldKnown  bool     `json:"held_known,omitempty"`
}

// A Task is one thread.
type Task struct {
	TID   int           `json:"tid"`
	Name  string        `json:"name"`
	State string        `json:"state"`
	CPU   time.Duration `json:"cpu"`
	Wait  Wait          `json:"wait"`
}

// An End is one end of a pipe that a process holds.
type End struct {
	FD    int    `json:"fd"`
	Link  string `json:"link"`
	Write bool   `json:"write,omitempty"` // the writing end
}

// Held is output that a program has written into a buffer of its own and that
// has not left it.
type Held struct {
	FD    int    `json:"fd"`
	Bytes int    `json:"bytes"`
	Text  string `json:"text"` // the bytes; cut when they are many
}

// process returns the process with this pid.
func (s Snapshot) process(pid int) (Process, bool) {
	for _, p := range s.Processes {
		if p.PID == pid {
			return p, true
		}
	}
	return Process{}, false
}

// lanes returns those of the tree to which p belongs.
func (s Snapshot) lanes(p Process) (Lanes, bool) {
	for _, l := range s.Lanes {
		if l.PID == p.Leader && p.Leader != 0 {
			return l, true
		}
	}
	return Lanes{}, false
}

// program is the name of the file that runs, without folder and version: "python" for
// /usr/bin/python3.11. A thread may have renamed itself.
func (p Process) program() string {
	name := p.Name
	if len(p.Args) > 0 {
		name = strings.TrimPrefix(path.Base(p.Args[0]), "-")
	}
	return strings.TrimRight(name, "0123456789.-")
}

// who is how a process is called in findings: "ssh core1 (pid 4711)".
func (p Process) who() string {
	const longest = 60
	words := p.Args
	if len(words) == 0 {
		words = []string{p.Name}
	}
	line := []rune(visible(strings.Join(words, " ")))
	if len(line) > longest {
		line = append(line[:longest-1], '…')
	}
	return string(line) + pid(p.PID)
}

// visible writes out what would move the cursor of who reads it.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		return unicode.ReplacementChar
	}, s)
}
