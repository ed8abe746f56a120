package clitest

import (
	"os"
	"path/filepath"
)

// A place has the folders of one test after the other: making a folder can cost more than running a program,
// so they are emptied, and made anew only where a test did something to them.
type place struct {
	root            string
	work, tmp, home string // $WORK, $TMPDIR and $HOME, in root
}

// prepare makes the folders that are not there.
func (p *place) prepare() error {
	if p.work != "" {
		return nil
	}
	if err := os.Mkdir(p.root, 0o777); err != nil {
		return err
	}
	p.work, p.tmp, p.home = filepath.Join(p.root, "work"), filepath.Join(p.root, "tmp"), filepath.Join(p.root, "home")
	for _, dir := range p.folders() {
		if err := os.Mkdir(dir, 0o777); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) folders() []string { return []string{p.work, p.tmp, p.home} }

// clear makes the folders as they were at the beginning. What cannot be removed stays, and the next test gets
// other folders.
func (p *place) clear() error {
	var err error
	for _, dir := range p.folders() {
		if err == nil {
			err = empty(dir)
		}
	}
	if err == nil && p.untouched() {
		return nil
	}
	p.work = ""
	if err = removeAll(p.root); err != nil {
		p.root += "x"
	}
	return err
}

// empty removes what is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // gone, or locked: it will be made anew
	}
	for _, e := range entries {
		if err := removeAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// untouched reports whether the folders are there, and nothing else, with the mode they were made with.
func (p *place) untouched() bool {
	whole, err := os.Lstat(p.root)
	if err != nil {
		return false
	}
	entries, err := os.ReadDir(p.root)
	if err != nil || len(entries) != len(p.folders()) {
		return false
	}
	for _, dir := range p.folders() {
		info, err := os.Lstat(dir)
		if err != nil || info.Mode() != whole.Mode() {
			return false
		}
	}
	return true
}
