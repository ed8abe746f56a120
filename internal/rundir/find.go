package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// An Entry is what the folder knows of a name.
type Entry struct {
	Name string
	Dir  string
	PID  int    // of who serves it; 0 when the program has ended
	Exit []byte // how it ended, as Claim.Ended was told; nil while it runs
}

// List returns all names, in order. What dead servers left is removed on the
// way.
func List() ([]Entry, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	dirs, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, d := range dirs {
		if CheckName(d.Name()) != nil {
			continue // not ours
		}
		e, err := Find(d.Name())
		switch {
		case err == nil:
			all = append(all, e)
		case !errors.Is(err, fs.ErrNotExist):
			return all, err
		}
	}
	return all, nil
}

// Find returns what is known of a name. The error is fs.ErrNotExist when
// nothing runs under it and no status is kept; what a dead server left is then
// removed.
func Find(name string) (Entry, error) {
	e, f, err := look(name)
	if f != nil {
		_ = f.Close()
	}
	return e, err
}

// Collect takes the kept status of a program that has ended: it is given once.
// The error is fs.ErrNotExist where there is none, a *TakenError while the
// program runs.
func Collect(name string) ([]byte, error) {
	e, f, err := look(name)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, &TakenError{Name: name, PID: e.PID}
	}
	defer f.Close()
	if err := os.Remove(filepath.Join(e.Dir, exitFile)); err != nil {
		return nil, err
	}
	_ = errors.Join(clean(e.Dir), remove(e.Dir)) // what is left is a dead server's, and in nobody's way
	return e.Exit, nil
}

// look is Find that also returns the locked lock file where nobody had it.
func look(name string) (Entry, *os.File, error) {
	none := fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	if err := CheckName(name); err != nil {
		return Entry{}, nil, err
	}
	root, err := Root()
	if err != nil {
		return Entry{}, nil, err
	}
	e := Entry{Name: name, Dir: filepath.Join(root, name)}
	if _, err := os.Lstat(e.Dir); errors.Is(err, fs.ErrNotExist) {
		return Entry{}, nil, none
	}
	if err := Private(e.Dir); err != nil {
		return Entry{}, nil, err
	}
	f, err := openLock(e.Dir, 0)
	if errors.Is(err, fs.ErrNotExist) { // somebody is just making or removing it
		return Entry{}, nil, none
	}
	if err != nil {
		return Entry{}, nil, err
	}
	if e.PID, err = await(f); err != nil {
		_ = f.Close()
		if err != errLocked {
			return Entry{}, nil, err
		}
		return e, nil, nil
	}
	if !current(f, e.Dir) {
		_ = f.Close()
		return Entry{}, nil, none
	}
	e.Exit, err = os.ReadFile(filepath.Join(e.Dir, exitFile))
	if err == nil {
		return e, f, nil
	}
	defer f.Close()
	if !errors.Is(err, fs.ErrNotExist) {
		return Entry{}, nil, err
	}
	_ = errors.Join(clean(e.Dir), remove(e.Dir)) // a dead server's; who cannot remove it says so in Take
	return Entry{}, nil, none
}
