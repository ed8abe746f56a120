package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spawnx/spawnx/internal/scale"
	"github.com/spawnx/spawnx/internal/shim"
	"golang.org/x/sys/unix"
)

// A keeper is our handle of the helper process that contained programs are children of. There is one as long as it
// lives.
type keeper struct {
	child *child
	link  *os.File // also its lifeline: never closed while it lives
	group string   // the folder of its cgroup, "" if it has none
	cells cells    // below it
	marks uint64   // what the marks of its programs begin with, where there is no cgroup

	dead context.Context // ends when it is gone
	die  context.CancelFunc

	mu      sync.Mutex // one order is written at a time; guards what follows, and told of all of waiting
	last    uint64     // the number of the last order
	free    []string   // cgroups that may be used again: the next order says so
	waiting map[uint64]*asked
	gone    bool
	hooks   sync.WaitGroup // the stops of its programs after its death
}

// An asked is an order that has an answer: one; a fork that succeeds has two, the second when the program has ended.
type asked struct {
	id      uint64
	answers chan shim.Answer   // has room for all, and is closed when the keeper dies before
	told    func(at time.Time) // is called behind the last; may be nil
}

// withoutCgroup is a switch of the tests.
var withoutCgroup atomic.Bool

// keepers holds the one keeper. It outlives garbage collection: a collected socket would be closed, and the programs
// killed.
var keepers struct {
	mu sync.Mutex
	*keeper
}

// theKeeper returns the keeper, which it starts if there is none.
func theKeeper() (*keeper, error) {
	if !shim.Ready() {
		return nil, errNoShim
	}
	keepers.mu.Lock()
	defer keepers.mu.Unlock()
	if keepers.keeper != nil && keepers.dead.Err() == nil {
		return keepers.keeper, nil
	}
	k, err := startKeeper()
	if err != nil {
		return nil, err
	}
	keepers.keeper = k
	return k, nil
}

func startKeeper() (*keeper, error) {
	if fd, err := unix.PidfdOpen(os.Getpid(), 0); err != nil {
		return nil, fmt.Errorf("there are no pidfds here (Linux 5.3 has them): %w", err)
	} else {
		_ = unix.Close(fd)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	fd := null.Fd()
	// A session of its own: no terminal's keys or end reach it.
	c, link, err := helper(forkExec, "/", []uintptr{fd, fd, fd}, &syscall.SysProcAttr{Setsid: true})
	if err != nil {
		return nil, fmt.Errorf("starting the keeper: %w", err)
	}
	k := &keeper{child: c, link: link, waiting: map[uint64]*asked{}}
	var hello shim.Answer
	err = link.SetDeadline(time.Now().Add(scale.Duration(stepsTime)))
	if err == nil {
		err = shim.WritePlan(link, shim.Plan{Role: shim.Keep, NoGroup: withoutCgroup.Load()})
	}
	if err == nil {
		hello, err = shim.ReadAnswer(link)
	}
	if err == nil {
		err = link.SetDeadline(time.Time{})
	}
	if err == nil && hello.PID != c.pid {
		err = errors.New("it did not say hello")
	}
	if err != nil {
		link.Close()
		_ = c.signal(syscall.SIGKILL) // it may have ended
		c.seeExit()
		c.reap()
		return nil, fmt.Errorf("starting the keeper: %w", err)
	}
	k.group, k.marks = hello.Group, hello.Mark
	k.dead, k.die = context.WithCancel(context.Background())
	go k.listen()
	return k, nil
}

// listen hands the answers out until the keeper dies, and then sees to it that its programs end. Nobody waits for this
// goroutine: it lives as long as the keeper, which lives as long as we do.
func (k *keeper) listen() {
	in := bufio.NewReader(k.link)
	for {
		a, err := shim.ReadAnswer(in)
		if err != nil {
			break
		}
		k.mu.Lock()
		w := k.waiting[a.ID]
		var told func(time.Time)
		if w != nil && a.PID == 0 { // else its end comes, too
			delete(k.waiting, a.ID)
			told = w.told
		}
		k.mu.Unlock()
		if w != nil {
			w.answers <- a
		}
		if told != nil {
			go told(time.Now())
		}
	}
	_ = k.child.signal(syscall.SIGKILL) // if it lives, it does not speak our language
	k.child.seeExit()
	k.child.reap()

	k.mu.Lock()
	k.gone = true
	k.die() // every program is stopped; before that, nobody may say of one that it has ended
	for _, w := range k.waiting {
		close(w.answers)
		if w.told != nil {
			go w.told(time.Now())
		}
	}
	k.waiting = nil
	k.mu.Unlock()
	_ = k.link.Close()
	k.hooks.Wait()
	// What ended programs had left behind.
	if k.group != "" {
		shim.KillGroup(k.group)
		for range 100 { // they are dying
			if shim.RemoveGroup(k.group) == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		k.cells.close()
		return
	}
	for _, task := range scans.take().tasks {
		if shim.Of(k.marks, shim.Mark(task.pid)) {
			task.signal(syscall.SIGKILL)
		}
	}
}

func (k *keeper) containment() Containment {
	switch {
	case k.dead.Err() != nil:
		return NotContained
	case k.group != "":
		return ByCgroup
	}
	return ByKeeper
}

// whenItDies calls f on a goroutine of its own when the keeper dies. unhook may be called more than once.
func (k *keeper) whenItDies(f func()) (unhook func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.gone { // else nobody waits
		k.hooks.Add(1)
		stop := context.AfterFunc(k.dead, func() {
			defer k.hooks.Done()
			f()
		})
		return func() {
			if stop() {
				k.hooks.Done()
			}
		}
	}
	stop := context.AfterFunc(k.dead, f)
	return func() { stop() }
}

// errKeeperGone is why an order has no answer.
var errKeeperGone = errors.New("the keeper of contained programs has died")

// answerTime bounds what the keeper needs for an order, except for a fork, which may wait for a slow disk. It is waited
// for up to patience times as long while it is ready to run and gets no processor: to end it is to end all its programs.
const (
	answerTime = 10 * time.Second
	patience   = 12
)

// order gives an order and waits for its answer. An error of the answer is its Err.
func (k *keeper) order(o shim.Order) (shim.Answer, error) {
	return k.ask(o, &asked{answers: make(chan shim.Answer, 1)})
}

// ask is order for who has more to do with what was asked.
func (k *keeper) ask(o shim.Order, w *asked, files ...uintptr) (shim.Answer, error) {
	if err := k.send(o, w, files); err != nil {
		return shim.Answer{}, err
	}
	for waited := 1; ; waited++ {
		timer := time.NewTimer(scale.Duration(answerTime))
		select {
		case a, ok := <-w.answers:
			timer.Stop()
			if !ok {
				return a, errKeeperGone
			}
			return a, nil
		case <-timer.C:
		}
		switch {
		case o.Do == shim.Fork:
			if _, err := k.order(shim.Order{Do: shim.Ping}); err != nil {
				return shim.Answer{}, err
			}
		case waited >= patience || !wantsProcessor(k.child.pid):
			_ = k.child.signal(syscall.SIGKILL) // stopped, or out of its mind; listen sees its end
		}
	}
}

// tell has f called on a goroutine of its own when the last answer has come, or none will.
func (k *keeper) tell(w *asked, f func(at time.Time)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.waiting[w.id] != w { // it has come
		go f(time.Now())
		return
	}
	w.told = f
}

// send gives an order. Where w is nil there will be no answer.
func (k *keeper) send(o shim.Order, w *asked, files []uintptr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		return errKeeperGone
	}
	k.last++
	o.ID = k.last
	o.Free, k.free = append(o.Free, k.free...), nil
	data, err := o.Encode()
	if err != nil {
		return err
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, fd := range files {
			fds[i] = int(fd)
		}
		rights = unix.UnixRights(fds...)
	}
	conn, err := k.link.SyscallConn()
	if err != nil {
		return err
	}
	// One that is stopped takes nothing any more.
	if err := k.link.SetWriteDeadline(time.Now().Add(scale.Duration(stepsTime))); err != nil {
		return errKeeperGone
	}
	n := 0 // the descriptors go with the first bytes
	cerr := conn.Write(func(fd uintptr) bool {
		for err = unix.EINTR; err == unix.EINTR; { // the poller would wait for room that is there
			n, err = unix.SendmsgN(int(fd), data, rights, nil, unix.MSG_NOSIGNAL)
		}
		return err != unix.EAGAIN
	})
	if err = errors.Join(cerr, err); err == nil {
		if w != nil {
			w.id, k.waiting[o.ID] = o.ID, w
		}
		if n == len(data) {
			return nil
		}
		if _, err := k.link.Write(data[n:]); err != nil {
			delete(k.waiting, o.ID)
			_ = k.child.signal(syscall.SIGKILL) // it has half an order, or is gone
			return errKeeperGone
		}
		return nil
	}
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, os.ErrDeadlineExceeded) {
		_ = k.child.signal(syscall.SIGKILL) // as above
		return errKeeperGone
	}
	return err
}

// forker forks as forkExec does: the same child, of another parent. A mask that is nil is ours.
func (k *keeper) forker(mask *uint32) forker {
	if k.forksNot() {
		return k.forkHere
	}
	return func(path string, args, env []string, dir string, fds []uintptr, attr *syscall.SysProcAttr) (*child, error) {
		o := shim.Order{
			Do: shim.Fork, Path: []byte(path), Dir: []byte(dir), Args: shim.JoinWords(args), Env: shim.JoinWords(env),
			Terminal: attr.Setctty, Ctty: attr.Ctty,
		}
		if mask != nil {
			o.Umask = int(*mask)
		} else {
			o.Umask = umask()
		}
		if c := attr.Credential; c != nil {
			o.User = &shim.User{UID: c.Uid, GID: c.Gid}
			for _, g := range c.Groups {
				o.User.Groups = append(o.User.Groups, int(g))
			}
		}
		return k.fork(o, fds)
	}
}

func (k *keeper) fork(o shim.Order, fds []uintptr) (*child, error) {
	if len(fds)+1 > shim.MaxFiles {
		return nil, fmt.Errorf("a contained program cannot be given more than %d descriptors", shim.MaxFiles-1)
	}
	if !filepath.IsAbs(string(o.Dir)) {
		from, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("our own folder: %w", err)
		}
		defer unix.Close(from)
		o.Here, fds = true, append([]uintptr{uintptr(from)}, fds...)
	}
	closeInheritedOnExec()
	w := &asked{answers: make(chan shim.Answer, 2)}
	a, err := k.ask(o, w, fds...)
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return nil, err
	}
	// The number is its own until we let it be reaped.
	pidfd, err := unix.PidfdOpen(a.PID, 0)
	if err != nil {
		_, _ = k.order(shim.Order{Do: shim.Kill, PID: a.PID})
		<-w.answers // its end, or the keeper's
		k.reap(a.PID)
		return nil, fmt.Errorf("pidfd_open: %w", err)
	}
	c := newChild(a.PID, pidfd)
	c.keeper, c.asked, c.group, c.mark = k, w, a.Group, a.Mark
	return c, nil
}

// umask is our file mode mask, which there is no call to read.
func umask() int {
	data, err := os.ReadFile("/proc/thread-self/status")
	if err == nil {
		var mask int
		if _, err := fmt.Sscanf(statusLine(data, "Umask"), "%o", &mask); err == nil {
			return mask
		}
	}
	return 0o22
}

// reap lets the keeper free a number, and use the cgroup again where one is given. Nobody waits for that.
func (k *keeper) reap(pid int, groups ...string) {
	_ = k.send(shim.Order{Do: shim.Reap, PID: pid, Free: groups}, nil, nil) // the keeper is gone: nothing to free
}

// keptBy is the keeper of a contained program that is not yet reaped or abandoned; nil for others.
func (c *child) keptBy() *keeper { return c.keeper }

// lostKeeper reports whether a contained program's keeper died.
func (c *child) lostKeeper() bool { return c.keeper != nil && c.keeper.dead.Err() != nil }

// abandoned notes that the keeper died: another reaps the program now, at any time.
func (c *child) abandoned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped && c.asked != nil {
		c.reaped, c.reapedAt = true, ticksSinceBoot()
	}
}

// strays returns the processes that a contained program left behind, in whatever session and group they are.
func (c *child) strays() []int {
	if c.keeper == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.alone:
		return nil
	case c.cell != nil:
		return c.keeper.cells.members(c.cell, c)
	case c.group != "":
		return shim.GroupMembers(c.group)
	}
	a, err := c.keeper.order(shim.Order{Do: shim.Strays, Mark: c.mark})
	if err != nil {
		return nil // who is known is
	}
	return a.PIDs
}

// groupEmpty reports whether nobody lives in the cgroup of a contained program that has ended. Nobody leaves it, so then
// nobody will, and it may be another's. known is false where there is none to ask.
func (c *child) groupEmpty() (empty, known bool) {
	if c.keeper == nil {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.alone:
		return true, true
	case c.group == "":
		return false, false
	case c.cell != nil && !c.keeper.cells.empty(c.cell, c):
		return false, true
	case c.cell == nil && !shim.GroupEmpty(c.group):
		return false, true
	}
	c.alone, c.treeGone = true, true
	if c.reaped {
		if !c.killed && c.cell == nil {
			c.keeper.spare(c.group)
		}
		c.closeFd()
		c.group, c.cell = "", nil
	} // else reap does it
	return true, true
}

// spare lets the keeper use a cgroup again, from the next order on.
func (k *keeper) spare(group string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.gone {
		k.free = append(k.free, group)
	}
}

// proveKeeper returns when the keeper of a contained program, which tells of ends by itself, has answered, or is given up:
// it may have been stopped.
func (c *child) proveKeeper() {
	if c.asked != nil {
		_, _ = c.keeper.order(shim.Order{Do: shim.Ping})
	}
}

// killStrays kills a contained program with all it left behind. A cgroup that was killed is never used again: Linux 6.14
// and later compare the number of kills of the forking process's own cgroup with that of the one its child is born into
// (cgroup_css_set_fork, cgroup_post_fork), and kill the child where they differ.
func (c *child) killStrays() {
	if c.keeper == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.alone:
	case c.group != "":
		if c.cell != nil {
			c.keeper.cells.kill(c.cell, c)
		} else if !shim.GroupEmpty(c.group) { // which is cheap to ask: the kernel kills one group at a time
			c.killed = true
			shim.KillGroup(c.group)
		}
	default:
		_, _ = c.keeper.order(shim.Order{Do: shim.Kill, PID: c.pid, Mark: c.mark}) // what is left is asked for again
	}
}
