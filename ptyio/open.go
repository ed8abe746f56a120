package ptyio

import (
	"errors"
	"os"
)

// A Stdio is both sides of a program's standard streams.
type Stdio struct {
	Kind Kind
	// Our ends. On a terminal In and Out are the same File; Err is nil where
	// errors share the terminal.
	In, Out, Err *File
	// Terminal is the program's terminal; nil with Pipes.
	Terminal *Terminal

	child [3]*os.File
	pipes []*os.File // the child's ends that ChildStarted closes
}

// Open opens the streams of one program, all or nothing. The size is that of
// the terminal from the start; noEcho starts it with echo off.
func Open(kind Kind, size Size, noEcho bool) (s *Stdio, err error) {
	s = &Stdio{Kind: kind}
	defer func() {
		if err != nil {
			_ = s.Close()
			s = nil
		}
	}()
	if kind != Pipes {
		if err := s.openTerminal(size.OrDefault(), noEcho); err != nil {
			return s, err
		}
	}
	switch kind {
	case PTY:
		s.In = s.Out
	case PTYStderr:
		s.In = s.Out
		s.Err, err = s.outPipe(2)
	case PTYStdout:
		s.In, err = s.inPipe(0)
	case Pipes:
		s.In, err = s.inPipe(0)
		if err == nil {
			s.Out, err = s.outPipe(1)
		}
		if err == nil {
			s.Err, err = s.outPipe(2)
		}
	default:
		err = errors.New("unknown kind of streams: " + kind.String())
	}
	return s, err
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
	if s.Terminal, err = newTerminal(master, slave); err != nil {
		return err
	}
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

func (s *Stdio) inPipe(fd int) (*File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.child[fd], s.pipes = r, append(s.pipes, r)
	return newFile(w)
}

func (s *Stdio) outPipe(fd int) (*File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.child[fd], s.pipes = w, append(s.pipes, w)
	return newFile(r)
}

// Child returns what the program gets as descriptors 0, 1 and 2. They stay
// ours to close: ChildStarted, Terminal.Release and Close do.
func (s *Stdio) Child() [3]*os.File { return s.child }

// ChildStarted closes our copies of the child's pipe ends: while we held them
// the end of its output would never come. The terminal's slave stays open
// until Terminal.Release.
func (s *Stdio) ChildStarted() error {
	var all []error
	for _, f := range s.pipes {
		all = append(all, f.Close())
	}
	s.pipes = nil
	return errors.Join(all...)
}

// Close closes everything that is still open, on both sides. It may be called
// more than once, once the child was started or given up.
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
