package vfork_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"github.com/spawnx/spawnx/internal/vfork"
	"golang.org/x/sys/unix"
)

// child is one that executes these words, its output to out.
func child(t *testing.T, out *os.File, words ...string) *vfork.Child {
	t.Helper()
	if !vfork.Here {
		t.Skip("there is no vfork for " + runtime.GOARCH)
	}
	path, err := unix.BytePtrFromString(words[0])
	if err != nil {
		t.Fatal(err)
	}
	argv, err := syscall.SlicePtrFromStrings(words)
	if err != nil {
		t.Fatal(err)
	}
	env := make([]*byte, 1)
	mask := new(uint64)
	c := &vfork.Child{Fork: vfork.Call{Number: unix.SYS_CLONE, Args: [5]uintptr{unix.CLONE_VM | unix.CLONE_VFORK | uintptr(unix.SIGCHLD)}}}
	c.Calls = []vfork.Call{
		{Number: unix.SYS_DUP3, Args: [5]uintptr{out.Fd(), 1}},
		{Number: unix.SYS_RT_SIGPROCMASK, Args: [5]uintptr{unix.SIG_SETMASK, c.Pointer(unsafe.Pointer(mask)), 0, 8}},
		{Number: unix.SYS_EXECVE, Args: [5]uintptr{
			c.Pointer(unsafe.Pointer(path)), c.Pointer(unsafe.Pointer(&argv[0])), c.Pointer(unsafe.Pointer(&env[0])),
		}},
	}
	return c
}

func output(t *testing.T) (out *os.File, end func(pid int) string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return w, func(pid int) string {
		t.Helper()
		defer r.Close()
		_ = w.Close()
		var text strings.Builder
		_, _ = r.WriteTo(&text)
		var status unix.WaitStatus
		for {
			if _, err := unix.Wait4(pid, &status, 0, nil); err == nil {
				break
			} else if err != unix.EINTR {
				t.Error(err)
				break
			}
		}
		if status != 0 {
			t.Errorf("status %#x", status)
		}
		return text.String()
	}
}

// From many goroutines at once, while the collector runs and stacks grow.
func TestStart(t *testing.T) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	var starts sync.WaitGroup
	for range 8 {
		starts.Go(func() {
			for range 25 {
				out, end := output(t)
				pid, failed, errno := child(t, out, "/bin/echo", "a", "b c").Start()
				if pid <= 0 || failed != 0 || errno != 0 {
					t.Errorf("%d, %d, %v", pid, failed, errno)
					return
				}
				if got := end(pid); got != "a b c\n" {
					t.Errorf("it says %q", got)
				}
			}
		})
	}
	starts.Wait()
	close(stop)
	all.Wait()
}

func TestACallThatFails(t *testing.T) {
	out, end := output(t)
	c := child(t, out, "/no/such")
	pid, failed, errno := c.Start()
	if pid <= 0 || failed != 3 || syscall.Errno(errno) != unix.ENOENT {
		t.Fatalf("%d, %d, %v; want the third call to fail: no such file", pid, failed, syscall.Errno(errno))
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil || status.ExitStatus() != 253 {
		t.Errorf("it ended with %v, %v", status, err)
	}

	c = child(t, out, "/bin/true")
	c.Calls[0].Args[0] = 1 << 20 // no descriptor
	pid, failed, errno = c.Start()
	if pid <= 0 || failed != 1 || syscall.Errno(errno) != unix.EBADF {
		t.Errorf("%d, %d, %v; want the first call to fail: bad file descriptor", pid, failed, syscall.Errno(errno))
	}
	if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
		t.Error(err)
	}

	c = child(t, out, "/bin/true")
	c.Fork.Args[0] |= unix.CLONE_THREAD // without CLONE_SIGHAND: invalid
	if pid, failed, errno := c.Start(); pid != 0 || failed != 0 || syscall.Errno(errno) != unix.EINVAL {
		t.Errorf("%d, %d, %v; want no child: invalid argument", pid, failed, syscall.Errno(errno))
	}

	c = child(t, out, "/bin/true")
	pid, _, _ = c.Start()
	if got := end(pid); got != "" {
		t.Errorf("true says %q", got)
	}
}

// The thread has the signals blocked afterwards that it had before.
func TestSignalsStayBlocked(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.Sigset_t
	var usr1 unix.Sigset_t
	usr1.Val[0] = 1 << (unix.SIGUSR1 - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &usr1, &before); err != nil {
		t.Fatal(err)
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	out, end := output(t)
	pid, _, _ := child(t, out, "/bin/grep", "SigBlk", "/proc/self/status").Start()
	if got, want := end(pid), "SigBlk:\t0000000000000000\n"; got != want {
		t.Errorf("the child has %q; want %q", got, want)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, nil, &after); err != nil {
		t.Fatal(err)
	}
	before.Val[0] |= usr1.Val[0]
	if after != before {
		t.Errorf("afterwards %x are blocked; want %x", after.Val[0], before.Val[0])
	}
}

// Files is read before package syscall raises the limit.
func TestFiles(t *testing.T) {
	if os.Getenv("VFORK_TEST_FILES") != "" {
		print(vfork.Files[0], " ", vfork.Files[1])
		os.Exit(0)
	}
	if !vfork.Here {
		t.Skip("there is no vfork for " + runtime.GOARCH)
	}
	cmd := exec.Command("prlimit", "--nofile=1000:3000", os.Args[0], "-test.run=^TestFiles$")
	cmd.Env = append(os.Environ(), "VFORK_TEST_FILES=1")
	if out, err := cmd.CombinedOutput(); string(out) != "1000 3000" || err != nil {
		t.Errorf("%q, %v; want 1000 3000", out, err)
	}
}
