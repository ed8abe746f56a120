//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/testprog"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// Nothing is lost.
var byteCases = []fault{
	{ID: "F01", What: "output of a program that ends at once, on a terminal: 1 B to 1 MiB, then exit 7: every byte, and the status",
		Off: "the usual loop: read beside, Wait, close", Quick: 12, Full: 1200, Tries: 100, Run: outputAtTheEnd(proc.PTY)},
	{ID: "F02", What: "the same on pipes, output and errors", Off: "os/exec: Wait, then read", Quick: 12, Full: 1200, Tries: 100, Run: outputAtTheEnd(proc.Pipes)},
	{ID: "F03", What: "an orphan holds the output: the exit is told at once, late output within Linger comes, nothing hangs",
		Off: "os/exec with a buffer", Quick: 2, Full: 20, Run: orphanHoldsOutput},
	{ID: "F04", What: "100 MiB (16 in CI) to ten clients over a socket, one at 10 KB/s, one stopped: eight get all; the slow ones are told exactly what they missed; memory is bounded",
		Off: "the program waits for every client", Quick: 1, Full: 10, Run: slowReaders},
	{ID: "F05", What: "all byte values and random data to a program and back, raw terminal and pipes: checksums equal",
		Off: "a terminal as it comes, not raw", Quick: 2, Full: 20, Run: everyByte},
	{ID: "F06", What: "a line without an end (64 MiB, in a whole run 1 GiB) under a matcher: bounded memory, and the next line is found",
		Off: "reading by lines", Quick: 1, Full: 2, Run: endlessLine},
	{ID: "F07", What: "lines of 4,094 to 100,000 bytes to a program that reads by lines: taken whole or refused",
		Off: "written without a look: cut, and no error", Quick: 1, Full: 20, Run: longLines},
	{ID: "F08", What: "each of the 256 bytes sent to a cooked terminal: delivered or refused, none swallowed",
		Off: "written without a look", Quick: 1, Full: 3, Run: specialBytes},
	{ID: "F09", What: "a prompt with runes, escapes and bad UTF-8, cut at every place: the same match",
		Off: "looking at each piece", Quick: 1, Full: 20, Run: cutAnywhere},
	{ID: "F10", What: "the log's disk is full, or fails, for a while: the program and its output go on, the gap is marked with its size, writing goes on",
		Off: "one writer for log and screen", Quick: 3, Full: 60, Needs: func() []string { return []string{"strace", "-o", "/dev/null", "true"} }, Run: fullDisk},
	{ID: "F11", What: "nobody reads 100 MiB, then somebody comes: the program was not held up, the last bytes are there",
		Off: "a reader that has the program wait", Quick: 1, Full: 5, Run: nobodyReads},
}

var sizes = []int{1, 64, 2048, 4095, 64 << 10, 1 << 20}

func outputAtTheEnd(kind proc.Stdio) func(t *T) {
	return func(t *T) {
		n := sizes[t.Round%len(sizes)]
		if !t.Defended {
			n = 4000 // less than a pipe holds
		}
		args := testprog.Args("gen", strconv.Itoa(n), "7")
		if kind == proc.Pipes {
			args = append(args, "both")
		}
		if !t.Defended {
			var got []byte
			if kind == proc.Pipes {
				cmd := t.command(args...)
				out, err := cmd.StdoutPipe()
				t.Must(err)
				t.Must(cmd.Start())
				_ = cmd.Wait()
				got, _ = io.ReadAll(out)
			} else {
				p, err := proc.Start(t, t.spec(kind, args...))
				t.Must(err)
				reading := make(chan struct{})
				go func() { got, _ = io.ReadAll(p.Stdio().Out); close(reading) }()
				_, _ = p.Wait(t)
				_ = p.Stdio().Close()
				<-reading
			}
			if !bytes.Equal(got, testprog.Pattern(n, 1)) {
				t.Errorf("%d of %d bytes came", len(got), n)
			}
			return
		}
		b, end := t.start(t.spec(kind, args...))
		defer end()
		var reading sync.WaitGroup
		if s := b.Stderr(); s != nil {
			reading.Go(func() { t.same("errors", s.Reader("err", bridge.Block), testprog.Pattern(n, 2)) })
		}
		out := b.Output().Reader("out", bridge.Block)
		if t.Round%2 == 1 { // the exit is seen before anything is read
			<-b.Process().Exited()
		}
		t.same("output", out, testprog.Pattern(n, 1))
		reading.Wait()
		if e, err := b.Wait(t); e.Code != 7 {
			t.Errorf("%v, %v; want status 7", e, err)
		}
	}
}

// same complains unless r gives want and ends.
func (t *T) same(what string, r io.Reader, want []byte) {
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d of %d bytes came, %v", what, len(got), len(want), err)
	}
}

func orphanHoldsOutput(t *T) {
	const script = `trap "" HUP; (sleep 1; echo late) & echo hi; exit 5`
	begun := time.Now()
	if !t.Defended {
		var out bytes.Buffer
		cmd := t.command("sh", "-c", script)
		cmd.Stdout = &out
		if code := status(cmd.Run()); code != 5 || time.Since(begun) > 800*time.Millisecond {
			t.Errorf("status %d was told after %v", code, time.Since(begun))
		}
		return
	}
	kind := []proc.Stdio{proc.Pipes, proc.PTY}[t.Round%2]
	s := t.sh(kind, script)
	s.Linger = 20 * time.Second
	b, end := t.start(s)
	defer end()
	p := b.Process()
	select {
	case <-p.Exited():
	case <-time.After(800 * time.Millisecond):
		t.Errorf("the exit was not told in 800 ms")
	}
	if e, _ := p.Wait(t); e.Code != 5 {
		t.Errorf("%v; want status 5", e)
	}
	got, err := io.ReadAll(b.Output().Reader("out", bridge.Block))
	if want := "hi\nlate\n"; strings.ReplaceAll(string(got), "\r", "") != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	// And without the patience it ends nevertheless.
	s = t.sh(kind, `trap "" HUP; sleep 60 & echo hi; exit 5`)
	s.Linger = 50 * time.Millisecond
	b, end2 := t.start(s)
	defer end2()
	got, _ = io.ReadAll(b.Output().Reader("out", bridge.Block))
	if !strings.HasPrefix(string(got), "hi") {
		t.Errorf("%q; want hi", got)
	}
}

// slowReaders has ten clients join a program over a socket before it begins.
func slowReaders(t *T) {
	n := 100 << 20
	if t.Quick || !t.Defended {
		n = 16 << 20
	}
	want := sha256.Sum256(testprog.Pattern(n, 1))
	before := freshPeak()
	t.Must(os.Chmod(t.Dir, 0o700))
	args := append([]string{"sh", "-c", `read x; exec "$@"`, "sh"}, testprog.Args("gen", strconv.Itoa(n), "0")...)
	b, _, addr, end := t.serve(t.spec(proc.Pipes, args...), session.Options{})
	over := sync.OnceFunc(end)
	defer over()
	join := func(slow session.Slow) *bridge.Reader {
		c, err := session.Dialer{Slow: slow}.Dial(t, addr)
		t.Must(err)
		return c.Bridge().Output().Reader("it", bridge.Block)
	}
	slow := pick(t, session.SlowRule, session.SlowBlock)
	stopped, late := join(slow), join(slow)
	var fast []*bridge.Reader
	for range 8 {
		fast = append(fast, join(session.SlowBlock))
	}
	_, err := b.Input().Write([]byte("go\n"))
	t.Must(err)
	var reading sync.WaitGroup
	done := make(chan struct{})
	for i, r := range fast {
		reading.Go(func() {
			h := sha256.New()
			got, err := io.Copy(h, r)
			if err != nil || got != int64(n) || [32]byte(h.Sum(nil)) != want {
				t.Errorf("client %d: %d of %d bytes, %v", i, got, n, err)
			}
		})
	}
	go func() { reading.Wait(); close(done) }()
	creeping := make(chan [2]int64, 1) // what the slow one has got and lost meanwhile: 10 KB a second
	go func() { creeping <- t.creep(late, done) }()
	select {
	case <-done:
	case <-time.After(pick(t, 4*time.Minute, time.Second)):
		t.Errorf("the fast clients are held up by the slow ones")
		over()
		<-done
		<-creeping
		return
	}
	if grown := peak() - before; grown > 100<<10 {
		t.Errorf("%d MiB more memory", grown>>10)
	}
	begun := <-creeping
	t.accounts("the slow one", late, begun[0], begun[1], int64(n))
	t.accounts("the stopped one", stopped, 0, 0, int64(n))
}

// creep reads a KB at a time, ten times a second, until done.
func (t *T) creep(r *bridge.Reader, done <-chan struct{}) (sums [2]int64) {
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return sums
		case <-tick.C:
			k, err := r.Read(make([]byte, 1000))
			sums[0] += int64(k)
			if le := (*bridge.LostError)(nil); errors.As(err, &le) {
				sums[1] += le.To - le.From
			}
		}
	}
}

// accounts reads on to the end: what came and what was said to be lost has to be all.
func (t *T) accounts(who string, r *bridge.Reader, got, lost, n int64) {
	buf := make([]byte, 64<<10)
	for {
		k, err := r.Read(buf)
		got += int64(k)
		var le *bridge.LostError
		if errors.As(err, &le) {
			if le.From != got+lost {
				t.Errorf("%s: lost from %d on, after %d bytes", who, le.From, got+lost)
			}
			lost += le.To - le.From
		} else if err != nil {
			break
		}
	}
	if got+lost != n || lost == 0 {
		t.Errorf("%s: got %d and lost %d of %d", who, got, lost, n)
	}
}

func everyByte(t *T) {
	kind := []proc.Stdio{proc.PTY, proc.Pipes}[t.Round%2]
	n := pick(t, 1<<20, 4096)
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i)
		if i > 1024 {
			data[i] = byte(t.Rand.Uint32())
		}
	}
	args := testprog.Args("rawcat", strconv.Itoa(n))
	if !t.Defended {
		kind, args = proc.PTY, []string{"head", "-c", strconv.Itoa(n)}
		ctx, cancel := context.WithTimeout(t.Context, 3*time.Second)
		defer cancel()
		t.Context = ctx
	}
	b, end := t.start(t.spec(kind, args...))
	defer end()
	out := b.Output().Reader("out", bridge.Block)
	if t.Defended {
		in := bufio.NewReaderSize(out, 1)
		if line, err := in.ReadString('\n'); strings.TrimSpace(line) != "ready" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	var writing sync.WaitGroup
	writing.Go(func() { _, _ = b.Input().Write(data) })
	stop := context.AfterFunc(t, end)
	defer stop()
	t.same("what came back", out, data)
	end()
	writing.Wait()
}

func endlessLine(t *T) {
	mib := 64
	if !t.Quick && t.Round == 0 && t.Defended {
		mib = 1024
	}
	if !t.Defended {
		b, end := t.start(t.spec(proc.Pipes, testprog.Args("flood", strconv.Itoa(mib))...))
		defer end()
		s := bufio.NewScanner(b.Output().Reader("out", bridge.Block))
		for s.Scan() {
			if s.Text() == "end" {
				return
			}
		}
		t.Errorf("the end was not found: %v", s.Err())
		return
	}
	before := freshPeak()
	c, err := expect.Spawn(t, t.spec(proc.Pipes, testprog.Args("flood", strconv.Itoa(mib))...))
	t.Must(err)
	defer c.Close()
	c = c.With(expect.Options{Timeout: 4 * time.Minute})
	if m, err := c.Expect(t, expect.Regexp(`(?m)^end$`), expect.Text("never")); err != nil || m.Text != "end" {
		t.Errorf("%q, %v", m.Text, err)
	}
	if grown := peak() - before; grown > 150<<10 {
		t.Errorf("%d MiB more memory", grown>>10)
	}
}

// freshPeak forgets what this process once had, and returns what it has.
func freshPeak() int {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // where it is refused, the peak is that of all cases before
	return peak()
}

// peak is the most memory that this process had since freshPeak, in KiB.
func peak() int {
	data, _ := os.ReadFile("/proc/self/status")
	m := regexp.MustCompile(`VmHWM:\s+(\d+)`).FindSubmatch(data)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

func longLines(t *T) {
	for _, n := range []int{4094, 4095, 4096, 4097, 5000, 100_000} {
		c, err := expect.Spawn(t, t.spec(proc.PTY, testprog.Args("lines")...))
		t.Must(err)
		if _, err := c.Expect(t, expect.Text("ready\n")); err != nil {
			t.Fatalf("%v", err)
		}
		line := strings.Repeat("x", n)
		if t.Defended {
			err = c.SendLine(line)
		} else {
			_, err = c.Bridge().Process().Stdio().In.Write([]byte(line + "\n"))
		}
		switch {
		case err == nil:
			ctx, cancel := context.WithTimeout(t, 5*time.Second)
			m, err := c.Expect(ctx, expect.Regexp(`got (\d+)\n`))
			cancel()
			if err != nil || m.Groups[1] != strconv.Itoa(n+1) {
				t.Errorf("a line of %d bytes was taken, and the program got %v, %v", n, m.Groups, err)
			}
		case n <= 4095:
			t.Errorf("a line of %d bytes was refused: %v", n, err)
		}
		c.Close()
	}
}

func specialBytes(t *T) {
	for b := range 256 {
		if b == '\n' || b == '\r' { // they end the line, which is what is wanted of them
			continue
		}
		if t.Quick && b > ' ' && b%50 != 27 { // 127 is among them
			continue
		}
		c, err := expect.Spawn(t, t.spec(proc.PTY, testprog.Args("lines")...))
		t.Must(err)
		if _, err := c.Expect(t, expect.Text("ready\n")); err != nil {
			t.Fatalf("%v", err)
		}
		text := "a" + string([]byte{byte(b)}) + "z"
		if t.Defended {
			err = c.SendLine(text)
		} else {
			_, err = c.Bridge().Process().Stdio().In.Write([]byte(text + "\n"))
		}
		if err == nil {
			ctx, cancel := context.WithTimeout(t, 5*time.Second)
			want := fmt.Sprintf("got 4 %x0a\n", text)
			if _, err := c.Expect(ctx, expect.Text(want)); err != nil {
				t.Errorf("%q was taken, and did not come as it is", text)
			}
			cancel()
		} else if b >= ' ' && b != 0x7f {
			t.Errorf("%q was refused: %v", text, err)
		}
		c.Close()
		if !t.Defended && len(t.complaints) > 0 {
			return
		}
	}
}

func cutAnywhere(t *T) {
	whole := []byte("\xff\xfe\x1b[1mb\xc3\xa4r\x1b[0m n\xe2\x82\xac\x1b]0;t\x07 Wähle [\xe2\x9c\x93]: rest")
	if t.Round > 0 { // with more around it
		noise := make([]byte, t.Rand.IntN(50))
		for i := range noise {
			noise[i] = byte(t.Rand.Uint32()) | 0x80
		}
		whole = append(append(noise, '\n'), whole...)
	}
	for at := range whole {
		text, before := "", ""
		if !t.Defended {
			for _, piece := range [][]byte{whole[:at], whole[at:]} {
				if bytes.Contains(piece, []byte("Wähle [✓]: ")) {
					text = "Wähle [✓]: "
				}
			}
		} else {
			r, w := io.Pipe()
			var writing sync.WaitGroup
			writing.Go(func() {
				_, _ = w.Write(whole[:at])
				_, _ = w.Write(whole[at:])
				_ = w.Close()
			})
			c := expect.New(r, io.Discard).With(expect.Options{View: expect.Plain})
			m, err := c.Expect(t, expect.Regexp(`W\S+ \[.\]: `))
			if err != nil {
				t.Errorf("cut at %d: %v", at, err)
			}
			text, before = m.Text, m.Before
			c.Close()
			writing.Wait()
			if !strings.HasSuffix(before, "\xff\xfebär n€ ") {
				t.Errorf("cut at %d: %q before it", at, before)
			}
		}
		if text != "Wähle [✓]: " {
			t.Errorf("cut at %d: %q", at, text)
		}
	}
}

// fullDisk has the system refuse some writes to the log, by strace, as an ordinary user can; and every third time the
// log lies on a disk that really is full, until the program itself makes room.
func fullDisk(t *T) {
	log := filepath.Join(t.Dir, "log")
	if t.Round%3 == 2 && t.Defended {
		t.smallDisk()
		return
	}
	script := `for i in $(seq 100); do echo "line $i of the program"; sleep 0.002; done; exit 6` // over before all is well again, perhaps
	inner := []string{t.Spawnx, "run", "--log", log, "sh", "-c", script}
	if !t.Defended {
		inner = []string{"sh", "-c", `sh -c "$1" | tee "$2"; exit 6`, "sh", script, log}
	}
	failing := []string{"ENOSPC", "EIO"}[t.Round%2]
	args := append([]string{"-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-e", "trace=write", "-P", log, "-o", "/dev/null",
		"-e", "inject=write:error=" + failing + ":when=5..20"}, inner...)
	cmd := t.command(append([]string{"strace"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if status(err) != 6 {
		t.Errorf("status %d, %v", status(err), err)
	}
	if want := strings.Count(string(out), "of the program\n"); want != 100 {
		t.Errorf("%d of 100 lines came", want)
	}
	data, err := os.ReadFile(log)
	t.Must(err)
	if !t.Defended {
		if len(data) < len(out) {
			t.Errorf("the log lacks %d bytes and does not say so", len(out)-len(data))
		}
		return
	}
	// Strace counts the writes of each thread: at the end one may fail again, and nothing can be marked any more.
	if bytes.HasSuffix(data, []byte("line 100 of the program\n")) {
		t.marks(data, len(out))
	} else if !regexp.MustCompile(`spawnx: log: \d+ bytes of the output are not in it: .*(space|error)`).Match(stderr.Bytes()) {
		t.Errorf("the end is missing in the log, and nobody says so: %q, %q", data[max(len(data)-100, 0):], stderr.String())
	}
}

// marks compares what a log holds, and says to be missing, with what there was to log.
func (t *T) marks(log []byte, n int) {
	gaps := regexp.MustCompile(`(?m)^\[spawnx: (\d+) bytes are missing.*\n`).FindAllSubmatch(log, -1)
	if len(gaps) == 0 {
		t.Fatalf("no gap is marked in %.300q", log)
	}
	total := len(log)
	for _, gap := range gaps {
		missing, _ := strconv.Atoi(string(gap[1]))
		total += missing - len(gap[0])
	}
	// A mark begins on a line of its own.
	if total < n || total > n+len(gaps) {
		t.Errorf("%d bytes in the log or said to be missing, of %d: %q", total, n, log)
	}
}

// smallDisk logs to a disk of its own, in a namespace, that has 4 KiB left until the program is at its half.
func (t *T) smallDisk() {
	words := namespaces("-m")()
	if exec.CommandContext(t, words[0], words[1:]...).Run() != nil {
		return // not possible here: the other two thirds are
	}
	disk, copied := filepath.Join(t.Dir, "disk"), filepath.Join(t.Dir, "copied")
	t.Must(os.Mkdir(disk, 0o700))
	program := fmt.Sprintf(`for i in $(seq 400); do echo "line $i of the program"; sleep 0.001; [ $i != 300 ] || rm %s/filler; done; exit 6`, disk)
	script := `mount -t tmpfs -o size=64k tmpfs "$1" && head -c 60k /dev/zero >"$1/filler" && "$2" run --log "$1/log" sh -c "$3"; st=$?; cp "$1/log" "$4"; exit $st`
	cmd := t.command(append(words[:len(words)-1], "sh", "-c", script, "sh", disk, t.Spawnx, program, copied)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if status(err) != 6 || bytes.Count(out, []byte("of the program\n")) != 400 {
		t.Errorf("status %d, %d of 400 lines came: %q", status(err), bytes.Count(out, []byte("of the program\n")), stderr.String())
	}
	data, err := os.ReadFile(copied)
	t.Must(err)
	t.marks(data, len(out))
	if !bytes.HasSuffix(data, []byte("line 400 of the program\n")) {
		t.Errorf("the log does not go on after the gap: %q", data[max(len(data)-100, 0):])
	}
}

func nobodyReads(t *T) {
	n := 8 << 20
	if !t.Quick {
		n = 100 << 20
	}
	b, end := t.start(t.spec(proc.Pipes, testprog.Args("gen", strconv.Itoa(n), "0")...))
	defer end()
	if !t.Defended {
		b.Output().Reader("nobody", bridge.Block)
	}
	ctx, cancel := context.WithTimeout(t, pick(t, time.Minute, 700*time.Millisecond))
	defer cancel()
	if _, err := b.Process().Wait(ctx); err != nil {
		t.Errorf("the program is held up: %v", err)
		return
	}
	got, err := io.ReadAll(skipLost{b.Output().Reader("late", bridge.Skip)})
	if want := testprog.Pattern(n, 1); err != nil || len(got) == 0 || !bytes.HasSuffix(want, got) {
		t.Errorf("%d bytes are left, %v, and are not the last", len(got), err)
	}
}

// skipLost reads on after lost bytes.
type skipLost struct{ r *bridge.Reader }

func (s skipLost) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if bridge.IsLost(err) {
		err = nil
	}
	return n, err
}
