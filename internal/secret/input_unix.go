//go:build unix

package secret

import (
	"context"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// input reads a descriptor until ctx ends, whatever the descriptor is: Go's
// own deadlines work on some kinds only, and need a mode (O_NONBLOCK) that must
// not be set on what others share.
type input struct {
	ctx  context.Context
	from syscall.RawConn
	end  syscall.RawConn // a pipe that hangs up when ctx ends
}

// newInput makes an input of f. The caller calls close, then closes f.
func newInput(ctx context.Context, f *os.File) (in *input, close func(), err error) {
	from, err := f.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	end, err := r.SyscallConn()
	if err != nil {
		_, _ = r.Close(), w.Close() // nothing was written
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = w.Close() })
	return &input{ctx, from, end}, func() {
		stop()
		_, _ = w.Close(), r.Close() // w perhaps for the second time
	}, nil
}

// Read waits until there is something to read or ctx ends.
func (in *input) Read(p []byte) (n int, err error) {
	cerr := in.from.Control(func(from uintptr) {
		cerr := in.end.Control(func(end uintptr) {
			n, err = in.read(int32(from), int32(end), p)
		})
		if cerr != nil {
			err = cerr
		}
	})
	if cerr != nil {
		err = cerr
	}
	return n, err
}

func (in *input) read(from, end int32, p []byte) (int, error) {
	for {
		fds := []unix.PollFd{{Fd: from, Events: unix.POLLIN}, {Fd: end, Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return 0, os.NewSyscallError("poll", err)
		}
		if fds[1].Revents != 0 {
			return 0, in.ctx.Err()
		}
		if fds[0].Revents == 0 {
			continue
		}
		// Whatever poll says, read knows better; on macOS poll refuses
		// terminals, and read then waits without regard for ctx.
		switch n, err := unix.Read(int(from), p); {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// readAll reads f to its end.
func readAll(ctx context.Context, f *os.File) ([]byte, error) {
	in, done, err := newInput(ctx, f)
	if err != nil {
		return nil, err
	}
	defer done()
	return readLimited(in)
}

// readFile returns what a file holds, without the line end. A named pipe is
// waited for: O_NONBLOCK opens it at once, and the first read waits for a writer.
func readFile(ctx context.Context, path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(ctx, f)
}

// readDescriptor returns what a descriptor gives until its end, without the line
// end. It leaves the descriptor open, as others may hold its number; but what was
// read cannot be read again.
func readDescriptor(ctx context.Context, fd int) ([]byte, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	f := os.NewFile(uintptr(dup), "fd")
	defer f.Close()
	return readAll(ctx, f)
}
