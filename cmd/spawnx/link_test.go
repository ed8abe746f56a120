//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/bridge/fifo"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/ptyio"
)

const (
	asker    = `sh -c 'for i in 1 2; do echo question $i; read -r a; echo "got $a" >&2; done'`
	answerer = `sh -c 'while read -r q; do echo "answer to $q"; done'`
)

func TestLink(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tee")
	for _, tt := range []struct {
		name  string
		stdin string
		args  []string
		want  result
	}{
		{"a dialog", "", []string{asker, answerer}, result{err: "sh#1: got answer to question 1\nsh#1: got answer to question 2\n"}},
		{"shown", "", []string{"--transcript", `sh -c 'for i in 1 2; do printf "question\t$i\n"; read -r a; done'`, "cat"}, result{err: `sh > "question\t1\n"
cat > "question\t1\n"
sh > "question\t2\n"
cat > "question\t2\n"
`}},
		{"in hexadecimal", "\x00spawnx spawnx spawnx\n", []string{"--hex", "--chain", "-", "tr -d x", "-"}, result{out: "\x00spawn spawn spawn\n", err: `- > 00000000  00 73 70 61 77 6e 78 20 73 70 61 77 6e 78 20 73  .spawnx spawnx s
- > 00000010  70 61 77 6e 78 0a                                pawnx.
tr > 00000000  00 73 70 61 77 6e 20 73 70 61 77 6e 20 73 70 61  .spawn spawn spa
tr > 00000010  77 6e 0a                                         wn.
`}},
		{"a chain writes to our output", "", []string{"--chain", "seq 3", "sort -r"}, result{out: "3\n2\n1\n"}},
		{"our own input and output", "b\na\n", []string{"-", "sort"}, result{out: "a\nb\n"}},
		{"no program at all", "text", []string{"--chain", "-", "-"}, result{out: "text"}},
		{"what comes late", "hello\n", []string{"-", `sh -c 'cat; sleep 0.7; echo late'`}, result{out: "hello\nlate\n"}},
		{"the end crosses a terminal", "hello\n", []string{"--stdio", "pty", "-", `sh -c 'cat; echo behind'`}, result{out: "hello\nbehind\n"}},
		{"the end kept", "", []string{"--eof", "keep", "-", `bash -c 'read -t 0.2 x; [ $? -gt 128 ] && echo still open'`}, result{out: "still open\n"}},
		{"kept on a tee", "", []string{"--tee", file, "--chain", "echo all that passes", "cat"}, result{out: "all that passes\n"}},
		{"a full disk", "", []string{"--tee", "/dev/full", "--chain", "seq 3", "cat"}, result{out: "1\n2\n3\n", status: 125, err: "spawnx: link: --tee lacks some of it: write /dev/full: no space left on device\n"}},
		{"a status", "", []string{"-", `sh -c 'cat; exit 7'`}, result{status: 7}},
		{"the first that failed", "", []string{`sh -c 'exit 3'`, `sh -c 'cat; exit 4'`}, result{status: 3}},
		{"by a signal", "", []string{"--chain", `sh -c 'kill -9 $$'`, `cat`}, result{status: 137}},
		{"who reads no more", "", []string{"--chain", "yes", "head -1"}, result{out: "y\n"}},
		{"not found", "", []string{"-", "./no/such"}, result{status: 127, err: "spawnx: start ./no/such: not found\n"}},
		{"a timeout", "", []string{"--timeout", "100ms", "--grace", "0s", "cat", "sleep 1000"}, result{status: 124, err: "spawnx: link: did not end in 100ms: stopped\n..."}},
		{"nobody listens", "", []string{"-", "unix:/no/such/socket"}, result{status: 1, err: "spawnx: link: unix:/no/such/socket: no such file or directory\n"}},
		{"no such kind", "", []string{"foo:bar", "cat"}, result{status: 127, err: "spawnx: start foo:bar: not found in PATH\nhint: an endpoint that is no program begins with fifo: unix: tcp: tty: run: or spawnx: as link --help says\n"}},
		{"no fifo", "", []string{"fifo:/etc/passwd", "cat"}, result{status: 1, err: "spawnx: link: fifo:/etc/passwd: it is neither a fifo nor a folder\nhint: ..."}},
		{"one alone", "", []string{"cat"}, result{status: 125, err: "spawnx: link: two endpoints or more are wanted, not 1\nhint: spawnx link --help\n"}},
		{"a shell's work", "", []string{"a | b", "cat"}, result{status: 125, err: "spawnx: link: ...there is no shell here..."}},
		{"ours twice", "", []string{"-", "-"}, result{status: 125, err: "spawnx: link: - can be joined only once..."}},
		{"a long line for a terminal", strings.Repeat("x", 5000), []string{"--stdio", "pty", "-", "cat"}, result{status: 1, err: "spawnx: link: cat: a line of more than 4095 bytes..."}},
		{"a key for a terminal", "ab\x04c", []string{"--stdio", "pty", "-", "cat"}, result{status: 1, err: "spawnx: link: cat: byte 0x04 is a key of its terminal, EOF\nhint: ..."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := spawnxRun(t, strings.NewReader(tt.stdin), append([]string{"link"}, tt.args...)...)
			if got.out != tt.want.out || !fits(got.err, tt.want.err) || got.status != tt.want.status {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
	t.Run("the tee", func(t *testing.T) {
		if got, err := os.ReadFile(file); err == nil && string(got) != "all that passes\nall that passes\n" {
			t.Errorf("%q", got)
		}
	})
}

// fits reports whether text is as wanted, where "..." stands for anything.
func fits(text, want string) bool {
	parts := strings.Split(want, "...")
	if len(parts) == 1 {
		return text == want
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	for _, part := range parts[1:] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

// 200,000 lines and a reader that begins when nothing moves any more.
func TestLinkLateReader(t *testing.T) {
	for _, stdio := range []string{"pipes", "pty"} {
		cmd := exec.Command("spawnx", "link", "--stdio", stdio, "-", "seq 200000")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for !isFull(t, w) {
			time.Sleep(time.Millisecond)
		}
		w.Close()
		n := 0
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if n++; lines.Text() != fmt.Sprint(n) {
				t.Fatalf("%s: line %d is %q", stdio, n, lines.Text())
			}
		}
		if err := cmd.Wait(); err != nil || n != 200_000 {
			t.Errorf("%s: %d lines, %v", stdio, n, err)
		}
	}
}

func isFull(t *testing.T, w *os.File) (full bool) {
	conn, err := w.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 0)
		full = err == nil && n == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// A signal ends the link and all that is in it.
func TestLinkSignal(t *testing.T) {
	cmd := exec.Command("spawnx", "link", "sh -c 'echo up >&2; exec cat'", "cat")
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(errs).ReadString('\n'); line != "sh: up\n" {
		t.Fatal(line, err)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 128+15 {
		t.Errorf("status %d", got)
	}
}

// A socket's peer that has said all may still listen, and the reverse.
func TestLinkSocket(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "socket")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan string, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, "question\n")
			_ = c.(interface{ CloseWrite() error }).CloseWrite()
			all, _ := io.ReadAll(c)
			heard <- string(all)
		}()
		got := spawnxRun(t, nil, "link", network+":"+l.Addr().String(), `sh -c 'cat; sleep 0.2; echo late'`)
		if got != (result{}) {
			t.Errorf("%s: %+v", network, got)
		} else if all := <-heard; all != "question\nlate\n" {
			t.Errorf("%s: heard %q", network, all)
		}
		// With our own input and output.
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			all, _ := io.ReadAll(c)
			_, _ = fmt.Fprintf(c, "%d bytes", len(all))
		}()
		if got := spawnxRun(t, strings.NewReader("12345"), "link", "-", network+":"+l.Addr().String()); got != (result{out: "5 bytes"}) {
			t.Errorf("%s: %+v", network, got)
		}
		l.Close()
	}
}

// Others talk to a program through a pair of fifos.
func TestLinkFifo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pair")
	cmd := exec.Command("spawnx", "link", "fifo:"+dir, `sh -c 'read -r q; echo "you said $q"'`)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pair *fifo.Pair
	for pair == nil { // it makes them
		pair, _ = fifo.Dial(t.Context(), dir, fifo.PairOptions{})
	}
	if _, err := io.WriteString(pair.In, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(pair.Out).ReadString('\n'); line != "you said hello\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, errs.String())
	}
	_ = pair.Close()
	if _, err := os.Stat(dir); err == nil {
		t.Error("the fifos are left")
	}
}

// A serial line is in raw mode: what is sent comes out as it was.
func TestLinkLine(t *testing.T) {
	s, err := ptyio.Open(ptyio.PTY, ptyio.Size{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const text = "a\r\nb\x03\x04\x11c"
	go func() {
		b := make([]byte, len(text))
		if _, err := io.ReadFull(s.In, b); err == nil {
			_, _ = s.In.Write(b)
		}
	}()
	got := spawnxRun(t, nil, "link", fmt.Sprintf("tty:%s,115200", s.Terminal.Name()), fmt.Sprintf(`sh -c 'printf "a\r\nb\003\004\021c"; head -c %d | od -An -c >&2'`, len(text)))
	if want := "sh:    a  \\r  \\n   b 003 004 021   c\n"; got.err != want || got.status != 0 {
		t.Errorf("%+v, want %q", got, want)
	}
	if got := spawnxRun(t, nil, "link", fmt.Sprintf("tty:%s,123", s.Terminal.Name()), "cat"); got.status != 1 || !strings.Contains(got.err, "hint: as in 9600") {
		t.Errorf("%+v", got)
	}
}

func TestEndNames(t *testing.T) {
	var ends []grammar.Endpoint
	for _, word := range []string{"cat", "-", "/bin/cat -n", "tcp:h:1", "sort", "tcp:h:1"} {
		e, err := grammar.ParseEndpoint(word)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, e)
	}
	if got, want := endNames(ends), []string{"cat#1", "-", "cat#2", "tcp:h:1", "sort", "tcp:h:1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Several write to one place, and no line has two authors.
func TestLabels(t *testing.T) {
	var b strings.Builder
	all := newLabels(&b)
	one, two := all.label("1: "), all.label("2: ")
	for _, w := range []struct {
		w    io.Writer
		text string
	}{{one, "a\nb\n"}, {one, "prompt> "}, {two, "x\n"}, {one, "rest"}, {one, " of it\n"}, {two, "y"}} {
		_, _ = io.WriteString(w.w, w.text)
	}
	all.finish()
	if want := "1: a\n1: b\n1: prompt> \n2: x\n1: rest of it\n2: y\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// A program with a name is an endpoint too; its status is the link's.
func TestLinkNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Cleanup(func() { endLingering(dir) })
	started := spawnxRun(t, nil, "run", "-d", "--name", "linked", "--stdio", "pipes", "sh", "-c", `read -r q; echo "you said $q"; exit 4`)
	if started.status != 0 {
		t.Fatalf("%+v", started)
	}
	got := spawnxRun(t, strings.NewReader("hello\n"), "link", "-", "run:linked")
	if want := (result{out: "you said hello\n", status: 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := spawnxRun(t, nil, "wait", "linked"); got.status != 4 {
		t.Errorf("%+v", got)
	}
	if got := spawnxRun(t, nil, "link", "-", "run:linked"); got.status != 1 || !strings.HasPrefix(got.err, "spawnx: link: run:linked: linked is not running") {
		t.Errorf("%+v", got)
	}
}
