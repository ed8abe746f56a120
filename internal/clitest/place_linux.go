package clitest

import (
	"io/fs"
	"os"
	"syscall"
	"time"
)

func timesOf(info fs.FileInfo) folderTimes {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return folderTimes{}
	}
	return folderTimes{info.ModTime(), time.Unix(st.Ctim.Unix())}
}

// isOurs reports whether a folder belongs to the user that we are.
func isOurs(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// occupy takes a folder for a run, until release or its death. It reports false where another run has it.
func occupy(root string) (release func(), ok bool) {
	fd, err := syscall.Open(root, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	release = func() { _ = syscall.Close(fd) } // nothing was written
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		release()
		return nil, false
	}
	return release, true
}
