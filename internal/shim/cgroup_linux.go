package shim

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A group is the folder of a cgroup of version 2: of a keeper's programs, or below it of one program. "" is none. Its
// file cgroup.kill (Linux 5.14) kills all members at once, also those that are just being forked, whatever session,
// parent or user they have.
type group string

// keeperGroup begins the name of a keeper's group.
const keeperGroup = "spawnx-keeper-"

// newGroup makes the group of this process's programs below its own, "" where it may not, or where the kernel cannot
// start a program in a group. The process holds a lock of it until it ends: a group without one is of a keeper that is
// dead, in whatever pid namespace it lived.
func newGroup() group {
	own := ownGroup()
	if own == "" {
		return ""
	}
	own.sweep()
	for range 3 { // a sweep of another's may be quicker than our lock
		g, err := own.below(keeperGroup)
		if err != nil {
			return ""
		}
		if _, locked := g.lock(); locked && g.works() { // never unlocked
			return g
		}
		_ = g.remove()
	}
	return ""
}

// lock takes the lock of a group, if nobody has it, and keeps it as long as the descriptor is open.
func (g group) lock() (fd int, locked bool) {
	fd, err := unix.Open(string(g), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, false
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = unix.Close(fd)
		return -1, false
	}
	return fd, true
}

// sweepTime bounds a sweep: a keeper is being waited for. The next one goes on.
const sweepTime = 500 * time.Millisecond

// sweep ends and removes what keepers have left behind that died at the same moment as their supervisors: nobody else
// could do so.
func (own group) sweep() {
	left, _ := filepath.Glob(string(own) + "/" + keeperGroup + "*") // no bad pattern
	for deadline := time.Now().Add(sweepTime); len(left) > 0 && time.Now().Before(deadline); left = left[1:] {
		g := group(left[0])
		fd, dead := g.lock()
		if !dead {
			continue
		}
		g.kill()
		for g.remove() != nil && time.Now().Before(deadline) { // they are dying
			time.Sleep(time.Millisecond)
		}
		_ = unix.Close(fd)
	}
}

// works tries it: a child is born into the group, which finds no program to become.
func (g group) works() bool {
	if _, err := os.Stat(filepath.Join(string(g), "cgroup.kill")); err != nil {
		return false
	}
	fd, err := unix.Open(string(g), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	pid, err := syscall.ForkExec("", []string{Arg0}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}})
	if err == nil { // it was killed: see proc's killStrays
		_, _, _ = Waitid(unix.P_PID, pid, unix.WEXITED)
	}
	return errors.Is(err, unix.ENOENT) // of execve; a fork has no such error
}

// ownGroup is the group that this process is in, "" if it is not mounted.
func ownGroup() group {
	mine, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	return groupIn(mine, mounts)
}

// groupIn reads /proc/PID/cgroup, see cgroups(7), and /proc/PID/mountinfo, see proc_pid_mountinfo(5).
func groupIn(mine, mounts []byte) group {
	path, found := "", false
	for line := range bytes.Lines(mine) {
		if p, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\n"), "0::"); ok {
			path, found = p, true
		}
	}
	if !found || strings.HasPrefix(path, "/..") { // outside of what we see
		return ""
	}
	for line := range bytes.Lines(mounts) {
		before, after, _ := strings.Cut(string(line), " - ")
		fields := strings.Fields(before)
		if !strings.HasPrefix(after, "cgroup2 ") || len(fields) < 5 {
			continue
		}
		root, at := fields[3], unescape(fields[4])
		if below, ok := strings.CutPrefix(path, strings.TrimSuffix(root, "/")); ok {
			return group(filepath.Join(at, below))
		}
	}
	return ""
}

// unescape undoes what mountinfo does to blanks and the like: \040.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if s[0] == '\\' && len(s) >= 4 {
			if n, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				s = s[4:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// child makes a group for one program below g, and opens it.
func (g group) child() (group, int, error) {
	one, err := g.below("")
	if err != nil {
		return "", 0, err
	}
	fd, err := one.open()
	if err != nil {
		_ = one.remove()
		return "", 0, err
	}
	return one, fd, nil
}

// below makes a group below g, whose name begins so.
func (g group) below(name string) (group, error) {
	dir, err := os.MkdirTemp(string(g), name)
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o700); err != nil { // whatever the umask took away: the last program's, perhaps
		_ = group(dir).remove()
		return "", err
	}
	return group(dir), nil
}

// open returns a descriptor of g for a fork.
func (g group) open() (int, error) {
	return unix.Open(string(g), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// kill kills all members, and those of the groups below.
func (g group) kill() {
	if g != "" {
		_ = os.WriteFile(filepath.Join(string(g), "cgroup.kill"), []byte("1"), 0) // gone: then nobody is in it
	}
}

// members returns all members, also of the groups below. Zombies are not named.
func (g group) members() (pids []int) {
	if g == "" {
		return nil
	}
	_ = filepath.WalkDir(string(g), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if err != nil {
			return nil
		}
		for _, field := range bytes.Fields(data) {
			if pid, err := strconv.Atoi(string(field)); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids
}

// remove removes the group with those below; it fails as long as somebody is in one.
func (g group) remove() error {
	if g == "" {
		return nil
	}
	dirs, err := os.ReadDir(string(g))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	for _, d := range dirs {
		if d.IsDir() {
			if err := group(filepath.Join(string(g), d.Name())).remove(); err != nil {
				return err
			}
		}
	}
	return unix.Rmdir(string(g))
}

// A Cell is a group below a keeper's for the programs that the supervisor starts itself, one after the other. It is kept
// open: to make a group costs as much as a small program.
type Cell struct {
	dir        group
	fd, events int
}

// NewCell makes a cell of a keeper.
func NewCell(keeper string) (*Cell, error) {
	dir, fd, err := group(keeper).child()
	if err != nil {
		return nil, err
	}
	c := &Cell{dir: dir, fd: fd}
	if c.events, err = unix.Openat(fd, "cgroup.events", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		c.events = -1
		_ = c.Remove()
		return nil, err
	}
	return c, nil
}

// Dir is its folder.
func (c *Cell) Dir() string { return string(c.dir) }

// FD is what a fork needs of it.
func (c *Cell) FD() int { return c.fd }

// Empty is GroupEmpty.
func (c *Cell) Empty() bool {
	var buf [64]byte
	n, err := unix.Pread(c.events, buf[:], 0)
	return err == unix.ENODEV || err == nil && bytes.Contains(buf[:n], []byte("populated 0\n"))
}

// Gone reports whether somebody has removed it.
func (c *Cell) Gone() bool {
	_, err := unix.Pread(c.events, make([]byte, 1), 0)
	return err == unix.ENODEV
}

// Remove removes a cell in which nobody is left, and closes it. After an error it is as before.
func (c *Cell) Remove() error {
	if err := c.dir.remove(); err != nil {
		return err
	}
	_ = unix.Close(c.fd)
	_ = unix.Close(c.events)
	return nil
}

// GroupMembers, GroupEmpty, KillGroup and RemoveGroup are for the supervisor, which knows a group by the folder in an Answer.
func GroupMembers(dir string) []int { return group(dir).members() }

// GroupEmpty reports whether nobody lives in a group and those below, zombies aside; see cgroup.events in the kernel's
// Documentation/admin-guide/cgroup-v2.rst. A group that was removed is empty.
func GroupEmpty(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) // the latter while it is being removed
	}
	return bytes.Contains(data, []byte("populated 0\n"))
}

// KillGroup kills all members of a group and those below.
func KillGroup(dir string) { group(dir).kill() }

// RemoveGroup removes a group in which nobody is left.
func RemoveGroup(dir string) error { return group(dir).remove() }
