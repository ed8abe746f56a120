package bridge

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/ptyio"
)

// Sizes for splice(2).
const (
	oneMove  = 1 << 20  // asked for at once; a pipe's capacity is what comes
	hotAfter = 16 << 20 // bytes after which larger pipes pay
	hotPipe  = 1 << 20  // fs.pipe-max-size, unless an administrator set it
)

// largePipes is how many pipes are larger because of us, at most mostLarge. All
// pipes of a user share a quota (pipe-user-pages-soft, 64 MiB); behind it the
// user's new ones get two pages, whoever makes them.
var largePipes atomic.Int32

const mostLarge = 16

// A mover moves bytes from one descriptor to another in the kernel. Both are
// non-blocking, and somebody tells when they are ready.
type mover struct {
	src  Source
	sink Sink
	in   descriptor
	out  descriptor
	mid  [2]int // splice needs a pipe on one side: between two sockets, ours

	inside int  // bytes in mid
	much   bool // moves are large lately
	sat    int  // how often it sat
	total  int64
	grown  []grownPipe

	trip // what the ferry knows of it
}

type descriptor struct {
	syscall.RawConn
	pipe bool
	ours bool // before anybody closes it, the Stream is told
}

type grownPipe struct {
	d    descriptor
	size int
}

// newMover returns errNeverSpliced for what is neither a pipe nor a stream
// socket.
func newMover(src Source, sink Sink) (*mover, error) {
	m := &mover{src: src, sink: sink, mid: [2]int{-1, -1}}
	var ok bool
	if m.in, ok = descriptorOf(src); !ok {
		return nil, errNeverSpliced
	}
	if m.out, ok = descriptorOf(sink); !ok {
		return nil, errNeverSpliced
	}
	if !m.in.pipe && !m.out.pipe && unix.Pipe2(m.mid[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
		return nil, errNeverSpliced // it also works without
	}
	m.back = make(chan struct{}, 1)
	return m, nil
}

// descriptorOf returns the descriptor that is all there is to a source or sink.
// Only types of which that is known: one that embeds a net.Conn and does
// something to its bytes has a SyscallConn too.
func descriptorOf(x any) (d descriptor, ok bool) {
	var c syscall.Conn
	switch x := x.(type) {
	case *outlet:
		c, d.ours = x.f, true
	case *ownPipe:
		c, d.ours = x.File, true
	case *ptyio.File:
		c = x
	case *os.File:
		c = x
	case *twice:
		c = x.File
	case *net.UnixConn:
		c = x
	case *net.TCPConn:
		c = x
	default:
		return d, false
	}
	conn, err := c.SyscallConn()
	if err != nil {
		return d, false
	}
	cerr := conn.Control(func(fd uintptr) { d.pipe, ok = spliceable(int(fd)) })
	d.RawConn = conn
	return d, ok && cerr == nil
}

func spliceable(fd int) (pipe, ok bool) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK == 0 {
		return false, false // nobody would tell
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false, false
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return true, true
	case unix.S_IFSOCK:
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		return false, err == nil && kind == unix.SOCK_STREAM
	}
	return false, false
}

// both lends both descriptors.
func (m *mover) both(do func(in, out int)) error {
	err := m.in.Control(func(in uintptr) {
		if m.out.Control(func(out uintptr) { do(int(in), int(out)) }) != nil {
			do(-1, -1)
		}
	})
	return err
}

// move moves what can be moved without waiting.
func (m *mover) move() (n int, what found, err error) {
	lent := m.both(func(in, out int) {
		if m.mid[0] >= 0 {
			n, what, err = m.viaPipe(in, out)
			return
		}
		if n, what, err = splice(in, out); what == dry && ready(in, unix.POLLIN) {
			// EAGAIN does not say whose. A read end that is ready, at its end
			// too, means the other side; FIONREAD would not show the end.
			what = full
		}
	})
	if lent != nil {
		err = lent
	}
	if n >= muchMoved || n > 0 && n < littleMoved {
		m.much = n >= muchMoved
	}
	m.total += int64(n)
	if m.total >= hotAfter && m.grown == nil {
		m.grow()
	}
	return n, what, err
}

// viaPipe moves what is in our own pipe, or else fills it first.
func (m *mover) viaPipe(in, out int) (n int, what found, err error) {
	if m.inside == 0 {
		n, what, err = splice(in, m.mid[1])
		if what != moved {
			return 0, what, err
		}
		m.inside = n
	}
	n, what, err = splice(m.mid[0], out)
	m.inside -= n
	if what == dry {
		what = full
	}
	return n, what, err
}

func splice(from, to int) (n int, what found, err error) {
	for {
		k, err := unix.Splice(from, nil, to, nil, oneMove, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch {
		case k > 0:
			return int(k), moved, nil
		case err == nil:
			return 0, finished, nil
		case errors.Is(err, unix.EAGAIN):
			return 0, dry, nil
		case !errors.Is(err, unix.EINTR):
			return 0, dry, err
		}
	}
}

// ready reports whether a descriptor is: for anything, an error or an end too.
func ready(fd int, events int16) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: events}}
	n, err := unix.Poll(p, 0)
	return err == nil && n > 0
}

// awaitInput waits until the source has something, or has ended. Small pieces
// that come meanwhile the ferry moves, by means of turn, which reports whether
// it may go on.
func (m *mover) awaitInput(turn func() bool) error {
	switch {
	case m.inside > 0:
		return nil
	case m.in.ours && m.in.pipe && !m.much:
		if done, err := theFerry.carry(m, turn); done {
			return err
		}
	}
	if m.sit(m.in, unix.POLLIN) {
		return nil
	}
	return m.in.Read(told(unix.POLLIN))
}

func (m *mover) awaitOutput() error {
	if m.sit(m.out, unix.POLLOUT) {
		return nil
	}
	return m.out.Write(told(unix.POLLOUT))
}

// A mover sits in pieces, and lets others run now and then, or the runtime would
// wonder and interrupt it.
const (
	sitFor   = 250 * time.Microsecond
	sitTimes = 4
	yieldSit = 128
)

// seat is taken by the mover that sits.
var seat atomic.Bool

// sit waits in poll(2) for a moment where much is moved, and reports whether
// the descriptor is ready: to be woken by others took as long as to move. It
// keeps the processor that the runtime lent us, which would else be taken away
// and asked for again each time. So one mover at a time sits, and none where
// there is but one processor.
func (m *mover) sit(d descriptor, event int16) (is bool) {
	if !m.much || runtime.GOMAXPROCS(0) == 1 || !seat.CompareAndSwap(false, true) {
		return false
	}
	defer seat.Store(false)
	if m.sat++; m.sat%yieldSit == 0 {
		runtime.Gosched()
	}
	_ = d.Control(func(fd uintptr) {
		p := unix.PollFd{Fd: int32(fd), Events: event}
		for range sitTimes {
			wait := unix.NsecToTimespec(int64(sitFor))
			n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&wait)), 0, 0, 0)
			if is = errno == 0 && n > 0; is || errno != 0 {
				return
			}
		}
	})
	return is
}

// told returns what a RawConn is to call until a descriptor is ready. The poller
// tells of changes, and others are not to be asked in vain, so the state is asked
// for first.
func told(events int16) func(fd uintptr) bool {
	asked := false
	return func(fd uintptr) bool {
		if asked {
			return true
		}
		asked = true
		return ready(int(fd), events)
	}
}

// takeBack reads what is inside.
func (m *mover) takeBack(p []byte) int {
	n, err := unix.Read(m.mid[0], p)
	if err != nil || n <= 0 {
		return 0
	}
	m.inside -= n
	return n
}

// grow makes the pipes larger, where that is allowed: each call moves more.
func (m *mover) grow() {
	m.grown = []grownPipe{}
	for _, d := range []descriptor{m.in, m.out} {
		if !d.pipe {
			continue
		}
		if size, ok := d.enlarge(); ok {
			m.grown = append(m.grown, grownPipe{d, size})
		}
	}
	if m.mid[0] >= 0 {
		_, _ = unix.FcntlInt(uintptr(m.mid[0]), unix.F_SETPIPE_SZ, hotPipe) // only for as long as we splice
	}
}

// enlarge makes a pipe larger and returns the size it had.
func (d descriptor) enlarge() (size int, ok bool) {
	if largePipes.Add(1) <= mostLarge {
		cerr := d.Control(func(fd uintptr) {
			var err error
			if size, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); err != nil || size >= hotPipe {
				return
			}
			_, err = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, hotPipe) // EPERM: the quota
			ok = err == nil
		})
		ok = ok && cerr == nil
	}
	if !ok {
		largePipes.Add(-1)
	}
	return size, ok
}

// close gives back what the mover holds; the descriptors are not its own.
func (m *mover) close() {
	for _, g := range m.grown {
		_ = g.d.Control(func(fd uintptr) {
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, g.size) // EBUSY: it holds more than that
		})
		largePipes.Add(-1)
	}
	for _, fd := range m.mid {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// hungUp reports whether the peer that an Input leads to is gone for good.
func hungUp(in *Input) (gone bool) {
	if in == nil {
		return true
	}
	d, ok := descriptorOf(in.present())
	if !ok {
		return false
	}
	err := d.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(p, 0)
		gone = err == nil && n > 0 && p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
	})
	return gone || err != nil
}
