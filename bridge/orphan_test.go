//go:build unix

package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

// A gate is a fifo that holds a shell script up: "read x < FIFO" ends when it
// is opened.
func gate(t *testing.T) (path string, open func()) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, func() {
		t.Helper()
		if err := os.WriteFile(path, []byte("\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// An orphan prints its number, waits for the gate and prints on.
const orphan = `trap "" HUP; (read x < "$1"; echo late) & echo "orphan $!."; exit 5`

func orphanOf(t *testing.T, r *bridge.Reader) (pid string) {
	t.Helper()
	text := readUntil(t, r, ".")
	return strings.TrimSuffix(strings.TrimPrefix(text, "orphan "), ".")
}

func TestExitIsSeenAndLateOutputHeardWhileAnOrphanLives(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		path, open := gate(t)
		s := sh(kind, orphan, path)
		s.Linger = time.Hour
		b := start(t, s)
		r := b.Output().Reader("test", bridge.Block)
		pid := orphanOf(t, r)
		<-b.Process().Exited()
		if !alive(pid) {
			t.Errorf("%v: the exit was seen only after the orphan's", kind)
		}
		if e, _ := b.Process().Exit(); e.Code != 5 {
			t.Errorf("%v: %+v", kind, e)
		}
		select {
		case <-b.Output().Ended():
			t.Errorf("%v: the output ended while the orphan may still write", kind)
		default:
		}
		open()
		rest, err := io.ReadAll(r)
		if got := strings.Fields(string(rest)); len(got) != 1 || got[0] != "late" || err != nil {
			t.Errorf("%v: read %q, %v", kind, rest, err)
		}
		if _, err := b.Wait(t.Context()); status(err) != 5 {
			t.Errorf("%v: wait: %v", kind, err)
		}
		if b.Output().Stats().Cut {
			t.Errorf("%v: the end is said to be silence", kind)
		}
	}
}

func TestWaitEndsByLingerAndCloseByKilling(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		for _, linger := range []time.Duration{20 * time.Millisecond, -1} {
			path, _ := gate(t)
			s := sh(kind, orphan, path)
			s.Linger = linger
			b := start(t, s)
			r := b.Output().Reader("test", bridge.Block)
			if _, err := b.Wait(t.Context()); status(err) != 5 {
				t.Errorf("%v: wait: %v", kind, err)
			}
			if !b.Output().Stats().Cut {
				t.Errorf("%v: it is not told that the output was cut", kind)
			}
			pid := orphanOf(t, r)
			if !alive(pid) {
				t.Errorf("%v: the wait ended only with the orphan", kind)
			}
			if rest, err := io.ReadAll(r); err != nil || strings.TrimSpace(string(rest)) != "" {
				t.Errorf("%v: %q, %v", kind, rest, err)
			}
			if err := b.Close(); err != nil {
				t.Errorf("%v: close: %v", kind, err)
			}
			if alive(pid) {
				t.Errorf("%v: the orphan lives after Close", kind)
			}
		}
	}
}

// ---- input

// A program that gives back what it gets, each byte once.
func echoing(kind proc.Stdio) proc.Spec {
	if kind == proc.PTY {
		return sh(kind, "stty raw -echo; echo ready.; exec cat")
	}
	return sh(kind, "echo ready.; exec cat")
}

func TestLongSendToAnEchoingProgramThatNobodyReads(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		b := start(t, echoing(kind))
		r := b.Output().Reader("test", bridge.Block)
		readUntil(t, r, ".\n")
		want := text(1 << 20)
		if n, err := b.Input().Write(want); n != len(want) || err != nil {
			t.Fatalf("%v: wrote %d, %v", kind, n, err)
		}
		got := make([]byte, len(want))
		if n, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: %d bytes came back, %v", kind, n, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A terminal that reads by lines, and echoes them as well or not.
func TestManyLinesToAnEchoingProgramThatNobodyReads(t *testing.T) {
	leavesNothing(t)
	line := string(text(63))
	lines := strings.Repeat(line+"\n", 1<<14)
	for _, noEcho := range []bool{true, false} {
		s := sh(proc.PTY, "echo ready.; exec cat")
		s.NoEcho = noEcho
		b := start(t, s)
		r := b.Output().Reader("test", bridge.Block)
		readUntil(t, r, ".\r\n")
		if n, err := io.WriteString(b.Input(), lines); n != len(lines) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
		if err := b.SendEOF(noDeadline); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		// The kernel may drop some of its own echo when nobody reads, never what the program wrote.
		if want := strings.ReplaceAll(lines, "\n", "\r\n"); noEcho && string(got) != want || len(got) < len(want) {
			t.Errorf("no echo %v: %d bytes came back, not %d", noEcho, len(got), len(want))
		}
		if _, err := b.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// What is sent after a long send gets through, too, though the program has much
// to print before it reads on.
func TestEndAfterALongSendThatNobodyReads(t *testing.T) {
	leavesNothing(t)
	lines := strings.Repeat(string(text(63))+"\n", 1<<14)
	path, open := gate(t)
	s := sh(proc.PTY, `echo ready.; head -c 1048000; read x < "$1"; head -c 1200000 /dev/zero | tr '\0' x; exec cat`, path)
	s.NoEcho = true
	b := start(t, s)
	r := b.Output().Reader("test", bridge.Block)
	readUntil(t, r, ".\r\n")
	if n, err := io.WriteString(b.Input(), lines); n != len(lines) || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	sent := len(lines)
	for n := 1; n > 0; sent += n { // as much as the terminal takes
		if err := b.Input().SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, _ = io.WriteString(b.Input(), lines[:64])
	}
	if err := b.Input().SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	open()
	if err := b.SendEOF(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || len(got) < sent+1200000 {
		t.Errorf("%d bytes came, %v", len(got), err)
	}
	if _, err := b.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// A send to a program that does not read ends at its deadline, and says how
// much was accepted: exactly what the program then reads.
func TestSendEndsAtItsDeadline(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		path, open := gate(t)
		raw := ""
		if kind == proc.PTY {
			raw = "stty raw -echo;"
		}
		b := start(t, sh(kind, raw+`echo ready.; read x < "$1"; exec cat`, path))
		r := b.Output().Reader("test", bridge.Block)
		readUntil(t, r, ".\n")
		sent := text(1 << 20)
		n, err := b.Input().WriteContext(t.Context(), sent, time.Now().Add(20*time.Millisecond))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(sent) {
			t.Fatalf("%v: %d, %v", kind, n, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() {
			_, err := b.Input().WriteContext(ctx, sent, noDeadline)
			done <- err
		}()
		gone := errors.New("gone")
		cancel(gone)
		if err := <-done; err != gone {
			t.Errorf("%v: cancelled: %v", kind, err)
		}
		if w := b.Input().Written(); w != int64(n) {
			n = int(w) // the kernel had room again for some of the second
		}
		open()
		got := make([]byte, n)
		if _, err := io.ReadFull(r, got); err != nil {
			t.Errorf("%v: %v", kind, err)
		}
		if _, err := io.WriteString(b.Input(), "\x00"); err != nil {
			t.Fatal(err)
		}
		if end := readUntil(t, r, "\x00"); end != "\x00" {
			t.Errorf("%v: %d bytes more than were accepted", kind, len(end)-1)
		}
	}
}

// A write that waits when the program is closed ends, and so does one that
// waits for its turn.
func TestCloseEndsWrites(t *testing.T) {
	leavesNothing(t)
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		b := start(t, sh(kind, "stty raw 2>&-; exec sleep 1000"))
		done := make(chan error)
		for range 2 {
			go func() {
				_, err := b.Input().Write(text(1 << 20))
				done <- err
			}()
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-done; err == nil {
				t.Errorf("%v: all was written", kind)
			}
		}
		if _, err := b.Input().Write([]byte("x")); !errors.Is(err, bridge.ErrNoInput) {
			t.Errorf("%v: after Close: %v", kind, err)
		}
	}
}

func TestSkipReaderDoesNotHoldWaitUpAndCountsExactly(t *testing.T) {
	leavesNothing(t)
	const all = 5 << 20
	for _, kind := range []proc.Stdio{proc.PTY, proc.Pipes} {
		b := start(t, sh(kind, `head -c "$1" /dev/zero; exit 3`, "5242880"))
		r := b.Output().Reader("slow", bridge.Skip)
		if _, err := b.Wait(t.Context()); status(err) != 3 {
			t.Fatalf("%v: wait: %v", kind, err)
		}
		var read, lost int64
		buf := make([]byte, 10000)
		for {
			n, err := r.Read(buf)
			read += int64(n)
			var gap *bridge.LostError
			if errors.As(err, &gap) {
				lost += gap.To - gap.From
			} else if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if read+lost != all || lost != r.Lost() || read < 1<<19 {
			t.Errorf("%v: read %d, lost %d, said %d", kind, read, lost, r.Lost())
		}
	}
}

// A program that prints for ever and is read by nobody, or too slowly, costs
// the ring and no more.
func TestMemoryIsBounded(t *testing.T) {
	leavesNothing(t)
	for _, policy := range []bridge.Policy{bridge.Block, bridge.Skip} {
		b := start(t, sh(proc.Pipes, "exec yes"))
		r := b.Output().Reader("test", policy)
		fast := b.Output().Reader("fast", bridge.Block)
		n, err := io.CopyN(io.Discard, fast, 1<<20)
		if n != 1<<20 || err != nil {
			t.Fatal(n, err)
		}
		if policy == bridge.Skip {
			if _, err := io.CopyN(io.Discard, fast, 20<<20); err != nil {
				t.Fatal(err)
			}
		}
		st := b.Output().Stats()
		if st.Memory > 1<<20 {
			t.Errorf("%v: %d bytes", policy, st.Memory)
		}
		if policy == bridge.Block {
			if st.BlockedBy != "test" {
				t.Errorf("blocked by %q", st.BlockedBy)
			}
		} else if _, err := r.Read(make([]byte, 1)); !bridge.IsLost(err) {
			t.Errorf("the slow reader was told %v", err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
