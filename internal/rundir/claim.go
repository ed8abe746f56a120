package rundir

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	lockFile = "lock"
	exitFile = "exit"
)

// A Claim is the right to a name: its folder is the claimant's. It holds as
// long as the process lives, at most until Ended or Close. One goroutine uses
// it at a time.
type Claim struct {
	name, dir string
	f         *os.File
	mark      []byte // what stands in the lock file as long as it is ours
	held      bool
	kept      bool // a status lies there that nobody has collected
	before    []byte
}

// Take claims a name. A program that lives under it is a *TakenError; what a
// dead server left, and the kept status of a program that has ended, is
// removed: neither is ever in the way.
func Take(name string) (*Claim, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	dir, f, err := takeLock(name)
	if err != nil {
		return nil, err
	}
	c := &Claim{name: name, dir: dir, f: f, held: true}
	c.before, _ = os.ReadFile(filepath.Join(dir, exitFile)) // mostly there is none
	c.mark = fmt.Appendf(nil, "%d %s\n", os.Getpid(), rand.Text())
	if err := errors.Join(f.Chmod(0o600), c.clean(), f.Truncate(0), writeAt0(f, c.mark)); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("claim the name %s: %w", name, err)
	}
	return c, nil
}

func writeAt0(f *os.File, p []byte) error {
	_, err := f.WriteAt(p, 0)
	return err
}

// How long to wait for a lock whose holder is not known to live: whoever looks
// holds it for a moment, and a new claimant has not yet written its pid.
const (
	unknownHolder = 2 * time.Second
	lockPause     = 2 * time.Millisecond
)

// takeLock returns the folder of a name and its locked lock file, both of which it
// makes.
func takeLock(name string) (string, *os.File, error) {
	for {
		root, err := Root() // anew each time: a logout may have removed it
		if err != nil {
			return "", nil, err
		}
		dir := filepath.Join(root, name)
		if err := Private(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
		f, err := openLock(dir, os.O_CREATE)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the folder was removed between the two
		}
		if err != nil {
			return "", nil, err
		}
		pid, err := await(f)
		switch {
		case err == errLocked:
			err = &TakenError{Name: name, PID: pid}
		case err == nil && current(f, dir):
			return dir, f, nil
		}
		_ = f.Close()
		if err != nil {
			return "", nil, err
		}
		// The file was removed by who had it before.
	}
}

// await locks f, or returns errLocked and the living process that holds it.
func await(f *os.File) (pid int, err error) {
	for deadline := time.Now().Add(unknownHolder); ; time.Sleep(lockPause) {
		if err := lock(f); err != errLocked {
			return 0, err
		}
		if pid := holder(f); alive(pid) || time.Now().After(deadline) {
			return pid, errLocked
		}
	}
}

// A TakenError says that a program runs under the name.
type TakenError struct {
	Name string
	PID  int // of who serves it
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s runs already (pid %d)\nhint: spawnx attach %s, or spawnx stop %s", e.Name, e.PID, e.Name, e.Name)
}

func openLock(dir string, create int) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|create|noFollow, 0o600)
}

// current reports whether f is still the lock file of dir.
func current(f *os.File, dir string) bool {
	there, err := os.Lstat(filepath.Join(dir, lockFile))
	if err != nil {
		return false
	}
	ours, err := f.Stat()
	return err == nil && os.SameFile(there, ours)
}

// holder is the pid that stands in the lock file; 0 if none does.
func holder(f *os.File) int {
	buf := make([]byte, 32)
	n, _ := f.ReadAt(buf, 0) // shorter at the end of the file
	word, _, _ := strings.Cut(string(buf[:n]), " ")
	pid, _ := strconv.Atoi(word)
	return pid
}

// Name returns the name.
func (c *Claim) Name() string { return c.name }

// Before returns the status of an earlier program that nobody had collected, and that
// Take removed; nil: none.
func (c *Claim) Before() []byte { return c.before }

// Dir returns the folder, in which the claimant makes its sockets.
func (c *Claim) Dir() string { return c.dir }

// Ended notes how the program ended and gives the name free. The files stay,
// as long as nobody else claims the name, so that the output that is left can
// still be asked for; until Close the caller goes on serving it.
func (c *Claim) Ended(status []byte) error {
	tmp := filepath.Join(c.dir, exitFile+".new")
	err := os.WriteFile(tmp, status, 0o600)
	if err == nil {
		err = os.Rename(tmp, filepath.Join(c.dir, exitFile))
	}
	c.kept = err == nil
	c.held = false
	for i := range bytes.IndexByte(c.mark, ' ') {
		c.mark[i] = '0' // whoever meets the lock held from now on meets somebody who looks, not us
	}
	return errors.Join(err, writeAt0(c.f, c.mark), unlock(c.f))
}

// Lost reports whether others no longer find what lies in the folder: somebody
// has removed it, as a logout does with all of $XDG_RUNTIME_DIR, or names are
// looked for elsewhere by now, as after the next login.
func (c *Claim) Lost() bool {
	if c.f == nil || !c.held {
		return false
	}
	root, err := Root()
	return err == nil && (c.dir != filepath.Join(root, c.name) || !current(c.f, c.dir))
}

// Renew claims the name once more, where names are looked for now, and removes
// what is left of the old folder. The caller makes its sockets anew. Where that
// fails, nothing has changed; it is a *TakenError when another has the name there.
func (c *Claim) Renew() error {
	again, err := Take(c.name)
	if err != nil {
		return err
	}
	old := *c
	c.dir, c.f, c.mark = again.dir, again.f, again.mark // and the rest is as it was
	if current(old.f, old.dir) {
		_ = errors.Join(old.clean(), remove(old.dir)) // where it is, nobody looks
	}
	return old.f.Close()
}

// Collected drops the status that Ended has noted: somebody knows it.
func (c *Claim) Collected() { c.kept = false }

// Close removes what is left of the program, but for a status that nobody has
// collected, and gives the name free. What belongs to a later claimant is left
// alone. It may be called more than once.
func (c *Claim) Close() error {
	if c.f == nil {
		return nil
	}
	f := c.f
	c.f = nil
	defer f.Close() // gives the lock back
	if !c.held && !c.retake(f) {
		return nil
	}
	if c.kept {
		return c.clean(exitFile)
	}
	return errors.Join(c.clean(), remove(c.dir))
}

// retake takes the lock again, if nobody has claimed the name since.
func (c *Claim) retake(f *os.File) bool {
	_, err := await(f)
	return err == nil && c.unclaimed(f)
}

func (c *Claim) unclaimed(f *os.File) bool {
	there := make([]byte, len(c.mark))
	_, err := f.ReadAt(there, 0)
	return err == nil && bytes.Equal(there, c.mark) && current(f, c.dir)
}

// clean removes what lies in the folder, but for the lock and what to keep.
func (c *Claim) clean(keep ...string) error { return clean(c.dir, keep...) }

func clean(dir string, keep ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var failed error
next:
	for _, e := range entries {
		for _, name := range append(keep, lockFile) {
			if e.Name() == name {
				continue next
			}
		}
		failed = errors.Join(failed, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return failed
}

// remove removes the folder, which holds nothing but its lock, which the
// caller has.
func remove(dir string) error {
	return errors.Join(os.Remove(filepath.Join(dir, lockFile)), os.Remove(dir))
}
