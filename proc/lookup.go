package proc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// defaultPath is where a program is looked up when the child's environment has no PATH, as execvp(3) does it.
const defaultPath = "/usr/bin:/bin"

// checkSpec finds what no system would take.
func checkSpec(s Spec) error {
	if len(s.Args) == 0 || s.Args[0] == "" {
		return &StartError{Stage: stageLookup, Err: errors.New("no program is named")}
	}
	failed := func(text string) error {
		return &StartError{stageExec, s.Args[0], &reason{text, syscall.EINVAL}}
	}
	for i, arg := range s.Args {
		if strings.ContainsRune(arg, 0) {
			return failed(fmt.Sprintf("argument %d contains a NUL byte", i))
		}
	}
	for _, e := range s.Env {
		if name, _, ok := strings.Cut(e, "="); strings.ContainsRune(e, 0) {
			return failed(fmt.Sprintf("the environment variable %q contains a NUL byte", name))
		} else if !ok {
			return failed(fmt.Sprintf("the environment has %q, which is not name=value", e))
		}
	}
	if strings.ContainsRune(s.Dir, 0) {
		return &StartError{stageDir, s.Args[0], &reason{"the folder's name contains a NUL byte", syscall.EINVAL}}
	}
	return nil
}

// checkDir makes sure that there is a folder to start in.
func checkDir(s Spec) error {
	if s.Dir == "" {
		return nil
	}
	info, err := os.Stat(s.Dir)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		return nil
	}
	text := "folder " + s.Dir + ": " + plain(err).Error()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = "folder " + s.Dir + " not found"
	case errors.Is(err, syscall.ENOTDIR):
		text = s.Dir + " is no folder"
	}
	return &StartError{stageDir, s.Args[0], &reason{text, err}}
}

// environment returns the child's environment, without duplicates.
func environment(s Spec) ([]string, error) {
	var env []string
	switch {
	case s.EnvKeep != nil:
		for _, e := range os.Environ() {
			if name, _, _ := strings.Cut(e, "="); slices.Contains(s.EnvKeep, name) {
				env = append(env, e)
			}
		}
	case s.Env == nil:
		env = os.Environ()
	}
	// Our PWD would be wrong in another folder; what the Spec itself says stands.
	if s.Dir != "" && (s.Env == nil || s.EnvKeep != nil) && slices.ContainsFunc(env, names("PWD")) {
		dir, err := filepath.Abs(s.Dir)
		if err != nil {
			return nil, err
		}
		env = append(env, "PWD="+dir)
	}
	env = append(env, s.Env...)
	if s.Stdio != Pipes && !slices.ContainsFunc(env, names("TERM")) {
		env = append(env, "TERM=xterm-256color")
	}
	return lastWins(env), nil
}

// names returns whether an entry of an environment is that of name.
func names(name string) func(string) bool {
	return func(entry string) bool { return strings.HasPrefix(entry, name+"=") }
}

// lastWins keeps the last value of each name, at its place.
func lastWins(env []string) []string {
	seen := make(map[string]bool, len(env))
	out := make([]string, 0, len(env))
	for _, e := range slices.Backward(env) {
		name, _, _ := strings.Cut(e, "=")
		if runtime.GOOS == "windows" {
			// Names have no case there, and "=C:=C:\dir" holds a drive's folder.
			if name == "" {
				name = e
			}
			name = strings.ToUpper(name)
		}
		if !seen[name] {
			seen[name] = true
			out = append(out, e)
		}
	}
	slices.Reverse(out)
	return out
}

func valueOf(env []string, name string) (value string, ok bool) {
	for _, e := range slices.Backward(env) {
		if n, v, _ := strings.Cut(e, "="); n == name {
			return v, true
		}
	}
	return "", false
}

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
		if dir == "" { // it means the current folder: never without being named
			continue
		}
		file := strings.TrimSuffix(dir, "/") + "/" + name
		err := executable(s, file)
		if err == nil {
			return file, nil
		}
		// A file that may not be run hides none that may, further on.
		if forbidden == nil && !errors.Is(err, fs.ErrNotExist) && !isDir(seenFrom(s.Dir, file)) {
			forbidden = err
		}
	}
	if forbidden != nil {
		return "", forbidden
	}
	text := "not found in PATH"
	switch {
	case !ok:
		text = "not found in " + defaultPath + " (the environment has no PATH)"
	case path == "":
		text = "not found: PATH is empty"
	}
	return "", &StartError{stageLookup, name, &reason{text, fs.ErrNotExist}}
}

// executable returns why file cannot be run, as far as its name and mode tell.
func executable(s Spec, file string) error {
	info, err := os.Stat(seenFrom(s.Dir, file))
	stage, text := stagePermission, ""
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		stage, text = stageLookup, "not found"
		if s.Dir != "" && !filepath.IsAbs(file) {
			text += " in " + s.Dir
		}
		err = &reason{plain(err).Error(), fs.ErrNotExist}
	case err != nil:
		text = plain(err).Error()
	case info.IsDir():
		text, err = "is a folder", fs.ErrPermission
	case info.Mode()&0o111 == 0:
		text, err = "is not executable (chmod +x makes it so)", fs.ErrPermission
	default:
		return nil
	}
	if file != s.Args[0] {
		text = file + ": " + text
	}
	return &StartError{stage, s.Args[0], &reason{text, err}}
}

// seenFrom returns file as we have to name it, when it is named from dir.
func seenFrom(dir, file string) string {
	if dir == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

func isDir(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.IsDir()
}

// explain turns the error of execve into a StartError. The kernel says "no such file" of a script whose interpreter is
// missing, so the file is looked at.
func explain(s Spec, path string, args, env []string, err error) *StartError {
	failed := func(stage, text string) *StartError {
		return &StartError{stage, s.Args[0], &reason{text, err}}
	}
	file := seenFrom(s.Dir, path)
	line, isScript, readErr := firstLine(file)
	interpreter, _, _ := strings.Cut(strings.TrimLeft(line, " \t"), " ")
	interpreter, _, _ = strings.Cut(interpreter, "\t")

	switch {
	case errors.Is(err, syscall.ENOENT) && isScript && strings.HasSuffix(line, "\r"):
		return failed(stageInterpreter, fmt.Sprintf("interpreter %q not found: its first line ends in CR LF, as on Windows", interpreter))
	case errors.Is(err, syscall.ENOENT) && isScript:
		return failed(stageInterpreter, "interpreter "+interpreter+" not found (its first line names it)")
	case errors.Is(err, syscall.ENOENT) && readErr == nil:
		return failed(stageInterpreter, "the loader that it needs is not on this machine")
	case errors.Is(err, syscall.ENOENT):
		return failed(stageLookup, "not found")
	case errors.Is(err, fs.ErrPermission) && isScript && !runs(interpreter):
		return failed(stagePermission, "interpreter "+interpreter+" cannot be run (its first line names it)")
	case errors.Is(err, syscall.EPERM) && s.Credential != nil:
		return failed(stagePermission, fmt.Sprintf("we may not become user %d, group %d", s.Credential.UID, s.Credential.GID))
	case errors.Is(err, fs.ErrPermission):
		return failed(stagePermission, "may not be run: "+err.Error())
	case errors.Is(err, syscall.ENOEXEC) && readErr == nil && line == "" && !isScript:
		return failed(stageInterpreter, "is empty or begins with an empty line: no interpreter is named")
	case errors.Is(err, syscall.ENOEXEC) && isText(line):
		return failed(stageInterpreter, "its first line does not begin with #! and an interpreter")
	case errors.Is(err, syscall.ENOEXEC):
		return failed(stageExec, "is no program for this machine")
	case errors.Is(err, syscall.ELOOP) && isScript:
		return failed(stageInterpreter, "interpreter "+interpreter+" is a script, and so on: too many of them")
	case errors.Is(err, syscall.E2BIG):
		return failed(stageExec, tooBig(args, env))
	case errors.Is(err, syscall.ETXTBSY):
		return failed(stageExec, "somebody has it open for writing")
	case errors.Is(err, syscall.EAGAIN):
		return failed(stageExec, "no more processes are allowed (resource temporarily unavailable)")
	}
	return &StartError{stageExec, s.Args[0], err}
}

// firstLine returns the first line of a file without its newline, and without #! if it is a script.
func firstLine(file string) (line string, isScript bool, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", false, errors.New("not a regular file")
	}
	// The kernel reads 256 bytes; BINPRM_BUF_SIZE in linux/binfmts.h.
	line, err = bufio.NewReader(io.LimitReader(f, 256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, err
	}
	line, isScript = strings.CutPrefix(strings.TrimSuffix(line, "\n"), "#!")
	return line, isScript, nil
}

func isText(line string) bool {
	return !strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' || r == '\uFFFD' })
}

func runs(interpreter string) bool {
	info, err := os.Stat(interpreter)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// maxArg is the longest single argument that Linux takes, its NUL included: MAX_ARG_STRLEN in linux/binfmts.h.
const maxArg = 32 * 4096

func tooBig(args, env []string) string {
	total := 0
	for i, arg := range args {
		if len(arg) >= maxArg && runtime.GOOS == "linux" {
			return fmt.Sprintf("argument %d is too long: %d bytes, at most %d are possible", i, len(arg), maxArg-1)
		}
		total += len(arg) + 1
	}
	for _, e := range env {
		if len(e) >= maxArg && runtime.GOOS == "linux" {
			name, _, _ := strings.Cut(e, "=")
			return fmt.Sprintf("the environment variable %s is too long: %d bytes, at most %d are possible", name, len(e), maxArg-1)
		}
		total += len(e) + 1
	}
	return fmt.Sprintf("arguments and environment are too long: %d bytes", total)
}

// plain takes the operation and the path off an error of os: they are in the text already.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
