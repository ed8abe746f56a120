package diag

import "time"

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
