package ptyio

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/ready"
	"golang.org/x/sys/unix"
)

// A bare is a descriptor which the runtime's poller does not know. That one would
// wake a thread for each piece of output, also while we are about to read it:
// half the processor time of a program that prints much to a terminal, a third
// on a pipe.
//
// A read looks again for some microseconds, then waits in poll(2) itself, and is
// woken alone. Its thread is blocked then, and what it could run else is not run
// elsewhere until the runtime notices: so it is for a moment, for one File at a
// time, and only where few wait. Most answers come within that moment. After it,
// package ready tells.
type bare struct {
	fds sync.RWMutex // held for reading while fd is used
	fd  int          // -1: closed

	closing, heard   atomic.Bool
	in, out          waiter
	reading, writing sync.Mutex                // held by a Read and by a Write: nobody writes between the parts of another's
	besides          atomic.Pointer[neighbour] // what a read that waits looks at, too

	mu    sync.Mutex   // guards what follows
	watch *ready.Watch // nil: nobody had to wait for long yet
	want  uint32       // what it is to tell
}

// A waiter is a Read or a Write that waits to be told.
type waiter struct {
	until atomic.Int64  // its deadline, in nanoseconds since begin; 0: none
	waits atomic.Bool   // it is to be told, or roused where anything changes
	wake  chan struct{} // of capacity 1

	mu      sync.Mutex // guards what follows
	alarm   *time.Timer
	alarmAt int64 // when it rings; 0: it does not
}

// begin makes times of a clock that nobody sets.
var begin = time.Now()

const (
	lookFor = 50 * time.Microsecond // to look again and again comes first
	sitFor  = time.Millisecond
	fewSit  = 4 // where more than these wait to be told, nobody sits
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
	b.in.wake, b.out.wake = make(chan struct{}, 1), make(chan struct{}, 1)
	return &File{name: name, bare: b, close: sync.OnceValue(b.close)}
}

func (b *bare) lend(do func(fd int) error) error {
	b.fds.RLock()
	defer b.fds.RUnlock()
	if b.fd < 0 {
		return os.ErrClosed
	}
	return do(b.fd)
}

func (b *bare) close() error {
	b.closing.Store(true)
	b.ring()
	b.in.rouse()
	b.out.rouse()
	b.fds.Lock()
	defer b.fds.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watch != nil {
		b.watch.End()
	}
	b.in.silence()
	b.out.silence()
	fd := b.fd
	b.fd = -1
	return os.NewSyscallError("close", unix.Close(fd))
}

func (b *bare) setDeadline(w *waiter, t time.Time) error {
	if b.closing.Load() {
		return os.ErrClosed
	}
	until := int64(0)
	if !t.IsZero() {
		until = int64(t.Sub(begin)) | 1 // not 0
	}
	w.until.Store(until)
	if w == &b.in {
		b.ring()
	}
	if w.waits.Load() {
		w.rouse()
	}
	return nil
}

func (b *bare) setRead(t time.Time) error  { return b.setDeadline(&b.in, t) }
func (b *bare) setWrite(t time.Time) error { return b.setDeadline(&b.out, t) }

// ring makes who sits look again. Whoever changes something does so before it
// rings, and who sits down looks afterwards.
func (b *bare) ring() {
	if seat.Load() == b {
		one := [8]byte{1} // in either byte order not 0
		_, _ = unix.Write(bell(), one[:])
	}
}

// rouse makes the waiter look again, now or when it waits next.
func (w *waiter) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// left is how long it may wait, at most a given time.
func (w *waiter) left(most time.Duration) time.Duration {
	until := w.until.Load()
	if until == 0 {
		return most
	}
	return min(most, time.Duration(until)-time.Since(begin))
}

// setAlarm has the waiter roused at its deadline, or before: to move a timer
// costs more than a read, and most deadlines move with every call.
func (w *waiter) setAlarm() {
	until := w.until.Load()
	if until == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alarmAt != 0 && w.alarmAt <= until {
		return
	}
	w.alarmAt = until
	d := time.Duration(until) - time.Since(begin)
	if w.alarm == nil {
		w.alarm = time.AfterFunc(d, func() {
			w.mu.Lock()
			w.alarmAt = 0
			w.mu.Unlock()
			w.rouse()
		})
		return
	}
	w.alarm.Reset(d)
}

func (w *waiter) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alarm != nil {
		w.alarm.Stop()
	}
}

// read is Read. What it calls is not deep: thousands of goroutines wait in it,
// and 2 KiB of stack have to do for each.
func (b *bare) read(p []byte) (n int, err error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	since := time.Duration(0)
	for {
		if b.in.left(sitFor) <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		b.fds.RLock()
		if err = os.ErrClosed; b.fd >= 0 {
			n, err = unix.Read(b.fd, p)
		}
		b.fds.RUnlock()
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			if b.again(&since) || b.sit() {
				continue
			}
			waiting.Add(1)
			err = b.wait(&b.in, ready.In)
			waiting.Add(-1)
			if err != nil {
				return 0, err
			}
		case err != nil:
			return 0, readError(err)
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			b.heard.Store(true)
			return n, nil
		}
	}
}

// again reports whether to look again at once. A processor that goes to sleep
// takes longer to wake up than many programs to answer. But one that has just
// been started, and has not said a word, may need this very processor.
func (b *bare) again(since *time.Duration) bool {
	switch {
	case !b.heard.Load() || waiting.Load() > fewSit || runtime.GOMAXPROCS(0) == 1:
		return false
	case *since == 0:
		*since = time.Since(begin)
		return true
	}
	return time.Since(begin)-*since < lookFor
}

func (b *bare) write(p []byte) (n int, err error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	for {
		if b.out.left(sitFor) <= 0 {
			return n, os.ErrDeadlineExceeded
		}
		some := 0
		err := b.lend(func(fd int) (err error) {
			some, err = now(write, fd, p[n:])
			return err
		})
		n += some
		switch {
		case n == len(p) && err == nil:
			return n, nil
		case some == 0 && err == nil:
			return n, io.ErrUnexpectedEOF // as package os says it
		case err == ErrAgain:
			err = b.wait(&b.out, ready.Out)
		}
		if err != nil {
			return n, err
		}
	}
}

// wait waits until it is told, or anything else may have changed.
func (b *bare) wait(w *waiter, event uint32) (err error) {
	w.waits.Store(true)
	defer w.waits.Store(false)
	switch { // close and setDeadline rouse who comes too late for this
	case b.closing.Load():
		return os.ErrClosed
	case w.left(sitFor) <= 0:
		return nil
	}
	b.fds.RLock()
	b.mu.Lock()
	b.want |= event
	switch {
	case b.fd < 0:
		err = os.ErrClosed
	case b.watch == nil:
		b.watch, err = ready.Add(b.fd, b.want, b.told)
	default:
		err = b.watch.Again(b.fd, b.want)
	}
	b.mu.Unlock()
	b.fds.RUnlock()
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM):
		return errNoPoller
	case err != nil:
		return err
	}
	w.setAlarm()
	<-w.wake
	return nil
}

// told is called by package ready. What it does not tell is asked for again.
func (b *bare) told(events uint32) {
	b.mu.Lock()
	events &= b.want
	b.want &^= events
	rest := b.want
	b.mu.Unlock()
	if events&ready.In != 0 {
		b.in.rouse()
	}
	if events&ready.Out != 0 {
		b.out.rouse()
	}
	if rest != 0 {
		_ = b.lend(func(fd int) error { // it may be closed meanwhile
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.watch.Again(fd, b.want)
		})
	}
}

// sit waits for output in poll(2). It reports whether there may be some, or
// another reason to look again.
func (b *bare) sit() (look bool) {
	wake := bell()
	if wake < 0 || waiting.Load() > fewSit || runtime.GOMAXPROCS(0) == 1 || !seat.CompareAndSwap(nil, b) {
		return false
	}
	stand := sync.OnceFunc(func() { seat.Store(nil) })
	defer stand()
	var ended func()
	err := b.lend(func(fd int) error {
		left := b.in.left(sitFor)
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
		next := b.besides.Load()
		if next == nil || next.conn.Control(func(fd uintptr) { fds[2].Fd = int32(fd); err = poll() }) != nil {
			next = nil // it is closed: all was seen
			err = poll()
		}
		look = n > 0 || err != nil // EINTR, or it may be told by the read
		if fds[1].Revents != 0 {
			_, _ = unix.Read(wake, make([]byte, 8))
		}
		if next != nil && fds[2].Revents != 0 {
			b.besides.Store(nil)
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
		f.bare.besides.Store(&neighbour{conn, ready})
	}
}

// A bareConn lends the descriptor as that of a net.Conn is lent.
type bareConn struct{ *bare }

func (c bareConn) Control(do func(fd uintptr)) error {
	return c.lend(func(fd int) error { do(uintptr(fd)); return nil })
}

func (c bareConn) Read(do func(fd uintptr) (done bool)) error {
	c.reading.Lock()
	defer c.reading.Unlock()
	return c.until(&c.in, ready.In, do)
}

func (c bareConn) Write(do func(fd uintptr) (done bool)) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.until(&c.out, ready.Out, do)
}

func (c bareConn) until(w *waiter, event uint32, do func(fd uintptr) (done bool)) error {
	for {
		if w.left(sitFor) <= 0 {
			return os.ErrDeadlineExceeded
		}
		done := false
		if err := c.lend(func(fd int) error { done = do(uintptr(fd)); return nil }); err != nil || done {
			return err
		}
		if err := c.wait(w, event); err != nil {
			return err
		}
	}
}

func (b *bare) rawConn() syscall.RawConn { return bareConn{b} }
