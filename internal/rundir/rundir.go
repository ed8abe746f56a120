// Package rundir keeps the private folder in which named programs are found:
// one folder per name, with the sockets of who serves it, and what is left of
// a program that has ended until somebody asks.
//
//	$XDG_RUNTIME_DIR/spawnx/NAME/lock      held by the living server; names its pid
//	                            /control   and other sockets and fifos: the server's
//	                            /exit      how it ended
//
// Nobody but the user may look into it: that, and not the mode of a socket, is
// what keeps others out, as a socket is open to all for a moment between its
// birth and its chmod where the umask allows it.
package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Root returns the folder that holds one folder per name, and makes it where
// it is missing: $XDG_RUNTIME_DIR/spawnx, or a folder of the user's state
// where the system gives no such thing, or another user's.
func Root() (string, error) {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		if fi, err := os.Stat(dir); err == nil && fi.IsDir() && owned(fi) {
			return private(filepath.Join(dir, "spawnx"))
		}
	}
	state, err := State()
	if err != nil {
		return "", err
	}
	return private(filepath.Join(state, "run"))
}

// State returns the user's private folder for what outlives a reboot, and
// makes it where it is missing: $XDG_STATE_HOME/spawnx, else
// ~/.local/state/spawnx, else one below the folder for temporary files.
func State() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return private(filepath.Join(dir, "spawnx"))
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		dir := filepath.Join(home, ".local", "state")
		_, err := os.Stat(home) // none that is not there is made, as of a user without one
		if err == nil && os.MkdirAll(dir, 0o700) == nil {
			return private(filepath.Join(dir, "spawnx"))
		}
	}
	return private(filepath.Join(os.TempDir(), "spawnx-"+strconv.Itoa(os.Geteuid())))
}

func private(dir string) (string, error) {
	if err := Private(dir); err != nil {
		return "", err
	}
	return dir, nil
}

// Private makes the folder dir, whose parent must exist, or checks the one
// that is there: a folder, no symbolic link, ours, open to nobody else, and in
// a place where nobody else could put another in its stead.
func Private(dir string) error {
	if !supported {
		return fmt.Errorf("named programs on this system: %w", errors.ErrUnsupported)
	}
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = os.Chmod(dir, 0o700) // whatever the umask took away
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		return &UnsafeError{dir, "it is a symbolic link", "remove it"}
	case !fi.IsDir():
		return &UnsafeError{dir, "it is no folder", "remove it"}
	case !owned(fi):
		return &UnsafeError{dir, "it belongs to " + owner(fi), "remove it, or set XDG_RUNTIME_DIR to a folder of yours"}
	case fi.Mode().Perm()&0o077 != 0:
		return &UnsafeError{dir, fmt.Sprintf("others may use it (its mode is %04o)", fi.Mode().Perm()), "chmod 700 " + dir}
	}
	return guarded(filepath.Dir(dir))
}

// guarded checks that nobody else can rename or remove what lies in dir.
func guarded(dir string) error {
	fi, err := os.Stat(dir)
	if err != nil {
		return err
	}
	switch {
	case !owned(fi) && !rooted(fi):
		return &UnsafeError{dir, "it belongs to " + owner(fi), "set XDG_RUNTIME_DIR to a folder of yours"}
	case fi.Mode().Perm()&0o022 != 0 && fi.Mode()&fs.ModeSticky == 0:
		return &UnsafeError{dir, fmt.Sprintf("others may replace what lies in it (its mode is %04o)", fi.Mode().Perm()), "chmod go-w " + dir}
	}
	return nil
}

// Owned checks that a file is the user's own: one that somebody else put in
// its place is not to be trusted.
func Owned(path string, fi fs.FileInfo) error {
	if owned(fi) {
		return nil
	}
	return &UnsafeError{path, "it belongs to " + owner(fi), "remove it, or choose another place"}
}

// An UnsafeError says why a file or folder is not used: somebody else could
// read, write or replace it.
type UnsafeError struct{ Path, Why, Hint string }

func (e *UnsafeError) Error() string {
	return fmt.Sprintf("%s is not safe to use: %s\nhint: %s", e.Path, e.Why, e.Hint)
}

// CheckName returns an error unless name can name a program.
func CheckName(name string) error {
	bad := func(why string) error { return fmt.Errorf("the name %q %s\nhint: use A-Z a-z 0-9 _ -", name, why) }
	if name == "" {
		return errors.New("the name is empty\nhint: use A-Z a-z 0-9 _ -")
	}
	if len(name) > 64 {
		return fmt.Errorf("the name %q… is longer than 64 characters", name[:16])
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		case c == '.':
			return bad("has a dot, which is kept for the channels of a program")
		default:
			return bad("has a character that is not allowed in it")
		}
	}
	if name[0] == '-' {
		return bad("begins like a flag")
	}
	return nil
}
