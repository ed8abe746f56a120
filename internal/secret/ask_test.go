//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package secret

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// The test binary plays the program that asks, since the person's terminal is a
// matter of whole processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "asker" {
		asker(os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

// asker reads all of refs at once and prints what it got. It gives up when its
// standard input ends.
func asker(refs []string) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var wg sync.WaitGroup
	for _, s := range refs {
		wg.Go(func() {
			r, err := Parse(s)
			if err == nil {
				var v Value
				v, err = r.Read(ctx)
				fmt.Printf("%q %v\n", v.Bytes(), err)
			} else {
				fmt.Println(err)
			}
		})
	}
	wg.Wait()
}

// terminal is a person's terminal, with a program at it once that was started.
type terminal struct {
	t      *testing.T
	person *os.File // where the person sits
	tty    *os.File // where the program runs
	cmd    *exec.Cmd
	stdin  io.Closer
	said   bytes.Buffer // on standard output
	shown  []byte       // all that the terminal showed
	before unix.Termios
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	person, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &terminal{t: t, person: person, tty: tty}
	t.Cleanup(func() { person.Close(); tty.Close() })
	p.before = *p.modes()
	return p
}

// starts starts a program that reads all of refs at once.
func (p *terminal) starts(refs ...string) {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], append([]string{"asker"}, refs...)...)
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	p.cmd.ExtraFiles = []*os.File{p.tty}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	p.cmd.Stdout, p.cmd.Stderr = &p.said, os.Stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *terminal) modes() *unix.Termios {
	p.t.Helper()
	m, err := termios(p.tty)
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// sees waits until the terminal shows text behind what was seen before.
func (p *terminal) sees(text string) {
	p.t.Helper()
	from := len(p.shown)
	for !bytes.Contains(p.shown[from:], []byte(text)) {
		b := make([]byte, 100)
		n, err := p.person.Read(b)
		if err != nil {
			p.t.Fatalf("waiting for %q, the terminal shows %q: %v", text, p.shown, err)
		}
		p.shown = append(p.shown, b[:n]...)
	}
}

// answers types keys; the program must be asking.
func (p *terminal) answers(keys string) {
	p.t.Helper()
	if p.modes().Lflag&unix.ECHO != 0 {
		p.t.Errorf("the program asks with echo on")
	}
	p.types(keys)
}

func (p *terminal) types(keys string) {
	p.t.Helper()
	if _, err := p.person.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the program and checks what it said and left behind.
func (p *terminal) ends(said string) {
	p.t.Helper()
	if err := p.cmd.Wait(); err != nil {
		p.t.Error(err)
	}
	lines := slices.Sorted(strings.Lines(p.said.String())) // of several refs, any may end first
	if got := strings.Join(lines, ""); got != said {
		p.t.Errorf("the program got %s, want %s", got, said)
	}
	if now := *p.modes(); now != p.before {
		p.t.Errorf("the terminal was %+v and is %+v", p.before, now)
	}
	p.sees("\r\n")
	if bytes.Contains(p.shown, []byte("unt")) {
		p.t.Errorf("the terminal shows %q", p.shown)
	}
}

func TestAsk(t *testing.T) {
	for _, tt := range []struct{ name, typed, said string }{
		{"answered", "hunter2\r", `"hunter2" <nil>`},
		{"corrected", "hunteX\x7fr2\r", `"hunter2" <nil>`},
		{"begun again", "hunt\x15hunter2\r", `"hunter2" <nil>`},
		{"with ctrl-s", "hunt\x13er2\r", `"hunt\x13er2" <nil>`},
		{"Enter alone", "\r", `"" <nil>`},
		{"interrupted", "hunt\x03", `"" secret "ask:Password": interrupted`},
		{"ended", "\x04", `"" secret "ask:Password": no answer was given`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newTerminal(t)
			p.starts("ask:Password")
			p.sees("Password: ")
			p.answers(tt.typed)
			p.ends(tt.said + "\n")
		})
	}
}

func TestAskGivenUp(t *testing.T) {
	p := newTerminal(t)
	p.starts("ask:Password")
	p.sees("Password: ")
	p.answers("hunt")
	p.stdin.Close()
	p.ends(`"" secret "ask:Password": context canceled` + "\n")
}

// What was typed before it was asked for was meant for something else.
func TestAskDropsTypeAhead(t *testing.T) {
	p := newTerminal(t)
	p.types("early\r")
	p.sees("early\r\n") // as echoed, so it has arrived
	p.starts("ask:Password")
	p.sees("Password: ")
	p.answers("hunter2\r")
	p.ends(`"hunter2" <nil>` + "\n")
}

// Two questions come one after the other.
func TestAskTwiceAtOnce(t *testing.T) {
	p := newTerminal(t)
	p.starts("ask:Code", "ask:Code")
	p.sees("Code: ")
	p.answers("hunter2\r")
	p.sees("Code: ")
	p.answers("hunter3\r")
	p.ends("\"hunter2\" <nil>\n\"hunter3\" <nil>\n")
}

func TestAskNobody(t *testing.T) {
	c := exec.Command(os.Args[0], "asker", "ask:Password")
	c.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // and no terminal
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := c.Output()
	if want := "\"\" no terminal to ask at\n"; string(out) != want || err != nil {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
	if strings.Contains(string(out), "Password") {
		t.Errorf("asked: %q", out)
	}
}
