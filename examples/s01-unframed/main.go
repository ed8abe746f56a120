// Unframed: a pipe carries bytes, not messages.
//
//	go run ./examples/s01-unframed
//	go run ./examples/s01-unframed -unit 100ms   # the same, faster
//
// A child writes "Spam 000" to "Spam 004" with nothing between them, pausing 0, 1, 2, 3 and 4 seconds, and
// begins again. The parent reads up to 32 bytes at a time. Every message seems to come out of a read of its
// own, until two are written close together: then one read brings "Spam 004Spam 000". On another day, on a
// busier machine, it cuts elsewhere.
//
// So nothing may depend on where a read ends. The second half takes the same bytes, which the bridge still
// has, with an expect: it finds the five messages of each round wherever the reads were cut.
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
	rounds := flag.Int("rounds", 2, "how often the child writes its five messages")
	flag.Parse()
	if flag.Arg(0) == "child" {
		child(os.Stdout, *unit, *rounds)
		return
	}
	if err := parent(context.Background(), os.Stdout, *unit, *rounds); err != nil {
		log.Fatal(err)
	}
}

// child writes the messages.
func child(w io.Writer, unit time.Duration, rounds int) {
	for i := range 5 * rounds {
		n := i % 5
		time.Sleep(time.Duration(n) * unit)
		fmt.Fprintf(w, "Spam %03d", n)
	}
}

// parent starts this same program as the child and reads it twice.
func parent(ctx context.Context, w io.Writer, unit time.Duration, rounds int) error {
	b, err := start(ctx, unit, rounds)
	if err != nil {
		return err
	}
	defer b.Close()
	whole := expect.Attach(b) // begins at the first byte, whenever it is read

	fmt.Fprintln(w, "as the reads bring it:")
	if err := pieces(b.Output().Reader("pieces", bridge.Block), func(p string) { fmt.Fprintf(w, "  %q\n", p) }); err != nil {
		return err
	}
	fmt.Fprintln(w, "as it was meant:")
	return messages(ctx, whole, func(m string) { fmt.Fprintf(w, "  %q\n", m) })
}

func start(ctx context.Context, unit time.Duration, rounds int) (*bridge.Bridge, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	spec := proc.Command(self, "-unit", unit.String(), "-rounds", strconv.Itoa(rounds), "child")
	spec.Stdio = proc.Pipes
	return bridge.Start(ctx, spec)
}

// pieces hands over what each read brings: it depends on time.
func pieces(r io.Reader, each func(string)) error {
	buf := make([]byte, 32)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			each(string(buf[:n]))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// messages hands over one message after the other: it depends on the bytes alone.
func messages(ctx context.Context, c *expect.Console, each func(string)) error {
	for {
		m, err := c.Expect(ctx, expect.Regexp(`Spam \d{3}`), expect.EOF)
		if err != nil {
			return err
		}
		if m.Pattern == expect.EOF {
			return nil
		}
		each(m.Text)
	}
}
