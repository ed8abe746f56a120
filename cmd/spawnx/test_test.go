//go:build unix

package main

import (
	"path/filepath"
	"testing"
)

// The verb test is tested with tests of its own.
func TestTestVerb(t *testing.T) {
	files, err := filepath.Glob("testdata/test/*.txtar")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			if r := spawnxRun(t, nil, "test", file); r.status != 0 {
				t.Errorf("status %d\n%s%s", r.status, r.out, r.err)
			}
		})
	}
}
