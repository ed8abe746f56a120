// Package house keeps the rules of the house: which package may import which, who may start goroutines,
// print, exit and read the environment. They are tested, so that a change that breaks one says so at once.
// The rules, with their reasons, are in DESIGN.md.
package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/spawnx/spawnx"

// floors: a package imports only from floors below its own.
var floors = [][]string{
	1: {"internal/ready", "internal/vfork"},
	2: {"ptyio", "screen", "record", "debugger/mi", "internal/escape", "internal/keys", "internal/lazy", "internal/match", "internal/nearest", "internal/procfs",
		"internal/rundir", "internal/scale", "internal/shim", "internal/testprog", "internal/leakcheck"},
	3:  {"proc", "bridge/fifo", "screen/picture", "internal/golden", "internal/dialog"},
	4:  {"bridge", "internal/secret"},
	5:  {"diag"},
	6:  {"expect", "session"},
	7:  {"script", "debugger", "internal/artifact", "internal/grammar", "internal/doctor", "internal/clitest/report"},
	8:  {"expect/expecttest", "internal/clitest", "debugger/dap", "internal/web"},
	9:  {"cmd/spawnx"},
	10: {"examples/...", "faults", "internal/house"}, // beside the rooms: may use them all
}

// imports: what these rooms import of ours, and nothing else, also where the floors would allow it.
var imports = map[string][]string{
	"ptyio":       {"internal/ready"},
	"screen":      {},
	"record":      {},
	"debugger/mi": {},
	// a process knows no ring
	"proc": {"ptyio", "internal/ready", "internal/vfork", "internal/shim", "internal/procfs", "internal/scale", "internal/nearest"},
	// cmd: runs a program, prompt reads a terminal
	"internal/secret": {"proc", "ptyio"},
	// plumbing knows neither meaning nor blame
	"bridge": {"proc", "ptyio", "internal/scale"},
	// a fifo is a file that bridge.New accepts
	"bridge/fifo": {"internal/rundir"},
	// no handle, so no way to disturb; of bridge only its Stats
	"diag": {"bridge", "internal/procfs"},
	"expect": {"diag", "bridge", "proc", "ptyio", "internal/secret",
		"internal/match", "internal/escape", "internal/keys", "internal/scale"},
	// a recording is one more reader, set up by cmd
	"session": {"bridge", "bridge/fifo", "proc", "ptyio", "diag", "screen", "internal/secret", "internal/rundir", "internal/escape"},
	// cmd hands it an opener of sessions
	"script": {"expect", "screen", "record", "internal/secret", "proc", "ptyio", "bridge", "diag",
		"internal/escape", "internal/keys", "internal/dialog", "internal/lazy", "internal/nearest", "internal/scale"},
	"internal/artifact": {"expect", "screen", "screen/picture", "record", "diag", "proc", "internal/escape", "internal/golden"},
	"debugger":          {"debugger/mi", "expect", "session", "bridge", "bridge/fifo", "proc", "ptyio", "internal/escape"},
	"internal/web":      {"session", "debugger", "bridge", "proc", "screen", "internal/lazy"},
}

// The core: these and what they use import the standard library, ours and this, nothing else.
var (
	core        = []string{"ptyio", "proc", "internal/secret", "bridge", "diag", "expect"}
	coreForeign = []string{"github.com/creack/pty", "golang.org/x/sys/unix", "github.com/google/shlex"}
)

// Files of the core and of the rooms without goroutines that may say `go`. Each goroutine has an owner that waits for it.
var (
	goroutines = []string{
		"internal/ready/ready_linux.go",        // one for all programs and terminals that wait
		"proc/reap.go",                         // where a thread has to wait for an end, or a keeper for an order
		"proc/contain_linux.go",                // one per keeper
		"internal/shim/keeper_linux.go",        // in the keeper: one per order, one that reaps
		"bridge/start.go", "bridge/program.go", // one per program, which sees its end and starts it again
		"bridge/drain.go", "bridge/ferry_linux.go", // one for all lanes that nobody waits on, one for all small pieces
		"bridge/copy.go", "bridge/join.go", "bridge/sit_unix.go", // one per sink, direction, terminal
		"bridge/link.go", "bridge/rewire.go", // some per end, one per relay and direction, gone with the call and with restore
		"expect/select.go", "expect/interact.go", // gone before the call returns
	}
	goless = []string{"screen", "screen/picture", "record", "debugger/mi"}
)

// Who may print and end the process: the programs. A shim is another process, between fork and execve.
var mayPrint = []string{"cmd/...", "examples/...", "faults", "internal/shim", "internal/testprog"}

// Who may read single variables of the environment.
var mayGetenv = []string{"internal/scale", "internal/secret", "internal/rundir", "expect/expecttest", "internal/clitest",
	"cmd/...", "examples/...", "faults", "internal/testprog"}

const maxMethods = 20 // exported ones, of an exported type

// tree is the source of all packages, without tests: folder below the module → file name → syntax.
// Files of all systems are in it, whatever this one is.
type tree map[string]map[string]*ast.File

// violations returns one line for each place where a rule is broken.
func violations(t tree) []string {
	var all []string
	for _, rule := range []func(tree) []string{
		arrows, diagHoldsNothing, foreignInCore, strayGoroutines, printing, environment, methods,
	} {
		all = append(all, rule(t)...)
	}
	slices.Sort(all)
	return all
}

func arrows(t tree) (bad []string) {
	for pkg, files := range t {
		own := floor(pkg)
		if own == 0 {
			bad = append(bad, pkg+": stands on no floor")
			continue
		}
		allowed, listed := imports[pkg]
		for _, to := range ours(files) {
			switch {
			case listed && !slices.Contains(allowed, to):
				bad = append(bad, fmt.Sprintf("%s: must not import %s", pkg, to))
			case floor(to) >= own:
				bad = append(bad, fmt.Sprintf("%s on floor %d: must not import %s on floor %d", pkg, own, to, floor(to)))
			}
		}
	}
	return bad
}

// diagHoldsNothing: diag takes plain data of bridge, the types whose names end in Stats.
func diagHoldsNothing(t tree) (bad []string) {
	eachSelector(t, func(pkg, file, from, name string) {
		if pkg == "diag" && from == module+"/bridge" && !strings.HasSuffix(name, "Stats") {
			bad = append(bad, fmt.Sprintf("%s: uses bridge.%s; of bridge only the Stats", file, name))
		}
	})
	return bad
}

func foreignInCore(t tree) (bad []string) {
	for _, pkg := range coreOf(t) {
		for _, path := range importsOf(t[pkg]) {
			first, _, _ := strings.Cut(path, "/")
			foreign := strings.Contains(first, ".") && !strings.HasPrefix(path, module+"/")
			if foreign && !slices.Contains(coreForeign, path) {
				bad = append(bad, fmt.Sprintf("%s: the core must not import %s", pkg, path))
			}
		}
	}
	return bad
}

func strayGoroutines(t tree) (bad []string) {
	for _, pkg := range append(coreOf(t), goless...) {
		for name, file := range t[pkg] {
			if slices.Contains(goroutines, pkg+"/"+name) {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					bad = append(bad, fmt.Sprintf("%s/%s: a go statement", pkg, name))
				case *ast.CallExpr:
					if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" && len(n.Args) == 1 {
						bad = append(bad, fmt.Sprintf("%s/%s: a WaitGroup's Go", pkg, name))
					}
				}
				return true
			})
		}
	}
	return bad
}

func printing(t tree) (bad []string) {
	printers := map[string][]string{
		"os":      {"Exit", "Stdout", "Stderr"},
		"syscall": {"Exit"},
		"fmt":     {"Print", "Printf", "Println"},
		"log":     nil, // all of it: a library has no log of its own
	}
	eachSelector(t, func(pkg, file, from, name string) {
		names, listed := printers[from]
		if listed && (names == nil || slices.Contains(names, name)) && !within(pkg, mayPrint) {
			bad = append(bad, fmt.Sprintf("%s: %s.%s outside a program", file, from, name))
		}
	})
	for pkg, files := range t {
		for name, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				call, _ := n.(*ast.CallExpr)
				if call == nil || within(pkg, mayPrint) {
					return true
				}
				if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
					bad = append(bad, fmt.Sprintf("%s/%s: %s outside a program", pkg, name, id.Name))
				}
				return true
			})
		}
	}
	return bad
}

func environment(t tree) (bad []string) {
	getters := map[string][]string{
		"os":      {"Getenv", "LookupEnv", "ExpandEnv"},
		"syscall": {"Getenv"},
	}
	eachSelector(t, func(pkg, file, from, name string) {
		if slices.Contains(getters[from], name) && !within(pkg, mayGetenv) {
			bad = append(bad, fmt.Sprintf("%s: %s.%s: the environment is not read here", file, from, name))
		}
	})
	return bad
}

func methods(t tree) (bad []string) {
	for pkg, files := range t {
		count := map[string]int{}
		for _, file := range files {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.IsExported() {
					count[receiver(f.Recv.List[0].Type)]++
				}
			}
		}
		for name, n := range count {
			if n > maxMethods && ast.IsExported(name) {
				bad = append(bad, fmt.Sprintf("%s.%s: %d methods, more than %d", pkg, name, n, maxMethods))
			}
		}
	}
	return bad
}

// ---- small things about packages and syntax

func floor(pkg string) int {
	for n, names := range floors {
		if within(pkg, names) {
			return n
		}
	}
	return 0
}

// within reports whether pkg is one of names, where "cmd/..." is all below cmd.
func within(pkg string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		below, many := strings.CutSuffix(name, "...")
		return pkg == name || many && strings.HasPrefix(pkg, below)
	})
}

func importsOf(files map[string]*ast.File) (paths []string) {
	for _, file := range files {
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func ours(files map[string]*ast.File) (pkgs []string) {
	for _, path := range importsOf(files) {
		if pkg, ok := strings.CutPrefix(path, module+"/"); ok {
			pkgs = append(pkgs, pkg)
		}
	}
	return pkgs
}

// coreOf returns the core packages that exist and all of ours that they use.
func coreOf(t tree) []string {
	pkgs := slices.Clone(core)
	for i := 0; i < len(pkgs); i++ {
		for _, to := range ours(t[pkgs[i]]) {
			if !slices.Contains(pkgs, to) {
				pkgs = append(pkgs, to)
			}
		}
	}
	return slices.DeleteFunc(pkgs, func(pkg string) bool { return t[pkg] == nil })
}

// eachSelector calls f for every name that a file takes from a package it imports: os.Exit is from "os", name "Exit".
func eachSelector(t tree, f func(pkg, file, from, name string)) {
	for pkg, files := range t {
		for name, file := range files {
			local := map[string]string{}
			for _, spec := range file.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				as := path[strings.LastIndexByte(path, '/')+1:]
				if spec.Name != nil {
					as = spec.Name.Name
				}
				local[as] = path
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if id, ok := sel.X.(*ast.Ident); ok && local[id.Name] != "" {
						f(pkg, pkg+"/"+name, local[id.Name], sel.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr: // generic
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// ---- the tests

func TestTheHouse(t *testing.T) {
	for _, line := range violations(load(t)) {
		t.Error(line)
	}
}

// load parses every package that `go list` knows of.
func load(t *testing.T) tree {
	root := filepath.Join("..", "..")
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir", "./...")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := tree{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ ImportPath, Dir string }
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		files, err := parseDir(p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module+"/")] = files
	}
	if len(all) == 0 {
		t.Fatal("go list names no package")
	}
	return all
}

func parseDir(dir string) (map[string]*ast.File, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files[filepath.Base(name)] = file
	}
	return files, nil
}

// Each rule is shown a small house that breaks it, and one beside it that does not.
func TestEachRuleCanFail(t *testing.T) {
	manyMethods := func(n int) string {
		var b strings.Builder
		b.WriteString("package proc; type Process struct{}\n")
		for i := range n {
			fmt.Fprintf(&b, "func (p *Process) M%d() {}\n", i)
		}
		return b.String()
	}
	const ours = `"` + module + `/`
	tests := []struct {
		name  string
		files map[string]string // path → source
		want  []string
	}{
		{"nothing wrong", map[string]string{
			"ptyio/file.go":      `package ptyio; import _ "github.com/creack/pty"`,
			"proc/reap.go":       `package proc; import _ ` + ours + `ptyio"; func f() { go f() }`,
			"proc/start.go":      `package proc; import "os"; var env = os.Environ()`,
			"cmd/spawnx/main.go": `package main; import ("os"; _ ` + ours + `expect"); func main() { println(os.Getenv("X")); os.Exit(0) }`,
		}, nil},
		{"an arrow upward", map[string]string{
			"internal/match/scan.go": `package match; import _ ` + ours + `expect"`,
		}, []string{"internal/match on floor 2: must not import expect on floor 6"}},
		{"an arrow to the same floor", map[string]string{
			"internal/match/scan.go": `package match; import _ ` + ours + `internal/escape"`,
		}, []string{"internal/match on floor 2: must not import internal/escape on floor 2"}},
		{"a forbidden arrow downward", map[string]string{
			"bridge/start.go": `package bridge; import _ ` + ours + `bridge/fifo"`,
		}, []string{"bridge: must not import bridge/fifo"}},
		{"an arrow in a file of another system", map[string]string{
			"proc/tree_windows.go": `package proc; import _ ` + ours + `bridge"`,
		}, []string{"proc: must not import bridge"}},
		{"no floor", map[string]string{
			"util/util.go": `package util`,
		}, []string{"util: stands on no floor"}},
		{"diag with a handle", map[string]string{
			"diag/take.go": `package diag; import ` + ours + `bridge"; func f(s bridge.Stats, b *bridge.Bridge) {}`,
		}, []string{"diag/take.go: uses bridge.Bridge; of bridge only the Stats"}},
		{"a foreign dependency in the core", map[string]string{
			"expect/view.go": `package expect; import _ "golang.org/x/term"`,
		}, []string{"expect: the core must not import golang.org/x/term"}},
		{"a foreign dependency in what the core uses", map[string]string{
			"expect/view.go":          `package expect; import _ ` + ours + `internal/escape"`,
			"internal/escape/scan.go": `package escape; import _ "github.com/charmbracelet/x/ansi"`,
		}, []string{"internal/escape: the core must not import github.com/charmbracelet/x/ansi"}},
		{"the same outside the core", map[string]string{
			"screen/parse.go": `package screen; import _ "github.com/charmbracelet/x/ansi"`,
		}, nil},
		{"a stray goroutine", map[string]string{
			"expect/expect.go": `package expect; func f() { func() { go f() }() }`,
		}, []string{"expect/expect.go: a go statement"}},
		{"a goroutine where there is none", map[string]string{
			"screen/screen.go": `package screen; func f() { go f() }`,
		}, []string{"screen/screen.go: a go statement"}},
		{"a goroutine of a WaitGroup in the core", map[string]string{
			"bridge/reader.go": `package bridge; import "sync"; func f(w *sync.WaitGroup) { w.Go(func() {}) }`,
			"bridge/join.go":   `package bridge; import "sync"; func g(w *sync.WaitGroup) { w.Go(func() {}) }`,
		}, []string{"bridge/reader.go: a WaitGroup's Go"}},
		{"an exit", map[string]string{
			"bridge/copy.go": `package bridge; import sys "os"; func f() { sys.Exit(1) }`,
		}, []string{"bridge/copy.go: os.Exit outside a program"}},
		{"printing", map[string]string{
			"expect/send.go": `package expect; import ("fmt"; "log"; "os"); func f() { fmt.Println(); log.Print(); fmt.Fprint(os.Stderr) }`,
		}, []string{"expect/send.go: fmt.Println outside a program", "expect/send.go: log.Print outside a program",
			"expect/send.go: os.Stderr outside a program"}},
		{"the printing that is built in", map[string]string{
			"diag/rules.go": `package diag; func f() { println() }`,
		}, []string{"diag/rules.go: println outside a program"}},
		{"reading the environment", map[string]string{
			"proc/lookup.go":          `package proc; import "os"; var path = os.Getenv("PATH")`,
			"internal/scale/scale.go": `package scale; import "os"; var s, _ = os.LookupEnv("S")`,
		}, []string{"proc/lookup.go: os.Getenv: the environment is not read here"}},
		{"20 methods", map[string]string{"proc/process.go": manyMethods(20)}, nil},
		{"21 methods", map[string]string{"proc/process.go": manyMethods(21)}, []string{"proc.Process: 21 methods, more than 20"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			small := tree{}
			for path, src := range tt.files {
				file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				pkg, name := filepath.ToSlash(filepath.Dir(path)), filepath.Base(path)
				if small[pkg] == nil {
					small[pkg] = map[string]*ast.File{}
				}
				small[pkg][name] = file
			}
			if got := violations(small); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// A floor, a list or an exception that names something twice or knows it not is a mistake of this table itself.
func TestTheTablesAreSound(t *testing.T) {
	seen := map[string]bool{}
	for _, names := range floors {
		for _, name := range names {
			if seen[name] {
				t.Errorf("%s stands on two floors", name)
			}
			seen[name] = true
		}
	}
	for pkg, allowed := range imports {
		for _, to := range allowed {
			if floor(to) == 0 || floor(to) >= floor(pkg) {
				t.Errorf("the list lets %s on floor %d import %s on floor %d", pkg, floor(pkg), to, floor(to))
			}
		}
	}
	for _, file := range goroutines {
		if pkg := file[:strings.LastIndexByte(file, '/')]; !slices.Contains(append(core, "internal/shim", "internal/ready"), pkg) { // which proc uses
			t.Errorf("%s is not in the core", file)
		}
	}
}
