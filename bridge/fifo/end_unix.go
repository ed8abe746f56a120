//go:build unix

package fifo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Never O_CREAT, which would make a regular file.
const openFlags = unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_CLOEXEC

// open opens the own end and, with Keep, the other one: then the pipe has both,
// and neither side's leaving ends anything.
func (f *File) open(ctx context.Context) (err error) {
	if err := checkFolder(filepath.Dir(f.path)); err != nil {
		return err
	}
	if f.opts.EOF == Keep || !f.write {
		// The reading end first: without a reader the writing one cannot be opened.
		if f.r, err = openEnd(f.path, unix.O_RDONLY); err != nil {
			return err
		}
	}
	if f.opts.EOF != Keep && !f.write {
		return nil
	}
	err = nap(func() (bool, error) {
		f.w, err = openEnd(f.path, unix.O_WRONLY)
		if errors.Is(err, unix.ENXIO) { // nobody reads
			return false, context.Cause(ctx)
		}
		return true, err
	})
	if err == nil && f.r != nil && !same(f.r, f.w) {
		err = unsafe(f.path, "it was replaced meanwhile", "")
		f.w.Close()
	}
	if err != nil && f.r != nil {
		f.r.Close()
	}
	return err
}

// openEnd opens one end without waiting. What is at path is looked at before, as
// opening some things already does something, and after, as it may be another
// by then.
func openEnd(path string, flag int) (*os.File, error) {
	before, err := check(path)
	if err != nil {
		return nil, err
	}
	fd, err := openRetry(path, flag|openFlags)
	if err != nil {
		return nil, &Error{Path: path, Err: &os.PathError{Op: "open", Path: path, Err: err}}
	}
	file := os.NewFile(uintptr(fd), path) // does not block, so the poller knows it: deadlines work
	info, err := file.Stat()
	if err == nil && !os.SameFile(before, info) {
		err = unsafe(path, "it was replaced meanwhile", "")
	}
	if err == nil {
		err = checkFile(path, info)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func openRetry(path string, flag int) (fd int, err error) {
	for {
		if fd, err = unix.Open(path, flag, 0); err != unix.EINTR {
			return fd, err
		}
	}
}

func same(a, b *os.File) bool {
	x, err := a.Stat()
	y, err2 := b.Stat()
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// readOnce makes one read(2) that brings something, waiting for it.
func (f *File) readOnce(p []byte) (n int, err error) {
	r, _ := f.ends()
	conn, err := r.SyscallConn()
	if err != nil {
		return 0, f.told(err)
	}
	var failed error
	err = conn.Read(func(fd uintptr) bool {
		n, failed = readNow(int(fd), p)
		if n == 0 && failed == nil {
			// Nobody has it open for writing. When nobody had since we opened it, this is no
			// end yet: the kernel reports a hang-up only after a writer. One may have come,
			// written and left since that read.
			if !f.seen && !hungUp(int(fd)) {
				return false
			}
			n, failed = readNow(int(fd), p)
			if n == 0 && failed == nil {
				failed = io.EOF
			}
		}
		return failed != unix.EAGAIN
	})
	if err == nil {
		err = failed
	}
	return max(n, 0), f.told(err)
}

func readNow(fd int, p []byte) (n int, err error) {
	for {
		if n, err = unix.Read(fd, p); err != unix.EINTR {
			return n, err
		}
	}
}

// renew makes the reading end one that has seen no writer yet, after an end was
// reported: the hang-up stays on the old one. The new end is opened before the
// old one is closed, so that nothing in between is lost.
func (f *File) renew() error {
	r, _ := f.ends()
	if !hungUpFile(r) || unread(r) > 0 { // the next one is here already
		f.reported = false
		return nil
	}
	fresh, err := reopen(r, unix.O_RDONLY)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		fresh.Close()
		return &os.PathError{Op: "read", Path: f.path, Err: os.ErrClosed}
	}
	_ = fresh.SetReadDeadline(f.until)
	f.r, f.reported = fresh, false
	return r.Close()
}

// reopen opens an end of the same fifo, also when its name is gone.
func reopen(end *os.File, flag int) (*os.File, error) {
	var file *os.File
	err := lend(end, func(fd int) error {
		again, err := openRetry(fmt.Sprintf("/proc/self/fd/%d", fd), flag|openFlags&^unix.O_NOFOLLOW)
		if err == nil {
			file = os.NewFile(uintptr(again), end.Name())
		}
		return err
	})
	if err == nil {
		return file, nil
	}
	// No /proc: by its name, if that still is the same.
	file, err = openEnd(end.Name(), flag)
	if err == nil && !same(file, end) {
		file.Close()
		return nil, unsafe(end.Name(), "it was replaced meanwhile", "")
	}
	return file, err
}

// awaitReader waits until somebody reads again, which the kernel does not
// announce.
func (f *File) awaitReader() error {
	_, w := f.ends()
	return nap(func() (bool, error) {
		if readers(w) {
			return true, nil
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		switch {
		case f.closed:
			return false, &os.PathError{Op: "write", Path: f.path, Err: os.ErrClosed}
		case !f.until.IsZero() && !time.Now().Before(f.until):
			return false, &os.PathError{Op: "write", Path: f.path, Err: os.ErrDeadlineExceeded}
		}
		return false, nil
	})
}

// finish closes the ends. When nobody else is left who could read what is in the
// pipe, it returns that.
//
// The order makes it exact. First our reading end goes: from then on, when there
// is no other, no writer can add anything (EPIPE), and of two Files that close at
// once the second sees that it is the last. Then the rest is read.
func (f *File) finish() (back []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.w == nil { // a reader that did not keep it: what remains is the kernel's, as ever
		f.r.Close()
		return nil
	}
	if f.r != nil {
		f.r.Close()
	}
	defer f.w.Close()
	if readers(f.w) || unread(f.w) == 0 {
		return nil
	}
	r, err := reopen(f.w, unix.O_RDONLY)
	if err != nil {
		return nil
	}
	defer r.Close()
	back = make([]byte, unread(f.w))
	n := 0
	_ = lend(r, func(fd int) (err error) {
		n, err = readNow(fd, back)
		return err
	})
	return back[:max(n, 0)]
}

// lend calls do with the descriptor of file.
func lend(file *os.File, do func(fd int) error) (err error) {
	conn, cerr := file.SyscallConn()
	if cerr == nil {
		cerr = conn.Control(func(fd uintptr) { err = do(int(fd)) })
	}
	if cerr != nil {
		return cerr
	}
	return err
}

// unread is how many bytes are in the pipe; 0 when the end is closed.
func unread(end *os.File) (n int) {
	_ = lend(end, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, fionread)
		return err
	})
	return n
}

// readers reports whether anybody has the pipe of this writing end open for
// reading.
func readers(w *os.File) bool {
	found := false
	_ = lend(w, func(fd int) error {
		found = poll(fd, unix.POLLOUT)&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) == 0
		return nil
	})
	return found
}

// hungUp reports whether a writer was there since this reading end was opened,
// and none is now.
func hungUp(fd int) bool { return poll(fd, unix.POLLIN)&unix.POLLHUP != 0 }

func hungUpFile(r *os.File) (up bool) {
	_ = lend(r, func(fd int) error {
		up = hungUp(fd)
		return nil
	})
	return up
}

func poll(fd int, events int16) int16 {
	look := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		if _, err := unix.Poll(look, 0); err != unix.EINTR {
			return look[0].Revents
		}
	}
}

// standIn puts a socket to which nobody listens in the place of what is at path.
func standIn(path string) error {
	born := path + ".ended"
	if info, err := os.Lstat(born); err == nil && info.Mode()&fs.ModeSocket != 0 {
		_ = os.Remove(born) // of one that was killed here
	}
	if err := unix.Mknod(born, unix.S_IFSOCK|0o600, 0); err != nil {
		return err
	}
	if err := os.Rename(born, path); err != nil {
		_ = os.Remove(born)
		return err
	}
	return nil
}

// alone makes this reading end the only one that is served, until it is closed.
// Systems that cannot lock a fifo do without.
func (f *File) alone() error {
	r, _ := f.ends()
	err := lend(r, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return &Error{f.path, fmt.Errorf("%w: another process reads it already", ErrInUse), "stop that, or choose another folder"}
	}
	return nil
}

// dead reports whether there is no such process.
func dead(pid int) bool { return pid > 0 && errors.Is(unix.Kill(pid, 0), unix.ESRCH) }
