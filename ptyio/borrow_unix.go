//go:build unix

package ptyio

import (
	"encoding/json"
	"os"

	"golang.org/x/sys/unix"
)

type terminalFile = *os.File

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := termiosOf(f)
	return err == nil
}

// ioctl calls do with f's descriptor, whose mode stays as it is.
func ioctl(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := conn.Control(func(fd uintptr) { err = do(int(fd)) }); cerr != nil {
		return cerr
	}
	return os.NewSyscallError("ioctl", err)
}

func termiosOf(f *os.File) (t *unix.Termios, err error) {
	err = ioctl(f, func(fd int) (err error) {
		t, err = unix.IoctlGetTermios(fd, getTermios)
		return err
	})
	return t, err
}

// Borrow puts the person's terminal into raw mode.
func Borrow(f *os.File) (*Borrowed, error) {
	t, err := termiosOf(f)
	if err != nil {
		return nil, err
	}
	saved, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	b := &Borrowed{tty: f, saved: saved}
	return b, b.Raw()
}

// Raw sets raw mode again, after somebody else had the terminal.
func (b *Borrowed) Raw() error {
	t, err := b.settings()
	if err != nil {
		return err
	}
	// As cfmakeraw(3).
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return setTermiosOf(b.tty, t)
}

// Restore gives the terminal back as it was. It may be called more than once.
func (b *Borrowed) Restore() error {
	t, err := b.settings()
	if err != nil {
		return err
	}
	return setTermiosOf(b.tty, t)
}

func (b *Borrowed) settings() (*unix.Termios, error) {
	t := new(unix.Termios)
	return t, json.Unmarshal(b.saved, t)
}

// RestoreSaved gives a terminal the settings that Borrowed.Saved returned.
func RestoreSaved(f *os.File, saved []byte) error {
	return (&Borrowed{tty: f, saved: saved}).Restore()
}

func setTermiosOf(f *os.File, t *unix.Termios) error {
	return ioctl(f, func(fd int) error { return unix.IoctlSetTermios(fd, setTermios, t) })
}

// File is the terminal that was borrowed.
func (b *Borrowed) File() *os.File { return b.tty }

// Size is the size of the person's terminal.
func (b *Borrowed) Size() (Size, error) { return SizeOf(b.tty) }

// SizeOf is the size of a terminal.
func SizeOf(f *os.File) (size Size, err error) {
	err = ioctl(f, func(fd int) (err error) {
		size, err = getSize(fd)
		return err
	})
	return size, err
}
