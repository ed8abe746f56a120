package bridge

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The ferry moves what comes in small pieces, as an answer or a line, for all
// movers: one goroutine that waits in epoll_wait(2) itself. To wake a goroutine
// by way of the runtime's poller takes twice as long as all the rest of a
// byte's way, and of several threads that wait in the kernel the runtime would
// take their processors again and again, on a machine that has few. What comes
// in large pieces each mover moves by itself.
var theFerry ferry

type ferry struct {
	mu      sync.Mutex
	epoll   int              // once it was needed; 0: not yet
	wake    int              // an eventfd in epoll
	movers  map[int32]*mover // aboard
	last    int32            // the number given out last
	running bool             // the goroutine
}

// A trip is a mover's time aboard.
type trip struct {
	number int32
	back   chan struct{} // whoever waits has to look; capacity 1
	broken atomic.Bool   // by an interrupt

	mu   sync.Mutex  // held during a turn
	turn func() bool // nil: it is not aboard
}

// carry takes m aboard until its source brings something that turn does not move
// for good, or it is interrupted: os.ErrDeadlineExceeded. Where there can be no
// ferry it reports false.
func (f *ferry) carry(m *mover, turn func() bool) (done bool, err error) {
	if !f.board(m, turn) {
		return false, nil
	}
	<-m.back
	m.trip.mu.Lock()
	m.turn = nil
	m.trip.mu.Unlock()
	f.ashore(m)
	if m.broken.Swap(false) {
		return true, os.ErrDeadlineExceeded
	}
	return true, nil
}

func (f *ferry) board(m *mover, turn func() bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.open() {
		return false
	}
	for f.last++; f.last <= 0 || f.movers[f.last] != nil; { // it has gone round
		f.last = max(f.last, 0) + 1
	}
	m.number, m.turn = f.last, turn
	if f.watch(m, unix.EPOLL_CTL_ADD) != nil {
		return false
	}
	f.movers[m.number] = m
	if !f.running {
		f.running = true
		go f.run()
	}
	return true
}

// open opens what then stays open, as the runtime's own epoll does. f.mu is held.
func (f *ferry) open() bool {
	if f.epoll > 0 {
		return true
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN})
	}
	if err != nil {
		closeAll(epoll, wake)
		return false
	}
	f.epoll, f.wake, f.movers = epoll, wake, map[int32]*mover{}
	return true
}

// watch has a mover's source watched, or no more. One that was closed is not.
func (f *ferry) watch(m *mover, how int) (err error) {
	cerr := m.in.Control(func(fd uintptr) {
		err = unix.EpollCtl(f.epoll, how, int(fd), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: m.number})
	})
	return errors.Join(cerr, err)
}

// ashore lets m go. The goroutine ends with the last one.
func (f *ferry) ashore(m *mover) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.movers[m.number] != m {
		return
	}
	delete(f.movers, m.number)
	_ = f.watch(m, unix.EPOLL_CTL_DEL)
	if len(f.movers) == 0 {
		_, _ = unix.Write(f.wake, []byte{1, 7: 0}) // where it is full, it is awake
	}
}

// run moves until nobody is aboard.
func (f *ferry) run() {
	var events [16]unix.EpollEvent
	for {
		n, _ := unix.EpollWait(f.epoll, events[:], -1) // EINTR: none
		for _, e := range events[:max(n, 0)] {
			if e.Fd == 0 {
				_, _ = unix.Read(f.wake, make([]byte, 8))
				continue
			}
			f.mu.Lock()
			m := f.movers[e.Fd]
			f.mu.Unlock()
			if m != nil && !m.ferried() {
				f.ashore(m)
			}
		}
		f.mu.Lock()
		f.running = len(f.movers) > 0
		running := f.running
		f.mu.Unlock()
		if !running {
			return
		}
	}
}

// ferried takes a turn, and reports whether the mover stays aboard.
func (m *mover) ferried() bool {
	m.trip.mu.Lock()
	defer m.trip.mu.Unlock()
	if m.turn == nil {
		return false // it is about to go
	}
	if m.turn() {
		return true
	}
	m.turn = nil
	m.call()
	return false
}

// interrupt ends a trip, the present one or the next.
func (m *mover) interrupt() {
	m.broken.Store(true)
	m.call()
}

func (m *mover) call() {
	select {
	case m.back <- struct{}{}:
	default:
	}
}
