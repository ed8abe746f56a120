package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Ref says where a secret comes from. It is plain data that shows nothing of
// the secret: it may be printed, compared and stored. The zero Ref is none and
// cannot be read.
type Ref struct {
	scheme scheme
	arg    string
}

type scheme string

const (
	env  scheme = "env"  // a variable of our environment
	file scheme = "file" // what a file holds
	fd   scheme = "fd"   // what can be read from a descriptor that we inherited
	cmd  scheme = "cmd"  // what a command prints; no shell
	ask  scheme = "ask"  // what the person at the terminal types
)

// errNotRef does not show what was given: who forgets the scheme has given the
// secret itself.
var errNotRef = errors.New("not a reference to a secret: want env:NAME, file:PATH, fd:N, cmd:COMMAND or ask:PROMPT")

// Parse reads a reference: env:NAME, file:PATH, fd:N, cmd:COMMAND or ask:PROMPT.
// The prompt may be empty. Errors do not repeat what was given.
func Parse(s string) (Ref, error) {
	before, arg, ok := strings.Cut(s, ":")
	r := Ref{scheme(before), arg}
	if !ok {
		return Ref{}, errNotRef
	}
	switch r.scheme {
	case env:
		if arg == "" || strings.ContainsAny(arg, "=\x00") {
			return Ref{}, errors.New("env: wants the name of a variable")
		}
	case file:
		if arg == "" {
			return Ref{}, errors.New("file: wants a path")
		}
	case fd:
		if n, err := strconv.ParseUint(arg, 10, 31); err != nil || strconv.FormatUint(n, 10) != arg {
			return Ref{}, errors.New("fd: wants the number of a descriptor")
		}
	case cmd:
		if _, err := words(arg); err != nil {
			return Ref{}, fmt.Errorf("cmd: %w", err)
		}
	case ask:
	default:
		return Ref{}, errNotRef
	}
	return r, nil
}

// String returns the reference as Parse reads it; "" for none.
func (r Ref) String() string {
	if r == (Ref{}) {
		return ""
	}
	return string(r.scheme) + ":" + r.arg
}

// MarshalText gives the reference as Parse reads it, for storing.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText gave.
func (r *Ref) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*r = Ref{}
		return nil
	}
	*r, err = Parse(string(text))
	return err
}

// Read fetches the secret. One trailing line end is not part of it, except in a
// variable, which is taken as it is. A secret that is empty is an error, since
// as a rule it is one that was not set up; but a person may answer with Enter alone.
//
// It waits as long as the file, the command or the person takes, and gives up
// when ctx ends. The caller wipes the Value.
func (r Ref) Read(ctx context.Context) (Value, error) {
	if err := ctx.Err(); err != nil {
		return Value{}, err
	}
	b, err := r.read(ctx)
	if err == nil && len(b) == 0 && r.scheme != ask {
		err = errors.New("it is empty")
	}
	if err != nil {
		clear(b)
		return Value{}, r.explain(err)
	}
	return New(b), nil
}

// explain adds the reference to an error of reading it, unless that says it all.
func (r Ref) explain(err error) error {
	if errors.Is(err, ErrNoTerminal) {
		return err
	}
	return fmt.Errorf("secret %q: %w", r.String(), err)
}

func (r Ref) read(ctx context.Context) ([]byte, error) {
	switch r.scheme {
	case env:
		s, ok := os.LookupEnv(r.arg)
		if !ok {
			return nil, errors.New("the variable is not set")
		}
		return []byte(s), nil
	case file:
		return readFile(ctx, r.arg)
	case fd:
		n, _ := strconv.Atoi(r.arg)
		return readDescriptor(ctx, n)
	case cmd:
		return readCommand(ctx, r.arg)
	case ask:
		return readTerminal(ctx, r.arg)
	}
	return nil, errNotRef
}

// limit is how long a secret may be. What goes on longer is a mistake: a
// wrong path, a command that does not end.
const limit = 64 << 10

var errTooLong = errors.New("it is longer than " + strconv.Itoa(limit>>10) + " KiB")

// line cuts the line end off b.
func line(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
		if n > 1 && b[n-2] == '\r' {
			b = b[:n-2]
		}
	}
	return b
}

// readLimited reads r to its end and cuts the line end off.
func readLimited(r io.Reader) ([]byte, error) {
	buf := make([]byte, limit+1) // one that does not grow leaves no copies behind
	defer clear(buf)
	n, err := io.ReadFull(r, buf)
	switch err {
	case nil:
		return nil, errTooLong
	case io.EOF, io.ErrUnexpectedEOF:
		return bytes.Clone(line(buf[:n])), nil
	}
	return nil, err
}
