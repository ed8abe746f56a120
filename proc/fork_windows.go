package proc

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/ptyio"
)

// A child is a process, known by the handle that os keeps.
type child struct {
	pid     int
	process *os.Process
}

// fork starts the program of l with these descriptors; there are no more than three.
func (l launch) fork(files []*os.File) (*child, error) {
	if l.spec.Credential != nil || len(files) > 3 {
		return nil, &StartError{stagePermission, l.args[0], errors.ErrUnsupported}
	}
	p, err := os.StartProcess(l.path, l.args, &os.ProcAttr{Dir: l.spec.Dir, Env: l.env, Files: files})
	if err != nil {
		return nil, plain(err)
	}
	return &child{p.Pid, p}, nil
}

func (l launch) giveTerminal(*ptyio.Stdio) error { return nil }

// tells: nobody does, here.
func (c *child) tells(*ptyio.File, func(time.Time)) bool { return false }

// exitNow: see tells.
func (c *child) exitNow() (Exit, bool) { return Exit{}, false }

// seeExit waits until the process has ended.
func (c *child) seeExit() Exit {
	state, err := c.process.Wait()
	if err != nil {
		return Exit{Code: -1}
	}
	return Exit{Code: state.ExitCode(), CPU: state.UserTime() + state.SystemTime()}
}

func (c *child) reap() {}

// stopped: there is no handle to give back.
func (c *child) stopped() {}

// signal: a program can only be killed here.
func (c *child) signal(sig syscall.Signal) error {
	if sig != syscall.SIGKILL && sig != syscall.SIGTERM {
		return errors.ErrUnsupported
	}
	return c.process.Kill()
}

func (c *child) signalGroup(sig syscall.Signal) error { return c.signal(sig) }
