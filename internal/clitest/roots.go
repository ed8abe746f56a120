package clitest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// rootName begins the name of a folder for the folders of all tests.
const rootName = "spawnx-test-"

// newRoot makes the folder for the folders of all tests. The length of its name is always the same, so that
// programs that show where they are show it in the same way.
func newRoot() (string, error) {
	dir, err := filepath.EvalSymlinks(os.TempDir()) // programs show the resolved path
	if err != nil {
		return "", fmt.Errorf("the folder for temporary files: %w\nhint: TMPDIR names one that is there", err)
	}
	for n := uint64(time.Now().UnixNano()); ; n++ {
		root := filepath.Join(dir, fmt.Sprintf("%s%08x", rootName, uint32(n*2654435761)))
		err := os.Mkdir(root, 0o700)
		if err == nil {
			return root, nil
		}
		if !os.IsExist(err) {
			return "", fmt.Errorf("the folder for temporary files: %w\nhint: TMPDIR names one that can be written to", err)
		}
	}
}

// longDead is how old folders of runs that were killed are when they are removed: somebody may want to look at them.
const longDead = time.Hour

// sweepRoots removes the folders of runs that were killed. The next run goes on where it does not come to the end.
func sweepRoots() {
	dir, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		return
	}
	entries, _ := os.ReadDir(dir) // what was read before an error counts
	name := regexp.MustCompile("^" + rootName + "[0-9a-f]{8}$")
	for _, e := range entries {
		if !e.IsDir() || !name.MatchString(e.Name()) {
			continue
		}
		root := filepath.Join(dir, e.Name())
		info, err := os.Lstat(root)
		if err != nil || !isOurs(info) || time.Since(info.ModTime()) < longDead {
			continue
		}
		if release, ok := occupy(root); ok {
			_ = removeAll(root) // the next run tries again
			release()
		}
	}
}
