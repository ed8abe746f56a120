package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/expect"
)

// The test binary plays a child that writes each block of its input to both outputs: "flood".
func TestMain(m *testing.M) {
	if os.Args[len(os.Args)-1] == "flood" {
		buf := make([]byte, 8<<10)
		for {
			n, err := os.Stdin.Read(buf)
			fmt.Print(string(buf[:n]))
			fmt.Fprint(os.Stderr, string(buf[:n]))
			if err == io.EOF {
				os.Exit(7)
			}
		}
	}
	os.Exit(m.Run())
}

// Much of everything at once: input, output and errors are far larger than pipes and rings, and complete.
func TestNothingWaitsForEver(t *testing.T) {
	input := strings.Repeat("0123456789abcde\n", 4<<20/16)
	r, err := popen3(t.Context(), input, os.Args[0], "flood")
	if err != nil {
		t.Fatal(err)
	}
	if r.out != input || r.errs != input {
		t.Errorf("%d bytes of output, %d of errors; want both as the input: %d", len(r.out), len(r.errs), len(input))
	}
	if r.exit.Code != 7 {
		t.Errorf("%v, want exit status 7", r.exit)
	}
}

// Errors are kept apart, and the status is a result.
func TestThreeStreams(t *testing.T) {
	r, err := popen3(t.Context(), "b\na\n", "sh", "-c", "sort; echo no more >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	if r.out != "a\nb\n" || r.errs != "no more\n" || r.exit.Status() != 3 {
		t.Errorf("%+v", r)
	}
}

// A child that does not read its input is none of our problems.
func TestInputThatNobodyReads(t *testing.T) {
	r, err := popen3(t.Context(), strings.Repeat("x", 1<<20), "sh", "-c", "exec <&-; echo done")
	if err != nil || r.out != "done\n" {
		t.Errorf("%q, %v", r.out, err)
	}
}

func TestPopen(t *testing.T) {
	if out, err := popen(t.Context(), "echo", "hello"); out != "hello\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := popen(t.Context(), "sh", "-c", "exit 3"); err == nil || err.Error() != "exit status 3" {
		t.Errorf("error %v, want exit status 3", err)
	}
}

// A dialog over the streams: question, answer, question, answer.
func TestPopen2(t *testing.T) {
	c, err := popen2(t.Context(), "sh", "-c", `while read -r n; do echo $((n * n)); done; echo bye`)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := range 10 {
		if err := c.SendLine(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
		m, err := c.Expect(t.Context(), expect.Regexp(`(\d+)\n`))
		if err != nil {
			t.Fatal(err)
		}
		if m.Groups[1] != fmt.Sprint(n*n) {
			t.Errorf("%d squared is %s", n, m.Groups[1])
		}
	}
	if err := c.SendEOF(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Expect(t.Context(), expect.Text("bye\n")); err != nil {
		t.Error(err)
	}
}
