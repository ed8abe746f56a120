package proc

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// exits tells the ends of programs: one epoll of their pidfds and one goroutine, as long as there are any. With a
// goroutine for each, an idle program would cost a sixth more memory.
var exits exitWatch

type exitWatch struct {
	mu      sync.Mutex
	fd      int                          // the epoll, once it was needed
	file    *os.File                     // the same in the runtime's poller
	last    int32                        // the last number given out
	waiting map[int32]func(at time.Time) // by a number of ours: that of a pidfd is soon another's
	running bool                         // the goroutine
}

// exitsLinger is how long the goroutine outlives the last program: to start it for each of many costs a switch of
// threads.
const exitsLinger = 100 * time.Millisecond

// call calls f, which waits for nothing, once when the process of a pidfd has ended; at is when that was seen, in the
// order of the ends. The pidfd stays open until then. Who sees the end by itself may have it told at once.
func (w *exitWatch) call(pidfd int, f func(at time.Time)) (tell func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.open(); err != nil {
		return nil, err
	}
	w.last++
	n := w.last
	// The kernel tells it once, so that the pidfd may be closed at any time afterwards.
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: n} // what it is to give back
	if err := unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, pidfd, &e); err != nil {
		return nil, err
	}
	w.waiting[n] = f
	if !w.running {
		w.running = true
		go w.run()
	}
	return func() { w.tell(n) }, nil
}

// open opens the epoll, which then stays open, as the runtime's own does. w.mu is held.
func (w *exitWatch) open() error {
	if w.file != nil {
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	_ = unix.SetNonblock(fd, true) // by this os.NewFile knows what goes into the poller; it cannot fail
	f := os.NewFile(uintptr(fd), "epoll")
	if err := f.SetReadDeadline(time.Time{}); err != nil { // the poller did not take it: nobody would be told then
		_ = f.Close()
		return err
	}
	w.fd, w.file, w.waiting = fd, f, map[int32]func(time.Time){}
	return nil
}

// run tells the ends until nothing has waited for a while.
func (w *exitWatch) run() {
	conn, err := w.file.SyscallConn()
	for err == nil { // it is open for good
		_ = conn.Read(w.collect) // until the deadline
		w.mu.Lock()
		if len(w.waiting) == 0 {
			w.running = false
			w.mu.Unlock()
			return
		}
		_ = w.file.SetReadDeadline(time.Time{})
		w.mu.Unlock()
	}
}

// collect tells the ends that the kernel tells at the moment. It is never done.
func (w *exitWatch) collect(epoll uintptr) (done bool) {
	var ended [32]unix.EpollEvent
	for {
		n, err := unix.EpollWait(int(epoll), ended[:], 0)
		if err == unix.EINTR {
			continue
		}
		for _, e := range ended[:max(n, 0)] {
			w.tell(e.Fd)
		}
		if n < len(ended) {
			return false
		}
	}
}

// tell calls what waits under a number, if it still does.
func (w *exitWatch) tell(n int32) {
	w.mu.Lock()
	f := w.waiting[n]
	delete(w.waiting, n)
	if len(w.waiting) == 0 {
		_ = w.file.SetReadDeadline(time.Now().Add(exitsLinger))
	}
	w.mu.Unlock()
	if f != nil {
		f(time.Now())
	}
}
