//go:build unix

package ptyio

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := termiosOf(f)
	return err == nil
}

// SizeOf is the size of the terminal f.
func SizeOf(f *os.File) (size Size, err error) {
	err = withFd(f, func(fd int) (err error) {
		size, err = getSize(fd)
		return os.NewSyscallError("ioctl", err)
	})
	return size, err
}

// Borrow puts the person's terminal into raw mode. The settings it had are
// kept for Restore. It fails with ENOTTY when f is no terminal.
func Borrow(f *os.File) (*Borrowed, error) {
	b, err := Remember(f)
	if err != nil {
		return nil, err
	}
	if err := b.Raw(); err != nil {
		return nil, err
	}
	return b, nil
}

// Remember is Borrow without the raw mode, which comes with Raw: for who has
// something to do in between, as to see to it that the terminal is given back
// whatever happens.
func Remember(f *os.File) (*Borrowed, error) {
	t, err := termiosOf(f)
	if err != nil {
		return nil, err
	}
	saved, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return &Borrowed{tty: f, saved: saved}, nil
}

// Raw sets raw mode again, after somebody else had the terminal: a shell,
// while we were stopped.
func (b *Borrowed) Raw() error {
	t, err := b.settings()
	if err != nil {
		return err
	}
	makeRaw(t)
	return setTermiosOf(b.tty, t)
}

// makeRaw does as cfmakeraw(3).
func makeRaw(t *unix.Termios) {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}

// Restore gives the terminal back as it was; what was typed meanwhile and not
// read stays to be read. It may be called more than once.
func (b *Borrowed) Restore() error {
	t, err := b.settings()
	if err != nil {
		return err
	}
	return setTermiosOf(b.tty, t)
}

func (b *Borrowed) settings() (*unix.Termios, error) {
	t := new(unix.Termios)
	if err := json.Unmarshal(b.saved, t); err != nil {
		return nil, fmt.Errorf("saved settings of a terminal: %w", err)
	}
	return t, nil
}

func termiosOf(f *os.File) (t *unix.Termios, err error) {
	err = withFd(f, func(fd int) (err error) {
		t, err = unix.IoctlGetTermios(fd, getTermios)
		return os.NewSyscallError("ioctl", err)
	})
	return t, err
}

func setTermiosOf(f *os.File, t *unix.Termios) error {
	return withFd(f, func(fd int) error {
		return os.NewSyscallError("ioctl", unix.IoctlSetTermios(fd, setTermios, t))
	})
}

// withFd lends f's descriptor to do. (*os.File).Fd would also do, and change
// the descriptor's mode.
func withFd(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return lend(conn, do)
}
