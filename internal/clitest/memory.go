package clitest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spawnx/spawnx/internal/clitest/report"
)

// What is remembered from one run to the next lies in a folder of ours for each folder that tests were run in:
//
//	last-failed           the tests that failed when they were run last, one path a line
//	20060102-150405-…/    what the failures of a run left; the newest few are kept
const mostRuns = 10

// stateDir is the folder, "" where the user has none: a home that is not there is not made.
func stateDir() string {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil || !filepath.IsAbs(home) {
			return ""
		}
		if info, err := os.Stat(home); err != nil || !info.IsDir() {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	here, err := os.Getwd()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(here))
	return filepath.Join(base, "spawnx", "test", fmt.Sprintf("%s-%x", filepath.Base(here), sum[:4]))
}

// LastFailed returns what tells whether a test failed when it was run last, from the same folder as now.
func LastFailed() func(path string) bool {
	failed := lastFailed()
	absolute := absolutes()
	return func(path string) bool { return slices.Contains(failed, absolute(path)) }
}

func lastFailed() []string {
	dir := stateDir()
	if dir == "" {
		return nil
	}
	data, _ := os.ReadFile(filepath.Join(dir, "last-failed")) // not there: nothing failed
	return strings.Fields(strings.ReplaceAll(string(data), " ", "\\x20"))
}

// absolutes returns how a path is remembered: one word.
func absolutes() func(path string) string {
	here, err := os.Getwd()
	word := strings.NewReplacer(" ", "\\x20", "\n", "\\x0a", "\t", "\\x09", "\r", "\\x0d", "\v", "\\x0b", "\f", "\\x0c")
	return func(path string) string {
		if err == nil && !filepath.IsAbs(path) {
			path = filepath.Join(here, path)
		}
		return word.Replace(filepath.Clean(path))
	}
}

// remember notes which tests failed. Tests that were not run stay as they were. That it cannot is no reason
// to fail: --last-failed then finds nothing.
func remember(results []report.Result) {
	failed := map[string]bool{}
	for _, path := range lastFailed() {
		failed[path] = true
	}
	if len(failed) == 0 && !slices.ContainsFunc(results, func(r report.Result) bool { return r.Outcome == report.Failed }) {
		return
	}
	before := len(failed)
	absolute := absolutes()
	for _, r := range results { // of a test in several rounds, any failure counts
		delete(failed, absolute(filepath.FromSlash(r.Name)))
	}
	for _, r := range results {
		if r.Outcome == report.Failed {
			failed[absolute(filepath.FromSlash(r.Name))] = true
		}
	}
	dir := stateDir()
	if dir == "" || len(failed) == 0 && before == 0 {
		return
	}
	var list []string
	for path := range failed {
		list = append(list, path)
	}
	slices.Sort(list)
	if len(list) == 0 {
		_ = os.Remove(filepath.Join(dir, "last-failed"))
		return
	}
	if os.MkdirAll(dir, 0o700) == nil {
		_ = os.WriteFile(filepath.Join(dir, "last-failed"), []byte(strings.Join(list, "\n")+"\n"), 0o600)
	}
}

// A shelf is the folder for what the failures of one run leave. It is made when the first has something to leave.
type shelf struct {
	keep string // the folder that the user named, or ""
	dir  string // once it is made
}

// make returns the folder.
func (s *shelf) make() (string, error) {
	if s.dir != "" {
		return s.dir, nil
	}
	dir := s.keep
	if dir == "" {
		made, err := makeShelf(stateDir())
		if err != nil { // a home that is read-only, or full
			made, err = makeShelf(filepath.Join(os.TempDir(), fmt.Sprintf("spawnx-test-failures-%d", os.Getuid())))
		}
		if err != nil {
			return "", err
		}
		dir = made
	} else if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	s.dir = abs
	return abs, nil
}

// makeShelf makes a folder for this run in base.
func makeShelf(base string) (string, error) {
	if base == "" {
		return "", errNoHome
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(base, time.Now().UTC().Format("20060102-150405-"))
	if err == nil {
		forget(base)
	}
	return made, err
}

var errNoHome = errors.New("there is no home")

// forget removes what runs of long ago left, but for the newest of them. Runs that go on at the same time are
// not long ago.
func forget(base string) {
	runs, _ := filepath.Glob(filepath.Join(base, "20[0-9]*-[0-9]*-*"))
	slices.Sort(runs) // by their time
	for ; len(runs) > mostRuns; runs = runs[1:] {
		if info, err := os.Stat(runs[0]); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(runs[0]) // the next run tries again
		}
	}
}
