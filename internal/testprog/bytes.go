package testprog

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func init() {
	Register("gen", gen)
	Register("flood", flood)
	Register("lines", lines)
	Register("escapes", escapes)
	Register("argv", argv)
}

// Pattern is what gen writes: n bytes that show where one is missing. Without CR, LF and what else a terminal changes.
func Pattern(n int, seed uint32) []byte {
	p := make([]byte, n)
	x := seed*2654435761 + 1
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = ' ' + byte(x>>24)%95
	}
	return p
}

// gen N STATUS [both] writes N bytes, to stderr too with both, and ends.
func gen(args []string) int {
	n, status := number(args, 0), number(args, 1)
	_, err := os.Stdout.Write(Pattern(n, 1))
	if len(args) > 2 && err == nil {
		_, err = os.Stderr.Write(Pattern(n, 2))
	}
	if err != nil {
		return 99
	}
	return status
}

// flood N writes a line of N MiB, and then "end".
func flood(args []string) int {
	block := []byte(strings.Repeat("x", 1<<20))
	for range number(args, 0) {
		if _, err := os.Stdout.Write(block); err != nil {
			return 99
		}
	}
	fmt.Print("\nend\n")
	return 0
}

// lines says "ready", and then of every read what it got: the number of bytes, and the bytes in hexadecimal digits if
// they are at most 16. It ends with its input.
func lines(args []string) int {
	w := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(w, "ready")
	w.Flush()
	buf := make([]byte, 1<<20)
	for {
		n, err := os.Stdin.Read(buf)
		if n > 0 && n <= 16 {
			fmt.Fprintf(w, "got %d %x\n", n, buf[:n])
		} else if n > 0 {
			fmt.Fprintf(w, "got %d\n", n)
		}
		w.Flush()
		if err == io.EOF {
			return 0
		} else if err != nil {
			return 1
		}
	}
}

// Nasty is what no operator's terminal should get: a title, an answer-back, a clipboard, a clear screen, C1, bidi.
const Nasty = "\x1b]0;owned\x07\x1b[6n\x1b]52;c;cm0=\x07\x1b[2J\x1bc\u009b31m\u202etxt\r\x08\x7f"

// escapes writes Nasty and waits for its input to end.
func escapes(args []string) int {
	fmt.Print(Nasty, "?")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 3
}

// argv writes its arguments, quoted.
func argv(args []string) int {
	for _, a := range args {
		fmt.Println(strconv.Quote(a))
	}
	return 0
}

func number(args []string, i int) int {
	if i >= len(args) {
		return 0
	}
	n, err := strconv.Atoi(args[i])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(125)
	}
	return n
}
