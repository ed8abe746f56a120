package proc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spawnx/spawnx/proc"
)

func ExampleStart() {
	ctx := context.Background()
	spec := proc.Command("sh", "-c", "read name; echo hello $name; exit 3")
	spec.Stdio = proc.Pipes
	p, err := proc.Start(ctx, spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Stdio().Close()

	fmt.Fprintln(p.Stdio().In, "Ada")
	out, _ := io.ReadAll(p.Stdio().Out)
	fmt.Print(string(out))

	_, err = p.Wait(ctx)
	var exit *proc.ExitError
	fmt.Println(errors.As(err, &exit), err)
	// Output:
	// hello Ada
	// true exit status 3
}

func ExampleStartError() {
	_, err := proc.Start(context.Background(), proc.Command("./no-such-program"))
	var start *proc.StartError
	if errors.As(err, &start) {
		fmt.Println(start.Stage)
	}
	fmt.Println(err)
	// Output:
	// lookup
	// start ./no-such-program: not found
}

func ExampleProcess_Stop() {
	ctx := context.Background()
	p, err := proc.Start(ctx, proc.Command("sh", "-c", "sleep 600 & sleep 600 & wait"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Stdio().Close()
	exit, err := p.Stop(ctx) // all three are gone
	fmt.Println(exit, err)
	// Output: signal: terminated <nil>
}

func ExampleParseCommand() {
	spec, err := proc.ParseCommand(`grep -r "two words" .`)
	fmt.Printf("%q %v\n", spec.Args, err)
	_, err = proc.ParseCommand("ls | wc -l")
	fmt.Println(err)
	// Output:
	// ["grep" "-r" "two words" "."] <nil>
	// command "ls | wc -l": it has an unquoted |
	// hint: there is no shell here; write sh -c '…'
}

func ExampleRestart_Next() {
	r := proc.Restart{When: proc.OnFailure, Tries: 3}
	var st proc.RestartState
	for {
		next, delay, again := r.Next(st, proc.Exit{Code: 1}, 100*time.Millisecond)
		if !again {
			fmt.Println("given up")
			break
		}
		fmt.Println("again in", delay)
		st = next
	}
	// Output:
	// again in 1s
	// again in 2s
	// again in 4s
	// given up
}
