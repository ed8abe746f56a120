//go:build unix

package testprog

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	Register("signals", signals)
	Register("rawcat", rawcat)
	Register("winch", winch)
	Register("password", password)
}

// signals says "ready", the name of every signal that comes, and ends after TERM.
func signals([]string) int {
	c := make(chan os.Signal, 100)
	signal.Notify(c, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM)
	fmt.Println("ready")
	for s := range c {
		fmt.Println(unix.SignalName(s.(syscall.Signal)))
		if s == syscall.SIGTERM {
			return 0
		}
	}
	return 1
}

// rawcat N sets its terminal to raw, if it has one, says "ready", and copies N bytes from its input to its output.
func rawcat(args []string) int {
	if t, err := unix.IoctlGetTermios(0, getTermios); err == nil {
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		if err := unix.IoctlSetTermios(0, setTermios, t); err != nil {
			return 1
		}
	}
	fmt.Print("ready\n")
	if _, err := io.CopyN(os.Stdout, os.Stdin, int64(number(args, 0))); err != nil {
		return 1
	}
	return 0
}

// winch says "ready", and the size of its terminal when its input ends.
func winch([]string) int {
	signal.Notify(make(chan os.Signal, 1), unix.SIGWINCH)
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	ws, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ)
	if err != nil {
		return 1
	}
	fmt.Printf("%dx%d\n", ws.Row, ws.Col)
	return 0
}

// password asks as getpass(3) does, says whether what it got is SECRET, reversed so that nobody finds it in the
// arguments, and shows what came, as programs in debug mode do, with "show".
func password(args []string) int {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return 1
	}
	old, err := unix.IoctlGetTermios(int(tty.Fd()), getTermios)
	if err != nil {
		return 1
	}
	quiet := *old
	quiet.Lflag &^= unix.ECHO
	time.Sleep(time.Duration(number(args, 1)) * time.Millisecond) // echo is still on
	_, _ = tty.WriteString("Password: ")
	if err := unix.IoctlSetTermios(int(tty.Fd()), setTermios, &quiet); err != nil {
		return 1
	}
	buf := make([]byte, 1000)
	n, _ := tty.Read(buf)
	_ = unix.IoctlSetTermios(int(tty.Fd()), setTermios, old)
	got := strings.TrimRight(string(buf[:n]), "\n")
	var want strings.Builder
	for i := len(args[0]) - 1; i >= 0; i-- {
		want.WriteByte(args[0][i])
	}
	fmt.Printf("\ndebug: pass=%s;\n", got)
	if got != want.String() {
		fmt.Println("wrong")
		return 1
	}
	fmt.Println("welcome")
	return 0
}
