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
	bare  *bare // on Linux; else it is nil, and
	f     *os.File
	conn  syscall.RawConn // f's
	close func() error
}

// newFile makes a File of f, which the poller should know. It owns f, also
// when it fails.
func newFile(f *os.File) (*File, error) {
	conn, err := f.SyscallConn()
	// Where the poller did not take it after all, a read would not wait but fail.
	if err == nil && runtime.GOOS == "linux" && f.SetReadDeadline(time.Time{}) != nil {
		err = errNoPoller
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{name: f.Name(), f: f, conn: conn, close: sync.OnceValue(f.Close)}, nil
}

// Read reads what is there, waiting for it. The end is io.EOF, also on a
// terminal, where the kernel says EIO. Past the deadline the error is
// os.ErrDeadlineExceeded, after Close os.ErrClosed.
func (f *File) Read(p []byte) (int, error) {
	if f.bare != nil {
		return f.bare.read(p)
	}
	waiting.Add(1)
	n, err := f.f.Read(p)
	waiting.Add(-1)
	return n, readError(err)
}

// waiting are the Reads that wait to be told.
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
		return f.bare.write(p)
	}
	return f.f.Write(p)
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
	if f.bare != nil {
		return f.bare.lend(do)
	}
	return lend(f.conn, do)
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
		return f.bare.setRead(t)
	}
	return f.f.SetReadDeadline(t)
}

// SetWriteDeadline bounds Write, a pending one too; the zero time is no bound.
func (f *File) SetWriteDeadline(t time.Time) error {
	if f.bare != nil {
		return f.bare.setWrite(t)
	}
	return f.f.SetWriteDeadline(t)
}

// SyscallConn lends the descriptor to a function, which must not change its
// mode.
func (f *File) SyscallConn() (syscall.RawConn, error) {
	if f.bare != nil {
		return f.bare.rawConn(), nil
	}
	return f.conn, nil
}

// Close closes our end and ends what is pending on it. It may be called more
// than once.
func (f *File) Close() error { return f.close() }

// Name is for people: "/dev/ptmx", "|0".
func (f *File) Name() string { return f.name }
