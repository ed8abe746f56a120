// Popen3: input, output and errors of a child as three streams.
//
//	go run ./examples/s06-popen3
//
// The classic calls, in the order of their names: popen reads what a child writes, popen2 talks to it, popen3
// keeps its errors apart. The trap of popen3 is to read one stream to its end and then the other: a child that
// fills the one that nobody reads waits for the parent, which waits for the child. So does a parent that
// writes much input to a child that answers as it reads. Here both outputs have readers of their own, and
// while a write of ours cannot proceed the bridge reads what the child writes.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

func main() {
	ctx := context.Background()

	out, err := popen(ctx, "echo", "hello")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("popen:  %q\n", out)

	child, err := popen2(ctx, "sh", "-c", `while read -r line; do echo "you said: $line"; done`)
	if err != nil {
		log.Fatal(err)
	}
	defer child.Close()
	for _, line := range []string{"one", "two"} {
		if err := child.SendLine(line); err != nil {
			log.Fatal(err)
		}
		answer, err := child.Expect(ctx, expect.Regexp(`.*\n`))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("popen2: %q\n", answer.Text)
	}

	r, err := popen3(ctx, "b\na\n", "sh", "-c", "sort; echo no more >&2; exit 3")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("popen3: %q, errors %q, %v\n", r.out, r.errs, r.exit)
}

// on is the Spec of a child on three pipes.
func on(words []string) proc.Spec {
	spec := proc.Command(words[0], words[1:]...)
	spec.Stdio = proc.Pipes
	return spec
}

// popen returns what a child writes to its standard output.
func popen(ctx context.Context, words ...string) (string, error) {
	r, err := popen3(ctx, "", words...)
	if err == nil && r.exit.Status() != 0 {
		err = &proc.ExitError{Exit: r.exit}
	}
	return r.out, err
}

// popen2 begins a conversation with a child over its standard input and output.
func popen2(ctx context.Context, words ...string) (*expect.Console, error) {
	return expect.Spawn(ctx, on(words))
}

type result struct {
	out, errs string
	exit      proc.Exit
}

// popen3 gives a child its whole input and returns all that it wrote, and how it ended. A status other than 0
// is a result here, no error.
func popen3(ctx context.Context, input string, words ...string) (result, error) {
	b, err := bridge.Start(ctx, on(words))
	if err != nil {
		return result{}, err
	}
	defer b.Close()
	var out, errs strings.Builder
	var copies sync.WaitGroup
	collect := func(to io.Writer, stream *bridge.Stream) {
		from := stream.Reader("popen3", bridge.Block)
		copies.Go(func() { _, _ = bridge.Copy(to, from) }) // a Builder takes everything
	}
	collect(&out, b.Output())
	collect(&errs, b.Stderr())

	// A child need not read its input to the end: that it closed it is no error of ours.
	_, _ = io.WriteString(b.Input(), input)
	_ = b.Input().CloseWrite()

	exit, err := b.Wait(ctx)
	if _, ended := err.(*proc.ExitError); err != nil && !ended {
		return result{}, err
	}
	copies.Wait()
	return result{out.String(), errs.String(), exit}, nil
}
