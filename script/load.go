// Package script runs dialogs that are written down: files in Starlark, Python's little sister, whose
// builtins are the words of package expect.
//
//	p = spawn("ssh host", prompt = re(r"\$ $"))
//	p.expect(on("password: ", secret("env:PW")), p.prompt)
//	print(p.command("uptime"))
//
// A script does one thing after the other, and what goes wrong ends it with its line, the state of the
// dialog and a status. Beyond standard Starlark it has while, recursion, set, and statements that
// branch and loop at the top level. The language is described in docs/scripts.md.
package script

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/spawnx/spawnx/expect"
)

// A Program is a script that was read and holds no mistake that can be seen without running it. It is
// never changed: it may run several times, also at once.
type Program struct {
	name    string
	file    *syntax.File
	code    *starlark.Program
	screens bool // it speaks of screens
}

// Options are what a script has to do with the world. The zero value: no arguments, an empty env, no
// input, output nowhere, nobody to ask, no named programs.
type Options struct {
	Args []string // args
	Env  []string // env, and the environment of what is spawned: NAME=VALUE; nil: spawned programs get ours

	Stdin  io.Reader // for interact; nil is empty
	Stdout io.Writer // for print and interact; nil: nowhere
	Stderr io.Writer // for log, and what programs on pipes write there; nil: nowhere

	// Timeout and IdleTimeout are the defaults of spawn and connect. Zero is 30 s and none, negative none.
	Timeout, IdleTimeout time.Duration

	// Connect opens what connect does not know itself: all but unix:PATH, tcp:HOST:PORT and tty:DEVICE,SPEED. The Console is
	// the script's, which closes it. prompt is that of the program where one is known, else nil.
	Connect func(ctx context.Context, addr string) (c *expect.Console, prompt expect.Pattern, err error)
	// Ask puts a question to the person at the terminal.
	Ask func(ctx context.Context, prompt string) (string, error)
}

// dialect is what a script may say beyond standard Starlark.
var dialect = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

// longest is how long a script may be. What reads it calls itself for what is nested, and some of it
// takes the square of the time: a file that is no script must neither use up the stack nor the day.
const longest = 256 << 10

// Load reads a script. The error is an *Error, or several of them joined: what is no Starlark, and names
// that nothing defines. name is what errors call the script, and where load("FILE", …) begins to look.
func Load(name string, src []byte) (*Program, error) {
	if len(src) > longest {
		return nil, &Error{File: name, Line: 1, Col: 1, static: true, Err: fmt.Errorf("a script of %d bytes, more than %d", len(src), longest)}
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff")) // some editors begin a file with it
	for i, line := range bytes.Split(src, []byte("\n")) {
		if bytes.IndexByte(line, 0) >= 0 || !utf8.Valid(line) { // the parser would take a zero byte for the end
			return nil, &Error{File: name, Line: i + 1, static: true, Err: errors.New("this is no text")}
		}
	}
	file, err := dialect.Parse(name, src, 0)
	if err != nil {
		return nil, withHabits(name, src, syntaxErrors(name, src, err))
	}
	code, err := starlark.FileProgram(file, isPredeclared)
	if err != nil {
		return nil, syntaxErrors(name, src, err)
	}
	return &Program{name: name, file: file, code: code, screens: bytes.Contains(src, []byte("screen"))}, nil
}

// Run runs the script to its end and stops the programs that it spawned and that still run. Ending ctx
// ends it. The status is what exit says, or what the error stands for: 0 without one, 124 for a timeout,
// 126 and 127 for a program that cannot be started, 125 when all went well and a log= lacks output, else 1; where ctx ended, err is its cause.
func (p *Program) Run(ctx context.Context, o Options) (status int, err error) {
	r := newRun(ctx, p, o)
	defer func() {
		r.stop()
		if err == nil && r.unkept != nil { // by now all is written, or is not
			status, err = cmp.Or(status, ourselves), &Error{File: p.name, Err: fmt.Errorf("log: %w", r.unkept), static: true}
		}
	}()
	_, err = p.code.Init(r.main.thread, r.globals())
	return r.outcome(err)
}

// syntaxErrors makes *Errors of what the parser and the resolver say.
func syntaxErrors(name string, src []byte, err error) error {
	var all resolve.ErrorList
	if errors.As(err, &all) {
		var list []error
		for _, e := range all {
			list = append(list, syntaxError(name, src, e.Pos, e.Msg))
		}
		return errors.Join(list...)
	}
	var one resolve.Error
	if errors.As(err, &one) {
		return syntaxError(name, src, one.Pos, one.Msg)
	}
	var s syntax.Error
	if errors.As(err, &s) {
		return syntaxError(name, src, s.Pos, s.Msg)
	}
	return &Error{File: name, Line: 1, Col: 1, Err: err, static: true}
}
