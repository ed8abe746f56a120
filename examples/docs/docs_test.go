//go:build linux

// Package docs_test runs what docs/common-issues.md shows.
package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A snippet is a fenced piece of a page.
type snippet struct {
	line     int
	language string
	text     string
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

func snippets(t *testing.T, language string) (list []snippet) {
	t.Helper()
	page, err := os.ReadFile("../../docs/common-issues.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range fence.FindAllSubmatchIndex(page, -1) {
		s := snippet{
			line:     strings.Count(string(page[:at[4]]), "\n") + 1,
			language: string(page[at[2]:at[3]]), text: string(page[at[4]:at[5]]),
		}
		if s.language == language {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no piece of %s in the page", language)
	}
	return list
}

// Every command prints what is shown.
func TestCommands(t *testing.T) {
	bin := t.TempDir()
	run(t, "../..", "go", "build", "-o", bin, "./cmd/spawnx")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for _, s := range snippets(t, "console") {
		t.Run(fmt.Sprintf("line %d", s.line), func(t *testing.T) {
			for one := range strings.SplitSeq("\n"+strings.TrimSuffix(s.text, "\n"), "\n$ ") {
				if command, want, _ := strings.Cut(one, "\n"); command != "" {
					shows(t, command, want)
				}
			}
		})
	}
}

// shows runs a command at a terminal, as a person would.
func shows(t *testing.T, command, want string) {
	t.Helper()
	spec := proc.Command("bash", "-c", command)
	spec.Dir = t.TempDir()
	c, err := expect.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := c.Expect(t.Context(), expect.EOF)
	if err != nil {
		t.Fatalf("%s\n%v", command, err)
	}
	same := func(s string) string { return anyPID.ReplaceAllString(strings.TrimSpace(s), "(pid N)") }
	if got := m.Before; same(got) != same(want) {
		t.Errorf("%s\nprints %q\nbut shown is %q", command, got, want)
	}
}

var anyPID = regexp.MustCompile(`\(pid \d+\)`)

var defined = regexp.MustCompile(`(?m)^([\w, ]+?) := `)

// Every piece of Go compiles, each as the body of a function that gets a context and a conversation.
func TestGo(t *testing.T) {
	var program strings.Builder
	program.WriteString(`package main
import (
	"context"
	"fmt"
	"os"
	"time"
	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)
var (
	_ = fmt.Print
	_ = os.Stderr
	_ = time.Now
	_ = bridge.Copy
	_ = proc.Start
)
func main() {}
`)
	for _, s := range snippets(t, "go") {
		var names []string
		for _, m := range defined.FindAllStringSubmatch(s.text, -1) {
			for name := range strings.SplitSeq(m[1], ", ") {
				if name != "_" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		fmt.Fprintf(&program, "func line%d(ctx context.Context, c *expect.Console) {\n//line common-issues.md:%d\n%s_, _ = ctx, c\n", s.line, s.line, s.text)
		for _, name := range names {
			fmt.Fprintf(&program, "_ = %s\n", name)
		}
		program.WriteString("}\n")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source, plan := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "examples", "from-docs", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{source: []byte(program.String()), plan: overlay} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, root, "go", "build", "-overlay", plan, "-o", filepath.Join(dir, "program"), "./examples/from-docs")
}

func run(t *testing.T, dir string, words ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", words, err, out)
	}
}
