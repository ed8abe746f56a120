package proc

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exits tells the ends of programs: one epoll of their pidfds and one goroutine, as long as there are any. With a
// goroutine for each, an idle program would cost a sixth more memory.
var exits exitWatch

type exitWatch struct {
	mu      sync.Mutex
	fd      int                        // the epoll, once it was needed
	conn    syscall.RawConn            // the same in the runtime's poller
	waiting map[int]func(at time.Time) // by pidfd
	running bool                       // the goroutine
}

// call calls f, which waits for nothing, when the process of a pidfd has ended; at is when that was seen, in the order of
// the ends. The pidfd stays open until then.
func (w *exitWatch) call(pidfd int, f func(at time.Time)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.open(); err != nil {
		return err
	}
	// It is told once, so that the pidfd may be closed at any time afterwards.
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(pidfd)}
	if err := unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, pidfd, &e); err != nil {
		return err
	}
	w.waiting[pidfd] = f
	if !w.running {
		w.running = true
		go w.run()
	}
	return nil
}

// open opens the epoll, which then stays open, as the runtime's own does. w.mu is held.
func (w *exitWatch) open() error {
	if w.conn != nil {
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	_ = unix.SetNonblock(fd, true) // by this os.NewFile knows what goes into the poller; it cannot fail
	f := os.NewFile(uintptr(fd), "epoll")
	conn, err := f.SyscallConn()
	if err == nil {
		err = f.SetReadDeadline(time.Time{}) // fails where the poller did not take it: nobody would be told then
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	w.fd, w.conn, w.waiting = fd, conn, map[int]func(time.Time){}
	return nil
}

// run calls what waits until nothing does.
func (w *exitWatch) run() {
	_ = w.conn.Read(func(fd uintptr) (done bool) { // nobody closes it
		var ended [32]unix.EpollEvent
		for {
			n, err := unix.EpollWait(int(fd), ended[:], 0)
			if err == unix.EINTR {
				continue
			}
			for _, e := range ended[:max(n, 0)] {
				w.take(int(e.Fd))(time.Now())
			}
			w.mu.Lock()
			done = len(w.waiting) == 0
			w.running = !done
			w.mu.Unlock()
			if done || n < len(ended) {
				return done
			}
		}
	})
}

// take returns what waits for a process that has ended, and forgets it: f gives the pidfd back, and the next process may
// get its number.
func (w *exitWatch) take(pidfd int) (f func(at time.Time)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f = w.waiting[pidfd]
	delete(w.waiting, pidfd)
	return f
}
