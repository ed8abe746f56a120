package main

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"time"
)

const prSetChildSubreaper = 36 // prctl(2)

// adoptOrphans makes this process the parent of every descendant whose own parent ends.
func adoptOrphans() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return errno
	}
	return nil
}

// leftovers returns the children that are there when the tests are over, one line each, and kills them.
// What is ending by itself gets two seconds for it.
func leftovers() []string {
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if reap() {
			return nil
		}
	}
	var found []string
	killed := map[int]bool{}
	deadline := time.Now().Add(10 * time.Second) // for what does not die, or may not be killed
	for !reap() && time.Now().Before(deadline) { // killing one hands its children to us: again until none is left
		for _, pid := range children() {
			if !killed[pid] {
				killed[pid] = true
				found = append(found, describe(pid))
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return found
}

// reap collects what has ended and reports whether no child is left at all.
func reap() (none bool) {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.ECHILD {
			return true
		}
		if err == nil && pid == 0 {
			return false
		}
	}
}

func children() (pids []int) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, t := range tasks {
		list, _ := os.ReadFile("/proc/self/task/" + t.Name() + "/children")
		for _, field := range bytes.Fields(list) {
			var pid int
			fmt.Sscan(string(field), &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}

func describe(pid int) string {
	words, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return fmt.Sprintf("pid %d: %q", pid, bytes.ReplaceAll(bytes.TrimRight(words, "\x00"), []byte{0}, []byte{' '}))
}
