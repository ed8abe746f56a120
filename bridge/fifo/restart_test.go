//go:build unix

package fifo_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge/fifo"
)

// A writer numbers its lines. What nobody read is given back to it, and its successor sends that first, from the file
// that it leaves. A reader appends what it reads to its own file.
func init() {
	plays["numbers"] = func() {
		path, kept := os.Args[1], os.Args[2]
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		next, again := 0, ""
		if text, err := os.ReadFile(kept); err == nil {
			first, rest, _ := strings.Cut(string(text), "\n")
			next, _ = strconv.Atoi(first)
			again = rest
		}
		w, err := fifo.Open(ctx, path, os.O_WRONLY|os.O_CREATE, fifo.Options{Lines: true, Linger: 50 * time.Millisecond})
		fatal(err)
		context.AfterFunc(ctx, func() { w.SetWriteDeadline(time.Unix(1, 0)) })
		fmt.Println("ready")
		n, err := io.WriteString(w, again)
		again = again[n:]
		for err == nil {
			if _, err = fmt.Fprintln(w, line("w", next)); err == nil {
				next++
			}
		}
		if ctx.Err() == nil {
			fatal(err)
		}
		var unread *fifo.UnreadError
		if err := w.Close(); errors.As(err, &unread) {
			again = string(unread.Data) + again
		} else {
			fatal(err)
		}
		fatal(os.WriteFile(kept, fmt.Appendf(nil, "%d\n%s", next, again), 0o600))
	}
	plays["collects"] = func() {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		r, err := fifo.Open(ctx, os.Args[1], os.O_RDONLY|os.O_CREATE, fifo.Options{})
		fatal(err)
		out, err := os.OpenFile(os.Args[2], os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		fatal(err)
		context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })
		fmt.Println("ready")
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			_, err = out.WriteString(lines.Text() + "\n")
			fatal(err)
		}
		if !errors.Is(lines.Err(), os.ErrDeadlineExceeded) {
			fatal(lines.Err())
		}
		var unread *fifo.UnreadError
		if err := r.Close(); errors.As(err, &unread) { // the writer had gone before
			_, err = out.Write(unread.Data)
			fatal(err)
		} else {
			fatal(err)
		}
	}
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// restarts lets a writer and a reader come and go, each rounds times, and returns all lines that readers have
// collected, in the order of the readers, and what the last writer has kept.
func restarts(t *testing.T, rounds int, end func(*rand.Rand) syscall.Signal) (got []string, kept string, kills int) {
	t.Helper()
	dir := private(t)
	path, state := filepath.Join(dir, "f"), filepath.Join(dir, "state")
	random := rand.New(rand.NewPCG(1, 2))
	stop := func(cmd *exec.Cmd, s syscall.Signal) {
		t.Helper()
		if cmd == nil {
			return
		}
		cmd.Process.Signal(s)
		if err := cmd.Wait(); err != nil && s == syscall.SIGTERM {
			t.Fatalf("%v: %v", cmd.Args[1:], err)
		}
	}
	var reader, writer *exec.Cmd
	readers := 0
	for range 2 * rounds {
		time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond) // so that they stop in the middle of anything
		switch random.IntN(4) {
		case 0:
			s := end(random)
			if s == syscall.SIGKILL && reader != nil {
				kills++
			}
			stop(reader, s)
			reader = readied(t, "collects", path, filepath.Join(dir, fmt.Sprint(readers)))
			readers++
		case 1:
			stop(writer, syscall.SIGTERM)
			writer = readied(t, "numbers", path, state)
		case 2: // both are away for a while, the reader first
			stop(reader, syscall.SIGTERM)
			stop(writer, syscall.SIGTERM)
			writer = readied(t, "numbers", path, state)
			reader = readied(t, "collects", path, filepath.Join(dir, fmt.Sprint(readers)))
			readers++
		case 3: // the writer first
			stop(writer, syscall.SIGTERM)
			stop(reader, syscall.SIGTERM)
			reader = readied(t, "collects", path, filepath.Join(dir, fmt.Sprint(readers)))
			writer = readied(t, "numbers", path, state)
			readers++
		}
	}
	stop(writer, syscall.SIGTERM)
	stop(reader, syscall.SIGTERM)
	for i := range readers {
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // stopped before it began
			t.Fatal(err)
		}
		for one := range strings.Lines(string(text)) {
			got = append(got, strings.TrimSuffix(one, "\n"))
		}
	}
	text, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	return got, string(text), kills
}

// count checks that each line is whole and comes once, and returns how often which number came, and up to where
// there are some.
func count(t *testing.T, got []string, kept string) (seen map[int]int, next int) {
	t.Helper()
	first, rest, _ := strings.Cut(kept, "\n")
	next, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	seen = map[int]int{}
	for _, one := range append(got, strings.Split(strings.TrimSuffix(rest, "\n"), "\n")...) {
		if one == "" {
			continue
		}
		var n int
		if _, err := fmt.Sscanf(one, "w %d", &n); err != nil || one != line("w", n) {
			t.Errorf("a torn line: %.60q", one)
			continue
		}
		if seen[n]++; seen[n] > 1 {
			t.Errorf("line %d came twice", n)
		}
	}
	return seen, next
}

// Both sides are stopped and started again in any order: the readers have every line exactly once.
func TestRestarts(t *testing.T) {
	rounds := 10
	if *heavy {
		rounds = 200
	}
	got, kept, _ := restarts(t, rounds, func(*rand.Rand) syscall.Signal { return syscall.SIGTERM })
	seen, next := count(t, got, kept)
	if len(seen) != next || next == 0 {
		t.Errorf("%d lines of %d", len(seen), next)
	}
	t.Logf("%d lines, %d were kept at the end", next, strings.Count(kept, "\n")-1)
}

// A reader that is killed takes with it what it had taken, a pipe full at most. No line is torn, none comes twice.
func TestKilledReaders(t *testing.T) {
	rounds := 10
	if *heavy {
		rounds = 200
	}
	got, kept, kills := restarts(t, rounds, func(r *rand.Rand) syscall.Signal {
		return []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[r.IntN(2)]
	})
	seen, next := count(t, got, kept)
	missing := 0
	for n := range next {
		if seen[n] == 0 {
			missing += len(line("w", n)) + 1
		}
	}
	if most := kills * 64 << 10; missing > most || len(seen) == 0 {
		t.Errorf("%d bytes are missing after %d kills, at most %d may be", missing, kills, most)
	}
	t.Logf("%d lines, %d kills, %d bytes missing", next, kills, missing)
}
