//go:build !linux

package procfs

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
)

// errNoProc is an fs.ErrNotExist: other systems have no /proc, or another one.
var errNoProc = errors.Join(fs.ErrNotExist, fmt.Errorf("no linux /proc on %s", runtime.GOOS))

func readFile(string, func([]byte) error) error { return errNoProc }

func readNumbers(_ string, list []int) ([]int, error) { return list, errNoProc }

func readLink(string) (string, error) { return "", errNoProc }
