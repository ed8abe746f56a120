package debugger

import (
	"encoding/json"
	"slices"
)

// An Event is something that happened, in one shape for all debuggers.
type Event struct {
	Seq  int64  `json:"seq"`  // counts from 1; that of a state is the last one before it
	Kind string `json:"kind"` // one of the kinds below

	Reason string `json:"reason,omitempty"` // of stopped: "breakpoint", "step", "finish", "signal", "watchpoint", "exception"...; of exited: "signal"
	File   string `json:"file,omitempty"`   // as the debugger calls it
	Path   string `json:"path,omitempty"`   // where it is, when the debugger says so
	Line   int    `json:"line,omitempty"`   // from 1
	Func   string `json:"func,omitempty"`
	Thread int    `json:"thread,omitempty"`
	Text   string `json:"text,omitempty"`   // of output and question; of a signal its name
	Status *int   `json:"status,omitempty"` // of exited, where it is known

	Breakpoint *Breakpoint `json:"breakpoint,omitempty"` // of breakpoint
	Deleted    bool        `json:"deleted,omitempty"`    // of breakpoint: it is gone
	State      *State      `json:"state,omitempty"`      // of state
}

// The kinds of events.
const (
	KindState      = "state"      // the present state: sent first to whoever connects
	KindPrompt     = "prompt"     // the debugger takes the next command
	KindRunning    = "running"    // the program runs
	KindStopped    = "stopped"    // the program stands still
	KindOutput     = "output"     // the debugger said something for the person
	KindBreakpoint = "breakpoint" // one was made, changed or deleted
	KindExited     = "exited"     // the program has ended
	KindQuestion   = "question"   // the console asks the person, and waits
)

// A State is all that a front end must know when it connects.
type State struct {
	Debugger    string       `json:"debugger"` // the profile's name
	Phase       string       `json:"phase"`    // one of the phases below
	Reason      string       `json:"reason,omitempty"`
	File        string       `json:"file,omitempty"`
	Path        string       `json:"path,omitempty"`
	Line        int          `json:"line,omitempty"`
	Func        string       `json:"func,omitempty"`
	Thread      int          `json:"thread,omitempty"`
	Text        string       `json:"text,omitempty"`
	Status      *int         `json:"status,omitempty"`
	Breakpoints []Breakpoint `json:"breakpoints"`

	Commands map[string]string `json:"commands,omitempty"` // the profile's
}

// The phases of a program under a debugger.
const (
	Starting = "starting" // the debugger is not ready yet
	Prompt   = "prompt"   // it is ready, and the program has not been run
	Running  = "running"
	Stopped  = "stopped"
	Exited   = "exited" // the program has ended, and can be run again
	Ended    = "ended"  // the debugger itself has ended
)

// A Breakpoint is one place at which the program will stop, or a watchpoint.
type Breakpoint struct {
	ID        string `json:"id"`
	Type      string `json:"type,omitempty"` // "breakpoint", "hw watchpoint", as the debugger says
	File      string `json:"file,omitempty"`
	Path      string `json:"path,omitempty"`
	Line      int    `json:"line,omitempty"`
	Func      string `json:"func,omitempty"`
	What      string `json:"what,omitempty"` // the expression that is watched
	Enabled   bool   `json:"enabled"`
	Temporary bool   `json:"temporary,omitempty"`
	Condition string `json:"condition,omitempty"`
	Hits      int    `json:"hits,omitempty"`
}

// apply changes the state as the event says. It is the whole rule.
func (s *State) apply(e Event) {
	place := func() {
		s.Reason, s.File, s.Path, s.Line, s.Func, s.Thread, s.Text, s.Status =
			e.Reason, e.File, e.Path, e.Line, e.Func, e.Thread, e.Text, e.Status
	}
	switch e.Kind {
	case KindPrompt:
		if s.Phase == Starting {
			s.Phase = Prompt
		}
	case KindRunning:
		s.Phase = Running
		place()
	case KindStopped:
		s.Phase = Stopped
		place()
	case KindExited:
		s.Phase = Exited
		place()
	case KindBreakpoint:
		if e.Breakpoint == nil {
			return
		}
		at := slices.IndexFunc(s.Breakpoints, func(b Breakpoint) bool { return b.ID == e.Breakpoint.ID })
		switch {
		case e.Deleted && at >= 0:
			s.Breakpoints = slices.Delete(slices.Clone(s.Breakpoints), at, at+1)
		case e.Deleted:
		case at >= 0:
			s.Breakpoints = slices.Clone(s.Breakpoints)
			s.Breakpoints[at] = *e.Breakpoint
		default:
			s.Breakpoints = append(slices.Clone(s.Breakpoints), *e.Breakpoint)
		}
	}
}

// line is the event as front ends read it.
func (e Event) line() []byte {
	b, err := json.Marshal(e)
	if err != nil { // no field can fail
		panic(err)
	}
	return append(b, '\n')
}
