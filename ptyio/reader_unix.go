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
// goroutine; a Read that waits holds a thread.
type Reader struct {
	f            *os.File
	wakeR, wakeW *os.File

	mu       sync.Mutex
	deadline time.Time
	closed   bool
}

// OpenReader returns a Reader of f, which stays the caller's. Close gives back
// what it uses itself.
func OpenReader(f *os.File) (*Reader, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &Reader{f: f, wakeR: r, wakeW: w}, nil
}

// Read reads what is there, waiting for it until the deadline
// (os.ErrDeadlineExceeded) or Close (os.ErrClosed). A terminal that is gone is
// io.EOF.
func (r *Reader) Read(p []byte) (int, error) {
	for {
		wait, err := r.wait()
		if err != nil {
			return 0, err
		}
		ready, err := r.poll(wait)
		if err != nil {
			return 0, err
		}
		if !ready {
			continue
		}
		n := 0
		err = ioctl(r.f, func(fd int) (err error) {
			n, err = unix.Read(fd, p)
			return err
		})
		switch {
		case err == nil && n == 0 && len(p) > 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		}
		return 0, readError(err)
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

// poll reports whether the file can be read, or has ended.
func (r *Reader) poll(ms int) (ready bool, err error) {
	err = ioctl(r.f, func(fd int) error {
		return ioctl(r.wakeR, func(wake int) error {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
			_, err := unix.Poll(fds, ms)
			if err == unix.EINTR {
				return nil
			}
			if fds[1].Revents != 0 {
				_, err = unix.Read(wake, make([]byte, 64))
				if err == unix.EAGAIN {
					err = nil
				}
				return err
			}
			ready = err == nil && fds[0].Revents != 0
			return err
		})
	})
	return ready, err
}

// SetReadDeadline bounds Read, a pending one too; zero is no bound.
func (r *Reader) SetReadDeadline(t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return os.ErrClosed
	}
	r.deadline = t
	return r.wake()
}

func (r *Reader) wake() error {
	_, err := r.wakeW.Write([]byte{0})
	return err
}

// Close ends a pending Read. The file stays open.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	_ = r.wake() // before the pipe goes: it is closed once nobody polls it
	_ = r.wakeW.Close()
	return r.wakeR.Close()
}
