package ptyio

import (
	"errors"
	"fmt"
	"os"
)

// OpenLine opens a serial line, or another device that is a terminal, and puts
// it into raw mode: 8 bits, no parity, every byte as it is. A speed, in bits per
// second, of 0 leaves that as it is. Deadlines and Close end a pending Read; the
// caller closes the file. The line keeps the mode.
func OpenLine(path string, speed int) (*os.File, error) {
	f, err := openDevice(path)
	if err != nil {
		return nil, err
	}
	if err := rawLine(f, speed); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

var errSpeed = errors.New("a speed that lines do not have")

func speedError(speed int) error {
	return fmt.Errorf("%d bits per second: %w\nhint: as in 9600, 115200", speed, errSpeed)
}
