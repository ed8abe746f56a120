//go:build unix

package session_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func init() {
	programs["reader"] = readFrom
}

// readFrom is a client that goes on at an offset and prints what it gets. It
// asks the program for more whenever it has everything.
func readFrom(args []string) {
	from, _ := strconv.ParseInt(args[1], 10, 64)
	ctx := context.Background()
	c, err := session.Dialer{From: session.FromOffset(from)}.Dial(ctx, args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := c.Bridge().Output().Reader("reader", bridge.Block)
	buf := make([]byte, 4<<10)
	for {
		if info, err := c.Info(ctx); err == nil && info.Output <= r.Offset() {
			io.WriteString(c.Bridge().Input(), "\n")
		}
		n, err := r.Read(buf)
		os.Stdout.Write(buf[:n])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
}

// However often a client is killed, and wherever: who goes on at the offset
// that it has reached has the whole output in the end, and nothing twice.
func TestKilledClientsGoOnAtTheByte(t *testing.T) {
	inRuntimeDir(t)
	kills := 15
	if *heavy {
		kills = 1000
	}
	const piece = 64 << 10
	size := kills * piece
	spec := proc.Command(os.Args[0], programPrefix+"pieces", strconv.Itoa(size), strconv.Itoa(piece))
	spec.Stdio = proc.Pipes
	serve(t, "pieces", spec, session.Options{})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))

	var got []byte
	for range kills {
		cmd := exec.Command(os.Args[0], programPrefix+"reader", "pieces", strconv.Itoa(len(got)))
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		head, _ := io.ReadAll(io.LimitReader(out, rnd.Int64N(2*piece)))
		_ = cmd.Process.Kill()
		rest, _ := io.ReadAll(out)
		got = append(append(got, head...), rest...)
		_ = cmd.Wait()
		if errs.Len() > 0 && len(got) < size {
			t.Fatalf("at %d: %s", len(got), errs.String())
		}
	}
	if want := patternBytes(len(got)); !bytes.Equal(got, want) {
		t.Errorf("the %d bytes differ", len(got))
	}
	if len(got) == 0 {
		t.Error("nothing came")
	}
	t.Logf("%d kills, %d bytes", kills, len(got))
}

// A breaker stands between clients and a server, and breaks each connection
// after some bytes.
func breaker(t *testing.T, to string, after func() int64) (addr string, broken *atomic.Int64) {
	t.Helper()
	path := filepath.Join(filepath.Dir(to), "b")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	broken = new(atomic.Int64)
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", to)
			if err != nil {
				near.Close()
				continue
			}
			done := func() { near.Close(); far.Close() }
			all.Go(func() { io.CopyN(near, far, after()); broken.Add(1); done() })
			all.Go(func() { io.CopyN(far, near, after()); done() })
		}
	})
	return "spawnx:" + path, broken
}

// Over connections that break again and again every byte arrives once, in
// both directions.
func TestBrokenConnectionsLoseNothing(t *testing.T) {
	dir := inRuntimeDir(t)
	size := 1 << 20
	if *heavy {
		size = 64 << 20
	}
	spec := proc.Command("cat")
	spec.Stdio = proc.Pipes
	serve(t, "cat", spec, session.Options{})
	addr, broken := breaker(t, filepath.Join(dir, "spawnx", "cat", "control"), func() int64 { return 2000 + rand.Int64N(200_000) })
	c := dial(t, session.Dialer{}, addr)
	want := patternBytes(size)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		for rest := want; len(rest) > 0; {
			n, err := c.Bridge().Input().Write(rest[:min(len(rest), 100_000)])
			if err != nil {
				t.Errorf("after %d bytes: %v", len(want)-len(rest)+n, err)
				return
			}
			rest = rest[n:]
		}
		if err := c.Bridge().Input().CloseWrite(); err != nil {
			t.Error(err)
		}
	})
	if g := readAll(t.Context(), c, want, nil); g.err != nil || g.lost != nil {
		t.Errorf("%+v", g)
	}
	if broken.Load() == 0 {
		t.Error("no connection was broken")
	}
	t.Logf("%d bytes both ways over %d broken connections", size, broken.Load())
}
