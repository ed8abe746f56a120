//go:build unix

package main

import (
	"slices"
	"strings"
	"testing"
)

// Every verb waits for what all rooms do before main, whether it needs them or not. So these alone do something: maps,
// compiled expressions, formatted errors and sync.OnceValue at the level of a package are made by a function elsewhere,
// and expressions by internal/lazy.
func TestRoomsMakeNothingAtTheStart(t *testing.T) {
	used := []string{"bridge", "proc", "ptyio", "internal/scale", "internal/secret", // by spawnx run true
		"internal/vfork", // one system call, which must come that early
		"cmd/spawnx"}     // variables of tests, in this binary
	t.Setenv("GODEBUG", "inittrace=1")
	got := spawnxRun(t, nil, "run", "true")
	if !strings.Contains(got.err, "\ninit os ") {
		t.Fatalf("no trace: %q", got.err)
	}
	for line := range strings.Lines(got.err) {
		room, ours := strings.CutPrefix(line, "init github.com/spawnx/spawnx/")
		if room, _, _ = strings.Cut(room, " "); ours && !slices.Contains(used, room) {
			t.Errorf("%s does something at every start; go tool objdump -s '%s.init' shows at which lines", room, room)
		}
	}
}
