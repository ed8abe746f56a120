//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/internal/clitest"
	"github.com/spawnx/spawnx/internal/golden"
)

var testBlock = regexp.MustCompile("(?ms)^```txtar( fails)?\n(.*?)^```\n(?:```text\n(.*?)^```$)?")

// Every test that docs/tests.md shows passes, or fails with the message that stands there.
func TestTestsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/tests.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- commands -->\n")
	if table, _, _ := strings.Cut(rest, "<!-- end -->"); table != clitest.Reference() {
		t.Errorf("the table of commands is to be:\n%s", clitest.Reference())
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	blocks := testBlock.FindAllStringSubmatchIndex(string(page), -1)
	if len(blocks) < 8 {
		t.Fatalf("%d tests on the page", len(blocks))
	}
	for _, at := range blocks {
		t.Run(fmt.Sprintf("line %d", strings.Count(string(page[:at[0]]), "\n")+1), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "x.txtar"), page[at[4]:at[5]], 0o600); err != nil {
				t.Fatal(err)
			}
			r := spawnxRun(t, nil, "run", "--stdio", "pipes", "--dir", dir, "spawnx", "test", "x.txtar")
			if at[2] < 0 {
				if r.status != 0 {
					t.Errorf("%s%s", r.out, r.err)
				}
				return
			}
			_, message, _ := strings.Cut(r.out, "\n") // behind FAIL
			message, _, _ = strings.Cut(message, "\n0 passed")
			message = regexp.MustCompile(`(?m)^  left .*\n?`).ReplaceAllString(message, "")
			if err := golden.Lines(string(page[at[6]:at[7]]), message); r.status != 1 || err != nil {
				t.Errorf("status %d: %v", r.status, err)
			}
		})
	}
}
