package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/internal/doctor"
)

func TestDoctor(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	var text strings.Builder
	root := newRoot()
	root.SetOut(&text)
	root.SetArgs([]string{"doctor"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^[a-z/ ]+  +(ok|limited|missing) +\S.*[^.]$`)
	for _, l := range strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n") {
		if !line.MatchString(l) {
			t.Errorf("%q", l)
		}
	}

	var out strings.Builder
	root = newRoot()
	root.SetOut(&out)
	root.SetArgs([]string{"doctor", "--json"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var lines []doctor.Line
	if err := json.Unmarshal([]byte(out.String()), &lines); err != nil {
		t.Fatal(err)
	}
	if len(lines) != strings.Count(text.String(), "\n") {
		t.Errorf("%d lines as JSON, %d as text", len(lines), strings.Count(text.String(), "\n"))
	}
}
