//go:build unix

package ptyio

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openDevice opens a device without waiting for a carrier, and without making
// it our controlling terminal.
func openDevice(path string) (*os.File, error) {
	return os.OpenFile(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
}

func rawLine(f *os.File, speed int) error {
	t, err := termiosOf(f)
	if err != nil {
		return fmt.Errorf("%s is no terminal: %w", f.Name(), err)
	}
	makeRaw(t)
	t.Cflag |= unix.CLOCAL | unix.CREAD // whatever the modem lines say
	t.Cflag &^= unix.CSTOPB | unix.CRTSCTS
	if speed != 0 && !setSpeed(t, speed) {
		return speedError(speed)
	}
	return setTermiosOf(f, t)
}
