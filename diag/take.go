package diag

import (
	"io/fs"
	"runtime"
	"time"
)

// ErrNone is returned where there is nothing to look at. It is an fs.ErrNotExist.
var ErrNone error = noneError{}

type noneError struct{}

func (noneError) Error() string { return "diag: no such process" }
func (noneError) Unwrap() error { return fs.ErrNotExist }

// Take looks at the trees of these programs. It takes some milliseconds, changes
// nothing in them and does not wait for them. The Snapshot is of use also with
// an error, which is ErrNone when none of the leaders is there any more. Lanes of
// programs that are linked belong in one call: cycles are found only in one Snapshot.
func Take(lanes ...Lanes) (Snapshot, error) {
	s := Snapshot{Time: time.Now(), System: runtime.GOOS + "/" + runtime.GOARCH, Lanes: lanes}
	err := s.take()
	return s, err
}

// TakePID looks at any process and all below it, also one that was not started
// here. Its terminal or its own descriptors 0, 1 and 2 are its lanes. What belongs
// to other users can mostly not be looked into, which the findings say.
func TakePID(pid int) (Snapshot, error) {
	l, err := lanesOf(pid)
	if err != nil {
		return Snapshot{Time: time.Now(), System: runtime.GOOS + "/" + runtime.GOARCH}, err
	}
	return Take(l)
}
