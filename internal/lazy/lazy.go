// Package lazy makes what few runs of a program need when it is needed: all that is made at the start of one, all
// verbs wait for.
package lazy

import (
	"regexp"
	"sync"
)

// A Regexp is an expression that is compiled when it is first used. A variable of this type is only text: it costs the
// start of a program nothing, as a function that compiles once would.
type Regexp string

var compiled sync.Map // by Regexp

// Get returns the compiled expression. A bad one panics. Any number of goroutines may call it.
func (e Regexp) Get() *regexp.Regexp {
	re, ok := compiled.Load(e)
	if !ok {
		re, _ = compiled.LoadOrStore(e, regexp.MustCompile(string(e)))
	}
	return re.(*regexp.Regexp)
}
