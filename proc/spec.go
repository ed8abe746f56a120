package proc

import (
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// Stdio says what joins a program's standard streams to us.
type Stdio = ptyio.Kind

const (
	PTY       = ptyio.PTY       // one terminal for input, output and errors: the zero value
	Pipes     = ptyio.Pipes     // three pipes
	PTYStderr = ptyio.PTYStderr // a terminal for input and output, a pipe for errors
	PTYStdout = ptyio.PTYStdout // a pipe for input, a terminal for output: for a program that would otherwise hold its output back
)

// Size is the size of a terminal in characters; zero is 24x80.
type Size = ptyio.Size

// A Spec says what to start. It is plain data: print it, compare it, store it, send it, start it again.
type Spec struct {
	// Args are the program and its arguments; there is no shell. A program without a slash is looked up in the PATH
	// of the child's own environment (/usr/bin:/bin where that has none), but not in the empty elements that mean
	// the current folder.
	Args []string
	// Dir is the child's folder, "" is ours. A relative program, and a relative element of PATH, is looked up here.
	Dir string
	// Env is the child's environment as "name=value": nil is ours, empty is none, as in os/exec; of several values of
	// one name the last holds. On a terminal TERM=xterm-256color is added where TERM is missing.
	Env []string
	// EnvKeep, where it is not nil, keeps only these names of our environment, to which Env is added.
	EnvKeep []string
	// NoNewPrivs keeps the program and what it starts from gaining rights through setuid programs (Linux; needs
	// MaybeShim).
	NoNewPrivs bool
	Stdio      Stdio
	Size       Size // of the terminal
	NoEcho     bool // start the terminal with echo off
	// Umask, where it is not nil, is the child's file mode creation mask (Linux; needs MaybeShim).
	Umask *uint32
	// Credential, where it is not nil, is who the child runs as. A terminal of its is given to that user.
	Credential *Credential
	Limits     Limits
	// Contain makes sure that the program and all that it starts are killed within 2 s of the death of this process, by
	// SIGKILL too, and that Stop also finds what left its session and its parent (Linux; needs MaybeShim). The parent of
	// contained programs is a helper, one for all, that starts with the first: its own limits and priority are those
	// that this process had then, unless AdoptOrphans was called. CheckContainment tells how sure it is here.
	Contain bool
	// Grace is the time that Stop leaves between TERM and KILL: zero is 5 s, negative means KILL at once.
	Grace time.Duration
	// Linger is for who reads the output: how long it may be silent after the exit while somebody else still holds it
	// open. Zero is 250 ms, negative means not to wait.
	Linger time.Duration
	// Restart is for who keeps the program running; Start starts it once.
	Restart Restart
}

// Command returns the Spec of a program with its arguments, on a terminal.
func Command(name string, args ...string) Spec {
	return Spec{Args: append([]string{name}, args...)}
}

// A Credential is the user and groups that a program runs as.
type Credential struct {
	UID, GID uint32
	Groups   []uint32 // the supplementary groups; nil is none
}

// Limits bound what a program may use; see setrlimit(2). Zero is our own limit, negative means none at all is allowed:
// Core: -1 is the way to say "no core files". They need Linux and MaybeShim.
type Limits struct {
	CPU          time.Duration // of processor time, in whole seconds, rounded up; then SIGXCPU, a second later SIGKILL
	AddressSpace int64         // bytes of memory
	FileSize     int64         // bytes of a file written; then SIGXFSZ
	Core         int64         // bytes of a core file
	Files        int           // open descriptors
	Processes    int           // processes of the user, not of this program alone
}

const (
	defaultGrace  = 5 * time.Second
	defaultLinger = 250 * time.Millisecond
)

// GraceTime returns Grace with its zero value filled in; 0 means not to wait.
func (s Spec) GraceTime() time.Duration { return s.grace() }

// grace returns the time between TERM and KILL; 0 means none.
func (s Spec) grace() time.Duration { return orDefault(s.Grace, defaultGrace) }

// LingerTime returns Linger with its zero value filled in; 0 means not to wait.
func (s Spec) LingerTime() time.Duration { return orDefault(s.Linger, defaultLinger) }

func orDefault(d, zero time.Duration) time.Duration {
	switch {
	case d == 0:
		return zero
	case d < 0:
		return 0
	}
	return d
}
