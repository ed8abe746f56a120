// Package lazy makes what few runs of a program need when it is needed: all that is made at the start of one, all
// verbs wait for.
package lazy

import (
	"regexp"
	"sync"
)

// Regexp returns a function that returns the expression, which it compiles when it is first called. A bad one panics
// then.
func Regexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
