// Framed: a newline after each message, and whoever does not use an end of a pipe closes it.
//
//	go run ./examples/s02-framed
//	go run ./examples/s02-framed -unit 100ms            # the same, faster
//	go run ./examples/s02-framed -unit 0s -leave-open   # why unused ends must be closed
//
// The messages are those of s01-unframed, each with a newline. The child writes them to descriptor 3, the
// writing end of a pipe that it was given. The parent reads lines, and gets one message per line, always.
//
// The end of the pipe comes when the last writing end is closed. The child's is closed by its exit. The
// parent has one, too, since it made the pipe: with -leave-open it forgets to close it, and would wait for
// ever for messages that only itself could write. Here an expect ends that with a timeout, and says so.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

func main() {
	unit := flag.Duration("unit", time.Second, "the child pauses 0 to 4 of these")
	rounds := flag.Int("rounds", 1, "how often the child writes its five messages")
	leaveOpen := flag.Bool("leave-open", false, "do not close the end of the pipe that the parent does not use")
	flag.Parse()
	if flag.Arg(0) == "child" {
		child(os.NewFile(3, "pipe"), *unit, *rounds)
		return
	}
	ctx := context.Background()
	b, r, w, err := start(ctx, *unit, *rounds)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	timeout := -time.Second // none
	if *leaveOpen {
		timeout = 2 * time.Second
	} else {
		w.Close()
	}
	c := expect.New(r, io.Discard).With(expect.Options{Timeout: timeout})
	defer c.Close()
	if err := lines(ctx, c, func(line string) { fmt.Println(line) }); err != nil {
		log.Fatal(err)
	}
}

// child writes the messages, one per line.
func child(w io.Writer, unit time.Duration, rounds int) {
	for i := range 5 * rounds {
		n := i % 5
		time.Sleep(time.Duration(n) * unit)
		fmt.Fprintf(w, "Spam %03d\n", n)
	}
}

// start starts this same program as the child, with the writing end w of a pipe as its descriptor 3. The
// parent reads r, and has to close both.
func start(ctx context.Context, unit time.Duration, rounds int) (b *bridge.Bridge, r, w *os.File, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, nil, err
	}
	r, w, err = os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	spec := proc.Command(self, "-unit", unit.String(), "-rounds", strconv.Itoa(rounds), "child")
	spec.Stdio = proc.Pipes
	b, err = bridge.Start(ctx, spec, w)
	if err != nil {
		r.Close()
		w.Close()
		return nil, nil, nil, err
	}
	return b, r, w, nil
}

// lines hands over one line after the other, without its newline, until the pipe's end.
func lines(ctx context.Context, c *expect.Console, each func(line string)) error {
	for {
		m, err := c.Expect(ctx, expect.Regexp(`(.*)\n`), expect.EOF)
		if err != nil {
			return err
		}
		if m.Pattern == expect.EOF {
			return nil
		}
		each(m.Groups[1])
	}
}
