package proc

import (
	"errors"
	"strconv"
)

// A StartError says why a program was not started. Nothing is left of the attempt.
type StartError struct {
	// Stage is the step that failed:
	//
	//	"dir"          the folder
	//	"lookup"       the program was not found
	//	"interpreter"  the program was found; what its first line names, or its loader, was not
	//	"permission"   the program, or the user it should run as, is not allowed
	//	"terminal"     no terminal or pipes
	//	"limits"       limits, umask, no_new_privs
	//	"exec"         all else: what is no program, too long arguments, no more processes
	Stage string
	// Path is the program as the Spec names it.
	Path string
	// Err is the reason. It unwraps to fs.ErrNotExist, fs.ErrPermission or a syscall.Errno where there is one.
	Err error
}

// The stages of a StartError.
const (
	stageDir         = "dir"
	stageLookup      = "lookup"
	stageInterpreter = "interpreter"
	stagePermission  = "permission"
	stageTerminal    = "terminal"
	stageLimits      = "limits"
	stageExec        = "exec"
)

// Error is one line, and where there is something to do a second one, "hint: …".
func (e *StartError) Error() string {
	text := "start: "
	if e.Path != "" {
		text = "start " + shown(e.Path) + ": "
	}
	text += e.Err.Error()
	if hint := e.Hint(); hint != "" {
		text += "\nhint: " + hint
	}
	return text
}

func (e *StartError) Unwrap() error { return e.Err }

// Hint says what to do, "" if nothing comes to mind.
func (e *StartError) Hint() string {
	if r := (*reason)(nil); errors.As(e.Err, &r) {
		return r.hint
	}
	return ""
}

// A reason says in words for people what an error of the system means here.
type reason struct {
	text string
	err  error
	hint string // what to do about it
}

func (r *reason) Error() string { return r.text }
func (r *reason) Unwrap() error { return r.err }

// shown returns a name as it is, or quoted if it holds what a terminal would not show as it is.
func shown(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` || name == "" {
		return quoted
	}
	return name
}
