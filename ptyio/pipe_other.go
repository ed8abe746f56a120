//go:build !linux

package ptyio

import "os"

// newPipe returns the ends of a pipe, in the mode that a program expects where it is to get one.
func newPipe(programReads, programWrites bool) (r, w *os.File, err error) {
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
