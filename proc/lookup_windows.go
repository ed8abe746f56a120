package proc

import (
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
)

// lookPath looks a program up as this system does: with the endings of PATHEXT, in our own PATH.
func lookPath(s Spec, _ []string) (string, error) {
	name := s.Args[0]
	if strings.ContainsAny(name, `/\`) {
		abs, err := filepath.Abs(seenFrom(s.Dir, name))
		if err != nil {
			return "", &StartError{stageLookup, s.Args[0], err}
		}
		name = abs
	}
	path, err := exec.LookPath(name)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", &StartError{stagePermission, s.Args[0], &reason{text: "is not executable", err: fs.ErrPermission}}
	case err != nil:
		return "", &StartError{stageLookup, s.Args[0], &reason{text: "not found in PATH", err: fs.ErrNotExist}}
	}
	return path, nil
}
