package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// As the first process of a container spawnx is the parent of all that programs leave behind: no zombies pile up.
func TestRunAsTheFirstProcess(t *testing.T) {
	unshare := []string{"unshare", "-pf", "--mount-proc", "--kill-child"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "-r")
	}
	if err := exec.Command(unshare[0], slices.Concat(unshare[1:], []string{"true"})...).Run(); err != nil {
		t.Skip("this system gives no namespaces: ", err)
	}
	const script = `for i in 1 2 3 4 5; do (true &); done
		for i in $(seq 1000); do [ $(ps -eo stat= | grep -c ^Z) = 0 ] && { echo none; exit 7; }; sleep 0.01; done; ps -e; exit 1`
	words := slices.Concat(unshare, []string{"spawnx", "run", "sh", "-c", script})
	cmd := exec.Command(words[0], words[1:]...)
	out, err := cmd.Output()
	if string(out) != "none\n" || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("%q, %v", out, err)
	}
}
