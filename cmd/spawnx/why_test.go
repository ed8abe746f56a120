//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// stranger starts a program that spawnx did not start, with pipes to us, and waits for the line "ready".
func stranger(t *testing.T, args ...string) (pid int, in io.WriteCloser) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with what it has started
		_ = cmd.Wait()                                      // killed
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd.Process.Pid, in
}

// whySays asks again and again until the answer holds the text: a program that has said something need not
// have come to its next wait yet.
func whySays(t *testing.T, text string, args ...string) result {
	t.Helper()
	for {
		r := spawnxRun(t, nil, append([]string{"why"}, args...)...)
		if r.status != 0 || r.err != "" {
			t.Fatalf("status %d, stderr %q", r.status, r.err)
		}
		if strings.Contains(r.out, text) {
			return r
		}
		if t.Context().Err() != nil {
			t.Fatalf("%q never said, but %q", text, r.out)
		}
	}
}

func TestWhyAStranger(t *testing.T) {
	pid, _ := stranger(t, "sh", "-c", "echo ready; read x")
	whySays(t, fmt.Sprintf("sh -c echo ready; read x (pid %d) runs; waits for input: it reads its input", pid), fmt.Sprint(pid))

	pid, _ = stranger(t, "sh", "-c", "echo ready; sleep 1000; :")
	r := whySays(t, "sleeps for 16m40s (kernel)\n", fmt.Sprint(pid))
	if !strings.Contains(r.out, "waits for a child") {
		t.Errorf("of the parent: %q", r.out)
	}
}

func TestWhyShowsHeldOutput(t *testing.T) {
	source := filepath.Join(t.TempDir(), "hold.c")
	if err := os.WriteFile(source, []byte(`#include <stdio.h>
#include <unistd.h>
int main(void) { char b[9]; write(1, "ready\n", 6); printf("Enter value: "); return !fgets(b, 9, stdin); }
`), 0o600); err != nil {
		t.Fatal(err)
	}
	program := strings.TrimSuffix(source, ".c")
	if out, err := exec.CommandContext(t.Context(), "cc", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pid, _ := stranger(t, program)
	whySays(t, `13 bytes in its stdio buffer: "Enter value: "`, fmt.Sprint(pid))
}

func TestWhyAsJSON(t *testing.T) {
	pid, _ := stranger(t, "sh", "-c", "echo ready; read x")
	r := whySays(t, `"kind":"input"`, "--json", fmt.Sprint(pid))
	var said struct {
		Findings []diag.Finding
		Snapshot diag.Snapshot
	}
	if err := json.Unmarshal([]byte(r.out), &said); err != nil {
		t.Fatal(err)
	}
	if len(said.Findings) != 1 || said.Findings[0].PID != pid || said.Findings[0].Grade != diag.Kernel {
		t.Errorf("findings: %+v", said.Findings)
	}
	if len(said.Snapshot.Processes) == 0 || said.Snapshot.Processes[0].PID != pid {
		t.Errorf("snapshot: %+v", said.Snapshot)
	}
}

func TestWhyWatches(t *testing.T) {
	pid, in := stranger(t, "sh", "-c", "echo ready; read x")
	c := person(t, proc.Spec{Args: []string{"spawnx", "why", "--watch", fmt.Sprint(pid)}, Stdio: proc.Pipes})
	if _, err := c.Expect(t.Context(), expect.Text("waits for input")); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Expect(t.Context(), expect.Text("has ended")); err != nil {
		t.Fatal(err)
	}
	if err := c.Bridge().Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
}

// A named program is explained by its server.
func TestWhyAName(t *testing.T) {
	names(t)
	if r := spawnxRun(t, nil, "run", "-d", "--name", "x", "sh", "-c", "read line"); r.status != 0 {
		t.Fatalf("%+v", r)
	}
	whySays(t, "waits for input: it reads its terminal (kernel)", "x")
	whySays(t, `"kind":"input"`, "--json", "x")
	if r := spawnxRun(t, nil, "why", "y"); r.status == 0 || !strings.Contains(r.err, "x") || !strings.HasPrefix(r.err, "spawnx: why y: ") {
		t.Errorf("of what does not run: %+v", r)
	}
}

func TestWhyWrongUsage(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, 125, "why: one PID or NAME is wanted"},
		{[]string{"1", "2"}, 125, "why: one PID or NAME is wanted"},
		{[]string{"0"}, 125, "why: 0 is no PID"},
		{[]string{"99999999999999999999"}, 125, "why: 99999999999999999999 is no PID"},
		{[]string{"4194304"}, 1, "why 4194304: no such process"}, // above the largest pid_max of Linux
	} {
		r := spawnxRun(t, nil, append([]string{"why"}, tt.args...)...)
		if r.status != tt.status || r.out != "" || !strings.HasPrefix(r.err, "spawnx: "+tt.says) {
			t.Errorf("why %q: status %d, stdout %q, stderr %q", tt.args, r.status, r.out, r.err)
		}
	}
}

func TestATimeoutOfRunSaysWhy(t *testing.T) {
	r := spawnxRun(t, nil, "run", "--timeout", "1s", "sleep", "1000")
	if r.status != 124 || !strings.Contains(r.err, "stopped\n  program  sleep 1000 (pid ") || !strings.Contains(r.err, "sleeps for 16m40s (kernel)") {
		t.Errorf("status %d, stderr %q", r.status, r.err)
	}
}
