//go:build unix

package fifo_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spawnx/spawnx/bridge/fifo"
)

func folder() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "fifo")
	if err != nil {
		panic(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

// Writers come and go; the reader goes on.
func ExampleOpen() {
	dir, remove := folder()
	defer remove()
	path := filepath.Join(dir, "news")
	ctx := context.Background()

	in, err := fifo.Open(ctx, path, os.O_RDONLY|os.O_CREATE, fifo.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	for _, who := range []string{"one writer", "another"} {
		out, err := fifo.Open(ctx, path, os.O_WRONLY, fifo.Options{Lines: true})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprintf(out, "hello from %s\n", who)
		lines.Scan()
		fmt.Println(lines.Text())
		out.Close()
	}
	// Output:
	// hello from one writer
	// hello from another
}

// With Report, each writer's text is a whole of its own.
func ExampleOptions() {
	dir, remove := folder()
	defer remove()
	path := filepath.Join(dir, "letters")
	ctx := context.Background()
	in, err := fifo.Open(ctx, path, os.O_RDONLY|os.O_CREATE, fifo.Options{EOF: fifo.Report})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer in.Close()
	for _, text := range []string{"one letter", "and one more"} {
		out, err := fifo.Open(ctx, path, os.O_WRONLY, fifo.Options{EOF: fifo.Once})
		if err != nil {
			fmt.Println(err)
			return
		}
		io.WriteString(out, text)
		out.Close()
		letter, err := io.ReadAll(in)
		fmt.Printf("%s %v\n", letter, err)
	}
	// Output:
	// one letter <nil>
	// and one more <nil>
}

// What nobody can read any more comes back to who wrote it.
func ExampleUnreadError() {
	dir, remove := folder()
	defer remove()
	out, err := fifo.Open(context.Background(), filepath.Join(dir, "void"), os.O_WRONLY|os.O_CREATE, fifo.Options{Linger: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(out, "is anybody there?")
	var unread *fifo.UnreadError
	if errors.As(out.Close(), &unread) {
		fmt.Printf("nobody read %q\n", unread.Data)
	}
	// Output: nobody read "is anybody there?"
}

// The program's side makes the fifos; the other one comes when it likes.
func ExampleListen() {
	dir, remove := folder()
	defer remove()
	program, err := fifo.Listen(filepath.Join(dir, "prog"), fifo.PairOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer program.Close()
	io.WriteString(program.Out, "ready\n") // nobody waits for it yet

	gui, err := fifo.Dial(context.Background(), filepath.Join(dir, "prog"), fifo.PairOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gui.Close()
	line, err := bufio.NewReader(gui.Out).ReadString('\n')
	fmt.Printf("%q %v\n", line, err)
	// Output: "ready\n" <nil>
}

// One fifo for the requests of all, one for each client's replies.
func ExampleServe() {
	dir, remove := folder()
	defer remove()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- fifo.Serve(ctx, filepath.Join(dir, "echo"), fifo.Service{
			Answer: func(_ context.Context, request string, reply io.Writer) {
				io.WriteString(reply, strings.ToUpper(request))
			},
		})
	}()
	fmt.Println(fifo.Call(ctx, filepath.Join(dir, "echo"), "is anybody there?")) // it waits for the server
	stop()
	fmt.Println(<-done)
	// Output:
	// IS ANYBODY THERE? <nil>
	// <nil>
}
