package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/internal/secret"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// Exit statuses that are not a program's own.
const (
	didNotWork = 1   // a <fail>, an end of the program that nothing waited for
	timedOut   = 124 // as timeout(1)
	ourselves  = 125 // spawnx itself, wrong usage included
	cannotRun  = 126 // as a shell
	notFound   = 127
	bySignal   = 128 // and the signal's number
)

// A usageError is a command line that cannot be understood.
type usageError struct{ what, hint string }

func (e *usageError) Error() string {
	if e.hint == "" {
		return e.what
	}
	return e.what + "\nhint: " + e.hint
}

// A timeoutError: --timeout or --idle-timeout ended the program.
type timeoutError struct{ what string }

func (e *timeoutError) Error() string { return e.what }

// A signalError: a signal ended our wait, as there was no program any more that it could have been passed on to.
type signalError struct{ signal syscall.Signal }

func (e *signalError) Error() string { return fmt.Sprintf("ended by a signal: %v", e.signal) }

// An outputError: what the program wrote, or what we have to say, could not be written to our output.
type outputError struct{ err error }

func (e *outputError) Error() string { return "write our output: " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// status is the exit status that an error stands for; nil is 0. When several are in one error, what ended
// the program comes before how it then ended.
func status(err error) int {
	var (
		timeout  *timeoutError
		ended    *signalError
		output   *outputError
		endAt    *endpointError
		input    *inputError
		failed   *grammar.FailError
		exit     *proc.ExitError
		start    *proc.StartError
		dialog   *expect.Error
		unseen   *whyError
		scripted *scriptError
		partly   *recordingError
	)
	var (
		detached *detachedError
		unjoined *joinError
		unnamed  *nameError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &detached):
		return detached.status
	case errors.As(err, &timeout):
		return timedOut
	case errors.As(err, &ended):
		return bySignal + int(ended.signal)
	case errors.As(err, &endAt):
		return didNotWork
	case errors.As(err, &output):
		if errors.Is(err, syscall.EPIPE) { // as a program that writes to a pipe which nobody reads
			return bySignal + int(syscall.SIGPIPE)
		}
		return ourselves
	case errors.Is(err, secret.ErrInterrupted): // ctrl-c instead of an answer
		return bySignal + int(syscall.SIGINT)
	case errors.As(err, &scripted): // behind what stands for itself: a reader of our output that is gone, ctrl-c
		return scripted.status
	case notThere(err), errors.As(err, &failed), errors.As(err, &input), errors.Is(err, errTests), errors.Is(err, grammar.ErrNobody), errors.Is(err, secret.ErrNoTerminal),
		errors.As(err, &unseen), errors.As(err, &partly), errors.Is(err, debugger.ErrEnded):
		return didNotWork
	case errors.As(err, &start):
		return startStatus(start)
	case errors.As(err, &dialog):
		if errors.Is(err, context.DeadlineExceeded) {
			return timedOut
		}
		return didNotWork
	case errors.As(err, &exit):
		return exit.Status()
	case errors.As(err, &unjoined), errors.As(err, &unnamed):
		return didNotWork
	}
	return ourselves
}

// notThere: a name that is not there, or is there already.
func notThere(err error) bool {
	var gone *session.NotRunningError
	var taken *session.TakenError
	return errors.As(err, &gone) || errors.As(err, &taken)
}

// startStatus: a program that is not there is 127; one that is there and cannot be run, for want of its
// interpreter too, is 126.
func startStatus(e *proc.StartError) int {
	if e.Stage == "lookup" && errors.Is(e, fs.ErrNotExist) {
		return notFound
	}
	return cannotRun
}
