//go:build unix

package session_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

func streamSpec(n int) proc.Spec {
	spec := proc.Command(os.Args[0], programPrefix+"stream", strconv.Itoa(n))
	spec.Stdio = proc.Pipes
	return spec
}

// got is what a client has seen of a stream.
type got struct {
	lost []bridge.LostError
	n    int64
	err  error
}

// readAll reads the output to its end and compares it with the pattern, byte
// by byte, gaps left out. pause is called before each read.
func readAll(ctx context.Context, c *session.Client, want []byte, pause func(n int64)) (g got) {
	r := c.Bridge().Output().Reader("test", bridge.Block)
	defer r.Close()
	buf := make([]byte, 32<<10)
	for {
		if pause != nil {
			pause(g.n)
		}
		at := r.Offset()
		n, err := r.ReadContext(ctx, buf)
		var lost *bridge.LostError
		switch {
		case errors.As(err, &lost):
			if lost.From != at {
				g.err = fmt.Errorf("a gap from %d to %d at %d", lost.From, lost.To, at)
				return g
			}
			g.lost = append(g.lost, *lost)
		case err == io.EOF:
			if r.Offset() != int64(len(want)) {
				g.err = fmt.Errorf("the output ended at %d of %d", r.Offset(), len(want))
			}
			return g
		case err != nil:
			g.err = err
			return g
		}
		if !bytes.Equal(buf[:n], want[at:at+int64(n)]) {
			g.err = fmt.Errorf("wrong bytes after %d", at)
			return g
		}
		g.n += int64(n)
	}
}

// One client that crawls and one that stands still keep the others from
// nothing: those get all, and the two have all or were told byte by byte what
// they have not.
func TestSlowClientsHarmNobody(t *testing.T) {
	size := 4 << 20
	if *heavy {
		size = 100 << 20
	}
	want := patternBytes(size)

	var alone time.Duration // the eight, without the two
	if *heavy {
		inRuntimeDir(t)
		start := make(chan struct{})
		serveHeld(t, size, start)
		var all sync.WaitGroup
		for range 8 {
			c := dial(t, session.Dialer{}, "stream")
			all.Go(func() {
				if g := readAll(t.Context(), c, want, nil); g.err != nil || g.lost != nil {
					t.Errorf("alone: %+v", g)
				}
			})
		}
		began := time.Now()
		close(start)
		all.Wait()
		alone = time.Since(began)
	}

	inRuntimeDir(t)
	start := make(chan struct{})
	serveHeld(t, size, start)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ended := make(chan struct{}) // the fast ones have all
	var fast, slow sync.WaitGroup
	results := make([]got, 10)
	for i := range 10 {
		c := dial(t, session.Dialer{Who: strconv.Itoa(i)}, "stream")
		switch i {
		case 0: // 10 KB/s
			slow.Go(func() {
				results[i] = readAll(t.Context(), c, want, func(int64) {
					select {
					case <-ended:
					case <-time.After(32 << 10 * time.Second / 10_000):
					}
				})
			})
		case 1: // stopped
			slow.Go(func() {
				results[i] = readAll(t.Context(), c, want, func(int64) { <-ended })
			})
		default:
			fast.Go(func() { results[i] = readAll(t.Context(), c, want, nil) })
		}
	}
	began := time.Now()
	close(start)
	fast.Wait()
	took := time.Since(began)
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	close(ended)
	slow.Wait()
	for i, g := range results {
		if g.err != nil {
			t.Errorf("client %d: %v", i, g.err)
		}
		n := g.n
		for _, l := range g.lost {
			n += l.To - l.From
		}
		if n != int64(size) || i > 1 && g.lost != nil {
			t.Errorf("client %d: %d bytes, lost %v", i, g.n, g.lost)
		}
	}
	t.Logf("the eight alone %v, with the two %v; slow: %d bytes and %d gaps, stopped: %d bytes and %d gaps; memory %d KiB more", alone, took,
		results[0].n, len(results[0].lost), results[1].n, len(results[1].lost), (int64(after.HeapInuse)-int64(before.HeapInuse))>>10)
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 128<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
}

// serveHeld serves a program that writes when start is closed.
func serveHeld(t *testing.T, size int, start chan struct{}) {
	t.Helper()
	spec := proc.Command("sh", "-c", `read go; exec "$@"`, "sh", os.Args[0], programPrefix+"stream", strconv.Itoa(size))
	spec.Stdio = proc.Pipes
	_, b := serve(t, "stream", spec, session.Options{})
	go func() {
		<-start
		io.WriteString(b.Input(), "go\n")
	}()
}

// stopped joins by hand, takes nothing until the program has ended, and returns
// what the server had sent: the types of its frames in order, each once.
func stopped(t *testing.T, hello string) (kinds []byte, code string) {
	t.Helper()
	dir := inRuntimeDir(t)
	spec := shell("read go; stty -onlcr; head -c 3000000 /dev/zero | tr '\\0' x; printf 'the end'")
	_, b := serve(t, "yes", spec, session.Options{})
	r := rawDial(t, filepath.Join(dir, "spawnx", "yes", "control"))
	r.Write(rawFrame(1, 0, hello))
	if kind, _, _ := r.next(); kind != 1 {
		t.Fatalf("a frame of type %d", kind)
	}
	if _, err := io.WriteString(b.Input(), "go\r"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := uint64(0)
	for {
		kind, lane, payload := r.next()
		switch kind {
		case 0:
			return kinds, "closed"
		case 2, 4:
			if at := binary.BigEndian.Uint64([]byte(payload)); at != next {
				t.Fatalf("a frame of type %d at %d where %d comes next", kind, at, next)
			}
			next += uint64(len(payload) - 8)
			if kind == 4 {
				next = binary.BigEndian.Uint64([]byte(payload[8:]))
			}
			r.Write(rawFrame(3, lane, string(binary.BigEndian.AppendUint64(nil, next))))
		case 5:
			if at := binary.BigEndian.Uint64([]byte(payload)); at != next {
				t.Fatalf("a screen at %d where %d comes next", at, next)
			}
		case 6:
			if strings.Contains(payload, `"code":"slow"`) {
				return kinds, "slow"
			}
			if strings.Contains(payload, `"exit"`) {
				return kinds, "exit"
			}
			continue
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
			kinds = append(kinds, kind)
		}
	}
}

// Who stands still loses output, and sees the screen in its place; or is sent
// away, where it has asked for that.
func TestWhoStandsStill(t *testing.T) {
	kinds, end := stopped(t, `{"spawnx":1,"replay":"screen"}`)
	if !bytes.HasPrefix(kinds, []byte{5, 2, 4, 5}) || end != "exit" {
		t.Errorf("frames %v, %s; want a screen, data, a gap, a screen, and the exit", kinds, end)
	}
	kinds, end = stopped(t, `{"spawnx":1}`)
	if !bytes.HasPrefix(kinds, []byte{2, 4, 2}) || end != "exit" {
		t.Errorf("frames %v, %s; want data, a gap, data, and the exit", kinds, end)
	}
	kinds, end = stopped(t, `{"spawnx":1,"slow":"disconnect"}`)
	if !bytes.Equal(kinds, []byte{2}) || end == "exit" {
		t.Errorf("frames %v, %s; want data and a closed connection", kinds, end)
	}
}
