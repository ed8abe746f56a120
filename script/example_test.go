//go:build unix

package script_test

import (
	"context"
	"fmt"
	"os"

	"github.com/spawnx/spawnx/script"
)

// A script is read, checked and run.
func Example() {
	p, err := script.Load("hello.star", []byte(`
p = spawn(["sh", "-c", "printf 'Name? '; read n; echo hello $n"])
p.expect(on("Name? ", args[0]), re("hello .*"))
print("it answered")
p.wait()
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := p.Run(context.Background(), script.Options{Args: []string{"Ada"}, Stdout: os.Stdout})
	fmt.Println(status, err)
	// Output:
	// it answered
	// 0 <nil>
}

// Check finds mistakes without running anything.
func ExampleProgram_Check() {
	p, err := script.Load("hello.star", []byte(`
p = spawn("ssh host", cwd = "/tmp")
p.expect("Login", "Login: ")
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range p.Check() {
		fmt.Println(e)
	}
	// Output:
	// hello.star:2: spawn: there is no argument cwd=
	// hint: write dir =
	// hello.star:3: "Login: " can never match: "Login" stands before it, and matches at the same place or earlier
	// hint: put the longer one first
}

// An error says where the script was, what is there and what to do.
func ExampleError() {
	_, err := script.Load("old.star", []byte("import pexpect\n"))
	fmt.Println(err)
	// Output:
	// old.star:1: there are no imports
	// hint: what this is for is defined already; functions of another file: load("lib.star", "name")
}
