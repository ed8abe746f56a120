package bridge

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/ptyio"
)

// OverFiles returns the Bridge of a far side of which we have been given two
// files: what we read comes from it, what we write goes to it. They may be our
// own standard input and output, a pair of fifos or, both the same, a device;
// one may be nil. Other than by NewSource and NewSink they keep the mode they
// have, which they share with whoever gave them to us.
//
// The Bridge owns the files: the end of its input closes out, unless that is
// also in, and Close closes both.
func OverFiles(in, out *os.File) (*Bridge, error) {
	far := &files{}
	var source Source = nowhere{}
	if in != nil {
		r, err := far.reader(in)
		if err != nil {
			return nil, err
		}
		source = r
	}
	far.out = NewStream(source, 0, 0)
	var sink Sink = nowhere{}
	if out != nil {
		sink = far.writer(out)
	}
	far.in = NewInput(sink, nil)
	far.in.closed = out == nil
	far.in.shared = in == out && in != nil
	return New(far, far.out, nil, far.in, sync.OnceValue(far.close)), nil
}

// files is a far side that is two files. Its output and its input end by
// themselves, so it has ended when both have.
type files struct {
	stranger
	in     *Input
	opened []func() error // what close closes
}

func (f *files) Wait(ctx context.Context) (proc.Exit, error) {
	if exit, err := f.stranger.Wait(ctx); err != nil {
		return exit, err
	}
	return proc.Exit{}, f.in.awaitClosed(ctx)
}

func (f *files) close() error {
	f.out.abandon()
	f.in.close()
	var all []error
	for _, c := range f.opened {
		if err := c(); !errors.Is(err, os.ErrClosed) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// reader reads a file without changing its mode: a pipe and a fifo through a
// description of our own, which does not block, everything else with poll(2)
// before each read.
func (f *files) reader(in *os.File) (Source, error) {
	if own := ptyio.Reopen(in, os.O_RDONLY); own != nil {
		f.opened = append(f.opened, own.Close, in.Close)
		return &ownPipe{own}, nil
	}
	r, err := ptyio.OpenReader(in)
	if err != nil {
		return nil, err
	}
	f.opened = append(f.opened, r.Close, in.Close)
	return r, nil
}

func (f *files) writer(out *os.File) Sink {
	f.opened = append(f.opened, out.Close)
	if own := ptyio.Reopen(out, os.O_WRONLY); own != nil {
		return &twice{own, out}
	}
	return plainSink{out}
}

// An ownPipe is the reading end of a pipe that nobody else has.
type ownPipe struct{ *ptyio.File }

// twice is a pipe of which we have two descriptors: its reader sees the end
// when both are closed.
type twice struct {
	*ptyio.File
	given *os.File
}

func (t *twice) Close() error { return errors.Join(t.File.Close(), t.given.Close()) }
