package ptyio

import (
	"errors"
	"os"
	"slices"
	"sync"
)

// A Stdio is both sides of a program's standard streams. Whoever opened it
// closes it. The fields do not change once a program has been given it; the
// methods may be called concurrently.
type Stdio struct {
	Kind Kind
	// Our ends. On a terminal In and Out are the same File; Err is nil where
	// errors share the terminal. Connect and SeparateErr change that.
	In, Out, Err *File
	// Terminal is the program's terminal; nil with Pipes.
	Terminal *Terminal

	child [3]*os.File

	mu    sync.Mutex // guards pipes
	pipes []*os.File // the child's ends that ChildStarted closes
}

// Open opens the streams of one program, all or nothing. The terminal has the
// size from the start, and no echo if noEcho is set. The zero Size is 24x80.
func Open(kind Kind, size Size, noEcho bool) (*Stdio, error) {
	s := &Stdio{Kind: kind}
	if err := s.open(size, noEcho); err != nil {
		_ = s.Close() // the reason counts
		return nil, err
	}
	return s, nil
}

func (s *Stdio) open(size Size, noEcho bool) (err error) {
	switch s.Kind {
	case PTY:
		err = s.openTerminal(size, noEcho)
		s.In = s.Out
	case PTYStderr:
		err = s.openTerminal(size, noEcho)
		s.In = s.Out
		if err == nil {
			s.Err, err = s.outPipe(2)
		}
	case PTYStdout:
		err = s.openTerminal(size, noEcho)
		if err == nil {
			s.In, err = s.inPipe()
		}
	case Pipes:
		s.In, err = s.inPipe()
		if err == nil {
			s.Out, err = s.outPipe(1)
		}
		if err == nil {
			s.Err, err = s.outPipe(2)
		}
	default:
		err = errors.New("unknown kind of streams: " + s.Kind.String())
	}
	return err
}

// openTerminal gives the child the slave as all of its streams; pipes replace
// some of them.
func (s *Stdio) openTerminal(size Size, noEcho bool) error {
	if err := size.check(); err != nil {
		return err
	}
	master, slave, err := openPTY()
	if err != nil {
		return err
	}
	s.Out, s.child = master, [3]*os.File{slave, slave, slave}
	s.Terminal = &Terminal{master: master, slave: slave, name: slave.Name()}
	if err := s.Terminal.Resize(size); err != nil {
		return err
	}
	if !noEcho {
		return nil
	}
	mode, err := s.Terminal.Mode()
	if err != nil {
		return err
	}
	mode.Echo = false
	return s.Terminal.SetMode(mode)
}

func (s *Stdio) inPipe() (*File, error) { return s.pipe(0) }

func (s *Stdio) outPipe(fd int) (*File, error) { return s.pipe(fd) }

// pipe gives the child one end of a pipe as its descriptor fd, and us the
// other.
func (s *Stdio) pipe(fd int) (*File, error) {
	theirs, ours, err := halfPipe(fd == 0)
	if err != nil {
		return nil, err
	}
	s.child[fd], s.pipes = theirs, append(s.pipes, theirs)
	return ours, nil
}

// Connect makes one pipe of from's output and to's input, before either is
// given to a program: what one writes the other reads, and the kernel moves it.
// Afterwards from.Out and to.In are nil. Both ends must be pipes.
func Connect(from, to *Stdio) error {
	if from.Out == nil || from.Terminal != nil || to.In == nil || to.In == to.Out {
		return errors.New("only pipes can be connected")
	}
	r, w, err := newPipe()
	if err != nil {
		return err
	}
	_ = from.Out.Close() // nothing was written to either
	_ = to.In.Close()
	from.Out, to.In = nil, nil
	from.replace(1, w)
	to.replace(0, r)
	return nil
}

// SeparateErr gives the child a pipe for its errors, before it is started, where
// they share its terminal; afterwards Err is our end. Where they do not, it does
// nothing.
func (s *Stdio) SeparateErr() (err error) {
	if s.Err == nil {
		s.Err, err = s.outPipe(2)
	}
	return err
}

// replace gives the child another descriptor fd.
func (s *Stdio) replace(fd int, f *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.child[fd]
	s.pipes = append(slices.DeleteFunc(s.pipes, func(p *os.File) bool { return p == old }), f)
	s.child[fd] = f
	_ = old.Close()
}

// Child returns what the program gets as descriptors 0, 1 and 2, in blocking
// mode. They are not the caller's to close: ChildStarted, Terminal.Release and
// Close do.
func (s *Stdio) Child() [3]*os.File { return s.child }

// ChildStarted closes our copies of the child's pipe ends: while we held them
// the end of its output would never come. The terminal's slave stays open
// until Terminal.Release. It may be called more than once.
func (s *Stdio) ChildStarted() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for _, f := range s.pipes {
		all = append(all, f.Close())
	}
	s.pipes = nil
	return errors.Join(all...)
}

// Close closes everything that is still open, on both sides. It may be called
// more than once.
func (s *Stdio) Close() error {
	all := []error{s.ChildStarted()}
	if s.Terminal != nil {
		all = append(all, s.Terminal.Release())
	}
	for _, f := range []*File{s.In, s.Out, s.Err} {
		if f != nil {
			all = append(all, f.Close())
		}
	}
	return errors.Join(all...)
}
