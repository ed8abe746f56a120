package fifo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// A Pair is the fifos of a dialog with a program, in one folder, named from the
// program's side: what goes to it is DIR/in, what comes from it DIR/out. Listen
// has the program's ends of them, Dial the other ones. Whoever has a Pair closes
// it.
type Pair struct {
	In, Out *File
	Err     *File // the program's errors, DIR/err; nil unless asked for
	Ctl     *File // requests about the program, DIR/ctl; nil unless asked for

	folder string // to remove; "" when it was there before

	mu     sync.Mutex
	ended  string // what stands in the place of In; "" while In does
	closed bool
}

// PairOptions say which fifos a Pair has, and how they behave.
type PairOptions struct {
	// Prefix goes before the names: "console." makes them DIR/console.in and so on.
	Prefix   string
	Err, Ctl bool
	// Options are those of each File; but an end that is written always keeps
	// (Keep), so that nobody need wait for the other side.
	Options
}

// Listen makes the fifos of dir, and dir itself with mode 0700 if need be, and
// opens the program's ends: it reads In and Ctl and writes Out and Err. Fifos
// that are there already are taken over when nobody else listens at them; else
// the error is ErrInUse.
//
// Nothing waits for the other side: what it has not read by the time that a pipe
// is full makes a Write wait. Close removes the fifos, and dir if Listen made it.
func Listen(dir string, o PairOptions) (*Pair, error) {
	_, err := os.Lstat(dir)
	p := &Pair{}
	if errors.Is(err, os.ErrNotExist) {
		p.folder = dir
	}
	// In is locked before anything else is touched.
	if err := p.open(context.Background(), dir, o, os.O_RDONLY|os.O_CREATE, os.O_WRONLY|os.O_CREATE, (*File).alone); err != nil {
		_ = p.Close() // nothing was written
		return nil, err
	}
	return p, nil
}

// Dial opens the other ends of the fifos that a Listen made in dir: it writes In
// and Ctl and reads Out and Err. It may come before Listen, when the fifos are
// there from an earlier one, and leave and come again: what it writes meanwhile
// waits in the pipe, as does what it has not read. After EndInput a Write to In
// fails with ErrLeft. Close removes nothing.
func Dial(ctx context.Context, dir string, o PairOptions) (*Pair, error) {
	p := &Pair{}
	if err := p.open(ctx, dir, o, os.O_WRONLY, os.O_RDONLY, nil); err != nil {
		_ = p.Close() // nothing was written
		return nil, err
	}
	return p, nil
}

func (p *Pair) open(ctx context.Context, dir string, o PairOptions, in, out int, first func(*File) error) error {
	for _, lane := range []struct {
		file **File
		name string
		flag int
		want bool
	}{
		{&p.In, "in", in, true}, {&p.Out, "out", out, true}, {&p.Err, "err", out, o.Err}, {&p.Ctl, "ctl", in, o.Ctl},
	} {
		if !lane.want {
			continue
		}
		options := o.Options
		if lane.flag&os.O_WRONLY != 0 {
			options.EOF = Keep
		}
		path := filepath.Join(dir, o.Prefix+lane.name)
		file, err := Open(ctx, path, lane.flag, options)
		if err != nil && first == nil && lane.name == "in" && ended(path) {
			file, err = &File{path: path, write: true, over: true, closed: true}, nil
		}
		if err != nil {
			return err
		}
		if first != nil {
			if err := first(file); err != nil {
				_ = file.Close() // it is another's, and so is what is in it
				return err
			}
			first = nil
		}
		*lane.file = file
		file.unlink = lane.flag&os.O_CREATE != 0
	}
	return nil
}

// EndInput ends In for good, where nobody reads it any more: a write to it fails
// as to any pipe without a reader. Whoever opens its path fails, too, as a socket
// to which nobody listens stands there from now on: if nothing did, a shell's
// redirection would make a file; at a fifo it would wait for ever. What was
// written and not read is dropped. Where the system cannot do it all stays as it
// is. It is for who listens, and comes before Close.
func (p *Pair) EndInput() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.ended != "" || standIn(p.In.path) != nil {
		return
	}
	p.ended = p.In.path
	_ = p.In.Close() // what nobody has read
}

// ended reports whether EndInput was called for the fifo that was at path.
func ended(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSocket != 0
}

// Close closes all ends, In last. A writing end first waits until all was read,
// see File.Close; the error has every *UnreadError.
func (p *Pair) Close() error {
	var errs []error
	for _, f := range []*File{p.Out, p.Err, p.Ctl, p.In} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	p.mu.Lock()
	if p.closed = true; p.ended != "" {
		_ = os.Remove(p.ended)
		p.ended = ""
	}
	p.mu.Unlock()
	if p.folder != "" {
		_ = os.Remove(p.folder) // it may hold more by now
	}
	return errors.Join(errs...)
}
