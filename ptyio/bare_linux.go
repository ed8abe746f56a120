package ptyio

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A bare is the descriptor of a terminal before the runtime's poller knows it,
// and a way of waiting that is shorter. Through the poller two or three threads
// are woken for each piece of output, and one for each event that nobody waits
// for, as that a terminal was opened. A read that waits in poll(2) itself is
// woken alone. That thread is blocked, and what it ran cannot run elsewhere
// until the runtime notices: so it is for a moment, for one File at a time, and
// only where few wait. Most answers come within that moment. Then the poller
// gets the descriptor, and keeps it.
type bare struct {
	fds sync.RWMutex // held for reading while fd is used
	fd  int          // -1: closed, or the poller's

	writing sync.Mutex // held by a Write, so that others do not write between its parts

	times   sync.Mutex // orders the deadlines and who keeps them
	readBy  time.Time
	writeBy time.Time

	closing atomic.Bool
	until   atomic.Int64 // readBy for who sits, in Unix nanoseconds; 0: none
	beside  atomic.Pointer[neighbour]
}

const (
	sitFor = time.Millisecond
	fewSit = 4 // where more than these wait in the poller, nobody sits
)

// seat is taken by who waits in poll(2).
var seat atomic.Pointer[bare]

// bell is an eventfd that ends the poll of who sits; -1 where there is none.
var bell = sync.OnceValue(func() int {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1
	}
	return fd
})

func newBareFile(fd int, name string) *File {
	b := &bare{fd: fd}
	f := &File{name: name, bare: b}
	f.close = sync.OnceValue(func() error { return b.close(f) })
	return f
}

// lend is File's; had says that the descriptor is here.
func (b *bare) lend(do func(fd int) error) (had bool, err error) {
	b.fds.RLock()
	defer b.fds.RUnlock()
	if b.fd < 0 {
		return false, nil
	}
	return true, do(b.fd)
}

// handOver gives the descriptor to the poller. It returns nil when it is closed.
func (b *bare) handOver(f *File) *pollFile {
	b.fds.Lock()
	defer b.fds.Unlock()
	if b.fd < 0 {
		return f.known.Load()
	}
	known := newPollFile(os.NewFile(uintptr(b.fd), f.name)) // it does not block, by which os knows what to do
	b.fd = -1
	b.times.Lock()
	defer b.times.Unlock()
	if known.err == nil {
		_ = known.SetReadDeadline(b.readBy) // the poller has it
		_ = known.SetWriteDeadline(b.writeBy)
	}
	f.known.Store(known)
	return known
}

func (b *bare) close(f *File) error {
	b.closing.Store(true)
	b.ring()
	b.fds.Lock()
	fd := b.fd
	b.fd = -1
	b.fds.Unlock()
	if fd >= 0 {
		return os.NewSyscallError("close", unix.Close(fd))
	}
	return f.known.Load().Close()
}

func (b *bare) setRead(f *File, t time.Time) error {
	b.times.Lock()
	defer b.times.Unlock()
	if b.closing.Load() {
		return os.ErrClosed
	}
	b.readBy = t
	b.until.Store(0)
	if !t.IsZero() {
		b.until.Store(t.UnixNano())
	}
	b.ring()
	if known := f.known.Load(); known != nil {
		return known.SetReadDeadline(t)
	}
	return nil
}

func (b *bare) setWrite(f *File, t time.Time) error {
	b.times.Lock()
	defer b.times.Unlock()
	if b.closing.Load() {
		return os.ErrClosed
	}
	b.writeBy = t
	if known := f.known.Load(); known != nil {
		return known.SetWriteDeadline(t)
	}
	return nil
}

// ring makes who sits look again. Whoever changes something does so before it
// rings, and who sits down looks afterwards.
func (b *bare) ring() {
	if seat.Load() == b {
		one := [8]byte{1} // in either byte order not 0
		_, _ = unix.Write(bell(), one[:])
	}
}

// read reads what is there or comes in a moment. When it is not done, the
// poller is to wait.
func (b *bare) read(f *File, p []byte) (n int, err error, done bool) {
	if f.known.Load() != nil && waiting.Load() > fewSit {
		return 0, nil, false // it reads first, too
	}
	for {
		if b.left() <= 0 {
			return 0, os.ErrDeadlineExceeded, true
		}
		n, err := f.ReadNow(p)
		if !errors.Is(err, ErrAgain) {
			return n, err, true
		}
		if !b.sit(f) {
			return 0, nil, false
		}
	}
}

// left is how long a read may wait, at most the time to sit.
func (b *bare) left() time.Duration {
	until := b.until.Load()
	if until == 0 {
		return sitFor
	}
	return min(sitFor, time.Until(time.Unix(0, until)))
}

// sit waits for output. It reports whether there may be some, or another reason
// to look again.
func (b *bare) sit(f *File) (look bool) {
	wake := bell()
	if wake < 0 || waiting.Load() > fewSit || runtime.GOMAXPROCS(0) == 1 || !seat.CompareAndSwap(nil, b) {
		return false
	}
	stand := sync.OnceFunc(func() { seat.Store(nil) })
	defer stand()
	var ended func()
	err := f.lend(func(fd int) error {
		left := b.left()
		if left <= 0 || b.closing.Load() {
			look = true
			return nil
		}
		fds := []unix.PollFd{
			{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}, {Fd: -1, Events: unix.POLLIN},
		}
		n := 0
		poll := func() (err error) {
			timeout := unix.NsecToTimespec(int64(left))
			n, err = unix.Ppoll(fds, &timeout, nil)
			return err
		}
		var err error
		next := b.beside.Load()
		if next == nil || next.conn.Control(func(fd uintptr) { fds[2].Fd = int32(fd); err = poll() }) != nil {
			next = nil // it is closed: all was seen
			err = poll()
		}
		look = n > 0 || err != nil // EINTR, or it may be told by the read
		if fds[1].Revents != 0 {
			_, _ = unix.Read(wake, make([]byte, 8))
		}
		if next != nil && fds[2].Revents != 0 {
			b.beside.Store(nil)
			ended = next.ready
		}
		return nil
	})
	stand()
	if ended != nil {
		ended()
	}
	return look || err != nil
}

// A neighbour is what else a read looks at while it waits.
type neighbour struct {
	conn  syscall.RawConn
	ready func()
}

// Beside has a Read that waits also look at another descriptor, and call ready,
// once, when that can be read: one thread is then woken for both. It need not
// happen: who counts on it has to be told in another way, too. ready waits for
// nothing.
func (f *File) Beside(conn syscall.RawConn, ready func()) {
	if f.bare != nil {
		f.bare.beside.Store(&neighbour{conn, ready})
	}
}

func (b *bare) write(f *File, p []byte) (n int, err error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	if f.known.Load() == nil {
		b.times.Lock()
		late := !b.writeBy.IsZero() && !time.Now().Before(b.writeBy)
		b.times.Unlock()
		if late {
			return 0, os.ErrDeadlineExceeded
		}
		if n, err = f.WriteNow(p); err == nil && n == len(p) || err != nil && !errors.Is(err, ErrAgain) {
			return n, err
		}
	}
	b.ring() // who sits has the descriptor
	known, err := f.poller()
	if err != nil {
		return n, err
	}
	more, err := known.Write(p[n:])
	return n + more, err
}
