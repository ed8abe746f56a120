package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

// A program, what it reads and what it writes.
func ExampleStart() {
	ctx := context.Background()
	b, err := bridge.Start(ctx, proc.Spec{Args: []string{"sort"}, Stdio: proc.Pipes})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	out := b.Output().Reader("result", bridge.Block)
	fmt.Fprint(b.Input(), "pear\napple\n")
	b.Input().CloseWrite()
	sorted, _ := io.ReadAll(out)
	fmt.Print(string(sorted))
	exit, err := b.Wait(ctx)
	fmt.Println(exit, err)
	// Output:
	// apple
	// pear
	// exit status 0 <nil>
}

// Any number of readers see the same output; one that must not hold the
// program up says Skip, and is told what it lost.
func ExampleReader() {
	ctx := context.Background()
	b, err := bridge.Start(ctx, proc.Spec{Args: []string{"head", "-c", "3000000", "/dev/zero"}, Stdio: proc.Pipes})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	log := b.Output().Reader("log", bridge.Block)
	screen := b.Output().Reader("screen", bridge.Skip)
	n, _ := io.Copy(io.Discard, log)
	fmt.Println("log:", n)

	_, err = screen.Read(make([]byte, 1))
	var lost *bridge.LostError
	fmt.Println("screen has lost some:", errors.As(err, &lost) && lost.From == 0)
	rest, _ := io.Copy(io.Discard, screen)
	fmt.Println("together:", screen.Lost()+rest)
	// Output:
	// log: 3000000
	// screen has lost some: true
	// together: 3000000
}

// A program that is started again goes on in the same Stream.
func ExampleStart_restart() {
	ctx := context.Background()
	spec := proc.Spec{Args: []string{"sh", "-c", "echo try; exit 1"}, Stdio: proc.Pipes}
	spec.Restart = proc.Restart{When: proc.OnFailure, Delay: 1, Tries: 2}
	b, err := bridge.Start(ctx, spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	out, _ := io.ReadAll(b.Output().Reader("all", bridge.Block))
	fmt.Printf("%q\n", out)
	exit, err := b.Wait(ctx)
	fmt.Println(exit.Restarts, err)
	// Output:
	// "try\ntry\ntry\n"
	// 2 exit status 1
}

// A person at a program; here the person is a string.
func ExampleJoin() {
	ctx := context.Background()
	b, err := bridge.Start(ctx, proc.Spec{Args: []string{"tr", "a-z", "A-Z"}, Stdio: proc.Pipes})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	err = bridge.Join(ctx, b, bridge.Seat{In: strings.NewReader("hello\n"), Out: os.Stdout, Err: os.Stderr})
	fmt.Println(err)
	// Output:
	// HELLO
	// <nil>
}

// A log that fails for a while never stops the program.
func ExampleCopy() {
	ctx := context.Background()
	b, err := bridge.Start(ctx, proc.Spec{Args: []string{"echo", "to be kept"}, Stdio: proc.Pipes})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	lost, err := bridge.Copy(os.Stdout, b.Output().Reader("log", bridge.Block))
	fmt.Println(lost, err)
	// Output:
	// to be kept
	// 0 <nil>
}

// A far side that is no process: anything that reads and writes.
func ExampleNew() {
	r, w := io.Pipe()
	out := bridge.NewStream(bridge.NewSource(r), 0, 0)
	b := bridge.New(nil, out, nil, bridge.NewInput(bridge.NewSink(w), out), r.Close)
	defer b.Close()

	reader := b.Output().Reader("test", bridge.Block)
	go fmt.Fprint(b.Input(), "there and back")
	buf := make([]byte, 14)
	_, err := io.ReadFull(reader, buf)
	fmt.Printf("%s %v\n", buf, err)
	// Output: there and back <nil>
}

// Two programs talk to each other; who watches sees each line before the other
// one does.
func ExampleLink() {
	ctx := context.Background()
	asks := proc.Spec{Args: []string{"sh", "-c", "for i in 1 2; do echo question $i; read -r answer; done"}, Stdio: proc.Pipes}
	answers := proc.Spec{Args: []string{"sh", "-c", `while read -r question; do echo "$question? yes"; done`}, Stdio: proc.Pipes}
	watch := func(from int, p []byte) { fmt.Printf("%d: %s", from, p) }
	exits, err := bridge.Link(ctx, bridge.LinkOptions{Watch: watch}, bridge.End{Spec: &asks}, bridge.End{Spec: &answers})
	fmt.Println(exits, err)
	// Output:
	// 0: question 1
	// 1: question 1? yes
	// 0: question 2
	// 1: question 2? yes
	// [exit status 0 exit status 0] <nil>
}

// Our own input and output, joined to a program with nothing in between that
// would see the bytes. OverFiles takes any two files.
func ExampleOverFiles() {
	ctx := context.Background()
	in, say, _ := os.Pipe()
	hear, out, _ := os.Pipe()
	here, err := bridge.OverFiles(in, out)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer here.Close()
	go func() {
		fmt.Fprint(say, "b\na\n")
		say.Close()
	}()
	_, err = bridge.Link(ctx, bridge.LinkOptions{}, bridge.End{Bridge: here}, bridge.End{Spec: &proc.Spec{Args: []string{"sort"}, Stdio: proc.Pipes}})
	fmt.Println(err)
	sorted, _ := io.ReadAll(hear)
	fmt.Printf("%s", sorted)
	// Output:
	// <nil>
	// a
	// b
}
