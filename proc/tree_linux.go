package proc

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/shim"
	"golang.org/x/sys/unix"
)

// A tree is what a program started, as far as it was seen: a process that left the session stays known although its
// parent is gone. It belongs to one Stop.
type tree struct {
	p *Process
	// Those that lived at the last look, parents before their children: a shell that waits for a child would else see
	// the child's end before its own signal, and go on with the next command.
	members []task
	hungUp  []hungUp
}

func newTree(p *Process) *tree { return &tree{p: p} }

// A task is one process, as /proc/PID/stat shows it. Its number and its start together name it for good.
type task struct {
	pid, parent, group, session int
	start                       uint64 // clock ticks since the boot
	name                        string
	zombie                      bool
}

// look finds the members of the tree that live now.
func (t *tree) look() {
	// After the scan: a leader that is still unreaped kept its number all the time.
	last, err := lastNumber()
	all := scans.take()
	ours := t.p.child.ownsSession()
	strays := t.p.child.strays()
	if mark := t.p.child.mark; mark != 0 && err == nil {
		eachNumber(last, func(n int) bool { // those who came while we looked, and whose parents were looked for in vain
			if shim.Mark(n) == mark {
				strays = append(strays, n)
			}
			return true
		})
	}
	var leader, seeds []task
	seed := func(task task) {
		if task.pid == t.p.PID() && ours(task) {
			leader = append(leader, task)
		} else {
			seeds = append(seeds, task)
		}
	}
	number := t.p.PID() // of the session and the group that it began
	for _, task := range all.sessions[number] {
		if ours(task) {
			seed(task)
		}
	}
	for _, task := range all.groups[number] {
		if ours(task) && task.session != number {
			seed(task)
		}
	}
	for _, pid := range strays {
		task, known := all.tasks[pid]
		if !known { // it came after the scan
			var err error
			if task, err = readTask(pid); err != nil || !task.countable(os.Getpid()) {
				continue
			}
		}
		seed(task)
	}
	for _, member := range t.members {
		if task, known := all.tasks[member.pid]; known && task.same(member) {
			seed(task)
		}
	}

	t.members = nil
	found := map[int]bool{}
	add := func(queue []task) {
		for len(queue) > 0 {
			task := queue[0]
			queue = queue[1:]
			if !found[task.pid] {
				found[task.pid] = true
				t.members = append(t.members, task)
				queue = append(queue, all.children[task.pid]...)
			}
		}
	}
	add(leader)
	add(seeds)
	// A descendant is in the leader's session or in one that a descendant began; so all of that are descendants.
	// Our own session, and that of processes outside our pid namespace, are never the tree's.
	self, _ := unix.Getsid(0) // cannot fail
	for i := 0; i < len(t.members); i++ {
		if session := t.members[i].session; session != self && session != 0 {
			add(all.sessions[session])
		}
	}
}

// same reports whether both are one process.
func (t task) same(other task) bool { return t.pid == other.pid && t.start == other.start }

// left reports whether something of a program that has ended is left. A look at all processes, which is dear, comes last.
// That nothing is left stays so.
func (t *tree) left() bool {
	if t.p.leftNothing.Load() {
		return false
	}
	left := true
	if alone, known := t.p.child.groupEmpty(); known {
		left = !alone
	} else {
		left = !t.leftNothing() && !t.gone()
	}
	if !left {
		t.p.leftNothing.Store(true)
	}
	return left
}

// gone reports whether nothing of the tree is left.
func (t *tree) gone() bool {
	if _, ended := t.p.Exit(); !ended {
		return false
	}
	// The known ones first: that is cheap, and mostly one of them is the reason to wait on.
	for _, task := range t.members {
		if now, err := readTask(task.pid); err == nil && now.same(task) && !now.zombie {
			return false
		}
	}
	if t.p.child.keeper == nil && t.leftNothing() {
		t.members = nil
		return true
	}
	t.look()
	return len(t.members) == 0
}

// A program that lived so briefly, and since whose start so few processes came, is looked at by their numbers.
const (
	briefLife  = 500 * time.Millisecond
	fewNumbers = 1024
)

// leftNothing reports whether a program that has ended, of which nobody is known, certainly left nothing that a look would
// find: nobody is in the session or the group that it began, or has its mark. The kernel gives out numbers in cycles (alloc_pid), so all that it started have
// numbers behind its own, up to the last one given out; in so short a time the cycle, of at least 32,768, does not come
// round. False means that only a look at all processes can tell.
func (t *tree) leftNothing() bool {
	pid, mark := t.p.PID(), t.p.child.mark
	if mark == 0 && t.p.child.keeper != nil {
		return false
	}
	if time.Since(t.p.started) <= briefLife && eachNumber(pid, func(n int) bool {
		session, group, err := sessionAndGroup(n)
		return err == unix.ESRCH || err == nil && session != pid && group != pid && (mark == 0 || shim.Mark(n) != mark)
	}) {
		return true
	}
	if mark != 0 {
		return false
	}
	u := usedNumbers.take()
	return u.err == nil && !u.numbers[pid]
}

// sessionAndGroup are those of a process, at a twentieth of the price of reading /proc. ESRCH: it has ended, or is a
// thread.
func sessionAndGroup(n int) (session, group int, err error) {
	if session, err = unix.Getsid(n); err == nil {
		group, err = unix.Getpgid(n)
	}
	return session, group, err
}

// eachNumber calls f with the numbers that were given out behind a first one, up to the last, also with those that come
// meanwhile: who forks and ends, again and again, has always one behind those that were looked at. It reports whether
// these were all: not where f returned false, or where they were many.
func eachNumber(first int, f func(n int) bool) (all bool) {
	for n := first + 1; ; {
		last, err := lastNumber()
		if err != nil || last < n-1 || last-first > fewNumbers {
			return false
		}
		if n > last {
			return true
		}
		for ; n <= last; n++ {
			if !f(n) {
				return false
			}
		}
	}
}

// lastNumber is the process number that was given out last: the fifth field of /proc/loadavg.
func lastNumber() (int, error) {
	fd, err := loadavg.open()
	if err != nil {
		return 0, err
	}
	var buf [128]byte
	n, err := unix.Pread(fd, buf[:], 0) // each read from the start is a look of its own
	data := buf[:max(n, 0)]
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(bytes.TrimSpace(data[bytes.LastIndexByte(data, ' ')+1:])))
}

// loadavg stays open: it is read at every end.
var loadavg heldOpen

type heldOpen struct {
	mu sync.Mutex
	fd int
	is bool
}

func (h *heldOpen) open() (fd int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.is {
		fd, err := unix.Open("/proc/loadavg", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, err // too few descriptors, maybe, at the moment
		}
		h.fd, h.is = fd, true
	}
	return h.fd, nil
}

// signal signals all members.
func (t *tree) signal(sig syscall.Signal) {
	for _, task := range t.members {
		task.signal(sig)
	}
}

// hangUp sends HUP to those on the program's terminal that ignore TERM. It is asked again and again: line editors change
// the disposition for moments. And it sends again, but not often: a shell that is about to read a line when it comes only
// notes it, and ends at the next key or signal.
func (t *tree) hangUp() {
	if t.p.stdio.Terminal == nil {
		return
	}
	for _, task := range t.members {
		if !task.ignores(syscall.SIGTERM) {
			continue
		}
		i := slices.IndexFunc(t.hungUp, func(h hungUp) bool { return h.same(task) })
		switch now := time.Now(); {
		case i < 0:
			t.hungUp = append(t.hungUp, hungUp{task, now})
		case now.Sub(t.hungUp[i].at) < hangUpAgain:
			continue
		default:
			t.hungUp[i].at = now
		}
		task.signal(syscall.SIGHUP)
	}
}

// A hungUp is a process that got HUP, and when it got the last one.
type hungUp struct {
	task
	at time.Time
}

const hangUpAgain = time.Second

// resume lets those that are stopped run on, to their end.
func (t *tree) resume() { t.signal(syscall.SIGCONT) }

// names returns who is left, for a person.
func (t *tree) names() (names []string) {
	for _, task := range t.members {
		names = append(names, fmt.Sprintf("%d (%s)", task.pid, shown(task.name)))
	}
	return names
}

// ownsSession returns the test whether a task of a scan that was just taken is in the session or the group that the
// child began. When the child was reaped, its number may be a stranger's, and a stranger's session; but who is in a
// session was born into it, so a task that was there before the number was free is no stranger, and while the
// kernel says that the child's own group lives, the number is not free.
func (c *child) ownsSession() func(task) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	certain := !c.reaped || c.pidfd != nil && c.groupLives()
	pid, reapedAt := c.pid, c.reapedAt
	return func(t task) bool {
		return (t.session == pid || t.group == pid) && (certain || t.start <= reapedAt)
	}
}

// signal signals one task and no stranger that got its number: a pidfd is opened, which then names one process, and
// looked at again. Errors mean that it is gone, or not ours to signal; who waits for it will see.
func (t task) signal(sig syscall.Signal) {
	fd := -1
	if !withoutPidfd.Load() {
		var err error
		if fd, err = unix.PidfdOpen(t.pid, 0); err == nil {
			defer unix.Close(fd)
		}
	}
	now, err := readTask(t.pid)
	if err != nil || !now.same(t) {
		return
	}
	if fd >= 0 {
		_ = unix.PidfdSendSignal(fd, sig, nil, 0)
	} else {
		_ = unix.Kill(t.pid, sig)
	}
}

// heldBy says who keeps a dead process to itself, "" where nobody is known to.
func (c *child) heldBy() string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(c.pid) + "/status")
	if err != nil {
		return ""
	}
	if tracer := statusLine(data, "TracerPid"); tracer != "" && tracer != "0" {
		return ": the debugger or tracer " + tracer + " holds it"
	}
	return ""
}

// ignores reads SigIgn of /proc/PID/status.
func (t task) ignores(sig syscall.Signal) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(t.pid) + "/status")
	if err != nil {
		return false
	}
	mask, err := strconv.ParseUint(statusLine(data, "SigIgn"), 16, 64)
	return err == nil && mask&(1<<(sig-1)) != 0
}

// statusLine returns a line of /proc/PID/status.
func statusLine(data []byte, name string) string {
	_, after, _ := bytes.Cut(data, []byte("\n"+name+":\t"))
	value, _, _ := bytes.Cut(after, []byte("\n"))
	return string(value)
}

// A scanner shares looks at all processes: a thousand programs that are stopped at once need a few, not a thousand.
type scanner[T any] struct {
	look  func() T
	asked atomic.Uint64 // tickets given out

	mu    sync.Mutex
	serve uint64 // last was begun after this ticket was given out
	last  T
}

var (
	scans       = scanner[*scan]{look: newScan}
	usedNumbers = scanner[used]{look: newUsedNumbers}
)

// newUsedNumbers finds the numbers of sessions and groups that somebody is in who has another number himself.
func newUsedNumbers() used {
	u := used{numbers: map[int]bool{}}
	add := func(n int) bool {
		session, group, err := sessionAndGroup(n)
		switch {
		case err == unix.ESRCH:
		case err != nil:
			u.err = err
		default:
			u.add(session, n)
			u.add(group, n)
		}
		return true
	}
	last, err := lastNumber()
	all, aerr := allNumbers()
	for _, n := range all {
		add(n)
	}
	if u.err = cmp.Or(u.err, err, aerr); u.err == nil && !eachNumber(last, add) { // those that came meanwhile
		u.err = errTooMany
	}
	return u
}

type used struct {
	numbers map[int]bool
	err     error // it cannot be told
}

func (u *used) add(number, of int) {
	if number != of {
		u.numbers[number] = true
	}
}

var errTooMany = errors.New("too many processes came")

// A scan is what a look found, in the order of the numbers. Callers share it and do not change it.
type scan struct {
	tasks                      map[int]task
	children, sessions, groups map[int][]task // by their number
}

// countable reports whether a process can be one of a tree that is to be ended.
func (t task) countable(self int) bool { return !t.zombie && t.pid > 1 && t.pid != self }

func newScan() *scan {
	s := &scan{map[int]task{}, map[int][]task{}, map[int][]task{}, map[int][]task{}}
	self := os.Getpid()
	for _, t := range readTasks() {
		if t.countable(self) {
			s.tasks[t.pid] = t
			s.children[t.parent] = append(s.children[t.parent], t)
			s.sessions[t.session] = append(s.sessions[t.session], t)
			s.groups[t.group] = append(s.groups[t.group], t)
		}
	}
	return s
}

// take returns a scan that began after the call.
func (s *scanner[T]) take() T {
	ticket := s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serve < ticket {
		s.serve = s.asked.Load()
		s.last = s.look()
	}
	return s.last
}

// readTasks reads all processes.
func readTasks() (tasks []task) {
	all, _ := allNumbers() // what was read before an error counts
	for _, pid := range all {
		if t, err := readTask(pid); err == nil { // else it has just ended
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// allNumbers are those of all processes.
func allNumbers() (all []int, err error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if pid, err := strconv.Atoi(name); err == nil {
			all = append(all, pid)
		}
	}
	return all, err
}

func readTask(pid int) (task, error) {
	var buf [1024]byte // a line is at most some 400 bytes
	data, err := readSmall("/proc/"+strconv.Itoa(pid)+"/stat", buf[:])
	if err != nil {
		return task{}, err
	}
	return parseStat(data)
}

// wantsProcessor reports whether a thread of a process runs, is ready to, or is held up within the kernel.
func wantsProcessor(pid int) bool {
	threads := "/proc/" + strconv.Itoa(pid) + "/task/"
	names, err := os.ReadDir(threads)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(names, func(thread os.DirEntry) bool {
		var buf [1024]byte
		data, err := readSmall(threads+thread.Name()+"/stat", buf[:])
		_, state, _ := bytes.Cut(data[bytes.LastIndexByte(data, ')')+1:], []byte(" "))
		return err == nil && len(state) > 0 && (state[0] == 'R' || state[0] == 'D')
	})
}

// readSmall is os.ReadFile for files of /proc, of which a scan reads very many: three system calls instead of six.
func readSmall(path string, buf []byte) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, buf)
		if err == unix.EINTR {
			continue
		}
		return buf[:max(n, 0)], err
	}
}

// parseStat reads a line of /proc/PID/stat; see proc_pid_stat(5). The name stands in brackets, and may hold blanks and
// brackets itself.
func parseStat(data []byte) (t task, err error) {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || end < open {
		return t, fmt.Errorf("no name in %q", data)
	}
	fields := bytes.Fields(data[end+1:]) // from the third on
	if len(fields) < 20 {
		return t, fmt.Errorf("too few fields in %q", data)
	}
	number := func(b []byte) int {
		n, nerr := strconv.Atoi(string(b))
		err = cmp.Or(err, nerr)
		return n
	}
	t.name = string(data[open+1 : end])
	t.pid = number(bytes.TrimSpace(data[:open]))
	t.parent, t.group, t.session = number(fields[1]), number(fields[2]), number(fields[3])
	threads := number(fields[17])
	t.start = uint64(number(fields[19]))
	// A zombie with more than one thread is a process whose first thread ended.
	t.zombie = (fields[0][0] == 'Z' || fields[0][0] == 'X') && threads <= 1
	return t, err
}
