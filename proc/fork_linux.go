package proc

import (
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/spawnx/spawnx/internal/vfork"
	"golang.org/x/sys/unix"
)

// closeInheritedOnExec marks what our launcher left open, once: Go's own descriptors have the mark. Before Linux 5.11
// there is no such call, and nothing is marked.
var closeInheritedOnExec = sync.OnceFunc(func() {
	_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
})

// withGoFork is a switch of the tests: it makes the child as on a processor for which package vfork has nothing.
var withGoFork atomic.Bool

// forkChild forks and takes a handle of the child, which starts with no signal blocked or ignored. It is
// syscall.ForkExec for what sysProcAttr and its callers ask for.
func forkChild(path string, args []string, attr *syscall.ProcAttr) (*child, error) {
	if !vfork.Here || withGoFork.Load() {
		return forkGo(path, args, attr)
	}
	return forkOwn(path, args, attr)
}

// A fork is a child in the making.
type fork struct {
	vfork.Child
	pidfd  int32
	into   cloneArgs
	limit  unix.Rlimit
	action [8]uintptr // struct sigaction of the kernel, no system has a longer one: the default
	mask   uint64     // of signals: none
}

// cloneArgs is struct clone_args: clone3(2).
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// noClone3: before Linux 5.5, which has CLONE_CLEAR_SIGHAND, or where a filter of system calls does not know it.
var noClone3 atomic.Bool

// forkOwn does by package vfork.
func forkOwn(path string, args []string, attr *syscall.ProcAttr) (*child, error) {
	for {
		f := &fork{pidfd: -1}
		old := noClone3.Load() && !attr.Sys.UseCgroupFD
		if err := f.prepare(path, args, attr, old); err != nil {
			return nil, err
		}
		forking.begin()
		pid, failed, errno := f.Start()
		forking.end()
		err := syscall.Errno(errno)
		switch {
		case pid > 0 && failed == 0:
			return newChild(pid, int(f.pidfd)), nil
		case pid > 0:
			f.bury(pid)
			return nil, err
		case old, attr.Sys.UseCgroupFD: // which only clone3 can
			return nil, err
		case err != unix.ENOSYS && err != unix.EPERM && err != unix.EINVAL:
			return nil, err
		}
		noClone3.Store(true)
	}
}

// bury reaps a child that has ended before it became a program.
func (f *fork) bury(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	if f.pidfd >= 0 {
		_ = unix.Close(int(f.pidfd))
	}
}

// forking is syscall.ForkLock for several forks at once, as package syscall holds it: who has a descriptor that is not
// marked yet keeps all of them from beginning.
var forking forks

type forks struct {
	mu     sync.Mutex
	inside int
	begun  int // since the lock was taken
}

// mostForks may begin while the lock is held, before others who wait for it have their turn.
const mostForks = 64

func (f *forks) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.inside > 0 && f.begun >= mostForks {
		f.mu.Unlock()
		awaitForks()
		f.mu.Lock()
	}
	if f.inside == 0 {
		syscall.ForkLock.Lock()
		f.begun = 0
	}
	f.begun++
	f.inside++
}

// awaitForks returns when those inside are done.
func awaitForks() {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
}

func (f *forks) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside--
	if f.inside == 0 {
		syscall.ForkLock.Unlock()
	}
}

// prepare lists what the child does.
func (f *fork) prepare(path string, args []string, attr *syscall.ProcAttr, old bool) error {
	room := 24 // calls
	if hasC {
		room += 64 // see signals
	}
	f.Calls = make([]vfork.Call, 0, room)
	sys := attr.Sys
	f.clone(sys, old)
	if sys.Setsid {
		f.call(unix.SYS_SETSID)
	}
	if c := sys.Credential; c != nil {
		var groups uintptr
		if len(c.Groups) > 0 {
			groups = f.Pointer(unsafe.Pointer(&c.Groups[0]))
		}
		f.call(unix.SYS_SETGROUPS, uintptr(len(c.Groups)), groups)
		f.call(unix.SYS_SETGID, uintptr(c.Gid))
		f.call(unix.SYS_SETUID, uintptr(c.Uid))
	}
	if attr.Dir != "" {
		dir, err := unix.BytePtrFromString(attr.Dir)
		if err != nil {
			return err
		}
		f.call(unix.SYS_CHDIR, f.Pointer(unsafe.Pointer(dir)))
	}
	f.descriptors(attr.Files)
	if sys.Setctty {
		f.call(unix.SYS_IOCTL, uintptr(sys.Ctty), unix.TIOCSCTTY, 1)
	}
	f.limits()
	f.signals(old)
	return f.execve(path, args, attr.Env)
}

// clone says how the child is made: with handlers of signals reset if it is not the old way.
func (f *fork) clone(sys *syscall.SysProcAttr, old bool) {
	pidfd := f.Pointer(unsafe.Pointer(&f.pidfd))
	flags := uintptr(unix.CLONE_VM | unix.CLONE_VFORK | unix.CLONE_PIDFD)
	if withoutPidfd.Load() {
		flags &^= unix.CLONE_PIDFD
	}
	if old {
		f.Fork = vfork.Call{Number: unix.SYS_CLONE, Args: [5]uintptr{flags | uintptr(unix.SIGCHLD), 0, pidfd}}
		return
	}
	f.into = cloneArgs{flags: uint64(flags) | unix.CLONE_CLEAR_SIGHAND, pidfd: uint64(pidfd), exitSignal: uint64(unix.SIGCHLD)}
	if sys.UseCgroupFD {
		f.into.flags |= unix.CLONE_INTO_CGROUP
		f.into.cgroup = uint64(sys.CgroupFD)
	}
	f.Fork = vfork.Call{Number: unix.SYS_CLONE3, Args: [5]uintptr{f.Pointer(unsafe.Pointer(&f.into)), unsafe.Sizeof(f.into)}}
}

func (f *fork) call(number uintptr, args ...uintptr) {
	c := vfork.Call{Number: number}
	copy(c.Args[:], args)
	f.Calls = append(f.Calls, c)
}

// descriptors makes files the child's 0, 1 and so on: first those out of the way that another will replace.
func (f *fork) descriptors(files []uintptr) {
	fds := append(make([]uintptr, 0, 8), files...)
	free := uintptr(len(fds))
	for _, fd := range fds {
		free = max(free, fd+1)
	}
	for i, fd := range fds {
		if fd < uintptr(i) {
			f.call(unix.SYS_DUP3, fd, free, unix.O_CLOEXEC)
			fds[i] = free
			free++
		}
	}
	for i, fd := range fds {
		if fd == uintptr(i) {
			f.call(unix.SYS_FCNTL, fd, unix.F_SETFD, 0)
		} else {
			f.call(unix.SYS_DUP3, fd, uintptr(i), 0)
		}
	}
}

// limits undoes what package syscall did when this process started: it raised the limit of open files to one below the
// hard one (rlimit.go there), which programs that use select(2) are not to inherit.
func (f *fork) limits() {
	soft, hard := vfork.Files[0], vfork.Files[1]
	var now unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &now) != nil || hard == 0 || soft >= hard-1 || now.Cur != hard-1 || now.Max != hard {
		return // it did not, or somebody has chosen another since
	}
	f.limit = unix.Rlimit{Cur: soft, Max: hard}
	f.call(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, f.Pointer(unsafe.Pointer(&f.limit)))
}

// signals resets those that are ignored, all where the fork did not reset them, and then lets them in.
func (f *fork) signals(old bool) {
	action, mask := f.Pointer(unsafe.Pointer(&f.action)), f.Pointer(unsafe.Pointer(&f.mask))
	const size = unsafe.Sizeof(f.mask)
	for s := syscall.Signal(1); s <= 64; s++ {
		switch {
		case s == unix.SIGKILL, s == unix.SIGSTOP:
		case old, !goHandles(s), signal.Ignored(s):
			f.call(unix.SYS_RT_SIGACTION, uintptr(s), action, 0, size)
		}
	}
	f.call(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, mask, 0, size)
}

func (f *fork) execve(path string, args, env []string) error {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return err
	}
	envv, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return err
	}
	f.call(unix.SYS_EXECVE, f.Pointer(unsafe.Pointer(p)), f.Pointer(unsafe.Pointer(&argv[0])), f.Pointer(unsafe.Pointer(&envv[0])))
	return nil
}

// goHandles reports whether only Go says what becomes of a signal, because its runtime takes it at the start of a process
// and no C code is there to change that. The others keep what was inherited: initsig and sigInstallGoHandler in the
// runtime's signal_unix.go.
func goHandles(s syscall.Signal) bool {
	switch s {
	case unix.SIGHUP, unix.SIGINT, unix.SIGCONT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		return false
	}
	return !hasC
}
