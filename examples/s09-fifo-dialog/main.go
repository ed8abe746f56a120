// Fifo dialog: a server that runs for ever and answers clients that it did not start, over named pipes.
//
//	go run ./examples/s09-fifo-dialog -server              # until ctrl-c
//	go run ./examples/s09-fifo-dialog Hello 1 from me      # a client; as many as you like, before or after
//
// One fifo, DIR/requests, takes the requests of all; each client has one of its own for the replies. A request is a
// line, so that those of many clients do not mix, and no reply can come to another. A shell is a client, too:
//
//	mkfifo -m 600 $DIR/me; echo "me Hello 2" >$DIR/requests; cat $DIR/me; rm $DIR/me
//
// Where both sides can speak unix sockets these are the better choice: they say who is there. See s12-sockets.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spawnx/spawnx/bridge/fifo"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", defaultDir(), "the folder of the fifos")
	server := flag.Bool("server", false, "answer")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *server {
		err = serve(ctx, *dir)
	} else {
		err = ask(ctx, *dir, strings.Join(flag.Args(), " "), os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func defaultDir() string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = os.TempDir()
	}
	return filepath.Join(dir, fmt.Sprintf("s09-%d", os.Getuid()))
}

// serve answers until ctx ends. What cannot be answered is told to stderr.
func serve(ctx context.Context, dir string) error {
	return fifo.Serve(ctx, dir, fifo.Service{
		Answer: func(_ context.Context, request string, reply io.Writer) {
			fmt.Fprintf(reply, "Server %d got: [%s]\n", os.Getpid(), request)
		},
		Refused: func(line string, err error) { log.Printf("%.100q: %v", line, err) },
	})
}

// ask asks the server one thing, and waits for one to come if there is none.
func ask(ctx context.Context, dir, request string, out io.Writer) error {
	reply, err := fifo.Call(ctx, dir, request)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, reply)
	return err
}
