//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The test binary plays both programs.
func TestMain(m *testing.M) {
	if os.Getenv("PLAY_S07") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A program is one of the two, in a process of its own.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, args ...string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, cmd: exec.Command(self, args...)}
	p.cmd.Env = append(os.Environ(), "PLAY_S07=1", "GORACE=atexit_sleep_ms=0") // else each race-checked exit takes a second
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.cmd.Stderr = os.Stderr
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	p.lines = bufio.NewScanner(out)
	return p
}

// gets waits for a line that a writer has written.
func (p *program) gets(writer *program) {
	p.t.Helper()
	want := fmt.Sprintf(" of %d]", writer.cmd.Process.Pid)
	for p.lines.Scan() {
		if strings.HasPrefix(p.lines.Text(), fmt.Sprintf("parent %d got [Spam 00", p.cmd.Process.Pid)) && strings.HasSuffix(p.lines.Text(), want) {
			return
		}
	}
	p.t.Fatalf("ended before a line with %q: %v", want, p.lines.Err())
}

func (p *program) stop() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	for p.lines.Scan() { // the pipe to us must not hold it
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%q: %v", p.cmd.Args[1:], err)
	}
}

// Either order, several writers, and either side again.
func TestEitherOrderAndAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d", "fifo")
	child := []string{"-fifo", path, "-child", "-unit", "1ms"}
	reader := start(t, "-fifo", path)
	one := start(t, child...)
	reader.gets(one)
	two := start(t, child...)
	reader.gets(two)
	reader.gets(one)
	one.stop()
	reader.gets(two)
	reader.stop()

	reader = start(t, "-fifo", path) // the writer has gone on meanwhile
	reader.gets(two)
	one = start(t, child...)
	reader.gets(one)
	two.stop()
	one.stop()

	one = start(t, child...) // the writer first
	again := start(t, "-fifo", path)
	reader.stop()
	again.gets(one)
	one.stop()
	again.stop()
}
