//go:build unix

package bridge_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/proc"
)

func init() { programs["rewired"] = rewired }

// rewired talks to a program over its own standard streams, has them back, and reports over them.
func rewired(args []string) int {
	b, err := bridge.Start(context.Background(), *spec(proc.Pipes, `read -r a; echo "you said $a"; read -r b; echo "and $b"; exec cat >/dev/null`))
	if err != nil {
		return 90
	}
	defer b.Close()
	before := [2]unix.Stat_t{}
	for fd := range before {
		_ = unix.Fstat(fd, &before[fd])
	}
	restore, err := bridge.Rewire(b)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 91
	}
	fmt.Println("one")
	answers := bufio.NewReader(os.Stdin)
	first, _ := answers.ReadString('\n')
	fmt.Println("two")
	second, _ := answers.ReadString('\n')
	flags, err := unix.FcntlInt(1, unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		return 92
	}
	if args[0] == "end" { // the end of its output is the end of our input
		_ = b.Signal(os.Kill)
		if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
			return 93
		}
	}
	for range 2 {
		if err := restore(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 94
		}
	}
	for fd := range before {
		var now unix.Stat_t
		if unix.Fstat(fd, &now) != nil || now.Ino != before[fd].Ino {
			return 95
		}
	}
	own, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	fmt.Printf("%s%s%s", first, second, own)
	return 0
}

func TestRewire(t *testing.T) {
	for _, how := range []string{"talk", "end"} {
		b := start(t, program(proc.Pipes, "rewired", how))
		if _, err := io.WriteString(b.Input(), "our own\n"); err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(b.Output().Reader("test", bridge.Block))
		check(t, err)
		if want := "you said one\nand two\nour own\n"; string(out) != want {
			t.Errorf("%s: %q, want %q", how, out, want)
		}
		if exit, err := b.Wait(t.Context()); err != nil {
			t.Errorf("%s: %v", how, exit)
		}
	}
}

// What was printed before restore is with the program when restore returns, however much it is.
func TestRewireTakesAllThatWasPrinted(t *testing.T) {
	b := start(t, program(proc.Pipes, "rewired-much"))
	out, err := io.ReadAll(b.Output().Reader("test", bridge.Block))
	check(t, err)
	if got := strings.TrimSpace(string(out)); got != "1000000" {
		t.Errorf("the program got %q bytes", got)
	}
}

func init() {
	programs["rewired-much"] = func([]string) int {
		b, err := bridge.Start(context.Background(), *spec(proc.Pipes, `sleep 0.1; head -c 1000000 | wc -c; exec cat >/dev/null`))
		if err != nil {
			return 90
		}
		defer b.Close()
		restore, err := bridge.Rewire(b)
		if err != nil {
			return 91
		}
		fmt.Print(strings.Repeat("x", 1_000_000))
		if restore() != nil || b.Input().Written() != 1_000_000 {
			return 92
		}
		line, _ := bufio.NewReader(b.Output().Reader("count", bridge.Block)).ReadString('\n')
		fmt.Print(line)
		return 0
	}
}
