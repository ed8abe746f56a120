// Dialog: two programs that know nothing but print and read talk to each other.
//
//	go run ./examples/s04-dialog
//	go build -o /tmp/dialog ./examples/s04-dialog && spawnx link '/tmp/dialog ask' '/tmp/dialog answer'
//
// The parent starts a child and makes the child's output and input its own descriptors 0 and 1. From then on
// both simply print and read lines, and each line goes to the other. Standard error stays what it is, so that
// what the two have to tell appears. Restored, the parent prints for the person again.
//
// The same dialog needs no such parent: spawnx link joins two programs, each one's output to the other's input.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

func main() {
	log.SetFlags(0)
	var err error
	switch {
	case len(os.Args) < 2:
		err = parent(context.Background())
	case os.Args[1] == "ask":
		err = ask(os.Stdin, os.Stdout, os.Stderr)
	default:
		err = answer(os.Stdin, os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// parent talks to a child over its own standard streams.
func parent(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	spec := proc.Command(self, "answer")
	spec.Stdio = proc.Pipes
	child, err := bridge.Start(ctx, spec)
	if err != nil {
		return err
	}
	defer child.Close()
	var errors sync.WaitGroup
	from := child.Stderr().Reader("stderr", bridge.Block)
	errors.Go(func() { _, _ = bridge.Copy(os.Stderr, from) })

	restore, err := bridge.Rewire(child)
	if err != nil {
		return err
	}
	talked := ask(os.Stdin, os.Stdout, os.Stderr) // with the child
	if err := restore(); err != nil {
		return err
	}
	if talked != nil {
		return talked
	}
	if err := child.Input().CloseWrite(); err != nil {
		return err
	}
	exit, err := child.Wait(ctx)
	errors.Wait()
	if err == nil {
		fmt.Println("parent: the child has ended:", exit)
	}
	return err
}

// ask asks two questions and tells what was answered.
func ask(in io.Reader, out, tell io.Writer) error {
	answers := bufio.NewReader(in)
	for i := range 2 {
		fmt.Fprintf(out, "Hello %d from parent %d\n", i+1, os.Getpid())
		reply, err := answers.ReadString('\n')
		if err != nil {
			return fmt.Errorf("no answer to question %d: %w", i+1, err)
		}
		fmt.Fprintf(tell, "Parent got: %q\n", reply)
	}
	return nil
}

// answer answers until there are no more questions.
func answer(in io.Reader, out io.Writer) error {
	questions := bufio.NewScanner(in)
	for questions.Scan() {
		fmt.Fprintf(out, "Child %d got: [%s]\n", os.Getpid(), questions.Text())
	}
	return questions.Err()
}
