package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/google/shlex"
)

// words splits a command at blanks and quotes. There is no shell, so what only
// a shell understands is an error, as is # that shlex would drop with all after it.
func words(line string) ([]string, error) {
	if c := shellSyntax(line); c != 0 {
		return nil, fmt.Errorf("there is no shell here, %q has no meaning; write sh -c '…'", c)
	}
	args, err := shlex.Split(line)
	switch {
	case err != nil:
		return nil, errors.New("a quote is not closed, or a backslash is last")
	case len(args) == 0 || args[0] == "":
		return nil, errors.New("wants a command")
	}
	return args, nil
}

// shellSyntax returns the first character of line that stands outside quotes and
// means something to a shell alone, or 0.
func shellSyntax(line string) rune {
	var quote rune
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			escaped = false
		case c == '\\' && quote != '\'':
			escaped = true
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.ContainsRune("|&;<>$*#`", c):
			return c
		}
	}
	return 0
}

// readCommand runs a command and returns what it printed, without the line end.
// Its standard input is empty; it may still ask at the terminal, as password
// managers do.
func readCommand(ctx context.Context, text string) ([]byte, error) {
	args, err := words(text)
	if err != nil {
		return nil, err
	}
	out := &head{max: limit}
	said := &tail{max: 1 << 10}
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Stdout, c.Stderr = out, said
	c.WaitDelay = time.Second // a daemon that it left behind may hold the pipes open
	err = c.Run()
	switch {
	// The first that is true explains the others: a command that was stopped
	// or lost its reader fails too.
	case ctx.Err() != nil:
		err = ctx.Err()
	case out.full:
		err = errTooLong
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil
	case err != nil && len(said.b) > 0:
		err = fmt.Errorf("%w: %q", err, bytes.TrimSpace(said.b))
	}
	if err != nil {
		clear(out.b)
		return nil, err
	}
	return line(out.b), nil
}

// head keeps what is written to it and refuses more than max bytes.
type head struct {
	b    []byte
	max  int
	full bool
}

func (h *head) Write(p []byte) (int, error) {
	if len(h.b)+len(p) > h.max {
		h.full = true
		return 0, errTooLong
	}
	h.b = append(h.b, p...)
	return len(p), nil
}

// tail keeps the last max bytes of what is written to it.
type tail struct {
	b   []byte
	max int
}

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	t.b = t.b[max(0, len(t.b)-t.max):]
	return len(p), nil
}
