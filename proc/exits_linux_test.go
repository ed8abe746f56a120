package proc

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
)

// Many programs need one goroutine, and the end of each is told.
func TestManyProgramsAreWaitedForByOneGoroutine(t *testing.T) {
	const n = 100
	before := runtime.NumGoroutine()
	var all [n]*Process
	for i := range all {
		p, err := Start(t.Context(), Spec{Args: []string{"cat"}, Stdio: Pipes})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Stdio().Close()
		all[i] = p
	}
	if now := runtime.NumGoroutine(); now > before+n/2 && *contain == "" {
		t.Errorf("%d goroutines, %d before", now, before)
	}
	for i := range all { // one after the other, the last ones first
		p := all[n-1-i]
		if err := p.Stdio().In.Close(); err != nil {
			t.Fatal(err)
		}
		if e, err := p.Wait(t.Context()); err != nil || e.Code != 0 {
			t.Fatalf("program %d: %+v, %v", n-1-i, e, err)
		}
	}
}

// Of a traced program the tracer gets the status first, however long it takes. The ends of others are told meanwhile.
func TestTracedProgramHoldsUpNobody(t *testing.T) {
	if *contain != "" {
		t.Skip("the keeper waits for its programs in a way of its own")
	}
	start := func() *Process {
		p, err := Start(t.Context(), Spec{Args: []string{"cat"}, Stdio: Pipes})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Stdio().Close() })
		return p
	}
	traced, other := start(), start()
	const seize = `
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).ptrace(0x4206, int(sys.argv[1]), None, None):  # PTRACE_SEIZE
    sys.exit(os.strerror(ctypes.get_errno()))
print("seized", flush=True)
sys.stdin.read()
os.waitpid(int(sys.argv[1]), 0x40000000)  # __WALL
`
	tracer := exec.Command("/usr/bin/python3", "-c", seize, strconv.Itoa(traced.PID()))
	tracer.Stderr = os.Stderr
	let, err := tracer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := tracer.StdoutPipe()
	if err == nil {
		err = tracer.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Process.Kill(); tracer.Wait() })
	if _, err := said.Read(make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	traced.Stdio().In.Close() // its end
	for procState(t, traced.PID()) != 'Z' {
		runtime.Gosched()
	}
	other.Stdio().In.Close()
	if e, err := other.Wait(t.Context()); err != nil || e.Code != 0 {
		t.Errorf("the other: %+v, %v", e, err)
	}
	if e, ended := traced.Exit(); ended {
		t.Errorf("the traced program's exit was known before its tracer took it: %+v", e)
	}
	let.Close()
	if e, err := traced.Wait(t.Context()); err != nil || e.Code != 0 {
		t.Errorf("the traced: %+v, %v", e, err)
	}
}

// procState is the letter of proc(5) for a process's state.
func procState(t *testing.T, pid int) byte {
	task, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return task[bytes.LastIndexByte(task, ')')+2]
}
