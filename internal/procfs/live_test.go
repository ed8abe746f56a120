//go:build linux

package procfs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// start runs a program whose input is a pipe that stays empty.
func start(t *testing.T, args ...string) int {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		_ = in.Close()
	})
	return cmd.Process.Pid
}

// until polls for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20s", what)
		}
	}
}

func TestALiveProcess(t *testing.T) {
	pid := start(t, "cat")
	until(t, "cat reads", func() bool {
		c, err := ReadCall(pid, pid)
		op, _ := c.Op()
		return err == nil && op == Read
	})
	st, err := ReadStat(pid)
	if err != nil || st.PID != pid || st.Parent != os.Getpid() || st.Name != "cat" || st.State != Sleeping || st.Threads != 1 {
		t.Errorf("%+v, %v", st, err)
	}
	status, err := ReadStatus(pid, pid)
	if err != nil || status.PID != pid || status.Name != "cat" || status.UID != os.Geteuid() || status.Switches == 0 {
		t.Errorf("%+v, %v", status, err)
	}
	if args, err := Args(pid); err != nil || !slices.Equal(args, []string{"cat"}) {
		t.Errorf("%q, %v", args, err)
	}
	if tasks, err := Tasks(pid); err != nil || !slices.Equal(tasks, []int{pid}) {
		t.Errorf("%v, %v", tasks, err)
	}
	link, err := ReadLink(pid, 0)
	if _, ok := link.Pipe(); err != nil || !ok {
		t.Errorf("%q, %v", link, err)
	}
	if info, err := ReadFDInfo(pid, 0); err != nil || !info.Readable() || info.Writable() {
		t.Errorf("%+v, %v", info, err)
	}
	if fds, err := FDs(pid); err != nil || !slices.Contains(fds, 2) {
		t.Errorf("%v, %v", fds, err)
	}
	maps, err := Maps(pid)
	exe, err2 := Exe(pid)
	if err := errors.Join(err, err2); err != nil || !slices.ContainsFunc(maps, func(m Mapping) bool { return m.Path == exe }) {
		t.Errorf("%q in %+v, %v", exe, maps, err)
	}
	if n, err := Written(pid); err != nil || n != 0 {
		t.Errorf("written %d, %v", n, err)
	}
	if pids, err := PIDs(); err != nil || !slices.Contains(pids, pid) || !slices.IsSorted(pids) {
		t.Errorf("%d is not among %v, %v", pid, pids, err)
	}
	if w, err := Wchan(pid, pid); err != nil || w == "" {
		t.Errorf("wchan %q, %v", w, err)
	}
	if env, err := Environ(pid); err != nil || !slices.Equal(env, os.Environ()) {
		t.Errorf("%q, %v", env, err)
	}
}

func TestDescendants(t *testing.T) {
	pid := start(t, "sh", "-c", "sh -c 'sleep 1000; true'; true")
	until(t, "three generations", func() bool { return len(Descendants(pid)) == 3 })
	all := Descendants(pid)
	for i := 1; i < 3; i++ {
		if st, err := ReadStat(all[i]); err != nil || st.Parent != all[i-1] {
			t.Errorf("%+v is not the child of %d: %v", st, all[i-1], err)
		}
	}
	t.Cleanup(func() {
		for _, p := range all[1:] {
			if child, err := os.FindProcess(p); err == nil {
				_ = child.Kill() // it may have ended
			}
		}
	})
}

func TestLastPIDGrows(t *testing.T) {
	pid := start(t, "cat")
	last, err := LastPID()
	if err != nil {
		t.Fatal(err)
	}
	// Numbers begin anew after the highest.
	if last < pid && last > 1000 {
		t.Errorf("process %d is newer than %d", pid, last)
	}
}

func TestErrors(t *testing.T) {
	const nobody = 1 << 30 // beyond the highest number of a process
	_, statErr := ReadStat(nobody)
	_, taskErr := Tasks(nobody)
	_, linkErr := ReadLink(nobody, 0)
	for _, err := range []error{statErr, taskErr, linkErr} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is not fs.ErrNotExist", err)
		}
	}
	// What is gone while its files are open, too.
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadCall(cmd.Process.Pid, cmd.Process.Pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

// Directory entries come from the kernel; whatever they say, only numbers that
// fit are taken.
func FuzzDirents(f *testing.F) {
	entry := []byte{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 24, 0, 4, '4', '2', 0, 0, 0}
	f.Add(entry)
	f.Add(append(slices.Clone(entry), entry...))
	f.Add(entry[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		list := numbersOf(b, nil)
		if len(list) > len(b)/20 {
			t.Errorf("%d numbers in %d bytes", len(list), len(b))
		}
		for _, n := range list {
			if n < 0 {
				t.Errorf("%d", n)
			}
		}
	})
}
