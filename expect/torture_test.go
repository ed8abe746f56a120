//go:build unix

package expect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// noGoroutineLeft fails when at the end of the test more goroutines run than
// now.
func noGoroutineLeft(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	})
}

func shell(kind proc.Stdio, script string) proc.Spec {
	return proc.Spec{Args: []string{"sh", "-c", script}, Stdio: kind, Grace: -1}
}

func exitCode(err error) int {
	var e *proc.ExitError
	if errors.As(err, &e) {
		return e.Status()
	}
	return -1
}

func TestWaitWithMuchUnread(t *testing.T) {
	noGoroutineLeft(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes, proc.PTYStderr, proc.PTYStdout} {
		d := drive(t, shell(kind, "head -c 5242880 /dev/zero; head -c 5242880 /dev/zero >&2; exit 3"))
		e, err := d.Wait(t.Context())
		if exitCode(err) != 3 || e.Code != 3 {
			t.Errorf("%v: %+v, %v", kind, e, err)
		}
		if _, end := d.Bridge().Output().Offsets(); end < 5<<20 {
			t.Errorf("%v: only %d bytes were read", kind, end)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLongSendWhileNobodyReads(t *testing.T) {
	noGoroutineLeft(t)
	long := strings.Repeat("0123456789abcdef", 1<<16)
	for _, tt := range []struct {
		script string
		twice  bool
	}{{"stty raw -echo; echo ready.; exec cat", false}, {"stty raw; echo ready.; exec cat", true}} {
		d := drive(t, shell(proc.PTY, tt.script))
		d.expect(expect.Text("ready.\n"))
		raw := d.With(expect.Options{View: expect.Raw, Timeout: -1})
		if err := raw.Send(long); err != nil {
			t.Fatal(err)
		}
		if err := raw.Send("!"); err != nil {
			t.Fatal(err)
		}
		got := ""
		for range strings.Count(tt.script, "cat") {
			m, err := raw.Expect(t.Context(), expect.Text("!"))
			if err != nil {
				t.Fatal(err)
			}
			got += m.Before
		}
		// The kernel's own echo, where there is one, is not text; the program's is.
		if !tt.twice && got != long && !strings.HasSuffix(long, got) {
			t.Errorf("%q: %d bytes came back", tt.script, len(got))
		}
		if _, end := d.Bridge().Output().Offsets(); end < int64(len(long)) {
			t.Errorf("%q: %d bytes of output", tt.script, end)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSendToAProgramThatDoesNotRead(t *testing.T) {
	noGoroutineLeft(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		d := drive(t, shell(kind, "stty raw -echo 2>&-; echo ready.; exec sleep 1000"))
		d.expect(expect.Text("ready."))
		long := strings.Repeat("x", 1<<20)
		n, err := d.With(expect.Options{Timeout: 20 * time.Millisecond}).Write([]byte(long))
		if !errors.Is(err, context.DeadlineExceeded) || n <= 0 || n >= len(long) {
			t.Errorf("%v: %d, %v", kind, n, err)
		}
		if want := fmt.Sprintf("took %d of %d bytes", n, len(long)); err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %q does not say %q", kind, err, want)
		}
		if w := d.Bridge().Input().Written(); w != int64(n) {
			t.Errorf("%v: said %d, accepted %d", kind, n, w)
		}
	}
}

// Two goroutines wait on one conversation, and one of them, always another, is
// cancelled: what it was about to read is the other's.
func TestCancelledExpectLosesNothing(t *testing.T) {
	noGoroutineLeft(t)
	d := drive(t, shell(proc.PTY, "stty raw -echo; echo ready.; exec cat"))
	d.expect(expect.Text("ready.\n"))
	for i := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		hits := make(chan string, 2)
		want := fmt.Sprintf("<%d>", i)
		for _, ctx := range []context.Context{ctx, t.Context()} {
			all.Add(1)
			go func() {
				defer all.Done()
				m, err := d.Expect(ctx, expect.Regexp("<[0-9]+>"))
				switch {
				case err == nil:
					hits <- m.Before + m.Text
				case !errors.Is(err, context.Canceled):
					t.Errorf("round %d: %v", i, err)
				}
			}()
		}
		go cancel()
		if err := d.Send(want); err != nil {
			t.Fatal(err)
		}
		if got := <-hits; got != want {
			t.Fatalf("round %d: %q", i, got)
		}
		// The other one waits on, unless it is the cancelled: it gets the next.
		if err := d.Send("<1000>"); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { all.Wait(); close(done) }()
		select {
		case got := <-hits:
			if got != "<1000>" {
				t.Fatalf("round %d: %q", i, got)
			}
			<-done
		case <-done:
			select {
			case got := <-hits:
				if got != "<1000>" {
					t.Fatalf("round %d: %q", i, got)
				}
			default:
				d.expect(expect.Text("<1000>"))
			}
		}
	}
}

// Everything at once, in random order: every call returns, whatever the others
// do, and nothing is left. SPAWNX_TEST_TORTURE is the number of rounds, and
// SPAWNX_TEST_SEED the first seed.
func TestEverythingAtOnce(t *testing.T) {
	noGoroutineLeft(t)
	rounds, seed := 12, rand.Uint64()
	if s := os.Getenv("SPAWNX_TEST_TORTURE"); s != "" {
		rounds, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("SPAWNX_TEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	for i := range rounds {
		torture(t, seed+uint64(i))
		if t.Failed() {
			t.Fatalf("seed %d", seed+uint64(i))
		}
	}
}

var tortured = []string{
	"stty raw -echo; exec cat", // gives back what it gets
	"exec cat",                 // by lines, with echo
	"exec yes",                 // prints for ever
	"exec sleep 1000",          // does nothing
	"i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; exit 3",
	"trap '' TERM HUP; while :; do echo again; sleep 0.01; done",
}

func torture(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	kind := []proc.Stdio{proc.PTY, proc.Pipes, proc.PTYStderr}[rng.IntN(3)]
	script := tortured[rng.IntN(len(tortured))]
	c, err := expect.Spawn(context.Background(), shell(kind, script))
	if err != nil {
		t.Fatal(err)
	}
	short := c.With(expect.Options{Timeout: 20 * time.Millisecond, Settle: -1})
	calls := []func(ctx context.Context, rng *rand.Rand){
		func(ctx context.Context, rng *rand.Rand) {
			_, _ = short.Expect(ctx, expect.Regexp("l.*e [0-9]+"), expect.Text("again\n"), expect.Regexp("y+z"), expect.EOF)
		},
		func(ctx context.Context, rng *rand.Rand) { _, _ = short.Expect(ctx, expect.Text("never")) },
		func(ctx context.Context, rng *rand.Rand) { _, _ = c.Expect(ctx, expect.Text("never"), expect.EOF) },
		func(ctx context.Context, rng *rand.Rand) { _, _ = c.Wait(ctx) },
		func(ctx context.Context, rng *rand.Rand) { _ = short.SendLine("line 1") },
		func(ctx context.Context, rng *rand.Rand) { _ = short.Send(strings.Repeat("y\n", rng.IntN(20000))) },
		func(ctx context.Context, rng *rand.Rand) {
			_ = c.Bridge().Resize(proc.Size{Rows: 1 + rng.IntN(100), Cols: 1 + rng.IntN(100)})
		},
		func(ctx context.Context, rng *rand.Rand) { _ = c.Bridge().Signal(syscall.SIGWINCH) },
		func(ctx context.Context, rng *rand.Rand) { _, _ = c.Bridge().Output().Flush() },
		func(ctx context.Context, rng *rand.Rand) { c.Bridge().Stats() },
		func(ctx context.Context, rng *rand.Rand) {
			r := c.Bridge().Output().Reader("more", bridge.Policy(rng.IntN(2)))
			defer r.Close()
			_, _ = r.ReadContext(ctx, make([]byte, 100))
		},
		func(ctx context.Context, rng *rand.Rand) { // a copy that is cancelled
			_ = bridge.Join(ctx, c.Bridge(), bridge.Seat{Out: io.Discard})
		},
	}
	var all sync.WaitGroup
	for range 6 {
		rng := rand.New(rand.NewPCG(seed, rng.Uint64()))
		all.Add(1)
		go func() {
			defer all.Done()
			for range 15 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(5000))*time.Microsecond)
				calls[rng.IntN(len(calls))](ctx, rng)
				cancel()
			}
		}()
	}
	closeBetween := rng.IntN(2) == 0
	sendBound := 50 * time.Millisecond // the others wait for it
	if closeBetween {
		sendBound = -1
	}
	last := make(chan struct{}) // calls with no bound but Close
	for i := range 3 {
		go func() {
			defer func() { last <- struct{}{} }()
			switch i {
			case 0:
				_, _ = c.With(expect.Options{Timeout: -1}).Expect(context.Background(), expect.Text("never"))
			case 1:
				_, _ = c.Bridge().Wait(context.Background())
			default:
				_ = c.With(expect.Options{Timeout: sendBound}).Send(strings.Repeat("y\n", 1<<19))
			}
		}()
	}
	if !closeBetween {
		all.Wait()
	} else {
		for range rng.IntN(1000) {
			runtime.Gosched()
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	for range 3 {
		<-last
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, over := c.Bridge().Process().Exit(); !over {
		t.Error("the program lives after Close")
	}
}
