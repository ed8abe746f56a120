//go:build unix

package proc

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/internal/shim"
	"github.com/spawnx/spawnx/ptyio"
)

// stepsTime bounds the steps of the shim, which waits for nothing.
const stepsTime = 30 * time.Second

// viaShim starts our own binary as the child, which does the steps and becomes the program: same process, same number.
func (l launch) viaShim(files []*os.File) (*child, error) {
	plan := shim.Plan{
		Role: shim.Exec, Umask: l.steps.umask, Limits: l.steps.limits, NoNewPrivs: l.steps.noNewPrivs,
		Dir: []byte(l.spec.Dir), Path: []byte(l.path), Args: shim.JoinWords(l.args), Env: shim.JoinWords(l.env),
	}
	if c := l.spec.Credential; c != nil {
		plan.User = &shim.User{UID: c.UID, GID: c.GID}
		for _, g := range c.Groups {
			plan.User.Groups = append(plan.User.Groups, int(g))
		}
	}
	defer runtime.KeepAlive(files)
	c, link, err := helper(l.forker(), "", descriptors(files), l.sysProcAttr())
	if err != nil {
		return nil, &StartError{stageLimits, l.spec.Args[0], err}
	}
	defer link.Close()
	err = link.SetDeadline(time.Now().Add(scale.Duration(stepsTime)))
	if err == nil {
		err = shim.WritePlan(link, plan)
	}
	if err == nil {
		err = shim.Started(link)
	}
	if err == nil {
		return c, nil
	}
	_ = c.signalGroup(syscall.SIGKILL) // it may have ended
	c.seeExit()
	c.reap()
	var f *shim.Failure
	switch {
	case errors.As(err, &f) && f.Errno != 0 && (f.Step == "execve" || f.Step == "user" || f.Step == "dir"):
		return nil, f.Errno // as from a fork without the shim
	case f != nil && f.Errno == syscall.EPERM && strings.HasPrefix(f.Step, "limit "):
		err = &reason{text: f.Error(), err: f, hint: "it is above our own hard limit (ulimit -H), or above what the system gives at all"}
	}
	return nil, &StartError{stageLimits, l.spec.Args[0], err}
}

// helper has our own binary started as a helper, with these descriptors and one end of a socket; link is the other.
func helper(fork forker, dir string, fds []uintptr, attr *syscall.SysProcAttr) (c *child, link *os.File, err error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	exe, err := exePath()
	if err == nil {
		// Variables of the program's, as GODEBUG, are not for our own Go code. Its one says that, built with the race
		// detector, it is not to sleep for a second when it exits.
		args, env := []string{shim.Arg0, strconv.Itoa(len(fds))}, []string{"GORACE=atexit_sleep_ms=0"}
		c, err = fork(exe, args, env, dir, append(fds[:len(fds):len(fds)], theirs.Fd()), attr)
	}
	if err != nil {
		ours.Close()
		return nil, nil, err
	}
	return c, ours, nil
}

// lifelines holds our ends of the sockets of guards. Were one collected as garbage, with a release that its caller
// dropped, it would be closed, and the guard take us for dead.
var lifelines sync.Map

// guard: the helper leads a session without a terminal. So no key reaches it, and it may change the terminal's settings
// although it is not in the foreground.
func guard(b *ptyio.Borrowed) (release func(), err error) {
	if !shim.Ready() {
		return nil, errNoShim
	}
	conn, err := b.File().SyscallConn() // never Fd: the terminal's mode is the person's
	if err != nil {
		return nil, err
	}
	var c *child
	var link *os.File
	if cerr := conn.Control(func(tty uintptr) { c, link, err = startGuard(tty, b.Saved()) }); cerr != nil {
		return nil, cerr
	}
	if err != nil {
		return nil, err
	}
	lifelines.Store(link, nil)
	return sync.OnceFunc(func() {
		lifelines.Delete(link)
		_, _ = link.Write([]byte{0}) // if it was killed, nobody reads this
		link.Close()
		c.seeExit()
		c.reap()
	}), nil
}

func startGuard(tty uintptr, saved []byte) (*child, *os.File, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	c, link, err := helper(forkExec, "/", []uintptr{tty, null.Fd(), null.Fd()}, &syscall.SysProcAttr{Setsid: true})
	if err != nil {
		return nil, nil, err
	}
	if err := shim.WritePlan(link, shim.Plan{Role: shim.Restore, Saved: saved}); err != nil {
		link.Close()
		_ = c.signal(syscall.SIGKILL) // it may have ended
		c.seeExit()
		c.reap()
		return nil, nil, err
	}
	return c, link, nil
}

// socketPair returns two joined sockets; ours does not block.
func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		_ = syscall.Close(fds[0])
		_ = syscall.Close(fds[1])
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link"), nil
}
