//go:build unix

package fifo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Make makes a fifo with mode 0600, and its folder with mode 0700 where there
// is none. A fifo that is already there and safe is kept: that of a process
// which was killed is as good as a new one, and whoever waits at it goes on.
// A symbolic link, another kind of file, and what belongs to another user or is
// open to others are refused with an *Error that is ErrUnsafe.
func Make(path string) error {
	_, err := made(path)
	return err
}

// made is Make, and reports whether the fifo is new.
func made(path string) (bool, error) {
	dir := filepath.Dir(path)
	_, absent := os.Lstat(dir)
	err := os.MkdirAll(dir, 0o700)
	if err == nil && absent != nil {
		err = os.Chmod(dir, 0o700) // whatever the umask took away
	}
	if err != nil {
		return false, &Error{Path: path, Err: err}
	}
	if err := checkFolder(dir); err != nil {
		return false, err
	}
	err = unix.Mkfifo(path, 0o600)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, unix.EEXIST) {
		return false, &Error{Path: path, Err: &os.PathError{Op: "mkfifo", Path: path, Err: err}}
	}
	_, err = check(path)
	return false, err
}

// checkFolder refuses a folder in which others may put and replace files: a
// sticky one too, as they may put there what we are about to make.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return missing(dir, err, "make the folder: mkdir -m 700 "+dir)
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	switch {
	case !info.IsDir():
		return unsafe(dir, "no folder", "choose a folder of your own")
	case owner != uint32(os.Geteuid()) && owner != 0:
		return unsafe(dir, "the folder belongs to "+userName(owner), "choose a folder of your own")
	case info.Mode().Perm()&0o022 != 0:
		return unsafe(dir, fmt.Sprintf("others may write in this folder (mode %04o)", perm(info)), "choose another, or: chmod 700 "+dir)
	}
	return nil
}

// check looks at what stands at path without opening it: opening can already
// do something, on a device or on the fifo of another.
func check(path string) (os.FileInfo, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, missing(path, err, "make it first: mkfifo -m 600 "+path)
	}
	return info, checkFile(path, info)
}

func checkFile(path string, info os.FileInfo) error {
	owner := info.Sys().(*syscall.Stat_t).Uid
	switch mode := info.Mode(); {
	case mode&fs.ModeSocket != 0: // see Pair.EndInput
		return unsafe(path, "it is a socket, no fifo", "a program that was served here may have ended: collect its status, or remove it")
	case mode&fs.ModeNamedPipe == 0:
		return unsafe(path, "it is "+kind(mode)+", no fifo", "remove it, or choose another name")
	case owner != uint32(os.Geteuid()):
		return unsafe(path, "it belongs to "+userName(owner), "choose another name")
	case mode.Perm()&0o077 != 0:
		return unsafe(path, fmt.Sprintf("others may open it (mode %04o)", perm(info)), "chmod 600 "+path)
	}
	return nil
}

func missing(path string, err error, hint string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{path, errDoesNotExist, hint}
	}
	return &Error{Path: path, Err: err}
}

func unsafe(path, why, hint string) error {
	return &Error{path, fmt.Errorf("%w: %s", ErrUnsafe, why), hint}
}

func perm(info os.FileInfo) os.FileMode { return info.Mode().Perm() }

func kind(mode os.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a regular file"
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	}
	return "a device"
}

func userName(uid uint32) string {
	if u, err := user.LookupId(strconv.Itoa(int(uid))); err == nil {
		return "user " + u.Username
	}
	return fmt.Sprintf("user %d", uid)
}

// Sweep removes the fifos of dir that nobody reads, which processes that were
// killed have left there, and returns their paths. What is not a fifo of this
// user's stays. A writer that still waits in open(2) cannot be seen: call it
// where no such can be.
func Sweep(dir string) (removed []string, err error) {
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &Error{Path: dir, Err: err}
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if !abandoned(path) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return removed, &Error{Path: path, Err: err}
		}
		removed = append(removed, path)
	}
	return removed, nil
}

// abandoned reports whether path is a fifo of ours without a reader: to open
// it for writing then fails with ENXIO.
func abandoned(path string) bool {
	if _, err := check(path); err != nil {
		return false
	}
	fd, err := unix.Open(path, unix.O_WRONLY|openFlags, 0)
	if err == nil {
		unix.Close(fd)
	}
	return errors.Is(err, unix.ENXIO)
}
