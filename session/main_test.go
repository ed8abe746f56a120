//go:build unix

package session_test

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var heavy = flag.Bool("heavy", false, "the long versions")

// The test binary is also the programs of these tests: argv[1] names one.
const programPrefix = "-program="

var programs = map[string]func(args []string){
	"stream": func(args []string) {
		n, _ := strconv.Atoi(args[0])
		os.Stdout.Write(nil)
		out := bufio.NewWriterSize(os.Stdout, 64<<10)
		pattern := newPattern()
		for n > 0 {
			part := pattern.next(min(n, 64<<10))
			out.Write(part)
			n -= len(part)
		}
		out.Flush()
	},
	// A piece for each line of input, until it has written all.
	"pieces": func(args []string) {
		n, _ := strconv.Atoi(args[0])
		piece, _ := strconv.Atoi(args[1])
		pattern := newPattern()
		in := bufio.NewScanner(os.Stdin)
		for n > 0 && in.Scan() {
			part := pattern.next(min(n, piece))
			os.Stdout.Write(part)
			n -= len(part)
		}
	},
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if name, ok := strings.CutPrefix(os.Args[1], programPrefix); ok {
			programs[name](os.Args[2:])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// A pattern is an output of which every byte depends on its offset.
type pattern struct {
	r   *rand.ChaCha8
	buf []byte
}

func newPattern() *pattern { return &pattern{r: rand.NewChaCha8([32]byte{1})} }

func (p *pattern) next(n int) []byte {
	for len(p.buf) < n {
		block := make([]byte, 64<<10)
		p.r.Read(block)
		p.buf = append(p.buf, block...)
	}
	part := p.buf[:n]
	p.buf = p.buf[n:]
	return part
}

// patternBytes are its first n bytes.
func patternBytes(n int) []byte {
	p := newPattern()
	return p.next(n)
}

// eventually waits for a condition that nothing tells of.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in a minute it did not come to this: %s", what)
		}
	}
}

var _ = fmt.Sprint
