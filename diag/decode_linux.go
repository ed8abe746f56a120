package diag

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/spawnx/spawnx/internal/procfs"
	"golang.org/x/sys/unix"
)

// decode says what a sleeping thread waits for: the descriptors of a poll, the
// time of a sleep are read out of its memory, which does not disturb it.
func decode(pid, tid int, c procfs.Call) Wait {
	op, name := c.Op()
	w := Wait{Call: name, Timeout: none}
	if op == procfs.Restart {
		// A wait that a signal (a stop, a tracer) interrupted and that goes on. The
		// arguments are still there, but only the place tells of which call.
		wchan, _ := procfs.Wchan(pid, tid) // without it: not known
		switch {
		case strings.HasPrefix(wchan, "poll_schedule"), strings.HasPrefix(wchan, "do_poll"), strings.HasPrefix(wchan, "do_sys_poll"):
			op = procfs.Poll // ppoll goes on as itself
		case strings.Contains(wchan, "nanosleep"):
			w.Op, w.Timeout = Sleep, someTime
			return w
		case strings.HasPrefix(wchan, "futex"):
			w.Op, w.Timeout = Thread, someTime
			return w
		}
	}
	if c.SP == 0 && c.PC == 0 {
		// A worker of io_uring: a thread without user space, whose registers are leftovers.
		op = procfs.Uring
	}
	a := c.Args
	switch op {
	case procfs.Read:
		w.Op, w.On = Read, []File{{FD: int(int32(a[0])), Read: true}}
	case procfs.Write:
		w.Op, w.On = Write, []File{{FD: int(int32(a[0])), Write: true}}
	case procfs.Receive:
		w.Op, w.On = Read, []File{{FD: int(int32(a[0])), Read: true}}
	case procfs.Send:
		w.Op, w.On = Write, []File{{FD: int(int32(a[0])), Write: true}}
	case procfs.Ioctl:
		w.Op, w.On = Device, []File{{FD: int(int32(a[0]))}}
	case procfs.Poll:
		w.Timeout = milliseconds(a[2])
		w.poll(pid, a[0], a[1])
	case procfs.Ppoll:
		w.Timeout = timespec(pid, a[2], time.Nanosecond)
		w.poll(pid, a[0], a[1])
	case procfs.Select:
		w.Timeout = timespec(pid, a[4], time.Microsecond)
		w.selects(pid, a)
	case procfs.Pselect:
		w.Timeout = timespec(pid, a[4], time.Nanosecond)
		w.selects(pid, a)
	case procfs.EpollWait:
		w.Timeout = milliseconds(a[3])
		w.epoll(pid, int(int32(a[0])))
	case procfs.EpollPwait2:
		w.Timeout = timespec(pid, a[3], time.Nanosecond)
		w.epoll(pid, int(int32(a[0])))
	case procfs.Sleep:
		w.Op, w.Timeout = Sleep, someTime
		switch {
		case name == "nanosleep":
			w.Timeout = timespec(pid, a[0], time.Nanosecond)
		case a[1] == 0: // relative
			w.Timeout = timespec(pid, a[2], time.Nanosecond)
		}
	case procfs.WaitChild:
		w.Op = Child
	case procfs.Futex:
		w.Op, w.Timeout = Thread, futexTime(pid, name, a)
	case procfs.Signal:
		w.Op = Signal
	case procfs.TimedSignal:
		w.Op, w.Timeout = Signal, timespec(pid, a[2], time.Nanosecond)
	case procfs.Lock:
		w.Op, w.On = Lock, []File{{FD: int(int32(a[0]))}}
	case procfs.Open:
		w.Op = Open
	case procfs.Sync:
		w.Op, w.On = Sync, []File{{FD: int(int32(a[0]))}}
	case procfs.SystemVQueue:
		w.Op = Queue
	case procfs.Uring:
		w.Op, w.Unknown = Undecoded, "it waits through io_uring, which cannot be looked into"
	default:
		w.Op, w.Unknown = Undecoded, "its system call is not known"
	}
	w.follow(pid)
	return w
}

const (
	none     time.Duration = -1 // no timeout
	someTime time.Duration = 0  // some timeout: a wait of no time would not be seen
)

// milliseconds is the timeout of poll and epoll_wait: an int, negative for none.
func milliseconds(arg uint64) time.Duration {
	if ms := int32(arg); ms >= 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return none
}

// timespec is a timeout behind a pointer, seconds and units (timespec, timeval).
func timespec(pid int, addr uint64, unit time.Duration) time.Duration {
	if addr == 0 {
		return none
	}
	var b [16]byte
	if !peek(pid, addr, b[:]) {
		return someTime
	}
	sec, sub := binary.NativeEndian.Uint64(b[:]), binary.NativeEndian.Uint64(b[8:])
	const most = 1 << 33 // seconds that a Duration holds twice over
	return time.Duration(min(sec, most/2))*time.Second + time.Duration(min(sub, uint64(most/2*time.Second/unit)))*unit
}

func futexTime(pid int, name string, a [6]uint64) time.Duration {
	const wait = 0 // FUTEX_WAIT, the only operation whose time counts from now
	switch {
	case name == "futex" && a[3] == 0, name == "futex_waitv" && a[3] == 0, name == "futex_wait" && a[4] == 0:
		return none
	case name == "futex" && a[1]&0x7f == wait:
		return timespec(pid, a[3], time.Nanosecond)
	}
	return someTime
}

// peek reads memory of a process. It needs the same right as the system call
// file: PTRACE_MODE_ATTACH.
func peek(pid int, addr uint64, b []byte) bool {
	if len(b) == 0 {
		return true
	}
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	n, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}, 0)
	return err == nil && n == len(b)
}

// The most descriptors of a set that are looked at; more are not known.
const most = 1024

// Bits of poll and of epoll, which are the same: POLLIN, PRI, RDNORM, RDBAND, RDHUP; POLLOUT, WRNORM, WRBAND.
const (
	readBits  = 0x1 | 0x2 | 0x40 | 0x80 | 0x2000
	writeBits = 0x4 | 0x100 | 0x200
)

func (w *Wait) poll(pid int, addr, n uint64) {
	w.Op = Poll
	const size = 8 // struct pollfd: int fd, short events, short revents
	b := make([]byte, size*min(n, most))
	if n > most || !peek(pid, addr, b) {
		w.Unknown = "its poll set cannot be read"
		return
	}
	for ; len(b) > 0; b = b[size:] {
		fd := int(int32(binary.NativeEndian.Uint32(b)))
		if fd >= 0 {
			w.add(fd, uint32(binary.NativeEndian.Uint16(b[4:])))
		}
	}
}

func (w *Wait) add(fd int, events uint32) {
	f := File{FD: fd, Read: events&readBits != 0, Write: events&writeBits != 0}
	if f.Read || f.Write {
		w.On = append(w.On, f)
	}
}

func (w *Wait) selects(pid int, a [6]uint64) {
	w.Op = Poll
	n := a[0]
	if n > most {
		w.Unknown = "its select set cannot be read"
		return
	}
	bits := make([]byte, 3*most/8)
	for i, events := range []uint32{unix.POLLIN, unix.POLLOUT, unix.POLLPRI} {
		set := bits[i*most/8:][:(n+63)/64*8]
		if a[1+i] == 0 {
			continue
		}
		if !peek(pid, a[1+i], set) {
			w.Unknown = "its select set cannot be read"
			return
		}
		// Words of 64 bits; bytes in order on the little-endian machines of the tables.
		for fd := range int(n) {
			if set[fd/8]&(1<<(fd%8)) != 0 {
				w.add(fd, events)
			}
		}
	}
}

func (w *Wait) epoll(pid, fd int) {
	w.Op = Poll
	info, err := procfs.ReadFDInfo(pid, fd)
	if err != nil {
		w.Unknown = "its epoll set cannot be read"
		return
	}
	for _, watch := range info.Watches {
		w.add(watch.FD, watch.Events)
	}
}

// follow finds out what the descriptors lead to, and which of them can only be
// served by the process itself.
func (w *Wait) follow(pid int) {
	for i := range w.On {
		f := &w.On[i]
		link, err := procfs.ReadLink(pid, f.FD)
		if err != nil {
			w.Unknown = "its descriptors cannot be read"
			continue
		}
		f.Link = string(link)
		if fifo, ok := fifoLink(link); ok && procfs.Fifo(pid, f.FD) {
			f.Link = fifo
		}
		switch link.Anonymous() {
		case "eventfd", "signalfd", "pidfd":
			f.Inside = true
		}
		if _, ok := link.Pipe(); ok && f.Read && !f.Write {
			f.Inside = ownPipe(pid, link)
		}
		if inode, ok := link.Socket(); ok && f.Read && w.Op == Poll {
			f.Inside = ownSocket(pid, inode)
		}
	}
}

// fifoLink is what we call the pipe with a name, if it is one, to which a link
// leads.
func fifoLink(link procfs.Link) (string, bool) {
	path := string(link)
	return fifoPrefix + path, strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "/dev/")
}

// ownPipe says whether a process holds the writing end of a pipe too: a pipe
// to wake itself. One that waits for another process's pipe has closed that end, or
// it would never see the end of it.
func ownPipe(pid int, pipe procfs.Link) bool {
	fds, _ := procfs.FDs(pid) // none: not its own
	return slices.ContainsFunc(fds, func(fd int) bool {
		if link, err := procfs.ReadLink(pid, fd); err != nil || link != pipe {
			return false
		}
		info, err := procfs.ReadFDInfo(pid, fd)
		return err == nil && info.Writable()
	})
}
