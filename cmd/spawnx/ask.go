package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/escape"
	"github.com/spawnx/spawnx/internal/grammar"
	"github.com/spawnx/spawnx/ptyio"
)

// ask is the reply <ask>. A person whose keys go to the program answers by typing; where our input is
// something else, the question is put at the terminal that we were started from.
func (r *running) ask(ctx context.Context, c *expect.Console, m expect.Match) error {
	if r.plan.passInput && r.here.stdinTerminal {
		return nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return grammar.ErrNobody
	}
	defer tty.Close()
	question := lastLine(m.Before + m.Text)
	if mode, err := c.Bridge().Mode(); err == nil && !mode.Echo {
		return c.SendSecret(ctx, r.secret("ask:"+question))
	}
	if r.flags.quiet || !r.here.stdoutTerminal {
		if _, err := io.WriteString(tty, question); err != nil {
			return err
		}
	}
	answer, err := readLine(ctx, tty)
	if err != nil {
		return err
	}
	return c.SendLine(answer)
}

// lastLine is what a question looks like on the screen.
func lastLine(s string) string {
	s = strings.TrimRight(s, "\n")
	return escape.Visible(s[strings.LastIndexByte(s, '\n')+1:])
}

// readLine reads what a person types at a terminal, until Enter.
func readLine(ctx context.Context, tty *os.File) (string, error) {
	in, err := ptyio.OpenReader(tty)
	if err != nil {
		return "", err
	}
	defer in.Close()
	defer context.AfterFunc(ctx, func() { _ = in.SetReadDeadline(time.Unix(1, 0)) })()
	var line []byte
	buf := make([]byte, 1) // what is behind the line is for others
	for {
		n, err := in.Read(buf)
		if n > 0 && buf[0] == '\n' {
			return string(bytes.TrimSuffix(line, []byte{'\r'})), nil
		}
		line = append(line, buf[:n]...)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return "", err
		}
	}
}

// secret makes of a reference what fetches it, so that it is masked in the log before it can appear there,
// and so that a question to the person does not share the keys with the program.
func (r *running) secret(ref string) expect.Secret {
	fetch := expect.SecretRef(ref)
	if n, err := strconv.Atoi(strings.TrimPrefix(ref, "fd:")); err == nil && strings.HasPrefix(ref, "fd:") && !handedOver(n) {
		return func(context.Context) ([]byte, error) {
			return nil, fmt.Errorf("secret %q: no such descriptor was handed over", ref)
		}
	}
	return func(ctx context.Context) ([]byte, error) {
		if strings.HasPrefix(ref, "ask:") && r.keys != nil {
			defer r.keys.pause()()
		}
		value, err := fetch(ctx)
		if err == nil && r.log != nil {
			r.log.hide(value)
		}
		if err == nil && r.tape != nil {
			r.tape.hide(value)
		}
		return value, err
	}
}

// A keyboard is our input, with pauses in which its keys are left to somebody else.
type keyboard struct {
	in    *ptyio.Reader
	begin sync.Once
	begun chan struct{} // closed by the first Read

	reading sync.Mutex // held by whoever reads; taken before mu
	mu      sync.Mutex
	until   time.Time // the deadline that was asked for
	paused  int
}

func openKeyboard(f *os.File) (*keyboard, error) {
	in, err := ptyio.OpenReader(f)
	return &keyboard{in: in, begun: make(chan struct{})}, err
}

func (k *keyboard) Read(p []byte) (int, error) {
	k.begin.Do(func() { close(k.begun) })
	for {
		n, err := k.read(p)
		if !errors.Is(err, os.ErrDeadlineExceeded) || k.late() {
			return n, err
		}
	}
}

func (k *keyboard) read(p []byte) (int, error) {
	k.reading.Lock()
	defer k.reading.Unlock()
	return k.in.Read(p)
}

// late reports whether the deadline has passed. Where it has not, a pause has ended a Read.
func (k *keyboard) late() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.until.IsZero() && !time.Now().Before(k.until)
}

// SetReadDeadline bounds Read, a pending one too; zero is no bound.
func (k *keyboard) SetReadDeadline(t time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.until = t
	if k.paused > 0 {
		return nil
	}
	return k.in.SetReadDeadline(t)
}

// pause keeps everybody from reading until resume.
func (k *keyboard) pause() (resume func()) {
	k.mu.Lock()
	k.paused++
	_ = k.in.SetReadDeadline(time.Unix(1, 0)) // a Read that this cannot end, ends with the next key
	k.mu.Unlock()
	k.reading.Lock()
	return func() {
		k.mu.Lock()
		k.paused--
		_ = k.in.SetReadDeadline(k.until)
		k.mu.Unlock()
		k.reading.Unlock()
	}
}
