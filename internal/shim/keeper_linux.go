package shim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A keeper has three kinds of goroutines: one reads the orders, each order has one, that of a fork until the program has
// ended, and one reaps.
type keeper struct {
	link   *os.File
	answer sync.Mutex // one answer is written at a time
	group  group      // "" where there is no cgroup to be had
	marks  marks

	// forking is held from before a fork until its child is among programs, and while the children of others are
	// reaped: no program is taken for one of these. Before mu.
	forking sync.Mutex

	// mu guards what follows. It is also held while a child is reaped, and between the look at a child and a signal
	// to it: its number cannot become another's.
	mu       sync.Mutex
	programs map[int]group // by number, with its group; unreaped, all of them
	emptied  []group       // of programs that were reaped: to be removed once nobody is left in them
	spare    []group       // the same, in which nobody is left: to be used again
	dying    bool          // the lifeline has ended: no more forks

	tidying sync.Mutex // held by who removes groups
}

// keep is the keeper's life. It returns when the supervisor is gone and so are all descendants.
func keep(link *os.File, p Plan) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become a subreaper: %w", err)
	}
	link, err := pollable(link)
	if err != nil {
		return fmt.Errorf("the link: %w", err)
	}
	// Handled, not ignored: that would be inherited. What is meant for the supervisor's service as a whole must not end
	// the one process that has to clean up after it.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2,
		unix.SIGALRM, unix.SIGPIPE, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)

	k := &keeper{link: link, programs: map[int]group{}}
	if !p.NoGroup {
		k.group = newGroup()
	}
	if k.group == "" {
		k.marks = newMarks()
	}
	go func() {
		for range ended {
			k.reapStrays()
			time.Sleep(reapPause)
		}
	}()
	k.send(Answer{PID: os.Getpid(), Group: string(k.group), Mark: k.marks.base})
	for {
		o, files, err := readOrder(link)
		if err != nil {
			break
		}
		if o.Do == Reap { // it has to wait for nothing
			k.reap(o.PID)
		}
		k.free(o.Free)
		if o.Do == Reap {
			continue
		}
		go func() {
			a, pidfd := k.obey(o, files)
			for _, fd := range files {
				_ = unix.Close(fd)
			}
			a.ID = o.ID
			k.send(a)
			if pidfd >= 0 {
				e := awaitEnd(a.PID, pidfd)
				k.send(Answer{ID: o.ID, Ended: &e})
			}
		}()
	}
	k.end()
	return nil
}

// pollable returns link as a file that the runtime's poller waits for: while a thread waits in the kernel, the runtime looks
// after it every 20 µs for the first millisecond, which costs more than the order.
func pollable(link *os.File) (*os.File, error) {
	conn, err := link.SyscallConn()
	if err != nil {
		return nil, err
	}
	dup := -1
	if cerr := conn.Control(func(fd uintptr) { dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); cerr != nil {
		return nil, cerr
	}
	if err != nil {
		return nil, err
	}
	_ = link.Close()                // it has a second descriptor
	_ = unix.SetNonblock(dup, true) // of a socket: cannot fail
	return os.NewFile(uintptr(dup), "link"), nil
}

// reapPause lies between the looks for orphans that have ended: they come in crowds, and nobody waits for them.
const reapPause = 20 * time.Millisecond

// send fails only when the supervisor is gone, which the next read tells.
func (k *keeper) send(a Answer) {
	data, err := frame(a, maxOrder)
	if err != nil {
		return
	}
	k.answer.Lock()
	defer k.answer.Unlock()
	_, _ = k.link.Write(data)
}

// readOrder reads an order and the descriptors that came with it.
func readOrder(link *os.File) (o Order, files []int, err error) {
	conn, err := link.SyscallConn()
	if err != nil {
		return o, nil, err
	}
	var size [4]byte
	var n int
	oob := make([]byte, unix.CmsgSpace(MaxFiles*4))
	cerr := conn.Read(func(fd uintptr) bool {
		var oobn, flags int
		for err = unix.EINTR; err == unix.EINTR; { // the poller would wait for what is there
			n, oobn, flags, _, err = unix.Recvmsg(int(fd), size[:], oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_WAITALL)
		}
		if err == nil && oobn > 0 {
			files = descriptorsIn(oob[:oobn])
		}
		if err == nil && flags&unix.MSG_CTRUNC != 0 { // we have no room for more
			files = append(files, -1)
		}
		return err != unix.EAGAIN
	})
	if err == nil {
		err = cerr
	}
	switch {
	case err != nil:
	case n == 0:
		err = io.EOF
	case n < len(size):
		_, err = io.ReadFull(link, size[n:])
	}
	if err == nil {
		err = body(link, size, &o, maxOrder)
	}
	return o, files, err
}

func descriptorsIn(oob []byte) (files []int) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err == nil {
			files = append(files, fds...)
		}
	}
	return files
}

// obey returns the answer, and where a program was started its pidfd, else -1.
func (k *keeper) obey(o Order, files []int) (a Answer, pidfd int) {
	switch o.Do {
	case Fork:
		return k.fork(o, files)
	case Ping:
		return Answer{}, -1
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch o.Do {
	case Strays:
		return Answer{PIDs: k.strays(o.Mark)}, -1
	case Kill:
		return Answer{PIDs: k.kill(o.PID, o.Mark)}, -1
	}
	return Answer{Text: "no such order: " + o.Do}, -1
}

// reap frees the number of a program, if it has ended.
func (k *keeper) reap(pid int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if g, unreaped := k.programs[pid]; unreaped && reapIfEnded(pid) {
		delete(k.programs, pid)
		if g == "" {
			return
		}
		if k.emptied = append(k.emptied, g); len(k.emptied) == 1 {
			time.AfterFunc(reapPause, k.tidy) // unless it is wanted again
		}
	}
}

// mostSpare is how many groups wait to be used again: to make and to remove one costs as much as a small program.
const mostSpare = 8

// free takes groups from those that are to be removed.
func (k *keeper) free(groups []string) {
	if len(groups) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range groups {
		if i := slices.Index(k.emptied, group(name)); i >= 0 && len(k.spare) < mostSpare {
			k.emptied = slices.Delete(k.emptied, i, i+1)
			k.spare = append(k.spare, group(name))
		}
	}
}

// newGroup returns a group for a program, and opens it.
func (k *keeper) newGroup() (g group, fd int, err error) {
	k.mu.Lock()
	if n := len(k.spare); n > 0 {
		g, k.spare = k.spare[n-1], k.spare[:n-1]
	}
	k.mu.Unlock()
	if g != "" {
		if fd, err = g.open(); err == nil {
			return g, fd, nil
		}
	}
	return k.group.child()
}

// awaitEnd waits until a program has ended, leaves it unreaped and closes its pidfd.
func awaitEnd(pid, pidfd int) Ended {
	_ = unix.SetNonblock(pidfd, true) // a descriptor of ours: cannot fail; the poller takes only what does not block
	f := os.NewFile(uintptr(pidfd), "pidfd")
	defer f.Close()
	conn, err := f.SyscallConn()
	if err == nil {
		err = conn.Read(func(fd uintptr) bool { return readable(int(fd), 0) })
	}
	if err != nil { // the poller has no room for one more: a thread waits
		_ = conn.Control(func(fd uintptr) { readable(int(fd), -1) })
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		got, e, err := Waitid(unix.P_PID, pid, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG)
		switch {
		case err != nil:
			return Ended{Code: -1} // nobody knows how
		case got != 0:
			return e
		}
		time.Sleep(pause) // a tracer that is not its parent sees a zombie first
	}
}

// readable reports whether a pidfd says that its process has ended, and waits so many milliseconds for that; -1 is no end.
func readable(fd, ms int) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, ms)
		if err != unix.EINTR {
			return n > 0
		}
	}
}

func failed(err error) (a Answer) {
	switch {
	case err == nil:
	case errors.As(err, &a.Errno):
	default:
		a.Text = err.Error()
	}
	return a
}

// fork starts a program as the supervisor would: from its folder, with its file mode mask.
func (k *keeper) fork(o Order, files []int) (a Answer, pidfd int) {
	for _, fd := range files {
		if fd < 0 {
			return Answer{Errno: unix.EMFILE}, -1
		}
	}
	if len(files) < 1 {
		return Answer{Errno: unix.EBADF}, -1
	}
	here := -1
	if o.Here {
		here, files = files[0], files[1:]
	}
	pidfd = -1
	attr := &syscall.ProcAttr{Dir: string(o.Dir), Env: o.Env.Split(), Sys: &syscall.SysProcAttr{
		Setsid: true, Setctty: o.Terminal, Ctty: o.Ctty, PidFD: &pidfd,
	}}
	for _, fd := range files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	if u := o.User; u != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
		for _, g := range u.Groups {
			attr.Sys.Credential.Groups = append(attr.Sys.Credential.Groups, uint32(g))
		}
	}

	k.forking.Lock()
	defer k.forking.Unlock()
	k.mu.Lock()
	dying := k.dying
	k.mu.Unlock()
	if dying {
		return Answer{Errno: unix.ECANCELED}, -1
	}
	var g group
	if k.group != "" {
		var fd int
		var err error
		if g, fd, err = k.newGroup(); err != nil {
			return failed(err), -1
		}
		defer unix.Close(fd)
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, fd
		a.Group = string(g)
	} else {
		a.Mark = k.marks.set()
	}
	// Folder and mask are the whole process's, which needs none itself.
	if here >= 0 {
		if err := unix.Fchdir(here); err != nil {
			_ = g.remove()
			return failed(err), -1
		}
		defer func() { _ = unix.Chdir("/") }() // so that no file system is kept busy
	}
	unix.Umask(o.Umask)
	pid, err := syscall.ForkExec(string(o.Path), o.Args.Split(), attr)
	if err != nil {
		_ = g.remove()
		return failed(err), -1
	}
	k.mu.Lock()
	k.programs[pid] = g
	k.mu.Unlock()
	a.PID = pid
	return a, pidfd
}

// reapStrays reaps the children that are no programs, and tidies up behind them. SIGCHLD comes once for many.
func (k *keeper) reapStrays() {
	k.reapOthers()
	k.tidy()
}

func (k *keeper) reapOthers() {
	k.forking.Lock()
	defer k.forking.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		pid, _, err := Waitid(unix.P_ALL, 0, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG)
		if err != nil || pid == 0 {
			return
		}
		if _, is := k.programs[pid]; is {
			// It stays, and the kernel would name it again and again.
			for _, pid := range children() {
				if _, is := k.programs[pid]; !is {
					reapIfEnded(pid)
				}
			}
			return
		}
		reapIfEnded(pid)
	}
}

// reapIfEnded reports whether the child has ended, or is none.
func reapIfEnded(pid int) bool {
	got, _, err := Waitid(unix.P_PID, pid, unix.WEXITED|unix.WNOHANG)
	return got != 0 || err != nil
}

// tidy removes the groups of reaped programs in which nobody is left. mu is not held meanwhile, as the kernel may have
// who removes a group wait for others' forks, and nobody should wait for that to hear of an exit.
func (k *keeper) tidy() {
	k.tidying.Lock()
	defer k.tidying.Unlock()
	k.mu.Lock()
	groups := k.emptied
	k.emptied = nil
	k.mu.Unlock()
	groups = slices.DeleteFunc(groups, func(g group) bool { return g.remove() == nil })
	k.mu.Lock()
	k.emptied = append(groups, k.emptied...)
	k.mu.Unlock()
}

// strays returns the adopted children with the mark. mu is held.
func (k *keeper) strays(mark uint64) (pids []int) {
	if mark == 0 {
		return nil
	}
	for _, pid := range children() {
		if _, is := k.programs[pid]; !is && Mark(pid) == mark && !reapIfEnded(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// killRounds bounds one order to kill: the others wait meanwhile.
const killRounds = 20

// kill kills a program and those with its mark, as far as it comes in a few rounds: with its parent dead, the next
// generation is ours. It returns who is left. mu is held.
func (k *keeper) kill(leader int, mark uint64) (left []int) {
	_, unreaped := k.programs[leader]
	for range killRounds {
		left = k.strays(mark)
		if unreaped {
			if pid, _, err := Waitid(unix.P_PID, leader, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG); pid == 0 && err == nil {
				left = append(left, leader)
			}
		}
		if len(left) == 0 {
			break
		}
		for _, pid := range left {
			_ = unix.Kill(pid, unix.SIGKILL) // not allowed: it is named to who asked
		}
	}
	return left
}

// endTime bounds the end of a keeper: what it may not kill, or what does not die for the kernel's own reasons, is not
// waited for longer.
const endTime = 10 * time.Second

// end kills all descendants. Only children are killed: whose parent dies becomes one, and a child's number is its own
// until it is reaped, here. So no stranger can be hit, and a process that forks as fast as it can has to do it between
// two system calls of ours to get away to the next round.
func (k *keeper) end() {
	k.mu.Lock()
	k.dying = true
	k.mu.Unlock()
	pause := time.Duration(0)
	for deadline := time.Now().Add(endTime); time.Now().Before(deadline); {
		forked := k.forking.TryLock() // else a fork is under way
		k.mu.Lock()
		k.group.kill()
		left, died := 0, false
		for _, pid := range children() {
			if reapIfEnded(pid) {
				died = true
				continue
			}
			left++
			_ = unix.Kill(pid, unix.SIGKILL) // not allowed: perhaps it ends by itself
		}
		k.mu.Unlock()
		if forked {
			k.forking.Unlock()
			if left == 0 && !died && (k.group == "" || GroupEmpty(string(k.group))) { // some were started by the supervisor
				break
			}
		}
		if died { // whom it left behind is ours now
			pause = 0
		}
		time.Sleep(pause)
		pause = min(pause+100*time.Microsecond, 20*time.Millisecond)
	}
	_ = k.group.remove()
}
