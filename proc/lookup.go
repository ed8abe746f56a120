package proc

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spawnx/spawnx/internal/nearest"
)

// checkSpec finds what no system would take.
func checkSpec(s Spec) error {
	if len(s.Args) == 0 || s.Args[0] == "" {
		return &StartError{Stage: stageLookup, Err: errors.New("no program is named")}
	}
	failed := func(stage, text string) error {
		return &StartError{stage, s.Args[0], &reason{text: text, err: syscall.EINVAL}}
	}
	for i, arg := range s.Args {
		if strings.ContainsRune(arg, 0) {
			return failed(stageExec, fmt.Sprintf("argument %d contains a NUL byte", i))
		}
	}
	for _, e := range s.Env {
		name, _, ok := strings.Cut(e, "=")
		switch {
		case strings.ContainsRune(e, 0):
			return failed(stageExec, fmt.Sprintf("the environment variable %q contains a NUL byte", name))
		case !ok:
			return failed(stageExec, fmt.Sprintf("the environment has %q, which is not name=value", e))
		}
	}
	if c := s.Credential; c != nil && (c.UID == math.MaxUint32 || c.GID == math.MaxUint32) {
		return failed(stagePermission, fmt.Sprintf("there is no user or group %d", uint32(math.MaxUint32)))
	}
	if strings.ContainsRune(s.Dir, 0) {
		return failed(stageDir, "the folder's name contains a NUL byte")
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
	var text string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		text = "folder " + shown(s.Dir) + " not found"
	case errors.Is(err, syscall.ENOTDIR):
		text = shown(s.Dir) + " is no folder"
	default:
		text = "folder " + shown(s.Dir) + ": " + plain(err).Error()
	}
	return &StartError{stageDir, s.Args[0], &reason{text: text, err: err}}
}

// explain turns the error of fork or execve into a StartError. The kernel says "no such file" of a script whose
// interpreter is missing, so the file is looked at.
func explain(l launch, err error) *StartError {
	failed := func(stage, text string, hint ...string) *StartError {
		return &StartError{stage, l.args[0], &reason{text, err, strings.Join(hint, "")}}
	}
	line, isScript, readErr := firstLine(seenFrom(l.spec.Dir, l.path))
	interpreter := ""
	if words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' }); isScript && len(words) > 0 {
		interpreter = words[0]
	}

	switch {
	case errors.Is(err, syscall.ENOENT) && strings.HasSuffix(interpreter, "\r"):
		return failed(stageInterpreter, "interpreter "+shown(interpreter)+" not found: its first line ends in CR LF, as on Windows",
			"take the carriage returns out: sed -i 's/\\r$//' ", l.path)
	case errors.Is(err, syscall.ENOENT) && isScript:
		return failed(stageInterpreter, "interpreter "+shown(interpreter)+" not found (its first line names it)",
			"correct the line", orRun(l, filepath.Base(interpreter)))
	case errors.Is(err, syscall.ENOENT) && readErr == nil:
		return failed(stageInterpreter, "the loader that it needs is not on this machine")
	case errors.Is(err, syscall.ENOENT):
		return failed(stageLookup, "not found")
	case errors.Is(err, syscall.ELOOP) && isScript:
		return failed(stageInterpreter, "interpreter "+shown(interpreter)+" is a script, and so on: too many of them")

	case errors.Is(err, syscall.EPERM) && l.spec.Credential != nil:
		return failed(stagePermission, fmt.Sprintf("we may not become user %d, group %d", l.spec.Credential.UID, l.spec.Credential.GID))
	case errors.Is(err, fs.ErrPermission) && l.spec.Credential == nil && !enters(l.spec.Dir):
		return failed(stageDir, "folder "+shown(l.spec.Dir)+" may not be entered")
	case errors.Is(err, fs.ErrPermission) && isScript && !runs(interpreter):
		return failed(stagePermission, "interpreter "+shown(interpreter)+" is not executable (its first line names it)",
			"correct the line")
	case errors.Is(err, fs.ErrPermission) && l.spec.Credential != nil:
		return failed(stagePermission, fmt.Sprintf("user %d may not run it, or not enter its folder", l.spec.Credential.UID))
	case errors.Is(err, fs.ErrPermission):
		return failed(stagePermission, "may not be run: "+err.Error())

	case errors.Is(err, syscall.ENOEXEC) && readErr == nil && isText(line):
		return failed(stageInterpreter, "its first line does not name an interpreter",
			"begin it with #!/bin/sh", orRun(l, "sh"))
	case errors.Is(err, syscall.ENOEXEC):
		return failed(stageExec, "is no program for this machine")
	case errors.Is(err, syscall.E2BIG):
		return failed(stageExec, tooBig(l.args, l.env), "pass it as a file or as input")
	case errors.Is(err, syscall.ETXTBSY):
		return failed(stageExec, "somebody has it open for writing")
	case errors.Is(err, syscall.EAGAIN):
		return failed(stageExec, "no more processes are allowed")
	}
	return &StartError{stageExec, l.args[0], err}
}

// enters reports whether we may use a folder as the current one.
func enters(dir string) bool {
	if dir == "" {
		return true
	}
	_, err := os.Stat(strings.TrimSuffix(dir, "/") + "/.")
	return !errors.Is(err, fs.ErrPermission)
}

// orRun returns the part of a hint that names what to run instead: the interpreter if it is in PATH, else the usual one
// whose name is most like it.
func orRun(l launch, interpreter string) string {
	best, fewest := "", 3 // edits; a name that differs by more is another name
	for _, name := range []string{interpreter, "sh", "bash", "zsh", "python3", "perl", "ruby", "node", "php", "lua", "awk", "tclsh", "expect"} {
		n := nearest.Distance(interpreter, name)
		if _, err := lookPath(Spec{Args: []string{name}, Dir: l.spec.Dir}, l.env); err == nil && n < fewest {
			best, fewest = name, n
		}
	}
	if best == "" {
		return ""
	}
	return ", or run: " + best + " " + l.path
}

// firstLine returns the first line of a file without its newline, and without #! if it is a script.
func firstLine(file string) (line string, isScript bool, err error) {
	// Only a regular file: opening a fifo would wait.
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return "", false, cmp.Or(err, errors.New("not a regular file"))
	}
	f, err := os.Open(file)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	// The kernel looks at as many bytes: BINPRM_BUF_SIZE in linux/binfmts.h.
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
	tooLong := func(what string, s string) string {
		total += len(s) + 1
		if len(s) < maxArg || runtime.GOOS != "linux" {
			return ""
		}
		return fmt.Sprintf("%s is too long: %d bytes, at most %d are possible", what, len(s), maxArg-1)
	}
	for i, arg := range args {
		if text := tooLong(fmt.Sprintf("argument %d", i), arg); text != "" {
			return text
		}
	}
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if text := tooLong("the environment variable "+shown(name), e); text != "" {
			return text
		}
	}
	return fmt.Sprintf("arguments and environment are too long: %d bytes", total)
}

// seenFrom returns file as we have to name it, when it is named from dir.
func seenFrom(dir, file string) string {
	if dir == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

// plain takes the operation and the path off an error of os: they are in the text already.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
