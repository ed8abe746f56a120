// Named pipe: two programs that did not start one another, in two windows, in either order.
//
//	go run ./examples/s07-named-pipe           # reads, until ctrl-c
//	go run ./examples/s07-named-pipe -child    # writes, until ctrl-c; several may
//
// Either side may be stopped and started again, and the other goes on. A fifo by itself would not do that: open
// waits for the other side and cannot be told to stop, the end of one writer is the end of the file, a reader that
// leaves kills the writer, and what nobody has read is gone with the last one that closes. Here nothing is lost: each
// line is read once, by one reader, or the writer that wrote it is told that nobody did.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge/fifo"
)

func main() {
	log.SetFlags(0)
	path := flag.String("fifo", defaultPath(), "where the fifo is")
	child := flag.Bool("child", false, "write instead of read")
	unit := flag.Duration("unit", time.Second, "the child pauses 0 to 4 of these")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := read
	if *child {
		run = func(ctx context.Context, path string, out io.Writer) error { return write(ctx, path, *unit) }
	}
	if err := run(ctx, *path, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// defaultPath lies in a folder that nobody else can write in.
func defaultPath() string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("s07-%d", os.Getuid()))
	}
	return filepath.Join(dir, "s07-named-pipe")
}

// read prints one line after the other, whoever writes them, until ctx ends.
func read(ctx context.Context, path string, out io.Writer) error {
	in, err := fifo.Open(ctx, path, os.O_RDONLY|os.O_CREATE, fifo.Options{})
	if err != nil {
		return err
	}
	// At the end no new lines are taken; those that were are printed all the same.
	defer context.AfterFunc(ctx, func() { in.SetReadDeadline(time.Now()) })()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fmt.Fprintf(out, "parent %d got [%s]\n", os.Getpid(), lines.Text())
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return err
	}
	// When no writer is there either, the rest would be gone.
	var rest *fifo.UnreadError
	if err := in.Close(); errors.As(err, &rest) {
		fmt.Fprintf(out, "parent %d got the rest [%q]\n", os.Getpid(), rest.Data)
	}
	return nil
}

// write writes a line now and then, until ctx ends.
func write(ctx context.Context, path string, unit time.Duration) error {
	out, err := fifo.Open(ctx, path, os.O_WRONLY|os.O_CREATE, fifo.Options{Lines: true})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { out.SetWriteDeadline(time.Now()) })()
	for n := 0; ctx.Err() == nil; n = (n + 1) % 5 {
		select {
		case <-time.After(time.Duration(n) * unit):
		case <-ctx.Done():
		}
		if _, err := fmt.Fprintf(out, "Spam %03d of %d\n", n, os.Getpid()); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return out.Close() // says what nobody read
}
