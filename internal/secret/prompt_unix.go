//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package secret

import (
	"cmp"
	"context"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// readTerminal asks the person at the controlling terminal, with echo off.
//
// The terminal is read key by key, not line by line, and ctrl-c is a key: were it
// a signal, it would end us before the terminal is given back.
func readTerminal(ctx context.Context, prompt string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, ErrNoTerminal
	}
	defer tty.Close()
	select {
	case asking <- struct{}{}:
		defer func() { <-asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	e, restore, err := hush(tty)
	if err != nil {
		return nil, err
	}
	err = e.ask(ctx, tty, question(prompt))
	// The first of these explains the others. Without echo the person's Enter
	// moved no cursor.
	_, nerr := io.WriteString(tty, "\n")
	if err = cmp.Or(err, restore(), nerr); err != nil {
		e.cut(0)
		return nil, err
	}
	return e.text, nil
}

// ask shows the prompt and takes keys until there is an answer.
func (e *editor) ask(ctx context.Context, tty *os.File, prompt string) error {
	in, done, err := newInput(ctx, tty)
	if err != nil {
		return err
	}
	defer done()
	if _, err := io.WriteString(tty, prompt); err != nil {
		return err
	}
	for {
		// One byte at a time: what follows the answer is for others.
		var key [1]byte
		if _, err := in.Read(key[:]); err != nil {
			return err
		}
		switch e.press(key[0]) {
		case answered:
			return nil
		case interrupted:
			return ErrInterrupted
		case ended:
			return errNoAnswer
		}
	}
}

// hush turns echo off and gives every key to us. What was typed before the
// question is dropped, as by getpass. It returns an editor with the person's own
// control characters and what gives the terminal back.
func hush(tty *os.File) (*editor, func() error, error) {
	before, err := termios(tty)
	if err != nil {
		return nil, nil, err
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	quiet.Iflag &^= unix.IXON // or ctrl-s would stop the output of ours that follows
	quiet.Oflag |= unix.OPOST
	quiet.Cc[unix.VMIN], quiet.Cc[unix.VTIME] = 1, 0
	if err := setTermios(tty, setFlush, &quiet); err != nil {
		return nil, nil, err
	}
	e := &editor{
		text:      make([]byte, 0, 256), // growing would leave copies behind
		erase:     before.Cc[unix.VERASE],
		kill:      before.Cc[unix.VKILL],
		interrupt: before.Cc[unix.VINTR],
		end:       before.Cc[unix.VEOF],
	}
	return e, func() error { return setTermios(tty, setNow, before) }, nil
}

// termios and setTermios go through SyscallConn: Fd would change how the file
// is read.
func termios(tty *os.File) (t *unix.Termios, err error) {
	err = control(tty, func(fd int) error {
		t, err = unix.IoctlGetTermios(fd, getTermios)
		return err
	})
	return t, os.NewSyscallError("tcgetattr", err)
}

func setTermios(tty *os.File, how uint, t *unix.Termios) error {
	err := control(tty, func(fd int) error { return unix.IoctlSetTermios(fd, how, t) })
	return os.NewSyscallError("tcsetattr", err)
}

// control calls do with the descriptor of f, again when a signal came between:
// a terminal must not stay silent because of one.
func control(f *os.File, do func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	failed := c.Control(func(fd uintptr) {
		for err = unix.EINTR; err == unix.EINTR; {
			err = do(int(fd))
		}
	})
	return cmp.Or(failed, err)
}
