package shim

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// children returns the children of this process, zombies included.
func children() (pids []int) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return childrenByStat()
	}
	for _, t := range tasks {
		data, err := os.ReadFile("/proc/self/task/" + t.Name() + "/children")
		if err != nil && os.IsNotExist(err) {
			if _, err := os.Stat("/proc/self/task/" + t.Name()); err == nil { // the thread is there: the kernel has no such file
				return childrenByStat()
			}
		}
		for _, field := range bytes.Fields(data) {
			if pid, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// Children returns the children of this process, zombies included.
func Children() []int { return children() }

// childrenByStat is children for a kernel without CONFIG_PROC_CHILDREN.
func childrenByStat() (pids []int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // what was read before an error counts
	self := os.Getpid()
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		data, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		// The name, in brackets, may hold blanks and brackets itself.
		fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
		if len(fields) > 1 && string(fields[1]) == strconv.Itoa(self) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// A process that left its session and whose parent ended shows nobody any more whose it was. So each program gets a
// mark that its descendants inherit: a soft RLIMIT_RTTIME. That is the time, in microseconds, that a process with a
// real-time priority may run without a pause; marks are above 2^62, 146,000 years, so that they limit nobody. A program
// that sets this limit itself loses the mark, and what then leaves its tree is found only by the keeper's end.
type marks struct {
	base uint64 // the upper half of all, different for every keeper
	next uint32
}

func newMarks() marks {
	var b [8]byte
	_, _ = rand.Read(b[4:]) // never fails
	return marks{base: 1<<62 | binary.LittleEndian.Uint64(b[:])>>2&^(1<<32-1)}
}

// set makes the next child have a mark of its own; 0 where that is not possible.
func (m *marks) set() uint64 {
	m.next++
	mark := m.base | uint64(m.next)
	var now unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_RTTIME, nil, &now); err != nil || now.Max < mark {
		return 0
	}
	now.Cur = mark
	if err := unix.Prlimit(0, unix.RLIMIT_RTTIME, &now, nil); err != nil {
		return 0
	}
	return mark
}

// Of reports whether a mark is one of a keeper's, whose marks begin with base.
func Of(base, mark uint64) bool { return base != 0 && mark != base && mark>>32 == base>>32 }

// Mark returns what RLIMIT_RTTIME of a process is set to, 0 if it cannot be read.
func Mark(pid int) uint64 {
	var l unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_RTTIME, nil, &l); err == nil {
		return l.Cur
	}
	// Another user's: everybody may read it here.
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/limits")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(data, []byte("Max realtime timeout"))
	if fields := bytes.Fields(rest); len(fields) > 0 {
		n, _ := strconv.ParseUint(string(fields[0]), 10, 64) // "unlimited" is 0
		return n
	}
	return 0
}
