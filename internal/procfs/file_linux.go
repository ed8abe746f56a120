package procfs

import (
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// Files of /proc are read with bare system calls: package os would offer each
// descriptor to the poller, which costs more than the read itself.

// buffers holds what files are read into. They grow with the longest file.
var buffers = sync.Pool{New: func() any { b := make([]byte, 4096); return &b }}

// readFile calls parse with the content of a file, which is only lent.
func readFile(path string, parse func([]byte) error) error {
	fd, err := open(path)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }() // nothing was written
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	n := 0
	for {
		if n == len(*buf) {
			*buf = append(*buf, make([]byte, len(*buf))...)
		}
		m, err := syscall.Read(fd, (*buf)[n:])
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return wrap("read", path, err)
		case m == 0:
			return parse((*buf)[:n])
		}
		n += m
	}
}

func open(path string) (int, error) {
	for {
		fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err == nil {
			return fd, nil
		}
		if err != syscall.EINTR {
			return -1, wrap("open", path, err)
		}
	}
}

// wrap names the file. ESRCH, which a file that was opened returns when its
// process is gone, becomes the same error as a missing file.
func wrap(op, path string, err error) error {
	if err == syscall.ESRCH {
		err = syscall.ENOENT
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// readNumbers appends the numeric names in a folder to list, in the kernel's order.
func readNumbers(path string, list []int) ([]int, error) {
	fd, err := open(path)
	if err != nil {
		return list, err
	}
	defer func() { _ = syscall.Close(fd) }() // nothing was written
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := syscall.ReadDirent(fd, *buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return list, wrap("readdirent", path, err)
		}
		if n == 0 {
			return list, nil
		}
		list = numbersOf((*buf)[:n], list)
	}
}

// numbersOf appends the numeric names among the directory entries in b (struct
// linux_dirent64: inode 8, offset 8, length 2, type 1, name with a NUL).
func numbersOf(b []byte, list []int) []int {
	const name = 8 + 8 + 2 + 1
	for len(b) > name {
		length := int(b[16]) | int(b[17])<<8
		if length <= name || length > len(b) {
			break
		}
		if n, ok := leadingInt(b[name:length]); ok {
			list = append(list, n)
		}
		b = b[length:]
	}
	return list
}

// leadingInt reads a name of digits that ends with a NUL.
func leadingInt(b []byte) (int, bool) {
	n := 0
	for i, c := range b {
		switch {
		case c == 0:
			return n, i > 0
		case c < '0' || c > '9' || i > 9:
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return 0, false
}

func readLink(path string) (string, error) {
	s, err := os.Readlink(path)
	if pe, ok := err.(*fs.PathError); ok && pe.Err == syscall.ESRCH {
		pe.Err = syscall.ENOENT
	}
	return s, err
}
