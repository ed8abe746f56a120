package ready

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Events, as of epoll_ctl(2). A descriptor that is hung up or broken is told as In and Out.
const (
	In  = unix.EPOLLIN
	Out = unix.EPOLLOUT
)

// linger is how long the goroutine outlives the last Watch that waits: to start it for each of many that are brief costs
// a switch of threads.
const linger = 100 * time.Millisecond

// A Watch watches one descriptor. Its methods may be called concurrently.
type Watch struct {
	n     int32 // what the kernel gives back: not the descriptor, whose number is soon another's
	tell  func(events uint32)
	armed bool // guarded by watches.mu, as what follows
}

var watches struct {
	mu      sync.Mutex
	fd      int      // the epoll, once it was needed
	file    *os.File // the same in the runtime's poller
	last    int32
	all     map[int32]*Watch
	armed   int
	running bool // the goroutine
}

// Add watches a descriptor and calls tell when it is ready: once, until Again. tell waits for nothing, as others wait for
// the goroutine that calls it. The descriptor stays open until tell was called, or End.
func Add(fd int, events uint32, tell func(events uint32)) (*Watch, error) {
	watches.mu.Lock()
	defer watches.mu.Unlock()
	if err := open(); err != nil {
		return nil, err
	}
	for watches.last++; watches.all[watches.last] != nil; watches.last++ { // after 4,294,967,296 of them
	}
	w := &Watch{n: watches.last, tell: tell}
	if err := w.control(unix.EPOLL_CTL_ADD, fd, events); err != nil {
		return nil, err
	}
	watches.all[w.n] = w
	return w, nil
}

// Again has tell called once more. fd is the descriptor that was added, and is open.
func (w *Watch) Again(fd int, events uint32) error {
	watches.mu.Lock()
	err := w.control(unix.EPOLL_CTL_MOD, fd, events)
	watches.mu.Unlock()
	return err
}

func (w *Watch) control(op, fd int, events uint32) error {
	e := unix.EpollEvent{Events: events | unix.EPOLLONESHOT, Fd: w.n}
	if err := unix.EpollCtl(watches.fd, op, fd, &e); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	if !w.armed {
		w.armed = true
		watches.armed++
	}
	if !watches.running {
		watches.running = true
		go run()
	}
	return nil
}

// End ends the watch; the descriptor is closed next, which takes it out of the epoll. tell may be running, and is not
// called any more.
func (w *Watch) End() {
	watches.mu.Lock()
	defer watches.mu.Unlock()
	delete(watches.all, w.n)
	w.disarm()
}

// disarm: watches.mu is held.
func (w *Watch) disarm() {
	if !w.armed {
		return
	}
	w.armed = false
	watches.armed--
	if watches.armed == 0 {
		_ = watches.file.SetReadDeadline(time.Now().Add(linger)) // the poller has it
	}
}

// open opens the epoll, which then stays open, as the runtime's own does. watches.mu is held.
func open() error {
	if watches.file != nil {
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	_ = unix.SetNonblock(fd, true) // by this os.NewFile knows what goes into the poller; it cannot fail
	f := os.NewFile(uintptr(fd), "epoll")
	if err := f.SetReadDeadline(time.Time{}); err != nil { // the poller did not take it: nobody would be told then
		_ = f.Close()
		return err
	}
	watches.fd, watches.file, watches.all = fd, f, map[int32]*Watch{}
	return nil
}

// run tells until nothing has waited for a while.
func run() {
	conn, err := watches.file.SyscallConn()
	for err == nil { // it is open for good
		_ = conn.Read(collect) // until the deadline
		watches.mu.Lock()
		if watches.armed == 0 {
			watches.running = false
			watches.mu.Unlock()
			return
		}
		_ = watches.file.SetReadDeadline(time.Time{})
		watches.mu.Unlock()
	}
}

// collect tells what the kernel tells at the moment. It is never done.
func collect(epoll uintptr) (done bool) {
	var events [64]unix.EpollEvent
	for {
		n, err := unix.EpollWait(int(epoll), events[:], 0)
		if err == unix.EINTR {
			continue
		}
		for _, e := range events[:max(n, 0)] {
			watches.mu.Lock()
			w := watches.all[e.Fd]
			if w != nil {
				w.disarm()
			}
			watches.mu.Unlock()
			if w == nil {
				continue
			}
			if e.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
				e.Events |= In | Out
			}
			w.tell(e.Events)
		}
		if n < len(events) {
			return false
		}
	}
}
