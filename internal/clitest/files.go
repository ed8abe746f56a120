package clitest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spawnx/spawnx/internal/escape"
)

// The commands about files and variables.
func fileCommands() []command {
	return []command{
		{name: "cd", args: "DIR", about: "go to another folder", min: 1, max: 1, run: (*state).cmdCd},
		{name: "chmod", args: "MODE FILE...", about: "change the mode (octal) of files", min: 2, max: -1, check: checkChmod, run: (*state).cmdChmod},
		{name: "cp", args: "FILE... TARGET", about: "copy files to a file or folder; stdout and stderr are files too", min: 2, max: -1, run: (*state).cmdCp},
		{name: "env", args: "[NAME=VALUE]...", about: "set variables; without arguments, or with names alone, show them in the log", max: -1, check: checkEnv, run: (*state).cmdEnv},
		{name: "exists", args: "[-readonly] FILE...", about: "the files are there", negated: true, min: 1, max: -1, check: checkExists, run: (*state).cmdExists},
		{name: "mkdir", args: "DIR...", about: "make folders, with those above them", min: 1, max: -1, run: (*state).cmdMkdir},
		{name: "mv", args: "OLD NEW", about: "rename a file", min: 2, max: 2, run: (*state).cmdMv},
		{name: "rm", args: "FILE...", about: "remove files and folders with what is in them", min: 1, max: -1, run: (*state).cmdRm},
		{name: "stdin", args: "FILE", about: "the next exec reads this file; stdout and stderr are files too", min: 1, max: 1, run: (*state).cmdStdin},
		{name: "symlink", args: "FILE -> TARGET", about: "make a symbolic link", min: 3, max: 3, check: checkSymlink, run: (*state).cmdSymlink},
		{name: "unix2dos", args: "FILE...", about: "give the lines of files ends of CR LF", min: 1, max: -1, run: (*state).cmdUnix2dos},
		{name: "unquote", args: "FILE...", about: "take the > from the start of each line of files", min: 1, max: -1, run: (*state).cmdUnquote},
	}
}

func (s *state) cmdCd(c call) error {
	dir := s.abs(c.args[0])
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return s.fileError(c.args[0], err)
	case !info.IsDir():
		return failed("%s is no folder", escape.Visible(c.args[0]))
	}
	s.cd = dir
	return nil
}

// fileError says what is wrong with a file, by the name that the script has for it.
func (s *state) fileError(name string, err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p := failed("%s is not there", escape.Visible(name))
		p.err = err
		return p
	case errors.As(err, &path):
		err = path.Err
	}
	p := failed("%s: %v", escape.Visible(name), err)
	p.err = err
	return p
}

func checkChmod(c call) error {
	_, err := fileMode(c.args[0])
	return err
}

func fileMode(s string) (fs.FileMode, error) {
	mode, err := strconv.ParseUint(s, 8, 32)
	if err != nil || mode > 0o777 {
		return 0, hinted("write it in octal, such as 644", "%s is no mode", escape.Quote(s))
	}
	return fs.FileMode(mode), nil
}

func (s *state) cmdChmod(c call) error {
	mode, err := fileMode(c.args[0])
	if err != nil {
		return err
	}
	for _, name := range c.args[1:] {
		if err := os.Chmod(s.abs(name), mode); err != nil {
			return s.fileError(name, err)
		}
	}
	return nil
}

// read returns the content of a file; stdout and stderr are what the last exec or wait left.
func (s *state) read(name string) (string, error) {
	switch name {
	case "stdout":
		return s.stdout.whole(name)
	case "stderr":
		return s.stderr.whole(name)
	}
	data, err := os.ReadFile(s.abs(name))
	if err != nil {
		return "", s.fileError(name, err)
	}
	return string(data), nil
}

// whole returns the output, unless its beginning was not kept.
func (o output) whole(name string) (string, error) {
	if o.lost {
		return "", hinted("write it to a file and look at that", "%s is longer than the %d MiB that are kept", name, mostOutput>>20)
	}
	return o.text, nil
}

func (s *state) cmdCp(c call) error {
	sources, target := c.args[:len(c.args)-1], c.args[len(c.args)-1]
	info, err := os.Stat(s.abs(target))
	intoDir := err == nil && info.IsDir()
	if len(sources) > 1 && !intoDir {
		return failed("%s is no folder", escape.Visible(target))
	}
	for _, name := range sources {
		mode := fs.FileMode(0o666)
		if name != "stdout" && name != "stderr" {
			info, err := os.Stat(s.abs(name))
			if err != nil {
				return s.fileError(name, err)
			}
			if info.IsDir() {
				return failed("%s is a folder", escape.Visible(name))
			}
			mode = info.Mode().Perm()
		}
		data, err := s.read(name)
		if err != nil {
			return err
		}
		to := s.abs(target)
		if intoDir {
			to = filepath.Join(to, filepath.Base(name))
		}
		if err := os.WriteFile(to, []byte(data), mode); err != nil {
			return s.fileError(target, err)
		}
	}
	return nil
}

func checkEnv(c call) error {
	for _, arg := range c.args {
		if strings.HasPrefix(arg, "=") {
			return failed("%s has no name", escape.Quote(arg))
		}
	}
	return nil
}

func (s *state) cmdEnv(c call) error {
	show := func(name string) { s.note(name + "=" + s.env[name]) }
	if len(c.args) == 0 {
		names := make([]string, 0, len(s.env))
		for name := range s.env {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			show(name)
		}
	}
	for _, arg := range c.args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			show(name)
			continue
		}
		s.env[name] = value
	}
	return nil
}

func checkExists(c call) error {
	if c.args[0] == "-readonly" && len(c.args) == 1 {
		return usageOf(c.cmd.usage())
	}
	return nil
}

func (s *state) cmdExists(c call) error {
	names, readonly := c.args, false
	if names[0] == "-readonly" {
		names, readonly = names[1:], true
	}
	for _, name := range names {
		info, err := os.Stat(s.abs(name))
		switch {
		case err == nil && c.not && info.IsDir():
			return failed("the folder %s is there", escape.Visible(name))
		case err == nil && c.not:
			return failed("%s is there", escape.Visible(name))
		case err == nil && readonly && info.Mode()&0o222 != 0:
			return failed("%s may be written (mode %#o)", escape.Visible(name), info.Mode().Perm())
		case err != nil && !c.not:
			return s.fileError(name, err)
		}
	}
	return nil
}

func (s *state) cmdMkdir(c call) error {
	for _, name := range c.args {
		if err := os.MkdirAll(s.abs(name), 0o777); err != nil {
			return s.fileError(name, err)
		}
	}
	return nil
}

func (s *state) cmdMv(c call) error {
	err := os.Rename(s.abs(c.args[0]), s.abs(c.args[1]))
	var link *os.LinkError
	if errors.As(err, &link) {
		return s.fileError(c.args[0], link.Err)
	}
	return err
}

func (s *state) cmdRm(c call) error {
	for _, name := range c.args {
		path := s.abs(name)
		if path == s.work || within(s.work, path) {
			return failed("%s is, or holds, the test's own folder", escape.Visible(name))
		}
		if err := removeAll(path); err != nil {
			return s.fileError(name, err)
		}
	}
	return nil
}

// removeAll removes also what lies in folders that may not be written.
func removeAll(path string) error {
	err := os.RemoveAll(path)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(name, 0o700) // what cannot be changed is told by the removal
		}
		return nil
	})
	return os.RemoveAll(path)
}

func (s *state) cmdStdin(c call) (err error) {
	s.stdin, err = s.read(c.args[0])
	return err
}

func checkSymlink(c call) error {
	if c.args[1] != "->" {
		return usageOf(c.cmd.usage())
	}
	return nil
}

func (s *state) cmdSymlink(c call) error {
	err := os.Symlink(c.args[2], s.abs(c.args[0])) // the target is as the link will say, relative to it
	var link *os.LinkError
	if errors.As(err, &link) {
		return s.fileError(c.args[0], link.Err)
	}
	return err
}

func (s *state) cmdUnix2dos(c call) error {
	return s.rewrite(c.args, func(data []byte) ([]byte, error) {
		var b bytes.Buffer
		for text := range bytes.Lines(data) {
			text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
			b.Write(text)
			b.WriteString("\r\n")
		}
		return b.Bytes(), nil
	})
}

func (s *state) cmdUnquote(c call) error { return s.rewrite(c.args, unquote) }

func (s *state) rewrite(names []string, change func([]byte) ([]byte, error)) error {
	for _, name := range names {
		data, err := os.ReadFile(s.abs(name))
		if err == nil {
			data, err = change(data)
		}
		if err == nil {
			err = os.WriteFile(s.abs(name), data, 0o666)
		}
		if err != nil {
			return s.fileError(name, err)
		}
	}
	return nil
}

// unquote takes the > from the start of each line.
func unquote(data []byte) ([]byte, error) {
	var b bytes.Buffer
	for text := range bytes.Lines(data) {
		plain, ok := bytes.CutPrefix(text, []byte(">"))
		if !ok {
			return nil, errors.New("is not quoted: a line does not begin with >")
		}
		b.Write(plain)
	}
	return b.Bytes(), nil
}

// quote puts a > before each line, where the text would otherwise begin a new file of the archive. It
// must end in a line end.
func quote(data []byte) []byte {
	var b bytes.Buffer
	for text := range bytes.Lines(data) {
		b.WriteByte('>')
		b.Write(text)
	}
	return b.Bytes()
}
