package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A log that cannot begin anew goes on in the old file: nothing is missing, the old ones stay, and the error is told.
func TestALogThatCannotRotate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	if err := os.MkdirAll(name+".1/in-the-way", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name+".2", []byte("older\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := openLog(name, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	lane, want := l.lane(), ""
	for range 10 {
		const line = "a line of text\n"
		if n, err := lane.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
		want += line
	}
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), name+".1") {
		t.Errorf("the end says %v; want what is in the way", err)
	}
	if got, err := os.ReadFile(name); string(got) != want {
		t.Errorf("%q, %v; want all lines", got, err)
	}
	if got, err := os.ReadFile(name + ".2"); string(got) != "older\n" {
		t.Errorf("an old log is %q, %v", got, err)
	}
}
