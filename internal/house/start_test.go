package house

import (
	"go/ast"
	"slices"
	"testing"
)

// Some things weigh on every start of spawnx, whatever is asked of it: a package that makes much before main, or for
// which the linker keeps the methods of all types, as it must for templates.
var (
	heavyImports = []string{"text/template", "html/template", "encoding/xml", "encoding/gob", "expvar", "net/http/pprof"}
	heavyMethods = []string{"SetUsageTemplate", "SetHelpTemplate", "SetVersionTemplate", "MethodByName"} // cobra's, reflect's
	notInSpawnx  = []string{"examples/...", "faults", "expect/expecttest", "expect/expecttest/...", "internal/testprog"}
)

func TestNothingIsHeavyAtTheStart(t *testing.T) {
	for pkg, files := range load(t) {
		if within(pkg, notInSpawnx) {
			continue
		}
		for _, path := range importsOf(files) {
			if slices.Contains(heavyImports, path) {
				t.Errorf("%s imports %s, which slows every start", pkg, path)
			}
		}
		for name, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(heavyMethods, sel.Sel.Name) {
					t.Errorf("%s/%s: %s keeps the methods of all types in the binary, which slows every start", pkg, name, sel.Sel.Name)
				}
				return true
			})
		}
	}
}
