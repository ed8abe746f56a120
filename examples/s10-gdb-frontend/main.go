// Front end: a window on a debugger that need not be the debugger's parent.
//
//	go run ./examples/s10-gdb-frontend
//
// A gdb with its machine interface is started once and served on a socket of spawnx. A front end joins, starts the debugged program and leaves in the middle. What gdb
// says meanwhile is kept: the front end comes back at the byte where it left, another one joins and sees all from
// the beginning, and the two visits of the first are together what the second one saw. Nothing is lost, and gdb has
// noticed none of it.
//
// From a shell the same is: spawnx run -d --name debug --stdio pipes --fifo DIR gdb -q -nx --interpreter=mi3, and
// then spawnx link --eof keep - run:debug or, as the fifos are for tools that only know files, cat DIR/out & echo
// -exec-run >DIR/in.
//
// For people, and for front ends with a console, there is more: see docs/debuggers.md. The script gdb beside this file
// lets front ends that start gdb themselves, as cgdb and vim do, join one that runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "s10")
	if err != nil {
		log.Fatal(err)
	}
	err = demonstrate(context.Background(), dir, os.Stdout)
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
}

func demonstrate(ctx context.Context, dir string, out io.Writer) error {
	addr, closeAll, err := serve(ctx, dir)
	if err != nil {
		return err
	}
	defer closeAll()

	one := &frontEnd{name: "one", addr: addr, out: out}
	if err := one.visit(ctx, func(c *expect.Console) error {
		return do(ctx, c, "-file-exec-and-symbols /bin/sleep", "-exec-arguments 0.1", "-exec-run")
	}); err != nil {
		return err
	}
	two := &frontEnd{name: "two", addr: addr, out: out}
	if err := two.visit(ctx, func(c *expect.Console) error {
		_, err := c.Expect(ctx, expect.Text(`*stopped,reason="exited-normally"`))
		return err
	}); err != nil {
		return err
	}
	if err := one.visit(ctx, func(c *expect.Console) error { // what came while it was away
		_, err := c.Expect(ctx, expect.Text(`*stopped,reason="exited-normally"`))
		return err
	}); err != nil {
		return err
	}
	if one.saw.String() != two.saw.String() {
		return fmt.Errorf("the front ends saw different things:\n%s\n%s", &one.saw, &two.saw)
	}
	fmt.Fprintln(out, "both saw the same", one.visits, "visits and one")
	return nil
}

// serve starts a gdb and lets others join it.
func serve(ctx context.Context, dir string) (addr string, closeAll func(), err error) {
	spec := proc.Command("gdb", "-q", "-nx", "--interpreter=mi3")
	spec.Stdio = proc.Pipes
	gdb, err := bridge.Start(ctx, spec)
	if err != nil {
		return "", nil, err
	}
	server, err := session.NewServer(gdb, session.Options{})
	if err != nil {
		_ = gdb.Close() // the error above says more
		return "", nil, err
	}
	closeAll = func() {
		_ = errors.Join(server.Close(), gdb.Close())
	}
	if addr, err = server.Listen("spawnx:" + filepath.Join(dir, "gdb.sock")); err != nil {
		closeAll()
	}
	return addr, closeAll, err
}

// A frontEnd is a program with a window, which comes and goes. Between its visits it keeps a number: how much it
// has seen.
type frontEnd struct {
	name, addr string
	out        io.Writer
	at         int64
	saw        strings.Builder
	visits     int
}

// visit joins gdb where the visit before ended, and leaves it behind what do has waited for.
func (f *frontEnd) visit(ctx context.Context, do func(*expect.Console) error) error {
	client, err := session.Dialer{From: session.FromOffset(f.at)}.Dial(ctx, f.addr)
	if err != nil {
		return err
	}
	c := expect.Attach(client.Bridge())
	defer c.Close() // leaves; gdb goes on
	seen := client.Bridge().Output().Reader("window", bridge.Block)
	if err := do(c); err != nil {
		return fmt.Errorf("front end %s: %w", f.name, err)
	}
	end, err := c.Expect(ctx, expect.Text("(gdb) \n"))
	if err != nil {
		return err
	}
	text := make([]byte, end.End-f.at)
	if _, err := io.ReadFull(seen, text); err != nil {
		return err
	}
	f.saw.Write(text)
	f.at = end.End
	f.visits++
	fmt.Fprintf(f.out, "front end %s, visit %d, saw %d lines up to byte %d\n", f.name, f.visits, strings.Count(string(text), "\n"), f.at)
	return nil
}

// do sends commands, each when the one before it was answered.
func do(ctx context.Context, c *expect.Console, commands ...string) error {
	for _, command := range commands {
		if err := c.SendLine(command); err != nil {
			return err
		}
		m, err := c.Expect(ctx, expect.Regexp(`\^(done|running|error).*\n`))
		if err != nil {
			return err
		}
		if strings.HasPrefix(m.Text, "^error") {
			return fmt.Errorf("%s: %s", command, m.Text)
		}
	}
	return nil
}
