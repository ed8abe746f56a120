// Package shim is what runs in a re-executed copy of our own binary: the steps between fork and execve that need Go
// code of ours (limits, umask, no_new_privs), the small process that gives a person's terminal back after our death,
// and the keeper, which is the parent of contained programs and kills them after our death.
//
// The copy is known by its argv[0], which no user types by accident, and takes a Plan from a socket whose descriptor
// number is argv[1]. It imports nothing of ours and starts as early in main as the host lets it: proc.MaybeShim.
package shim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
)

// Arg0 is the argv[0] of a helper.
const Arg0 = "spawnx-helper"

// ready says that this binary becomes a helper when it is re-executed with Arg0.
var ready atomic.Bool

// Ready reports whether Main was called and returned: whether our own binary can be re-executed as a helper.
func Ready() bool { return ready.Load() }

// A Role is the job of a helper.
type Role string

const (
	Exec    Role = "exec"    // do the steps of the plan, then become the program
	Restore Role = "restore" // wait for the end of the socket, then give the terminal on descriptor 0 back
	Keep    Role = "keep"    // start programs and adopt what they leave behind; at the end of the socket, kill them all
)

// A Plan says what the helper does. It is plain data; words are bytes, because arguments need not be UTF-8.
type Plan struct {
	Role Role

	// For Exec, in this order.
	Umask      *uint32
	Limits     []Limit
	User       *User
	Dir        []byte // where to go as that user; empty: stay
	NoNewPrivs bool
	Path       []byte // what execve gets
	Args, Env  Words

	// For Restore: the terminal's settings, as ptyio keeps them.
	Saved []byte

	// For Keep: do without a cgroup.
	NoGroup bool `json:",omitempty"`
}

// A Limit is one of setrlimit(2). Soft and hard limit are set.
type Limit struct {
	Name     string // as the user knows it: "files"
	Resource int
	Soft     uint64
	Hard     uint64
}

// A User is who the program runs as.
type User struct {
	UID, GID uint32
	Groups   []int
}

// Words are strings without NUL, each of them ended by NUL.
type Words []byte

// JoinWords is the reverse of Split.
func JoinWords(words []string) Words {
	var w Words
	for _, s := range words {
		w = append(append(w, s...), 0)
	}
	return w
}

// Split returns the words.
func (w Words) Split() []string {
	words := []string{}
	for len(w) > 0 {
		word, rest, _ := bytes.Cut(w, []byte{0})
		words, w = append(words, string(word)), rest
	}
	return words
}

// A Failure is what a helper that could not do its plan reports.
type Failure struct {
	Step  string        // "limit files 77", "user", "dir", "no_new_privs", "execve"
	Errno syscall.Errno // 0 where Text says all
	Text  string        `json:",omitempty"`
}

func (f *Failure) Error() string {
	if f.Errno == 0 {
		return f.Step + ": " + f.Text
	}
	return f.Step + ": " + f.Errno.Error()
}

func (f *Failure) Unwrap() error {
	if f.Errno == 0 {
		return nil
	}
	return f.Errno
}

// fail makes a Failure of any error.
func fail(step string, err error) *Failure {
	f := &Failure{Step: step}
	if !errors.As(err, &f.Errno) {
		f.Text = err.Error()
	}
	return f
}

// maxPlan bounds what a helper reads: more than any argv and environment that execve takes (6 MiB on Linux, as
// base64).
const maxPlan = 32 << 20

// WritePlan sends a plan: its length in four bytes, then JSON.
func WritePlan(w io.Writer, p Plan) error {
	data, err := frame(p, maxPlan)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// ReadPlan is the reverse of WritePlan. It reads no byte more.
func ReadPlan(r io.Reader) (p Plan, err error) {
	if err := unframe(r, &p, maxPlan); err != nil {
		return p, fmt.Errorf("reading the plan: %w", err)
	}
	return p, nil
}

// Started waits until the helper has become the program, which closes its end of the socket, and returns nil, or the
// Failure it reported. A helper that is killed on its way counts as started: its exit says how it ended.
func Started(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxPlan))
	if len(data) == 0 && (err == nil || errors.Is(err, syscall.ECONNRESET)) {
		return nil
	}
	if err != nil {
		return err
	}
	f := new(Failure)
	if err := json.Unmarshal(data, f); err != nil {
		return fmt.Errorf("the helper reported %.100q", data)
	}
	return f
}
