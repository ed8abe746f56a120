//go:build linux

package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

var heavy = flag.Bool("heavy", false, "relay gigabytes")

// sized is how much a test relays: little, or much with -heavy.
func sized(little, much int64) int64 {
	if *heavy {
		return much
	}
	return little
}

// pattern repeats itself with a period that fits no buffer, so that a byte too
// many or too few shows in all that follow.
var pattern = func() []byte {
	p := make([]byte, 1_000_003+1<<17)
	src := rand.NewChaCha8([32]byte{})
	_, _ = src.Read(p[:1_000_003])
	copy(p[1_000_003:], p)
	return p
}()

// A feed writes n bytes of the pattern, in pieces of all sizes.
func feed(w io.Writer, n int64) error {
	rng := rand.New(rand.NewPCG(1, 2))
	for at := int64(0); at < n; {
		size := min(int64(1+rng.IntN(1<<17)), n-at)
		from := at % 1_000_003
		if _, err := w.Write(pattern[from : from+size]); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// A checker is a writer that compares what comes with the pattern.
type checker struct {
	at  int64
	bad error
}

func (c *checker) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && c.bad == nil; {
		from := c.at % 1_000_003
		n := min(int64(len(rest)), int64(len(pattern))-from)
		if !bytes.Equal(rest[:n], pattern[from:from+n]) {
			c.bad = fmt.Errorf("wrong bytes between %d and %d", c.at, c.at+n)
		}
		c.at += n
		rest = rest[n:]
	}
	return len(p), c.bad
}

// received reads to the end and reports how much came, and whether it is the pattern.
func received(r io.Reader, from int64) (int64, error) {
	c := &checker{at: from}
	_, err := io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{r}, make([]byte, 256<<10))
	return c.at, err
}

// A joint is two far sides to be linked, what the first one says and what the second one hears.
type joint struct {
	a, b *bridge.Bridge
	say  io.WriteCloser
	hear io.Reader
}

func joinPipes(t *testing.T) joint {
	in, say, err := os.Pipe()
	check(t, err)
	hear, out, err := os.Pipe()
	check(t, err)
	return joint{overFiles(t, in, nil), overFiles(t, nil, out), say, hear}
}

func overFiles(t *testing.T, in, out *os.File) *bridge.Bridge {
	t.Helper()
	b, err := bridge.OverFiles(in, out)
	check(t, err)
	t.Cleanup(func() { check(t, b.Close()) })
	return b
}

func overConn(t *testing.T, c net.Conn) *bridge.Bridge {
	b := bridge.New(nil, bridge.NewStream(c, 0, 0), nil, bridge.NewInput(c, nil), c.Close)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func joinSockets(t *testing.T) joint {
	hereA, say := socketPair(t)
	hereB, hear := socketPair(t)
	return joint{overConn(t, hereA), overConn(t, hereB), say, hear}
}

func joinPipeToSocket(t *testing.T) joint {
	in, say, err := os.Pipe()
	check(t, err)
	here, hear := socketPair(t)
	return joint{overFiles(t, in, nil), overConn(t, here), say, hear}
}

func joinSocketToPipe(t *testing.T) joint {
	here, say := socketPair(t)
	hear, out, err := os.Pipe()
	check(t, err)
	return joint{overConn(t, here), overFiles(t, nil, out), say, hear}
}

func joinTCP(t *testing.T) joint {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	pair := func() (here, there *net.TCPConn) {
		a, err := net.Dial("tcp", l.Addr().String())
		check(t, err)
		b, err := l.Accept()
		check(t, err)
		t.Cleanup(func() { b.Close() })
		return a.(*net.TCPConn), b.(*net.TCPConn)
	}
	hereA, say := pair()
	hereB, hear := pair()
	return joint{overConn(t, hereA), overConn(t, hereB), say, hear}
}

var joints = map[string]func(*testing.T) joint{
	"pipes": joinPipes, "sockets": joinSockets, "pipe to socket": joinPipeToSocket, "socket to pipe": joinSocketToPipe, "tcp": joinTCP,
}

// run links the two, and returns what became of it.
func (j joint) run(ctx context.Context, o bridge.LinkOptions) error {
	o.Chain = true
	_, err := bridge.Link(ctx, o, bridge.End{Bridge: j.a}, bridge.End{Bridge: j.b})
	return err
}

// relays sends n bytes through the joint.
func (j joint) relays(t *testing.T, n int64) {
	t.Helper()
	var all sync.WaitGroup
	all.Go(func() {
		if err := feed(j.say, n); err != nil {
			t.Error(err)
		}
		if half, ok := j.say.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		} else {
			_ = j.say.Close()
		}
	})
	all.Go(func() {
		if err := j.run(t.Context(), bridge.LinkOptions{}); err != nil {
			t.Error(err)
		}
	})
	got, err := received(j.hear, 0)
	if err != nil || got != n {
		t.Errorf("%d of %d bytes, %v", got, n, err)
	}
	all.Wait()
}

// Every byte arrives, in its order, and then the end; nothing of it came past us.
func TestRelaysAreExactAndSpliced(t *testing.T) {
	for name, join := range joints {
		t.Run(name, func(t *testing.T) {
			j := join(t)
			much := int64(1 << 30)
			if name == "pipes" {
				much = 8 << 30
			}
			began := time.Now()
			n := sized(24<<20, much)
			j.relays(t, n)
			t.Logf("%.2f GB/s", float64(n)/float64(time.Since(began)))
			if st := j.a.Stats().Output; st.End != n || st.Start < n-64<<10 {
				t.Errorf("offsets %d to %d are kept: these came past us", st.Start, st.End)
			}
		})
	}
}

func TestSixteenRelaysAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for range 4 {
		for _, kind := range []string{"pipes", "sockets", "pipe to socket", "socket to pipe"} {
			j := joints[kind](t)
			all.Go(func() { j.relays(t, sized(1<<20, 256<<20)) })
		}
	}
	all.Wait()
}

// Out of a terminal, and into one.
func TestRelayThroughTerminals(t *testing.T) {
	n := sized(512<<10, 256<<20)
	in, say, err := os.Pipe()
	check(t, err)
	hear, out, err := os.Pipe()
	check(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		defer say.Close()
		for i := range n / 32 {
			if _, err := fmt.Fprintf(say, "%031d\n", i); err != nil {
				t.Error(err)
				return
			}
		}
	})
	all.Go(func() {
		_, err := bridge.Link(t.Context(), bridge.LinkOptions{Chain: true}, bridge.End{Bridge: overFiles(t, in, nil)},
			bridge.End{Spec: &proc.Spec{Args: []string{"cat"}}}, bridge.End{Bridge: overFiles(t, nil, out)})
		if err != nil {
			t.Error(err)
		}
	})
	lines := int64(0)
	buf := make([]byte, 32)
	for {
		if _, err := io.ReadFull(hear, buf); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if got, err := strconv.ParseInt(string(buf[:31]), 10, 64); err != nil || got != lines || buf[31] != '\n' {
			t.Fatalf("line %d is %q", lines, buf)
		}
		lines++
	}
	all.Wait()
	if lines != n/32 {
		t.Errorf("%d of %d lines", lines, n/32)
	}
}

// Who begins to watch sees all from where it begins, and the other end misses nothing.
func TestWatchingASplicedEdge(t *testing.T) {
	for name, join := range joints {
		t.Run(name, func(t *testing.T) {
			j := join(t)
			n := sized(2<<20, 1<<30)
			over := make(chan struct{})
			var watching sync.WaitGroup
			watching.Go(func() {
				for range 200 {
					r := j.a.Output().Reader("watch", bridge.Block)
					at := r.Offset()
					// Where it begins is known once bytes come past it, and not before.
					end, err := r.Await(t.Context(), at, time.Time{})
					if err != nil {
						_ = r.Close()
						break
					}
					at = r.Offset()
					c := &checker{at: at}
					for end < at+300_000 && err == nil {
						end, err = r.Await(t.Context(), end, time.Time{})
					}
					a, b := r.View(at, end)
					_, _ = c.Write(a)
					_, _ = c.Write(b)
					if c.bad != nil {
						t.Error(c.bad)
					}
					if err := r.Close(); err != nil {
						t.Error(err)
					}
					select {
					case <-over:
						return
					default:
					}
				}
			})
			j.relays(t, n)
			close(over)
			watching.Wait()
		})
	}
}

// A consumer that begins late gets everything, and so does one that stops in between.
func TestSlowConsumer(t *testing.T) {
	for name, join := range joints {
		t.Run(name, func(t *testing.T) {
			j := join(t)
			ended := make(chan error, 1)
			go func() { ended <- j.run(t.Context(), bridge.LinkOptions{}) }()
			fed := make(chan error, 1)
			const n = 8 << 20
			go func() {
				err := feed(j.say, n)
				_ = j.say.Close()
				fed <- err
			}()
			for j.a.Stats().Output.BlockedBy != "link to end 2" { // nothing moves any more
				time.Sleep(time.Millisecond)
			}
			if got, err := received(j.hear, 0); got != n || err != nil {
				t.Errorf("%d of %d bytes, %v", got, n, err)
			}
			if err := errors.Join(<-fed, <-ended); err != nil {
				t.Error(err)
			}
		})
	}
}

// A link that is given up leaves at once, whatever it waits for.
func TestSplicedLinkContext(t *testing.T) {
	why := errors.New("enough")
	for name, join := range joints {
		for _, full := range []bool{false, true} {
			t.Run(fmt.Sprint(name, full), func(t *testing.T) {
				leavesNothing(t)
				j := join(t)
				ctx, cancel := context.WithCancelCause(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- j.run(ctx, bridge.LinkOptions{}) }()
				fed := make(chan struct{})
				if full {
					go func() {
						_ = feed(j.say, 64<<20)
						close(fed)
					}()
					for j.a.Stats().Output.BlockedBy == "" {
						time.Sleep(time.Millisecond)
					}
				} else {
					_, err := j.say.Write([]byte("x"))
					check(t, err)
					_, err = io.ReadFull(j.hear, make([]byte, 1))
					check(t, err)
					close(fed)
				}
				cancel(why)
				if err := <-ended; err != why {
					t.Error(err)
				}
				_ = j.a.Close()
				_ = j.say.Close()
				<-fed
				_ = j.b.Close()
				if c, ok := j.hear.(io.Closer); ok {
					_ = c.Close()
				}
			})
		}
	}
}
