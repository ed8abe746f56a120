//go:build !linux

package ptyio

import "os"

// newPipe returns the ends of a pipe, both for programs, in the mode that they expect.
func newPipe() (r, w *os.File, err error) { return openPipe(true, true) }

// halfPipe returns a program's end of a pipe, and ours.
func halfPipe(programReads bool) (theirs *os.File, ours *File, err error) {
	r, w, err := openPipe(programReads, !programReads)
	if err != nil {
		return nil, nil, err
	}
	its, own := w, r
	if programReads {
		its, own = own, its
	}
	if ours, err = newFile(own); err != nil {
		its.Close()
		return nil, nil, err
	}
	return its, ours, nil
}

// openPipe opens those ends again that are a program's, as it expects them to block.
func openPipe(programReads, programWrites bool) (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err != nil {
		return nil, nil, err
	}
	if programReads {
		if r, err = blocking(r); err != nil {
			w.Close()
			return nil, nil, err
		}
	}
	if programWrites {
		if w, err = blocking(w); err != nil {
			r.Close()
			return nil, nil, err
		}
	}
	return r, w, nil
}
