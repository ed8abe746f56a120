//go:build unix

package main

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

// The first page of the README works as it is typed: every command at a terminal, in an empty folder with
// spawnx in PATH; those about the clone (go run ./..., go install ./...) in the clone. A block whose
// introduction names a file is written to it and run with the command that the introduction names in
// backticks. Go is compiled and run. Where a block shows prompts ("$ "), the lines between them are the
// output.
func TestREADME(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := firstPage(string(text))
	if len(blocks) == 0 {
		t.Fatal("the first page shows no command")
	}
	names(t)
	dir := t.TempDir()
	t.Setenv("GOBIN", t.TempDir())
	for _, b := range blocks {
		t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
			switch name, command := b.file(); {
			case b.language == "go":
				runGo(t, root, dir, b.text)
			case name != "":
				if err := os.WriteFile(filepath.Join(dir, name), []byte(b.text), 0o700); err != nil {
					t.Fatal(err)
				}
				if command == "" {
					t.Fatalf("the introduction of %s names no command that runs it: %q", name, b.intro)
				}
				runCommand(t, dir, command)
			default:
				for _, c := range b.commands() {
					runShown(t, root, dir, c)
				}
			}
		})
	}
}

// A block is a piece of code in a page of Markdown.
type block struct {
	line     int
	language string // as the fence says, "" for an indented block
	intro    string // the text since the block before
	text     string
}

// firstPage returns the blocks before the first second-level heading.
func firstPage(page string) (blocks []block) {
	var intro strings.Builder
	var b *block
	var fence string
	end := func() {
		b.text = strings.TrimRight(b.text, "\n") + "\n"
		blocks, b = append(blocks, *b), nil
		intro.Reset()
	}
	for i, line := range strings.Split(page, "\n") {
		indented, isIndented := strings.CutPrefix(line, "    ")
		switch {
		case fence != "" && strings.HasPrefix(line, fence):
			fence = ""
			end()
		case fence != "":
			b.text += line + "\n"
		case isIndented && (b != nil || !strings.HasPrefix(strings.TrimSpace(line), "* ")):
			if b == nil {
				b = &block{line: i + 1, intro: intro.String()}
			}
			b.text += indented + "\n"
		case b != nil && line == "":
			b.text += "\n"
		default:
			if b != nil {
				end()
			}
			if strings.HasPrefix(line, "## ") {
				return blocks
			}
			if mark := line[:len(line)-len(strings.TrimLeft(line, "`~"))]; len(mark) >= 3 {
				fence = mark
				b = &block{line: i + 2, intro: intro.String(), language: strings.TrimSpace(line[len(mark):])}
				continue
			}
			intro.WriteString(line + "\n")
		}
	}
	if b != nil {
		end()
	}
	return blocks
}

var (
	fileName   = regexp.MustCompile("(?:^|[\\s`(])([\\w-]+\\.(?:star|txtar|sh|py|json|txt))(?:$|[\\s`,:.)])")
	inBackTick = regexp.MustCompile("`([^`]+)`")
)

// file is the name of the file that a block is the content of, and the command that runs it, if it is one's.
func (b block) file() (name, command string) {
	if b.language == "sh" || b.language == "console" || b.language == "go" {
		return "", ""
	}
	m := fileName.FindStringSubmatch(b.intro)
	if m == nil {
		return "", ""
	}
	for _, quoted := range inBackTick.FindAllStringSubmatch(b.intro, -1) {
		if strings.Contains(quoted[1], " ") && strings.Contains(quoted[1], m[1]) {
			command = quoted[1]
		}
	}
	if command == "" { // without backticks: "run it with spawnx script hello.star:"
		if i := strings.Index(b.intro, "spawnx "); i >= 0 {
			command = strings.TrimRight(strings.TrimSpace(b.intro[i:]), ":.")
		}
	}
	return m[1], command
}

var anyPID = regexp.MustCompile(`\(pid \d+\)`)

// A shown is a command of a block, and the output that is shown for it.
type shown struct{ command, output string }

func (b block) commands() (list []shown) {
	if !strings.HasPrefix(b.text, "$ ") && !strings.Contains(b.text, "\n$ ") {
		for _, command := range joined(b.text) {
			list = append(list, shown{command: command})
		}
		return list
	}
	for _, line := range strings.Split(strings.TrimRight(b.text, "\n"), "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, shown{command: command})
		} else if len(list) > 0 {
			list[len(list)-1].output += line + "\n"
		}
	}
	return list
}

// joined returns the commands of a block: lines, where a backslash at the end, an open quote or a heredoc
// takes the next one in.
func joined(text string) (commands []string) {
	var one string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		one += line
		if one == "" || strings.HasPrefix(one, "#") {
			one = ""
			continue
		}
		if strings.HasSuffix(one, `\`) || exec.Command("bash", "-n", "-c", one).Run() != nil {
			one += "\n"
			continue
		}
		commands, one = append(commands, one), ""
	}
	if one != "" {
		commands = append(commands, one)
	}
	return commands
}

var (
	// Of the clone; what fetches it or runs all tests, this one too, cannot be tested here.
	ofTheClone = regexp.MustCompile(`^(?:CGO_ENABLED=0 )?go (run|build|install|test) (-\S+ )*\./`)
	notHere    = regexp.MustCompile(`^(git clone|cd |\./test\.sh|go install \S+@|(sudo )?apt(-get)? )`)
)

func runShown(t *testing.T, root, dir string, c shown) {
	t.Helper()
	switch {
	case notHere.MatchString(c.command):
		return
	case ofTheClone.MatchString(c.command):
		dir = root
	}
	got := runCommand(t, dir, c.command)
	if same := func(s string) string { return anyPID.ReplaceAllString(strings.TrimSpace(s), "(pid N)") }; c.output != "" && same(got) != same(c.output) {
		t.Errorf("%s\nprints %q\nbut %q is shown", c.command, got, c.output)
	}
}

// runCommand runs a command at a terminal, as a person would, and returns what was to be seen.
func runCommand(t *testing.T, dir, command string) string {
	t.Helper()
	spec := proc.Command("bash", "-c", command)
	spec.Dir = dir
	c := person(t, spec).With(expect.Options{Timeout: -1})
	m, err := c.Expect(t.Context(), expect.EOF)
	if err != nil {
		t.Fatalf("%s\n%v", command, err)
	}
	if exit, err := c.Wait(t.Context()); err != nil {
		t.Errorf("%s\nends with %d: %q", command, exit.Status(), m.Before)
	}
	return m.Before
}

var (
	packages = map[string]string{
		"expect": "github.com/spawnx/spawnx/expect", "proc": "github.com/spawnx/spawnx/proc",
		"bridge": "github.com/spawnx/spawnx/bridge", "ptyio": "github.com/spawnx/spawnx/ptyio",
		"context": "context", "fmt": "fmt", "os": "os", "time": "time", "io": "io", "log": "log", "errors": "errors", "strings": "strings",
	}
	defined = regexp.MustCompile(`(?m)^\s*([\w, ]+?) :?= `)
)

// runGo runs a program, or the lines of one with ctx at hand, as if it stood in the clone.
func runGo(t *testing.T, root, dir, text string) {
	t.Helper()
	if !strings.HasPrefix(text, "package ") {
		text = wholeProgram(text)
	}
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(root, "cmd", "from-readme", "main.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{place: source}})
	if err != nil {
		t.Fatal(err)
	}
	plan, binary := filepath.Join(filepath.Dir(source), "overlay.json"), filepath.Join(filepath.Dir(source), "program")
	if err := os.WriteFile(plan, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", plan, "-o", binary, "./cmd/from-readme")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, text)
	}
	runCommand(t, dir, binary)
}

// wholeProgram puts lines of Go into a main function that fails with the last err.
func wholeProgram(lines string) string {
	var names []string
	for _, m := range defined.FindAllStringSubmatch(lines, -1) {
		for _, name := range strings.Split(m[1], ",") {
			if name = strings.TrimSpace(name); name != "_" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	body := "ctx := context.Background()\n_ = ctx\n" + lines
	for _, name := range names {
		body += "_ = " + name + "\n"
	}
	if slices.Contains(names, "err") {
		body += "if err != nil { panic(err) }\n"
	}
	var imports []string
	for name, path := range packages {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(body) {
			imports = append(imports, fmt.Sprintf("%q\n", path))
		}
	}
	slices.Sort(imports)
	return "package main\nimport (\n" + strings.Join(imports, "") + ")\nfunc main() {\n" + body + "}\n"
}

// What a page shows is found, whatever way it is written down.
func TestFirstPage(t *testing.T) {
	const page = `# x
    go run ./cmd/spawnx run true   # a comment
    ./test.sh

Install it:
` + "```sh\nspawnx run \\\n  true\n\nspawnx run sh -c 'a\nb'\n```" + `
Write it down, hello.star, and run it with ` + "`spawnx script hello.star`" + `:

    p = spawn("sh")

    p.wait()
And cat.txtar, run with spawnx test cat.txtar:
    spawn cat
` + "```console\n$ spawnx run echo a\na\n$ true\n```\n```go\nc, err := f()\n```" + `
## More
    never
`
	blocks := firstPage(page)
	if len(blocks) != 6 {
		t.Fatalf("%d blocks: %+v", len(blocks), blocks)
	}
	if got := blocks[0].commands(); len(got) != 2 || got[1].command != "./test.sh" || blocks[0].line != 2 {
		t.Errorf("block 0: %+v", got)
	}
	if got := blocks[1].commands(); len(got) != 2 || got[0].command != "spawnx run \\\n  true" || got[1].command != "spawnx run sh -c 'a\nb'" {
		t.Errorf("block 1: %q", got)
	}
	if name, command := blocks[2].file(); name != "hello.star" || command != "spawnx script hello.star" || blocks[2].text != "p = spawn(\"sh\")\n\np.wait()\n" {
		t.Errorf("block 2: %q, %q, %q", name, command, blocks[2].text)
	}
	if name, command := blocks[3].file(); name != "cat.txtar" || command != "spawnx test cat.txtar" {
		t.Errorf("block 3: %q, %q", name, command)
	}
	if got := blocks[4].commands(); !slices.Equal(got, []shown{{"spawnx run echo a", "a\n"}, {"true", ""}}) {
		t.Errorf("block 4: %q", got)
	}
	if blocks[5].language != "go" || !strings.Contains(wholeProgram(blocks[5].text), "_ = c\n_ = err\nif err != nil { panic(err) }") {
		t.Errorf("block 5: %+v", blocks[5])
	}
}
