package rundir

import (
	"errors"
	"io/fs"
	"os"
)

// Named programs need unix sockets and terminals: there is no such folder here.

func owned(fs.FileInfo) bool   { return false }
func rooted(fs.FileInfo) bool  { return false }
func owner(fs.FileInfo) string { return "an unknown user" }
func lock(*os.File) error      { return errors.ErrUnsupported }
func unlock(*os.File) error    { return errors.ErrUnsupported }
func alive(int) bool           { return false }

var errLocked = errors.New("locked")

const supported = false

const noFollow = 0
