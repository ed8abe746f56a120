package vfork

import "unsafe"

// A Call is a system call. Arguments that are pointers are given by Child.Pointer.
type Call struct {
	Number uintptr
	Args   [5]uintptr
}

// A Child is what becomes a program. It is used once.
type Child struct {
	Fork  Call   // clone(2) or clone3(2), with CLONE_VM and CLONE_VFORK
	Calls []Call // the last one is execve(2)

	pid    int     // or what the kernel says against it
	failed uintptr // which call, from 1
	errno  uintptr // and why
	mask   uint64  // of signals: what to block, then what was blocked
	keep   []unsafe.Pointer
}

// Pointer returns p as an argument. It points to what stays where it is until Start is over.
func (c *Child) Pointer(p unsafe.Pointer) uintptr {
	c.keep = append(c.keep, p)
	return uintptr(p)
}

// Start makes the child and returns when it executes its program, or has ended as one of its calls failed: then failed is
// its place, from 1, errno says why, and the child is to be reaped. With pid 0 there was no child, errno says why.
//
// It has no signal meanwhile, and the child none until one of its calls unblocks them: a handler would run in our memory.
func (c *Child) Start() (pid int, failed int, errno uintptr) {
	c.mask = ^uint64(0)
	start(c)
	if c.pid < 0 {
		return 0, 0, uintptr(-c.pid)
	}
	return c.pid, int(c.failed), c.errno
}

// Files is the limit of open files, soft and hard, that this process was started with. Zero: not known.
var Files [2]uint64

func init() {
	const openFiles = 7 // RLIMIT_NOFILE
	do(&Call{prlimit64, [5]uintptr{0, openFiles, 0, uintptr(unsafe.Pointer(&Files))}})
}
