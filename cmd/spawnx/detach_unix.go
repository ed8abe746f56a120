//go:build unix

package main

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func ownSessionAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// keepFilesToOurselves closes what our launcher has left open for us in what we start: it would stay open for
// as long as the detached one runs.
func keepFilesToOurselves() {
	files, _ := os.ReadDir("/dev/fd")
	for _, file := range files {
		if fd, err := strconv.Atoi(file.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
