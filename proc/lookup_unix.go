//go:build unix

package proc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// defaultPath is where a program is looked up when the child's environment has no PATH, as execvp(3) does it.
const defaultPath = "/usr/bin:/bin"

// lookPath returns what execve gets, as the child sees it from its folder.
func lookPath(s Spec, env []string) (string, error) {
	name := s.Args[0]
	if strings.Contains(name, "/") {
		return name, executable(s, name)
	}
	path, ok := valueOf(env, "PATH")
	if !ok {
		path = defaultPath
	}
	var forbidden error
	for _, dir := range filepath.SplitList(path) {
		if dir == "" { // it means the current folder, which is never searched without being named
			continue
		}
		file := strings.TrimSuffix(dir, "/") + "/" + name
		info, err := os.Stat(seenFrom(s.Dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err = runnable(s, file, info, err); err == nil {
			return file, nil
		}
		// What may not be run hides nothing further on, and a folder is no program.
		if forbidden == nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EISDIR) {
			forbidden = err
		}
	}
	if forbidden != nil {
		return "", forbidden
	}
	r := &reason{text: "not found in PATH", err: fs.ErrNotExist}
	switch {
	case !ok:
		r.text = "not found in " + defaultPath + " (the environment has no PATH)"
	case path == "":
		r.text = "not found: PATH is empty"
	}
	if executable(s, "./"+name) == nil {
		r.hint = "write ./" + name
	}
	return "", &StartError{stageLookup, name, r}
}

// valueOf returns the value of a name in an environment without duplicates.
func valueOf(env []string, name string) (value string, ok bool) {
	if i := slices.IndexFunc(env, isOf(name)); i >= 0 {
		return env[i][len(name)+1:], true
	}
	return "", false
}

// executable returns why file cannot be run, as far as its name and mode tell.
func executable(s Spec, file string) error {
	info, err := os.Stat(seenFrom(s.Dir, file))
	return runnable(s, file, info, err)
}

// runnable is executable for a file at which was looked.
func runnable(s Spec, file string, info fs.FileInfo, err error) error {
	seen := seenFrom(s.Dir, file)
	stage, r := stagePermission, &reason{err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		stage, r.text, r.err = stageLookup, "not found", fs.ErrNotExist
		if s.Dir != "" && !filepath.IsAbs(file) {
			r.text += " in " + shown(s.Dir)
		}
		if link, err := os.Readlink(seen); err == nil {
			r.text = "not found: it is a link to " + shown(link)
		}
	case err != nil:
		r.text = plain(err).Error()
	case info.IsDir():
		r.text, r.err = "is a folder", &folderError{}
	case info.Mode()&0o111 == 0:
		r.text, r.err, r.hint = "is not executable", fs.ErrPermission, "chmod +x "+shown(seen)
	default:
		return nil
	}
	if file != s.Args[0] {
		r.text = shown(file) + " " + r.text
	}
	return &StartError{stage, s.Args[0], r}
}

// A folderError is both what execve says of a folder and what it means.
type folderError struct{}

func (*folderError) Error() string { return syscall.EISDIR.Error() }
func (*folderError) Is(target error) bool {
	return target == fs.ErrPermission || target == error(syscall.EISDIR)
}
