//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
)

// soak keeps many programs busy, and itself, and looks whether anything grows.
func soak(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("faults soak", flag.ExitOnError)
	length := fs.Duration("for", 30*time.Minute, "how long")
	programs := fs.Int("programs", 200, "how many at a time")
	seed := fs.Uint64("seed", rand.Uint64N(1e9), "of what is random")
	write := fs.String("write", "", "write what came of it to this `FILE`, for the scoreboard: faults/soak.txt")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var out io.Writer = os.Stdout
	var kept bytes.Buffer
	if *write != "" {
		out = io.MultiWriter(os.Stdout, &kept)
	}
	fmt.Fprintf(out, "%d programs for %v as %s, seed %d\n", *programs, *length, who(), *seed)
	ctx, cancel := context.WithTimeout(ctx, *length)
	defer cancel()

	w := worker{}
	var working sync.WaitGroup
	for i := range *programs {
		r := rand.New(rand.NewPCG(*seed, uint64(i)))
		working.Go(func() {
			for ctx.Err() == nil {
				w.live(ctx, r)
			}
		})
	}
	samples, every := []sample{}, *length/40
	fmt.Fprintln(out, "   time  operations  programs  descriptors  threads  goroutines  zombies  terminals  MiB  keeper: descriptors  MiB")
	for tick := time.NewTicker(every); ctx.Err() == nil; {
		select {
		case <-tick.C:
			s := w.sample()
			samples = append(samples, s)
			fmt.Fprintf(out, "%7s  %10d  %8d  %11d  %7d  %10d  %7d  %9d  %3d  %19d  %3d\n", time.Duration(len(samples))*every/time.Second*time.Second,
				s[operations], s[begun], s[fds], s[threads], s[goroutines], s[dead], s[terminals], s[memory]>>10, s[keeperFds], s[keeperMemory]>>10)
		case <-ctx.Done():
			tick.Stop()
		}
	}
	working.Wait()
	bad := slopes(samples)
	if n := w.wrong.Load(); n > 0 {
		bad = append(bad, fmt.Sprintf("%d operations went wrong, the first: %v", n, w.first.Load()))
	}
	for deadline := time.Now().Add(10 * time.Second); zombies(os.Getpid()) > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := zombies(os.Getpid()); n > 0 {
		bad = append(bad, fmt.Sprintf("%d zombies are left", n))
	}
	if len(bad) == 0 {
		fmt.Fprintln(out, "nothing grows, nothing went wrong")
	}
	if *write != "" {
		if err := os.WriteFile(*write, kept.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "; "))
	}
	return nil
}

// A sample is one look.
type sample [11]int

const (
	operations = iota
	begun
	fds
	threads
	goroutines
	dead
	terminals
	memory // KiB
	keeperFds
	keeperMemory
)

// What may not grow, and by how much it may look as if.
var flat = map[int]struct {
	name  string
	slack int
}{
	fds: {"descriptors", 60}, threads: {"threads", 8}, goroutines: {"goroutines", 60}, dead: {"zombies", 20}, terminals: {"terminals", 20},
	memory: {"memory in KiB", 16 << 10}, keeperFds: {"the keeper's descriptors", 20}, keeperMemory: {"the keeper's memory in KiB", 8 << 10},
}

// slopes compares the medians of the second and the last quarter: the first is the warming up. A leak of any size grows
// with time; what only goes up and down has its median where it was.
func slopes(samples []sample) (bad []string) {
	if len(samples) < 8 {
		return []string{"too few samples"}
	}
	n := len(samples) / 4
	median := func(part []sample, i int) int {
		var values []int
		for _, s := range part {
			values = append(values, s[i])
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	for i, f := range flat {
		before, after := median(samples[n:2*n], i), median(samples[len(samples)-n:], i)
		if after > before+f.slack+before/10 {
			bad = append(bad, fmt.Sprintf("%s grew from %d to %d", f.name, before, after))
		}
	}
	slices.Sort(bad)
	return bad
}

type worker struct {
	done, now atomic.Int64
	keeper    atomic.Int64
	wrong     atomic.Int64
	first     atomic.Value
}

func (w *worker) sample() (s sample) {
	status := func(pid int, name string) int {
		data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		m := regexp.MustCompile(name + `:\s+(\d+)`).FindSubmatch(data)
		if m == nil {
			return 0
		}
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	ptys, _ := os.ReadFile("/proc/sys/kernel/pty/nr")
	s[terminals], _ = strconv.Atoi(strings.TrimSpace(string(ptys)))
	s[operations], s[begun] = int(w.done.Load()), int(w.now.Load())
	self := os.Getpid()
	s[fds], s[threads], s[goroutines] = descriptors(self), status(self, "Threads"), runtime.NumGoroutine()
	s[memory] = status(self, "VmRSS")
	s[dead] = zombies(self)
	if keeper := int(w.keeper.Load()); keeper != 0 {
		s[dead] += zombies(keeper)
		s[keeperFds], s[keeperMemory] = descriptors(keeper), status(keeper, "VmRSS")
	}
	return s
}

func (w *worker) complain(format string, args ...any) {
	w.first.CompareAndSwap(nil, fmt.Sprintf(format, args...))
	w.wrong.Add(1)
}

// live is one program's life: a shell that answers, is resized, signalled, read by some, has orphans, and is ended in
// one of many ways.
func (w *worker) live(ctx context.Context, r *rand.Rand) {
	s := proc.Spec{Args: []string{"sh"}, Env: testprog.Env("PS1=", "ENV="), Stdio: proc.Stdio(r.IntN(2)), Grace: 200 * time.Millisecond, Contain: r.IntN(2) == 0}
	if r.IntN(20) == 0 {
		s.Limits.Core = -1 // through the shim
	}
	if r.IntN(50) == 0 {
		s.Args = []string{"no-such-program"}
		if _, err := bridge.Start(ctx, s); err == nil {
			w.complain("no-such-program was started")
		}
		return
	}
	c, err := expect.Spawn(ctx, s)
	if err != nil {
		if ctx.Err() == nil {
			w.complain("start: %v", err)
		}
		return
	}
	w.now.Add(1)
	defer w.now.Add(-1)
	defer c.Close()
	c = c.With(expect.Options{Timeout: 2 * time.Minute})
	b := c.Bridge()
	if s.Contain {
		w.keeper.Store(int64(parentOf(b.Process().PID())))
	}
	for i := range 1 + r.IntN(30) {
		if ctx.Err() != nil {
			return
		}
		w.done.Add(1)
		switch r.IntN(8) {
		case 0:
			_ = b.Resize(proc.Size{Rows: 1 + r.IntN(100), Cols: 20 + r.IntN(200)}) // on pipes it is refused
		case 1:
			skip := b.Output().Reader("guest", bridge.Skip)
			_ = skip.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, _ = skip.Read(make([]byte, 1000)) // whatever there is
			_ = skip.Close()
		case 2:
			if err := c.SendLine("(setsid sleep 0.1 >/dev/null 2>&1 </dev/null &)"); err != nil && ctx.Err() == nil {
				w.complain("send: %v", err)
			}
		case 3:
			time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
		default:
			want := fmt.Sprintf("answer-%d-%d\n", i, r.IntN(1e9))
			if err := c.SendLine("echo " + want[:len(want)-1]); err != nil && ctx.Err() == nil {
				w.complain("send: %v", err)
			}
			if _, err := c.Expect(ctx, expect.Regexp("(?m)^"+want)); err != nil && ctx.Err() == nil {
				w.complain("expect: %v", err)
				return
			}
		}
	}
	switch r.IntN(5) {
	case 0:
		_ = c.SendLine("exit 7")
		if e, _ := c.Wait(ctx); e.Code != 7 && ctx.Err() == nil {
			w.complain("exit 7 is %v", e)
		}
	case 1:
		_ = b.Signal(syscall.SIGKILL)
		if e, _ := c.Wait(ctx); e.Signal != syscall.SIGKILL && ctx.Err() == nil {
			w.complain("SIGKILL is %v", e)
		}
	case 2:
		_ = c.SendEOF()
		if e, _ := c.Wait(ctx); e.Code != 0 && ctx.Err() == nil {
			w.complain("the end of the input is %v", e)
		}
	case 3:
		if _, err := b.Stop(ctx); err != nil && ctx.Err() == nil {
			w.complain("stop: %v", err)
		}
	}
}
