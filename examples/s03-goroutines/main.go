// Goroutines: a pipe inside one process.
//
//	go run ./examples/s03-goroutines
//	go run ./examples/s03-goroutines -unit 100ms   # the same, faster
//
// The writer and the reader of s02-framed as two goroutines of one process. The reader's code is the same:
// an expect does not care what is at the far side of the bytes. And the pipe does more than carry them: the
// reader waits until there is something, so the two go on in step; the end of the pipe says that the writer
// is done, and whatever the writer did before it wrote a line is to be seen by who has read the line.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/spawnx/spawnx/expect"
)

func main() {
	unit := flag.Duration("unit", time.Second, "the writer pauses 0 to 4 of these")
	rounds := flag.Int("rounds", 1, "how often it writes its five messages")
	flag.Parse()
	ctx := context.Background()
	c, err := connect(func(w io.Writer) { write(w, *unit, *rounds) })
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := lines(ctx, c, func(line string) { fmt.Println(line) }); err != nil {
		log.Fatal(err)
	}
}

// connect has writer write to a pipe from a goroutine of its own, and returns the conversation with it. The
// pipe ends when writer returns.
func connect(writer func(io.Writer)) (*expect.Console, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		defer w.Close()
		writer(w)
	}()
	return expect.New(r, io.Discard).With(expect.Options{Timeout: -1}), nil
}

// write writes the messages, one per line.
func write(w io.Writer, unit time.Duration, rounds int) {
	for i := range 5 * rounds {
		n := i % 5
		time.Sleep(time.Duration(n) * unit)
		fmt.Fprintf(w, "Spam %03d\n", n)
	}
}

// lines hands over one line after the other, without its newline, until the pipe's end. It is that of
// s02-framed.
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
