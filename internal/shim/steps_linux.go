package shim

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

func closeOnExec(fd int) { unix.CloseOnExec(fd) }

// become does the steps of the plan and turns into the program. It returns only the failure. Session, controlling
// terminal, descriptors and signal mask are the fork's; what is done here is what Go's fork cannot do.
func become(p Plan) *Failure {
	// no_new_privs belongs to a thread; execve keeps the calling one's.
	runtime.LockOSThread()
	if p.Umask != nil {
		unix.Umask(int(*p.Umask))
	}
	// Limits before the user: root may raise them. The address space last of all: we need some ourselves.
	last := func(l Limit) bool { return l.Resource == unix.RLIMIT_AS }
	for _, l := range slices.DeleteFunc(slices.Clone(p.Limits), last) {
		if f := limit(l); f != nil {
			return f
		}
	}
	if p.User != nil {
		if err := setUser(*p.User); err != nil {
			return fail("user", err)
		}
	}
	if len(p.Dir) > 0 {
		if err := syscall.Chdir(string(p.Dir)); err != nil {
			return fail("dir", err)
		}
	}
	if p.NoNewPrivs {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fail("no_new_privs", err)
		}
	}
	args, env := p.Args.Split(), p.Env.Split()
	if slices.ContainsFunc(p.Limits, last) {
		keepMemory(4*(len(p.Args)+len(p.Env)) + 8<<20)
	}
	for _, l := range p.Limits {
		if last(l) {
			if f := limit(l); f != nil {
				return f
			}
		}
	}
	return fail("execve", syscall.Exec(string(p.Path), args, env))
}

// keepMemory makes sure that n bytes can be allocated without asking the kernel: it would refuse Go's runtime a larger
// address space than the limit, which our own exceeds as soon as it is set.
func keepMemory(n int) {
	block := make([]byte, n)
	for i := 0; i < n; i += 4096 {
		block[i] = 1
	}
	runtime.KeepAlive(block)
	runtime.GC()           // the block is free, and stays mapped
	debug.SetGCPercent(-1) // a collection might start threads
	runtime.GOMAXPROCS(1)  // and so might who has work while a processor is idle, as the sweeping of what was collected
}

// limit uses syscall.Setrlimit, not the one of unix: for RLIMIT_NOFILE it makes execve forget to put back the soft
// limit that Go raised at its start.
func limit(l Limit) *Failure {
	if err := syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: l.Soft, Max: l.Hard}); err != nil {
		return fail(fmt.Sprintf("limit %s %d", l.Name, l.Soft), err)
	}
	return nil
}

// setUser gives up rights in the one order that works: groups, group, user.
func setUser(u User) error {
	if err := syscall.Setgroups(u.Groups); err != nil {
		return err
	}
	if err := syscall.Setgid(int(u.GID)); err != nil {
		return err
	}
	return syscall.Setuid(int(u.UID))
}
