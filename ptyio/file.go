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
)

// A File is our end of a pipe or a terminal. Deadlines and Close end a pending
// Read or Write, and however many wait they block no more than one thread. Its
// methods may be called concurrently, but only one reader at a time sees the
// bytes in their order. Whoever opened the Stdio it belongs to closes it.
type File struct {
	name  string
	bare  *bare                    // of a terminal on Linux
	known atomic.Pointer[pollFile] // nil: bare has the descriptor
	close func() error
}

// A pollFile is a descriptor that the runtime's poller knows.
type pollFile struct {
	*os.File
	conn syscall.RawConn
	err  error // why the poller did not take it after all: a read would not wait but fail
}

func newPollFile(f *os.File) *pollFile {
	conn, err := f.SyscallConn()
	if err == nil && runtime.GOOS == "linux" && f.SetReadDeadline(time.Time{}) != nil {
		err = errNoPoller
	}
	return &pollFile{f, conn, err}
}

// newFile makes a File of f, which the poller should know. It owns f, also
// when it fails.
func newFile(f *os.File) (*File, error) {
	known := newPollFile(f)
	if known.err != nil {
		f.Close()
		return nil, known.err
	}
	file := &File{name: f.Name(), close: sync.OnceValue(f.Close)}
	file.known.Store(known)
	return file, nil
}

// poller returns f as the poller knows it.
func (f *File) poller() (*pollFile, error) {
	known := f.known.Load()
	if known == nil {
		known = f.bare.handOver(f)
	}
	if known == nil {
		return nil, os.ErrClosed
	}
	return known, known.err
}

// Read reads what is there, waiting for it. The end is io.EOF, also on a
// terminal, where the kernel says EIO. Past the deadline the error is
// os.ErrDeadlineExceeded, after Close os.ErrClosed.
func (f *File) Read(p []byte) (int, error) {
	if f.bare != nil {
		if n, err, done := f.bare.read(f, p); done {
			return n, err
		}
	}
	known, err := f.poller()
	if err != nil {
		return 0, err
	}
	waiting.Add(1)
	defer waiting.Add(-1)
	n, err := known.Read(p)
	return n, readError(err)
}

// waiting are the Reads that may wait in the poller.
var waiting atomic.Int32

// errNoPoller: package os does not say which of the two it was.
var errNoPoller = errors.New("epoll watches no more descriptors: no space left on device, or cannot allocate memory" +
	"\nhint: the setting fs.epoll.max_user_watches bounds them for each user")

func readError(err error) error {
	if errors.Is(err, syscall.EIO) {
		return io.EOF
	}
	return err
}

// Write writes all of p, or says how many bytes the kernel took and why not
// more. Taken is not read: the program may never look, and a terminal that
// reads by lines drops what exceeds MaxCanonical.
func (f *File) Write(p []byte) (int, error) {
	if f.bare != nil {
		return f.bare.write(f, p)
	}
	known, err := f.poller()
	if err != nil {
		return 0, err
	}
	return known.Write(p)
}

// ReadNow reads what is there without waiting, whatever the deadline:
// ErrAgain when there is nothing, io.EOF at the end. It is a read(2), which
// also collects what a terminal has received and not yet shown in Unread.
func (f *File) ReadNow(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	err = f.lend(func(fd int) (err error) {
		n, err = now(read, fd, p)
		return err
	})
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, readError(err)
}

// WriteNow writes what the kernel takes without waiting, whatever the
// deadline: ErrAgain when it takes nothing.
func (f *File) WriteNow(p []byte) (n int, err error) {
	err = f.lend(func(fd int) (err error) {
		n, err = now(write, fd, p)
		return err
	})
	return n, err
}

// now makes one system call that does not wait.
func now(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := call(fd, p)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return 0, ErrAgain
		case err != nil:
			return 0, err
		}
		return n, nil
	}
}

// lend calls do with the descriptor, which stays open meanwhile.
func (f *File) lend(do func(fd int) error) (err error) {
	known := f.known.Load()
	if known == nil {
		if had, err := f.bare.lend(do); had {
			return err
		}
		known = f.known.Load() // it was handed over, or closed
	}
	if known == nil {
		return os.ErrClosed
	}
	return lend(known.conn, do)
}

// lend calls do with a descriptor that stays open meanwhile. Control itself
// fails only when the file is closed, with an error that nobody can name.
func lend(conn syscall.RawConn, do func(fd int) error) (err error) {
	if conn.Control(func(fd uintptr) { err = do(int(fd)) }) != nil {
		return os.ErrClosed
	}
	return err
}

// SetReadDeadline bounds Read, a pending one too; the zero time is no bound.
func (f *File) SetReadDeadline(t time.Time) error {
	if f.bare != nil {
		return f.bare.setRead(f, t)
	}
	return f.known.Load().SetReadDeadline(t)
}

// SetWriteDeadline bounds Write, a pending one too; the zero time is no bound.
func (f *File) SetWriteDeadline(t time.Time) error {
	if f.bare != nil {
		return f.bare.setWrite(f, t)
	}
	return f.known.Load().SetWriteDeadline(t)
}

// SyscallConn lends the descriptor to a function, which must not change its
// mode.
func (f *File) SyscallConn() (syscall.RawConn, error) {
	known, err := f.poller()
	if err != nil {
		return nil, err
	}
	return known.conn, nil
}

// Close closes our end and ends what is pending on it. It may be called more
// than once.
func (f *File) Close() error { return f.close() }

// Name is for people: "/dev/ptmx", "|0".
func (f *File) Name() string { return f.name }
