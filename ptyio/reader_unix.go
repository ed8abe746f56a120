//go:build unix

package ptyio

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Reader reads a file that is not ours to change, as an inherited standard
// input, in a way that can be interrupted: it asks with poll(2) before each
// read, so the file stays in the mode it has (O_NONBLOCK would be shared with
// everybody who has it open) and an interrupt eats nothing. It needs no
// goroutine; a Read that waits holds a thread. When somebody else reads the
// same terminal and is faster, a Read may wait for the next input in read(2),
// where nothing interrupts it.
//
// Its methods may be called concurrently; Reads take turns.
type Reader struct {
	f            *os.File
	wakeR, wakeW *File // a pipe: a byte in it ends the poll

	reading sync.Mutex // held by Read, so that a wake is for the one who polls

	mu       sync.Mutex // guards the rest
	deadline time.Time
	closed   bool
}

// OpenReader returns a Reader of f, which stays the caller's to close, after
// the Reader.
func OpenReader(f *os.File) (*Reader, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	wakeR, err := newFile(r)
	if err != nil {
		w.Close()
		return nil, err
	}
	wakeW, err := newFile(w)
	if err != nil {
		wakeR.Close()
		return nil, err
	}
	return &Reader{f: f, wakeR: wakeR, wakeW: wakeW}, nil
}

// Read reads what is there, waiting for it until the deadline
// (os.ErrDeadlineExceeded) or Close (os.ErrClosed). A terminal that is gone is
// io.EOF.
func (r *Reader) Read(p []byte) (n int, err error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	for {
		ms, err := r.wait()
		if err != nil {
			return 0, err
		}
		ready, err := r.poll(ms)
		if err != nil {
			return 0, err
		}
		if !ready {
			continue
		}
		err = withFd(r.f, func(fd int) (err error) {
			n, err = unix.Read(fd, p)
			return err
		})
		switch {
		case err == nil && n == 0 && len(p) > 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case err == unix.EINTR, err == unix.EAGAIN: // EAGAIN: somebody else made it non-blocking, and was faster
			continue
		}
		return 0, readError(os.NewSyscallError("read", err))
	}
}

// wait is how long the next poll may take, in milliseconds; -1 is for ever.
func (r *Reader) wait() (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, os.ErrClosed
	case r.deadline.IsZero():
		return -1, nil
	}
	d := time.Until(r.deadline)
	if d <= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return int(min(d/time.Millisecond+1, 1<<30)), nil
}

// poll reports whether the file can be read, or has ended. A wake is taken
// first and makes it false, so that Read looks at the deadline again.
func (r *Reader) poll(ms int) (ready bool, err error) {
	woken := false
	err = withFd(r.f, func(fd int) error {
		return r.wakeR.lend(func(wake int) error {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
			_, err := unix.Poll(fds, ms)
			if err == unix.EINTR {
				return nil
			}
			woken = fds[1].Revents != 0
			ready = !woken && fds[0].Revents != 0
			return os.NewSyscallError("poll", err)
		})
	})
	if woken {
		// One read takes all the wakes there usually are; others cost a turn.
		_, err = r.wakeR.ReadNow(make([]byte, 64))
		if errors.Is(err, ErrAgain) || errors.Is(err, io.EOF) {
			err = nil
		}
	}
	return ready, err
}

// SetReadDeadline bounds Read, a pending one too; the zero time is no bound.
func (r *Reader) SetReadDeadline(t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return os.ErrClosed
	}
	if t.Equal(r.deadline) { // a pending poll waits until then already
		return nil
	}
	r.deadline = t
	return r.wake()
}

// wake ends a pending poll. A full pipe does that already.
func (r *Reader) wake() error {
	_, err := r.wakeW.WriteNow([]byte{0})
	if errors.Is(err, ErrAgain) {
		return nil
	}
	return err
}

// Close ends a pending Read. The file stays open. It may be called more than
// once.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	// Closing wakeR waits for a poll that uses it, so that must end first.
	return errors.Join(r.wake(), r.wakeW.Close(), r.wakeR.Close())
}
