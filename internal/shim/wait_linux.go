package shim

import (
	"errors"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Waitid is waitid(2) with the resources used, which the C library's does not return. pid is 0 when nobody has ended,
// which is so only with WNOHANG or beside an error.
func Waitid(idType, id, options int) (pid int, e Ended, err error) {
	var info unix.Siginfo
	var usage unix.Rusage
	for {
		err = unix.Waitid(idType, id, &info, options, &usage)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return 0, Ended{Code: -1}, err
	}
	// The part of siginfo_t that belongs to SIGCHLD follows three ints, aligned as a pointer.
	child := (*struct {
		header [3]int32
		rest   struct {
			_      [0]uintptr
			pid    int32
			uid    uint32
			status int32
		}
	})(unsafe.Pointer(&info))
	if child.rest.pid == 0 {
		return 0, Ended{}, nil
	}
	status := int(child.rest.status)
	const exited, dumped = 1, 3 // CLD_EXITED, CLD_DUMPED of siginfo.h; between them CLD_KILLED
	if info.Code == exited {
		e.Code = status & 0xff
	} else {
		e.Code, e.Signal, e.Core = -1, syscall.Signal(status), info.Code == dumped
	}
	e.CPU = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	e.MaxRSS = int64(usage.Maxrss) * 1024 // KiB
	return int(child.rest.pid), e, nil
}
