package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// The workloads as a user of package expect writes them.
var spawnxDoes = map[string]func(args []string) error{
	"spawn":    spawnxSpawn,
	"pingpong": spawnxPingPong,
	"find":     spawnxFind,
	"fanout":   spawnxFanout,
	"sessions": spawnxSessions,
	"dialog":   spawnxDialog,
}

var forever = expect.Options{Timeout: 10 * time.Minute}

func spawnxSpawn(args []string) error {
	n, width := number(args[0]), number(args[1])
	begin := time.Now()
	err := each(n, width, func(int) error {
		ctx := context.Background()
		c, err := expect.Spawn(ctx, proc.Command("/bin/true"))
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Expect(ctx, expect.EOF); err != nil {
			return err
		}
		_, err = c.Wait(ctx)
		return err
	})
	if err != nil {
		return err
	}
	report(time.Since(begin), float64(n))
	return nil
}

func spawnxPingPong(args []string) error {
	ctx, n := context.Background(), number(args[1])
	spec := proc.Command("cat")
	spec.NoEcho = true
	if args[0] == "pipe" {
		spec.Stdio = proc.Pipes
	}
	c, err := expect.Spawn(ctx, spec)
	if err != nil {
		return err
	}
	defer c.Close()
	took := newExchanges(n)
	for i := -100; i < n; i++ { // the first hundred are not counted
		took.begin(i)
		line := fmt.Sprintf("ping %06d", max(i, 0))
		if err := c.SendLine(line); err != nil {
			return err
		}
		if _, err := c.Expect(ctx, expect.Text(line+"\n")); err != nil {
			return err
		}
	}
	took.report()
	return nil
}

func spawnxFind(args []string) error {
	ctx := context.Background()
	cmd, patterns := cut(args[2:])
	cases := []expect.Pattern{expect.EOF}
	for _, p := range patterns {
		if isRegexp(p) {
			cases = append(cases, expect.Regexp(p[1:]))
		} else {
			cases = append(cases, expect.Text(p[1:]))
		}
	}
	spec := proc.Command(cmd[0], cmd[1:]...)
	if args[0] == "pipe" {
		spec.Stdio = proc.Pipes
	}
	begin := time.Now()
	c, err := expect.Spawn(ctx, spec)
	if err != nil {
		return err
	}
	c = c.With(forever)
	defer c.Close()
	m, err := c.Expect(ctx, cases...)
	if err != nil {
		return err
	}
	if m.Index == 0 != (args[1] == "absent") {
		return fmt.Errorf("case %d ended it", m.Index)
	}
	report(time.Since(begin), float64(number(cmd[2])))
	return nil
}

func spawnxFanout(args []string) error {
	ctx := context.Background()
	spec := proc.Command(args[2], args[3:]...)
	spec.Stdio = proc.Pipes
	var sinks []*os.File
	for _, name := range strings.Split(args[1], ":") {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		defer f.Close()
		sinks = append(sinks, f)
	}
	begin := time.Now()
	b, err := bridge.Start(ctx, spec)
	if err != nil {
		return err
	}
	defer b.Close()
	readers := make([]*bridge.Reader, len(sinks))
	for i := range sinks {
		readers[i] = b.Output().Reader(fmt.Sprint("sink ", i), bridge.Block)
	}
	err = each(len(sinks), len(sinks), func(i int) error {
		lost, err := bridge.Copy(sinks[i], readers[i])
		if err == nil && lost > 0 {
			err = fmt.Errorf("lost %d bytes", lost)
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := b.Wait(ctx); err != nil {
		return err
	}
	report(time.Since(begin), float64(number(args[0])))
	return nil
}

func spawnxSessions(args []string) error {
	ctx := context.Background()
	n, exchanges := number(args[0]), number(args[1])
	took := latencies(n * exchanges)
	before := statusField("VmRSS")
	spec := proc.Command("cat")
	spec.NoEcho = true
	consoles := make([]*expect.Console, n)
	err := each(n, 16, func(i int) (err error) {
		consoles[i], err = expect.Spawn(ctx, spec)
		return err
	})
	if err != nil {
		return err
	}
	begin := time.Now()
	err = each(n, n, func(i int) error {
		c, took := consoles[i].With(forever), took[i*exchanges:][:exchanges]
		for j := range took {
			line := fmt.Sprintf("ping %06d", j)
			sent := time.Now()
			if err := c.SendLine(line); err != nil {
				return err
			}
			if _, err := c.Expect(ctx, expect.Text(line+"\n")); err != nil {
				return err
			}
			took[j] = time.Since(sent)
		}
		return nil
	})
	if err != nil {
		return err
	}
	total := time.Since(begin)
	fmt.Printf("kib_each %.2f\nthreads %.0f\n", (statusField("VmRSS")-before)/float64(n), statusField("Threads"))
	report(total, float64(n*exchanges))
	reportLatency(took)
	if err := heapProfile(os.Getenv("BENCH_HEAP")); err != nil {
		return err
	}
	return each(n, 64, func(i int) error {
		_ = consoles[i].Bridge().Signal(os.Kill) // cat would wait for the end of its input
		return consoles[i].Close()
	})
}

func spawnxDialog(args []string) error {
	ctx, n := context.Background(), number(args[0])
	spec := proc.Command("bash", "--norc", "--noprofile")
	spec.Env = append(os.Environ(), "PS1="+prompt, "TERM=dumb")
	begin := time.Now()
	c, err := expect.Spawn(ctx, spec)
	if err != nil {
		return err
	}
	c = c.With(expect.Options{Prompt: expect.Text(prompt)})
	defer c.Close()
	if _, err := c.Expect(ctx, expect.Text(prompt)); err != nil {
		return err
	}
	for i := range n {
		answer, err := c.Command(ctx, fmt.Sprintf("echo answer $((%d * 7))", i))
		if err != nil {
			return err
		}
		if answer != fmt.Sprintf("answer %d\n", i*7) {
			return fmt.Errorf("%d: %q", i, answer)
		}
	}
	if err := c.SendLine("exit"); err != nil {
		return err
	}
	if _, err := c.Wait(ctx); err != nil {
		return err
	}
	report(time.Since(begin), float64(n))
	return nil
}

const prompt = "prompt> "

// each calls f with 0 to n-1, width of them at a time, and returns the first error.
func each(n, width int, f func(int) error) error {
	if width == 1 {
		for i := range n {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	next := make(chan int)
	failed := make(chan error, width)
	var wg sync.WaitGroup
	for range width {
		wg.Go(func() {
			var first error
			for i := range next {
				if first == nil {
					first = f(i)
				}
			}
			failed <- first
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// latencies returns a slice whose memory is there already, so that it is not taken for the sessions'.
func latencies(n int) []time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		took[i] = 1
	}
	return took
}
