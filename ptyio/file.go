package ptyio

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// A File is our end of a pipe or a terminal. It never blocks a thread:
// deadlines and Close end a pending Read or Write. Its methods may be called
// concurrently; one Read at a time gets the bytes in their order.
type File struct {
	f     *os.File
	conn  syscall.RawConn
	close func() error
}

func newFile(f *os.File) (*File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &File{f: f, conn: conn, close: sync.OnceValue(f.Close)}, nil
}

// Read reads what is there, waiting for it. The end is io.EOF, also on a
// terminal, where the kernel says EIO.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.f.Read(p)
	if err != nil {
		err = readError(err)
	}
	return n, err
}

func readError(err error) error {
	if errors.Is(err, syscall.EIO) {
		return io.EOF
	}
	return err
}

// Write writes all of p, or says how many bytes the kernel took and why not
// more.
func (f *File) Write(p []byte) (int, error) { return f.f.Write(p) }

// ReadNow reads what is there without waiting, whatever the deadline:
// ErrAgain when there is nothing.
func (f *File) ReadNow(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if cerr := f.conn.Control(func(fd uintptr) { n, err = now(read, fd, p) }); cerr != nil {
		return 0, cerr
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, readError(err)
}

// WriteNow writes what the kernel takes without waiting, whatever the
// deadline: ErrAgain when it takes nothing.
func (f *File) WriteNow(p []byte) (n int, err error) {
	if cerr := f.conn.Control(func(fd uintptr) { n, err = now(write, fd, p) }); cerr != nil {
		return 0, cerr
	}
	return n, err
}

// now makes one system call that does not wait.
func now(call func(uintptr, []byte) (int, error), fd uintptr, p []byte) (int, error) {
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

// SetReadDeadline bounds Read, a pending one too; zero is no bound.
func (f *File) SetReadDeadline(t time.Time) error { return f.f.SetReadDeadline(t) }

// SetWriteDeadline bounds Write, a pending one too; zero is no bound.
func (f *File) SetWriteDeadline(t time.Time) error { return f.f.SetWriteDeadline(t) }

// SyscallConn gives the descriptor to a function; it must not change its mode.
func (f *File) SyscallConn() (syscall.RawConn, error) { return f.conn, nil }

// Close closes our end and ends what is pending. It may be called more than
// once.
func (f *File) Close() error { return f.close() }

// Name is for people: "/dev/ptmx", "|0".
func (f *File) Name() string { return f.f.Name() }

var _ io.ReadWriteCloser = (*File)(nil)
