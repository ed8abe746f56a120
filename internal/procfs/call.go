package procfs

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"sync"
)

// Call is /proc/PID/task/TID/syscall: the system call in which a thread sleeps.
// Calls can be compared: equal ones are the same call at the same place.
type Call struct {
	Running bool // it was not asleep
	Nr      int  // -1: asleep, but in no system call (a page fault, stopped)
	Args    [6]uint64
	SP, PC  uint64
}

// ParseCall reads the content of a syscall file.
func ParseCall(b []byte) (Call, error) {
	b = bytes.TrimSpace(b)
	if string(b) == "running" {
		return Call{Running: true, Nr: -1}, nil
	}
	var fields [9][]byte
	n := 0
	for len(b) > 0 && n < len(fields) {
		fields[n], b, _ = bytes.Cut(b, []byte{' '})
		n++
	}
	nr, err := strconv.Atoi(string(fields[0]))
	if err != nil || len(b) > 0 || n != 9 && (n != 3 || nr != -1) {
		return Call{}, fmt.Errorf("syscall: %w", errFormat)
	}
	c := Call{Nr: nr}
	into := []*uint64{&c.SP, &c.PC}
	if n == 9 {
		into = []*uint64{&c.Args[0], &c.Args[1], &c.Args[2], &c.Args[3], &c.Args[4], &c.Args[5], &c.SP, &c.PC}
	}
	for i, to := range into {
		hex, ok := bytes.CutPrefix(fields[1+i], []byte("0x"))
		v, err := strconv.ParseUint(string(hex), 16, 64)
		if !ok || err != nil {
			return Call{}, fmt.Errorf("syscall: %w", errFormat)
		}
		*to = v
	}
	return c, nil
}

// ReadCall reads the system call of a thread. The kernel answers only for a
// thread that is off the processor, and asks for the right to trace it: the same
// user, no setuid program, and with Yama a descendant.
func ReadCall(pid, tid int) (Call, error) {
	return read(taskPath(pid, tid, "syscall"), ParseCall)
}

// An Op is what a system call waits for, whatever its number and variant.
type Op uint8

// The operations. Where the calls of one operation take their arguments
// differently, each has its own.
const (
	Other        Op = iota // none of these
	Read                   // read, readv, pread...: of the descriptor in the first argument
	Write                  // write, writev, pwrite..., sendfile, vmsplice: to the descriptor in the first argument
	Poll                   // (fds, n, milliseconds)
	Ppoll                  // (fds, n, timespec)
	Select                 // (n, read, write, except, timeval)
	Pselect                // (n, read, write, except, timespec)
	EpollWait              // (descriptor, events, n, milliseconds); epoll_pwait too
	EpollPwait2            // (descriptor, events, n, timespec)
	Uring                  // io_uring_enter: what it waits for cannot be seen
	Sleep                  // nanosleep, clock_nanosleep
	WaitChild              // wait4, waitid
	Futex                  // a lock or another thread: (address, operation, value, timespec)
	Signal                 // pause, sigsuspend
	TimedSignal            // sigtimedwait: (set, info, timespec)
	Receive                // recvfrom, recvmsg, accept: from the socket in the first argument
	Send                   // sendto, sendmsg, connect: to the socket in the first argument
	Lock                   // flock, fcntl: a file that another process has locked
	Open                   // open, openat: the other side of a fifo, mostly
	Sync                   // fsync and the like
	Ioctl                  // a device, which the first argument names
	Restart                // restart_syscall: a wait that a signal has interrupted, with its arguments
	SystemVQueue           // msgrcv, semop...
)

// A named call: its operation and its name.
type named struct {
	op   Op
	name string
}

// Op returns the operation and the name of the call on this machine's kind of
// processor. The name is "" where the number is not in the table.
func (c Call) Op() (Op, string) { return c.OpOn(runtime.GOARCH) }

// OpOn is Op for a kind of processor, as GOARCH names it.
func (c Call) OpOn(arch string) (Op, string) {
	n := calls()[arch][c.Nr]
	return n.op, n.name
}

// Known says whether there is a table for this machine's kind of processor.
func Known() bool { return calls()[runtime.GOARCH] != nil }

// calls are the system calls that can wait. Numbers: arch/x86/entry/syscalls/syscall_64.tbl
// and include/uapi/asm-generic/unistd.h of Linux.
func calls() map[string]map[int]named {
	known.once.Do(func() { known.calls = makeCalls() })
	return known.calls
}

var known struct {
	once  sync.Once
	calls map[string]map[int]named
}

func makeCalls() map[string]map[int]named {
	return map[string]map[int]named{
		"amd64": {
			0: {Read, "read"}, 17: {Read, "pread64"}, 19: {Read, "readv"}, 295: {Read, "preadv"}, 327: {Read, "preadv2"},
			1: {Write, "write"}, 18: {Write, "pwrite64"}, 20: {Write, "writev"}, 296: {Write, "pwritev"}, 328: {Write, "pwritev2"},
			40: {Write, "sendfile"}, 278: {Write, "vmsplice"},
			7: {Poll, "poll"}, 271: {Ppoll, "ppoll"}, 23: {Select, "select"}, 270: {Pselect, "pselect6"},
			232: {EpollWait, "epoll_wait"}, 281: {EpollWait, "epoll_pwait"}, 441: {EpollPwait2, "epoll_pwait2"},
			426: {Uring, "io_uring_enter"},
			35:  {Sleep, "nanosleep"}, 230: {Sleep, "clock_nanosleep"},
			61: {WaitChild, "wait4"}, 247: {WaitChild, "waitid"},
			202: {Futex, "futex"}, 449: {Futex, "futex_waitv"}, 455: {Futex, "futex_wait"},
			34: {Signal, "pause"}, 130: {Signal, "rt_sigsuspend"}, 128: {TimedSignal, "rt_sigtimedwait"},
			43: {Receive, "accept"}, 288: {Receive, "accept4"}, 45: {Receive, "recvfrom"}, 47: {Receive, "recvmsg"}, 299: {Receive, "recvmmsg"},
			42: {Send, "connect"}, 44: {Send, "sendto"}, 46: {Send, "sendmsg"}, 307: {Send, "sendmmsg"},
			73: {Lock, "flock"}, 72: {Lock, "fcntl"},
			2: {Open, "open"}, 257: {Open, "openat"}, 437: {Open, "openat2"},
			74: {Sync, "fsync"}, 75: {Sync, "fdatasync"}, 162: {Sync, "sync"}, 306: {Sync, "syncfs"}, 26: {Sync, "msync"},
			16: {Ioctl, "ioctl"}, 219: {Restart, "restart_syscall"},
			65: {SystemVQueue, "semop"}, 220: {SystemVQueue, "semtimedop"}, 69: {SystemVQueue, "msgsnd"}, 70: {SystemVQueue, "msgrcv"},
			242: {SystemVQueue, "mq_timedsend"}, 243: {SystemVQueue, "mq_timedreceive"},
			275: {Other, "splice"}, 276: {Other, "tee"}, 59: {Other, "execve"}, 56: {Other, "clone"}, 58: {Other, "vfork"},
		},
		"arm64": {
			63: {Read, "read"}, 67: {Read, "pread64"}, 65: {Read, "readv"}, 69: {Read, "preadv"}, 286: {Read, "preadv2"},
			64: {Write, "write"}, 68: {Write, "pwrite64"}, 66: {Write, "writev"}, 70: {Write, "pwritev"}, 287: {Write, "pwritev2"},
			71: {Write, "sendfile"}, 75: {Write, "vmsplice"},
			73: {Ppoll, "ppoll"}, 72: {Pselect, "pselect6"},
			22: {EpollWait, "epoll_pwait"}, 441: {EpollPwait2, "epoll_pwait2"},
			426: {Uring, "io_uring_enter"},
			101: {Sleep, "nanosleep"}, 115: {Sleep, "clock_nanosleep"},
			260: {WaitChild, "wait4"}, 95: {WaitChild, "waitid"},
			98: {Futex, "futex"}, 449: {Futex, "futex_waitv"}, 455: {Futex, "futex_wait"},
			133: {Signal, "rt_sigsuspend"}, 137: {TimedSignal, "rt_sigtimedwait"},
			202: {Receive, "accept"}, 242: {Receive, "accept4"}, 207: {Receive, "recvfrom"}, 212: {Receive, "recvmsg"}, 243: {Receive, "recvmmsg"},
			203: {Send, "connect"}, 206: {Send, "sendto"}, 211: {Send, "sendmsg"}, 269: {Send, "sendmmsg"},
			32: {Lock, "flock"}, 25: {Lock, "fcntl"},
			56: {Open, "openat"}, 437: {Open, "openat2"},
			82: {Sync, "fsync"}, 83: {Sync, "fdatasync"}, 81: {Sync, "sync"}, 267: {Sync, "syncfs"}, 227: {Sync, "msync"},
			29: {Ioctl, "ioctl"}, 128: {Restart, "restart_syscall"},
			193: {SystemVQueue, "semop"}, 192: {SystemVQueue, "semtimedop"}, 189: {SystemVQueue, "msgsnd"}, 188: {SystemVQueue, "msgrcv"},
			182: {SystemVQueue, "mq_timedsend"}, 183: {SystemVQueue, "mq_timedreceive"},
			76: {Other, "splice"}, 77: {Other, "tee"}, 221: {Other, "execve"}, 220: {Other, "clone"},
		},
	}
}
