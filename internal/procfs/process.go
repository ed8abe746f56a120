package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A State is the letter of a process's or thread's state.
type State byte

// The states, as proc(5) has them.
const (
	Running  State = 'R' // on a processor, or ready for one
	Sleeping State = 'S' // waits and can be interrupted
	Disk     State = 'D' // waits and cannot be interrupted: storage, mostly
	Stopped  State = 'T' // by a signal
	Traced   State = 't' // held by a debugger
	Zombie   State = 'Z' // ended, not collected by its parent
	Dead     State = 'X'
	Idle     State = 'I' // a thread of the kernel
)

// String is the letter.
func (s State) String() string { return string(rune(s)) }

// Stat is /proc/PID/stat or /proc/PID/task/TID/stat.
type Stat struct {
	PID, Parent, Group, Session int
	Name                        string // of the executable, cut at 15 bytes, or what the thread calls itself
	State                       State
	Terminal                    Device // the controlling one; 0: none
	Foreground                  int    // the process group that the terminal listens to, -1 without terminal
	CPU                         time.Duration
	Threads                     int
	Start                       uint64 // in clock ticks since boot: with PID it names a process for good
}

// A Device is a device number as /proc/PID/stat writes it.
type Device int

// PTY returns the number of a pseudo terminal: 7 for /dev/pts/7.
func (d Device) PTY() (number int, ok bool) {
	// Unix 98 terminals have the majors 136 to 143, each with 2^20 minors since 2.6 (only 136 is in use).
	major := int(d) >> 8 & 0xfff
	minor := int(d)&0xff | int(d)>>12&0xfff00
	if major < 136 || major > 143 {
		return 0, false
	}
	return (major-136)<<20 | minor, true
}

// Path is the terminal's name below /dev, or "" when it is of a kind not known here.
func (d Device) Path() string {
	if n, ok := d.PTY(); ok {
		return "/dev/pts/" + strconv.Itoa(n)
	}
	major, minor := int(d)>>8&0xfff, int(d)&0xff|int(d)>>12&0xfff00
	switch {
	case major == 4 && minor < 64:
		return "/dev/tty" + strconv.Itoa(minor)
	case major == 4:
		return "/dev/ttyS" + strconv.Itoa(minor-64)
	case major == 5 && minor == 1:
		return "/dev/console"
	}
	return ""
}

// tick is the unit of the times in stat: USER_HZ, 100 on every system that Go runs on.
const tick = time.Second / 100

var errFormat = errors.New("unexpected format")

// isLetter reports whether c can be a State.
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// ParseStat reads the content of a stat file.
func ParseStat(b []byte) (Stat, error) {
	// The name may hold blanks and brackets: it ends at the last ')'.
	left, right := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if left < 1 || right < left {
		return Stat{}, fmt.Errorf("stat: %w", errFormat)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b[:left])))
	rest := bytes.Fields(b[right+1:])
	if err != nil || len(rest) < 20 || len(rest[0]) != 1 || !isLetter(rest[0][0]) {
		return Stat{}, fmt.Errorf("stat: %w", errFormat)
	}
	s := Stat{PID: pid, Name: string(b[left+1 : right]), State: State(rest[0][0])}
	number := func(i int) int {
		n, e := strconv.Atoi(string(rest[i]))
		err = errors.Join(err, e)
		return n
	}
	s.Parent, s.Group, s.Session = number(1), number(2), number(3)
	s.Terminal, s.Foreground = Device(number(4)), number(5)
	s.CPU = time.Duration(number(11)+number(12)) * tick
	s.Threads = number(17)
	start, e := strconv.ParseUint(string(rest[19]), 10, 64)
	s.Start = start
	if errors.Join(err, e) != nil {
		return Stat{}, fmt.Errorf("stat: %w", errFormat)
	}
	return s, nil
}

// ReadStat reads the stat of a process. Every user may.
func ReadStat(pid int) (Stat, error) {
	return read(path(pid, "stat"), ParseStat)
}

// ReadTaskStat reads the stat of one thread.
func ReadTaskStat(pid, tid int) (Stat, error) {
	return read(taskPath(pid, tid, "stat"), ParseStat)
}

// Status is a part of /proc/PID/task/TID/status.
type Status struct {
	Name     string
	State    State
	PID      int    // of the process; that of a thread is another
	UID      int    // the effective one
	Tracer   int    // pid of the debugger that holds it, 0 for none
	Threads  int    // of its process
	Switches uint64 // how often it gave up the processor of its own accord: it went to sleep as often
}

// ParseStatus reads the content of a status file.
func ParseStatus(b []byte) (Status, error) {
	var s Status
	var err error
	found := 0
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		key, value, ok := bytes.Cut(line, []byte(":\t"))
		if !ok {
			continue
		}
		found++
		var e error
		switch string(key) {
		case "Name":
			s.Name = string(value)
		case "State":
			if len(value) == 0 || !isLetter(value[0]) {
				e = errFormat
			} else {
				s.State = State(value[0])
			}
		case "Tgid":
			s.PID, e = strconv.Atoi(string(value))
		case "TracerPid":
			s.Tracer, e = strconv.Atoi(string(value))
		case "Uid":
			// real, effective, saved, of the file system
			if ids := bytes.Fields(value); len(ids) == 4 {
				s.UID, e = strconv.Atoi(string(ids[1]))
			} else {
				e = errFormat
			}
		case "Threads":
			s.Threads, e = strconv.Atoi(string(value))
		case "voluntary_ctxt_switches":
			s.Switches, e = strconv.ParseUint(string(value), 10, 64)
		default:
			found--
		}
		err = errors.Join(err, e)
	}
	if err != nil || found != 7 {
		return Status{}, fmt.Errorf("status: %w", errFormat)
	}
	return s, nil
}

// ReadStatus reads the status of a thread. Every user may.
func ReadStatus(pid, tid int) (Status, error) {
	return read(taskPath(pid, tid, "status"), ParseStatus)
}

// Args returns the program and its arguments as the process shows them; empty
// for a zombie. A program may have written something else there.
func Args(pid int) ([]string, error) {
	return read(path(pid, "cmdline"), ParseArgs)
}

// ParseArgs reads the content of a cmdline file.
func ParseArgs(b []byte) ([]string, error) {
	s := strings.TrimRight(string(b), "\x00")
	if s == "" {
		return nil, nil
	}
	return strings.Split(s, "\x00"), nil
}

// Environ returns the environment that the process was started with.
func Environ(pid int) ([]string, error) {
	return read(path(pid, "environ"), ParseArgs)
}

// Exe returns the path of the process's executable, without the kernel's
// mark when the file was removed.
func Exe(pid int) (string, error) {
	exe, err := readLink(path(pid, "exe"))
	return strings.TrimSuffix(exe, " (deleted)"), err
}

// PIDs returns all processes that may be seen, in ascending order.
func PIDs() ([]int, error) { return readNumbers("/proc", nil) }

// Tasks returns the ids of a process's threads. The first is the process itself
// as long as its main thread lives.
func Tasks(pid int) ([]int, error) { return readNumbers(path(pid, "task"), nil) }

// Children returns the processes that a thread has started or adopted and not
// yet collected. It is complete only while they and the thread hold still.
func Children(pid, tid int) ([]int, error) {
	return read(taskPath(pid, tid, "children"), parseInts)
}

func parseInts(b []byte) ([]int, error) {
	var list []int
	for _, f := range bytes.Fields(b) {
		n, err := strconv.Atoi(string(f))
		if err != nil {
			return nil, fmt.Errorf("children: %w", errFormat)
		}
		list = append(list, n)
	}
	return list, nil
}

// Written returns how many bytes a process has handed to write and its kin since
// its start, whatever they went to.
func Written(pid int) (int64, error) { return read(path(pid, "io"), parseWritten) }

func parseWritten(b []byte) (int64, error) {
	_, rest, ok := bytes.Cut(b, []byte("wchar: "))
	line, _, _ := bytes.Cut(rest, []byte{'\n'})
	n, err := strconv.ParseInt(string(line), 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("io: %w", errFormat)
	}
	return n, nil
}

// Yama returns the value of kernel.yama.ptrace_scope, 0 where there is no Yama:
// from 1 on only ancestors may look into a process, from 2 on only the administrator.
func Yama() int {
	n, _ := read("/proc/sys/kernel/yama/ptrace_scope", func(b []byte) (int, error) {
		return strconv.Atoi(string(bytes.TrimSpace(b)))
	})
	return n
}

// Wchan returns the function of the kernel in which a thread sleeps, "0" or ""
// where it runs or the kernel does not say. The names differ between kernels.
func Wchan(pid, tid int) (string, error) {
	return read(taskPath(pid, tid, "wchan"), func(b []byte) (string, error) { return string(b), nil })
}

// LastPID returns the number that the newest process or thread got. When it has
// not changed, no process has come.
func LastPID() (int, error) { return read("/proc/loadavg", parseLastPID) }

func parseLastPID(b []byte) (int, error) {
	f := bytes.Fields(b)
	if len(f) != 5 {
		return 0, fmt.Errorf("loadavg: %w", errFormat)
	}
	n, err := strconv.Atoi(string(f[4]))
	if err != nil {
		return 0, fmt.Errorf("loadavg: %w", errFormat)
	}
	return n, nil
}

// Descendants returns pid and everything below it, parents before children.
// Processes that lost their parent are not below it any more.
func Descendants(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		tasks, _ := Tasks(all[i]) // a process that is gone has no children
		for _, tid := range tasks {
			children, _ := Children(all[i], tid)
			for _, c := range children {
				if !slices.Contains(all, c) {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func path(pid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/" + name
}

func taskPath(pid, tid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(tid) + "/" + name
}

// read parses a file.
func read[T any](path string, parse func([]byte) (T, error)) (T, error) {
	var v T
	err := readFile(path, func(b []byte) (err error) {
		v, err = parse(b)
		return err
	})
	return v, err
}
