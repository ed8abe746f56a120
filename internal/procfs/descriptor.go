package procfs

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// A Link is what a descriptor leads to: /proc/PID/fd/N. Equal links of two
// processes in one mount namespace lead to the same thing.
type Link string

// ReadLink returns what a descriptor of a process leads to.
func ReadLink(pid, fd int) (Link, error) {
	s, err := readLink(path(pid, "fd/"+strconv.Itoa(fd)))
	return Link(s), err
}

// Fifo reports whether a descriptor of a process leads to a pipe with a name,
// which its link does not tell.
func Fifo(pid, fd int) bool {
	info, err := os.Stat(path(pid, "fd/"+strconv.Itoa(fd)))
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// Pipe is the link of a pipe with this inode.
func Pipe(inode uint64) Link { return Link("pipe:[" + strconv.FormatUint(inode, 10) + "]") }

// Pipe returns the inode of a pipe without a name.
func (l Link) Pipe() (inode uint64, ok bool) { return l.numbered("pipe:[") }

// Socket returns the inode of a socket.
func (l Link) Socket() (inode uint64, ok bool) { return l.numbered("socket:[") }

// Anonymous returns the kind of a descriptor that the kernel made for itself:
// "eventfd", "signalfd", "timerfd", "eventpoll", "pidfd", "inotify", "io_uring"; "" otherwise.
func (l Link) Anonymous() string {
	kind, ok := strings.CutPrefix(string(l), "anon_inode:")
	if !ok {
		return ""
	}
	return strings.Trim(kind, "[]")
}

func (l Link) numbered(prefix string) (uint64, bool) {
	s, ok := strings.CutPrefix(string(l), prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
	return n, err == nil
}

// FDs returns the descriptors of a process in ascending order.
func FDs(pid int) ([]int, error) { return readNumbers(path(pid, "fd"), nil) }

// FDInfo is a part of /proc/PID/fdinfo/N.
type FDInfo struct {
	Position int64
	Flags    int     // as in open(2), Linux's numbers
	Watches  []Watch // of an epoll descriptor
}

// A Watch is one descriptor of an epoll set.
type Watch struct {
	FD     int
	Events uint32
}

// Readable and Writable say for what the descriptor was opened.
func (i FDInfo) Readable() bool { return i.Flags&3 != 1 }

// Writable: see Readable.
func (i FDInfo) Writable() bool { return i.Flags&3 != 0 }

// ReadFDInfo reads what the kernel tells about a descriptor.
func ReadFDInfo(pid, fd int) (FDInfo, error) {
	return read(path(pid, "fdinfo/"+strconv.Itoa(fd)), ParseFDInfo)
}

// ParseFDInfo reads the content of an fdinfo file.
func ParseFDInfo(b []byte) (FDInfo, error) {
	var i FDInfo
	bad := fmt.Errorf("fdinfo: %w", errFormat)
	for _, line := range bytes.Split(b, []byte{'\n'}) {
		key, value, ok := strings.Cut(string(line), ":")
		if !ok {
			continue
		}
		var err error
		switch key {
		case "pos":
			i.Position, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		case "flags":
			var flags int64
			flags, err = strconv.ParseInt(strings.TrimSpace(value), 8, 64)
			i.Flags = int(flags)
		case "tfd":
			// "tfd:       16 events:       19 data: ...", numbers in decimal and hexadecimal
			f := strings.Fields(string(line))
			if len(f) < 4 || f[2] != "events:" {
				return FDInfo{}, bad
			}
			fd, err1 := strconv.Atoi(f[1])
			events, err2 := strconv.ParseUint(f[3], 16, 32)
			if err1 != nil || err2 != nil {
				return FDInfo{}, bad
			}
			i.Watches = append(i.Watches, Watch{fd, uint32(events)})
		}
		if err != nil {
			return FDInfo{}, bad
		}
	}
	return i, nil
}

// A Mapping is one line of /proc/PID/maps.
type Mapping struct {
	Start, End, Offset uint64
	Perms              string // as in "r-xp"
	Path               string // "" when it is of no file; "[heap]", "[stack]"
}

// Maps returns the mappings of a process in ascending order.
func Maps(pid int) ([]Mapping, error) { return read(path(pid, "maps"), ParseMaps) }

// ParseMaps reads the content of a maps file.
func ParseMaps(b []byte) ([]Mapping, error) {
	var all []Mapping
	for line := range strings.Lines(string(b)) {
		// start-end perms offset device inode      path, which may hold blanks
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
		if len(f) < 5 {
			return nil, fmt.Errorf("maps: %w", errFormat)
		}
		from, to, _ := strings.Cut(f[0], "-")
		m := Mapping{Perms: f[1]}
		var e1, e2, e3 error
		m.Start, e1 = strconv.ParseUint(from, 16, 64)
		m.End, e2 = strconv.ParseUint(to, 16, 64)
		m.Offset, e3 = strconv.ParseUint(f[2], 16, 64)
		if e1 != nil || e2 != nil || e3 != nil {
			return nil, fmt.Errorf("maps: %w", errFormat)
		}
		if len(f) == 6 {
			m.Path = strings.TrimLeft(f[5], " ")
		}
		all = append(all, m)
	}
	return all, nil
}
