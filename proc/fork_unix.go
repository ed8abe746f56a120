//go:build unix

package proc

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/spawnx/spawnx/ptyio"
)

// fork starts the program of l with these descriptors. The error is the system's.
func (l launch) fork(files []*os.File) (*child, error) {
	attr := l.sysProcAttr()
	if c := l.spec.Credential; c != nil {
		attr.Credential = &syscall.Credential{Uid: c.UID, Gid: c.GID, Groups: c.Groups}
	}
	defer runtime.KeepAlive(files)
	return l.forker()(l.path, l.args, l.env, l.spec.Dir, descriptors(files), attr)
}

// A forker forks and executes a program as syscall.ForkExec does.
type forker func(path string, args, env []string, dir string, fds []uintptr, attr *syscall.SysProcAttr) (*child, error)

// forker is who forks for l: this process or, for what is contained, the keeper.
func (l launch) forker() forker {
	if l.keeper != nil {
		return l.keeper.forker(l.umask)
	}
	return forkExec
}

// descriptors uses Fd, not SyscallConn: it sets blocking mode, which the child's descriptor shares and programs expect.
// The caller keeps the files alive.
func descriptors(files []*os.File) []uintptr {
	fds := make([]uintptr, len(files))
	for i, f := range files {
		fds[i] = f.Fd()
	}
	return fds
}

// sysProcAttr: every program leads a session of its own, so that its tree can be told from others by the session, and
// with pipes no terminal of ours can stop it. With a terminal that is the session's.
func (l launch) sysProcAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	switch l.spec.Stdio {
	case PTY, PTYStderr:
		attr.Setctty, attr.Ctty = true, 0
	case PTYStdout:
		attr.Setctty, attr.Ctty = true, 1
	}
	return attr
}

// forkExec is syscall.ForkExec in the state that a child should inherit.
func forkExec(path string, args, env []string, dir string, fds []uintptr, attr *syscall.SysProcAttr) (*child, error) {
	closeInheritedOnExec()
	return forkChild(path, args, &syscall.ProcAttr{Dir: dir, Env: env, Files: fds, Sys: attr})
}

// giveTerminal makes the terminal that of the user the program will run as, or it could not be opened by its name.
func (l launch) giveTerminal(stdio *ptyio.Stdio) error {
	if l.spec.Credential == nil || stdio.Terminal == nil {
		return nil
	}
	err := os.Chown(stdio.Terminal.Name(), int(l.spec.Credential.UID), -1)
	if errors.Is(err, fs.ErrPermission) {
		return nil // then we may not become that user either, and the fork will say so
	}
	return err
}
