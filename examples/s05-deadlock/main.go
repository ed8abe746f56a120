// Deadlock: the dialog of s04 without flushes, why it hangs, and three cures.
//
//	go run ./examples/s05-deadlock
//	cd examples/s05-deadlock && spawnx link 'gawk -f ask.awk' 'gawk -f answer.awk'
//
// A program whose output is no terminal collects what it prints in a buffer of some KiB. So the question stands
// in the first one's buffer, the second one waits for it, and the first one waits for the answer: for ever.
// Neither is to blame, and nothing is to be seen on any pipe. But each buffer can be looked into from outside:
// the explanation names who waits for whom, and the very bytes that are held back.
//
// The cures: the programs flush; they are started so that they need no flush (--unbuffered, python -u, stdbuf);
// or they get a terminal for their output, to which programs write line by line (--stdio pty-stdout).
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/proc"
)

//go:embed ask.awk answer.awk
var programs embed.FS

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "deadlock")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, programs); err != nil {
		log.Fatal(err)
	}
	for _, c := range []cure{{name: "as they are"}, {name: "flushed", flush: true}, {name: "unbuffered", unbuffered: true}, {name: "on a terminal", terminal: true}} {
		fmt.Printf("%s:\n", c.name)
		if err := c.talk(context.Background(), dir, os.Stdout); err != nil {
			fmt.Printf("  %v\n", err)
		}
	}
}

// A cure is what is done so that the two can talk; the zero cure is none.
type cure struct {
	name                        string
	flush, unbuffered, terminal bool
}

// talk lets the two programs of dir talk until they have ended, or wait for each other.
func (c cure) talk(ctx context.Context, dir string, tell io.Writer) error {
	asks, answers, err := c.specs(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var others sync.WaitGroup
	started := func(ends []*bridge.Bridge) {
		errs := ends[0].Stderr().Reader("stderr", bridge.Block)
		others.Go(func() { _, _ = bridge.Copy(tell, errs) })
		others.Go(func() { watch(ctx, ends, cancel) })
	}
	_, err = bridge.Link(ctx, bridge.LinkOptions{Started: started}, bridge.End{Spec: &asks}, bridge.End{Spec: &answers})
	cancel(nil)
	others.Wait()
	return err
}

func (c cure) specs(dir string) (asks, answers proc.Spec, err error) {
	spec := func(script string) proc.Spec {
		s := proc.Command("gawk", "-v", "flush=0", "-f", script)
		if c.flush {
			s.Args[2] = "flush=1"
		}
		s.Dir, s.Stdio = dir, proc.Pipes
		if c.terminal {
			s.Stdio = proc.PTYStdout
		}
		return s
	}
	asks, answers = spec("ask.awk"), spec("answer.awk")
	if c.unbuffered {
		asks.Env, err = diag.Unbuffered(os.Environ())
		answers.Env = asks.Env
	}
	return asks, answers, err
}

// watch gives the dialog up, with the explanation, when the programs wait for each other.
func watch(ctx context.Context, ends []*bridge.Bridge, giveUp func(error)) {
	var before diag.Snapshot
	for {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return
		}
		now, err := diag.Take(diag.LanesOf(ends[0].Stats()), diag.LanesOf(ends[1].Stats()))
		if err != nil {
			return // they have ended
		}
		if found, stuck := diag.Deadlock(before, now); stuck {
			giveUp(&deadlock{found})
			return
		}
		before = now
	}
}

type deadlock struct{ diag.Finding }

func (d *deadlock) Error() string { return d.String() + "\n  cure: " + d.Cure }

// isDeadlock returns what was found.
func isDeadlock(err error) (diag.Finding, bool) {
	var d *deadlock
	if !errors.As(err, &d) {
		return diag.Finding{}, false
	}
	return d.Finding, true
}
