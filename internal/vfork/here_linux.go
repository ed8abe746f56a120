//go:build amd64 || arm64

package vfork

// Here says that there is a vfork for this processor.
const Here = true

// start stores what it has to say in c.
func start(c *Child)

// do makes a system call, and returns as the kernel does.
//
//go:noescape
func do(c *Call) int
