// Fifo hygiene: what can be wrong with a named pipe, and what is said then.
//
//	go run ./examples/s08-fifo-hygiene           # in a folder of its own, which is gone afterwards
//	go run ./examples/s08-fifo-hygiene -dir DIR  # in that one
//
// Mode 0600 in a folder of mode 0700, whatever the umask: whoever may write a fifo types into a program, and whoever
// may write in its folder can put something else in its place. What could be another's is refused before it is opened,
// as opening some things already does something. Fifos that a killed program has left are found, since nobody reads
// them, and removed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/spawnx/spawnx/bridge/fifo"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "", "work in this folder")
	flag.Parse()
	if *dir == "" {
		temporary, err := os.MkdirTemp("", "s08")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(temporary)
		*dir = temporary
	}
	if err := show(context.Background(), os.Stdout, *dir); err != nil {
		log.Print(err)
	}
}

// show goes through a fifo's life and prints what is said on the way. dir is left as it was.
func show(ctx context.Context, out io.Writer, dir string) error {
	own := filepath.Join(dir, "own")
	path := filepath.Join(own, "fifo")
	say := func(what string, err error) {
		text := "fine"
		if err != nil {
			text = strings.ReplaceAll(err.Error(), dir+"/", "")
		}
		fmt.Fprintf(out, "%s: %s\n", what, strings.ReplaceAll(text, "\n", "\n  "))
	}

	_, err := fifo.Open(ctx, path, os.O_RDONLY, fifo.Options{})
	say("open it before there is one", err)
	say("make it", fifo.Make(path))
	say("make it again", fifo.Make(path))
	for _, name := range []string{own, path} {
		info, err := os.Lstat(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %v %s\n", info.Mode(), strings.TrimPrefix(name, dir+"/"))
	}

	w, err := fifo.Open(ctx, path, os.O_WRONLY, fifo.Options{})
	if err != nil {
		return err
	}
	r, err := fifo.Open(ctx, path, os.O_RDONLY, fifo.Options{EOF: fifo.Once})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "Spam\n")
	say("write", err)
	line := make([]byte, 5)
	_, err = io.ReadFull(r, line)
	say(fmt.Sprintf("read %q", line), err)
	say("close the writer", w.Close())
	_, err = r.Read(line)
	say("read at the end", err)
	say("close the reader", r.Close())

	alone, err := fifo.Open(ctx, path, os.O_WRONLY, fifo.Options{Linger: -1})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(alone, "Eggs\n"); err != nil {
		return err
	}
	say("close a writer that nobody has read", alone.Close())

	for _, plant := range []struct {
		what string
		do   func(string) error
	}{
		{"a file in its place", func(path string) error { return os.WriteFile(path, nil, 0o600) }},
		{"a link in its place", func(path string) error { return os.Symlink("fifo", path) }},
		{"one that others may open", func(path string) error { return errors.Join(fifo.Make(path), os.Chmod(path, 0o666)) }},
	} {
		planted := filepath.Join(own, "planted")
		if err := plant.do(planted); err != nil {
			return err
		}
		say(plant.what, fifo.Make(planted))
		if err := os.Remove(planted); err != nil {
			return err
		}
	}
	if err := os.Chmod(own, 0o777); err != nil {
		return err
	}
	_, err = fifo.Open(ctx, path, os.O_RDONLY, fifo.Options{})
	say("a folder in which others may write", err)
	if err := os.Chmod(own, 0o700); err != nil {
		return err
	}

	removed, err := fifo.Sweep(own)
	say(fmt.Sprintf("remove the %d that nobody reads", len(removed)), err)
	_, err = os.Lstat(path)
	fmt.Fprintf(out, "it is gone: %v\n", errors.Is(err, fs.ErrNotExist))
	return os.Remove(own)
}
