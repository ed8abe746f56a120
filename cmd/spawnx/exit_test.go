package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/proc"
)

func TestStatusOfErrors(t *testing.T) {
	exit := &proc.ExitError{Exit: proc.Exit{Code: 3}}
	tests := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{exit, 3},
		{&proc.ExitError{Exit: proc.Exit{Signal: syscall.SIGTERM}}, 143},
		{&usageError{what: "no"}, 125},
		{errors.New("anything of our own"), 125},
		{&timeoutError{"late"}, 124},
		{&explained{&timeoutError{"late"}, "\n  details"}, 124},
		{&expect.Error{Op: "expect", Err: context.DeadlineExceeded}, 124},
		{&expect.Error{Op: "expect", Err: io.EOF}, 1},
		{&expect.Error{Op: "expect", Err: expect.ErrRepeated}, 1},
		{fmt.Errorf("run x: %w", &grammar.FailError{Message: "no"}), 1},
		{fmt.Errorf("run x: %w", grammar.ErrNobody), 1},
		{&expect.Error{Op: "sendsecret", Err: secret.ErrNoTerminal}, 1},
		{&signalError{syscall.SIGINT}, 130},
		{&expect.Error{Op: "sendsecret", Err: secret.ErrInterrupted}, 130},
		{&outputError{syscall.EPIPE}, 141},
		{&outputError{syscall.ENOSPC}, 125},
		{&proc.StartError{Stage: "lookup", Err: fs.ErrNotExist}, 127},
		{&proc.StartError{Stage: "dir", Err: fs.ErrNotExist}, 126},
		{&proc.StartError{Stage: "interpreter", Err: fs.ErrNotExist}, 126},
		{&proc.StartError{Stage: "permission", Err: fs.ErrPermission}, 126},
		{errors.Join(exit, &timeoutError{"late"}), 124},
	}
	for _, tt := range tests {
		if got := status(tt.err); got != tt.want {
			t.Errorf("%T %v: status %d, want %d", tt.err, tt.err, got, tt.want)
		}
	}
}
