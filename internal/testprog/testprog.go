// Package testprog holds the other programs of tests: children that misbehave in one certain way. They run in the
// binary of the test itself, re-executed, so that they need no compiler and no file.
//
//	func main() { // or TestMain
//		testprog.Main()
//		…
//	}
//	… proc.Spec{Args: testprog.Args("gen", "4096", "7")}
package testprog

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// A Program gets its arguments and returns its exit status.
type Program func(args []string) int

var programs = map[string]Program{}

// Register adds a program. It is for init functions.
func Register(name string, p Program) {
	if programs[name] != nil {
		panic("two programs are called " + name)
	}
	programs[name] = p
}

const flag = "-testprog"

// Main becomes the program that this process was started as, and never returns then.
func Main() {
	if len(os.Args) < 3 || os.Args[1] != flag {
		return
	}
	p := programs[os.Args[2]]
	if p == nil {
		fmt.Fprintf(os.Stderr, "no program %q; there are %s\n", os.Args[2], strings.Join(slices.Sorted(maps.Keys(programs)), ", "))
		os.Exit(125)
	}
	os.Exit(p(os.Args[3:]))
}

// Args is the command line of a program. The name must be known.
func Args(name string, args ...string) []string {
	if programs[name] == nil {
		panic("no program " + name)
	}
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return append([]string{exe, flag, name}, args...)
}

// Env is our environment for a program that is to end at once: the race detector would let it sleep for a second.
func Env(more ...string) []string {
	return slices.Concat(os.Environ(), []string{"GORACE=atexit_sleep_ms=0"}, more)
}
