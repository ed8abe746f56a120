//go:build linux

package scripts_test

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/script"
)

// A span is a piece of code in the last column of a table.
type span struct {
	line   int
	column string // its heading
	code   string
}

var (
	inTicks = regexp.MustCompile("`([^`]+)`")
	bar     = regexp.MustCompile("`[^`]*`|\\|")
)

// spans are those of a page's tables.
func spans(t *testing.T, page string) (list []span) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	column := ""
	for i, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "|") {
			column = ""
			continue
		}
		last := cells(line)
		cell := strings.TrimSpace(last[len(last)-1])
		switch {
		case strings.HasPrefix(line, "|---"):
		case column == "":
			if column = cell; column == "" { // a table that goes on with the one before
				column = "spawnx script"
			}
		default:
			for _, m := range inTicks.FindAllStringSubmatch(cell, -1) {
				list = append(list, span{i + 1, column, m[1]})
			}
		}
	}
	return list
}

// cells cuts a row at the bars that stand outside of code.
func cells(line string) (list []string) {
	from := 0
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	for _, at := range bar.FindAllStringIndex(line, -1) {
		if line[at[0]] == '|' {
			list, from = append(list, line[from:at[0]]), at[1]
		}
	}
	return append(list, line[from:])
}

// what the pieces of scripts take for given
const given = `
host, a, b, cases = "h", "a", "b", ["c"]
f = lambda m: None
p = spawn("cat"); q = spawn("cat"); s = spawn("cat"); sh = spawn("cat"); py = spawn("cat")
m = p.expect(re("(a)(?P<name>b)"), EOF)
x = p.wait(check = False)
r = parallel(f, [1])[0]
`

// Every script in a table is one, with nothing doubtful in it; every command knows its flags.
func TestTables(t *testing.T) {
	helps := map[string]string{}
	counts := map[string]int{}
	for _, s := range spans(t, "from.md") {
		where := fmt.Sprintf("from.md:%d: %s", s.line, s.code)
		switch {
		case strings.HasPrefix(s.code, "spawnx "):
			counts["command line"]++
			words := strings.Fields(s.code)
			if helps[words[1]] == "" {
				helps[words[1]] = good(t, root, nil, "spawnx", words[1], "--help")
			}
			for _, w := range words[2:] {
				if strings.HasPrefix(w, "-") && w != "-" && !regexp.MustCompile(`(?m)(^|\s|,)`+w+`\b`).MatchString(helps[words[1]]) {
					t.Errorf("%s: spawnx %s has no %s", where, words[1], w)
				}
			}
		case s.column == "spawnx script":
			counts[s.column]++
			clean(t, where, given+s.code+"\n")
		}
	}
	if counts["spawnx script"] < 80 || counts["command line"] < 15 {
		t.Errorf("only these were found: %v", counts)
	}
}

// Every Go expression and statement compiles.
func TestGoOfTheTables(t *testing.T) {
	var program strings.Builder
	program.WriteString(`package main
import (
	"context"
	"errors"
	"io"
	"os"
	"time"
	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)
func main() { use(errors.Is, os.Stdin, time.Now, bridge.Copy, proc.Start) }
func use(...any) {}
`)
	n := 0
	for _, s := range spans(t, "from.md") {
		if s.column != "Go" || strings.HasPrefix(s.code, "spawnx ") {
			continue
		}
		n++
		fmt.Fprintf(&program, `func piece%d(ctx context.Context, c, d *expect.Console, m expect.Match, err error, a, b expect.Pattern, rules []expect.Rule,
	spec proc.Spec, w io.Writer, reader io.Reader, writer io.Writer, secret expect.Secret) {
//line from.md:%d
`, n, s.line)
		if _, err := parser.ParseExpr(s.code); err == nil {
			fmt.Fprintf(&program, "use(%s)\n}\n", s.code)
		} else {
			fmt.Fprintf(&program, "{ %s; use(m, err) }\n}\n", s.code)
		}
	}
	if n < 30 {
		t.Fatalf("only %d pieces of Go", n)
	}
	dir := t.TempDir()
	source := write(t, filepath.Join(dir, "main.go"), program.String(), 0o600)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "examples", "from-tables", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	plan := write(t, filepath.Join(dir, "overlay.json"), string(overlay), 0o600)
	good(t, root, nil, "go", "build", "-C", root, "-overlay", plan, "-o", filepath.Join(dir, "program"), "./examples/from-tables")
}

// The test files that the page shows pass.
func TestTestFiles(t *testing.T) {
	files, _ := filepath.Glob("*.txtar")
	if len(files) == 0 {
		t.Fatal("there are none")
	}
	for _, file := range files {
		good(t, root, nil, "spawnx", "test", filepath.Join(root, "examples/scripts", file))
	}
}

// The reference names every builtin with its parameters, as the language knows them.
func TestReference(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/scripts.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range script.Words() {
		if !strings.Contains(string(page), "`"+word+"`") && !strings.Contains(string(page), word) {
			t.Errorf("docs/scripts.md does not have %s", word)
		}
	}
	// And the page promises none of Starlark's that is not there.
	for _, line := range strings.Split(string(page), "\n") {
		if strings.Contains(line, "| as in Python |") {
			for _, name := range strings.Fields(inTicks.FindStringSubmatch(line)[1]) {
				clean(t, "scripts.md", "x = "+name+"\n")
			}
		}
	}
	if slices.Contains(script.Words(), "") {
		t.Error("an empty word")
	}
}
