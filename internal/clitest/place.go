package clitest

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A place has the folders of one test after the other: making a folder can cost more than running a program,
// so they are emptied, and made anew only where a test did something to them.
type place struct {
	root            string
	work, tmp, home string // $WORK, $TMPDIR and $HOME, in root
	times           times
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

func (p *place) folders() []string { all := p.all(); return all[1:] }

// clear makes the folders as they were at the beginning. What cannot be removed stays, and the next test gets
// other folders.
func (p *place) clear() error {
	if p.times.same(p) {
		return nil
	}
	var err error
	for _, dir := range p.folders() {
		if err == nil {
			err = empty(dir)
		}
	}
	if err == nil && p.untouched() {
		p.times.take(p)
		return nil
	}
	p.work, p.times = "", times{}
	if err = removeAll(p.root); err != nil {
		p.root += "x"
	}
	return err
}

// times are those of the folders, that above them first, and their mode: what is as it was then needs no second look.
type times struct {
	folders [4]folderTimes
	mode    fs.FileMode
}

// folderTimes are when a folder was changed: by its own account, which anybody may set, and by that of the system.
type folderTimes struct{ modified, changed time.Time }

// longAgo is what the folders say of themselves, so that a change shows at once: the present time may be the same
// for a while.
const longAgo = time.Hour

// take notes the times of folders in which is nothing, where there are such that tell of each change.
func (t *times) take(p *place) {
	*t = times{}
	then := time.Now().Add(-longAgo).Truncate(2 * time.Second) // no file system counts in more
	var now times
	for i, dir := range p.all() {
		if os.Chtimes(dir, then, then) != nil {
			return
		}
		info, err := os.Lstat(dir)
		if err != nil {
			return
		}
		now.folders[i], now.mode = timesOf(info), info.Mode()
	}
	*t = now
}

// same reports whether nothing was changed since take.
func (t *times) same(p *place) bool {
	for i, dir := range p.all() {
		if t.folders[i].changed.IsZero() {
			return false
		}
		info, err := os.Lstat(dir)
		if err != nil || info.Mode() != t.mode || timesOf(info) != t.folders[i] {
			return false
		}
	}
	return true
}

func (p *place) all() [4]string { return [4]string{p.root, p.work, p.tmp, p.home} }

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
