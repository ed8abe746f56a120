//go:build linux

package diag

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crosswise starts two programs whose input is the other's output, with direct
// pipes, and returns the Lanes of both.
func crosswise(t *testing.T, a, b *exec.Cmd) [2]Lanes {
	t.Helper()
	l, ends := crosswiseHeld(t, a, b)
	for _, f := range ends {
		check(t, f.Close())
	}
	return l
}

// crosswiseHeld keeps our copies of the ends open.
func crosswiseHeld(t *testing.T, a, b *exec.Cmd) (l [2]Lanes, ends []*os.File) {
	t.Helper()
	aIn, bOut, err := os.Pipe()
	check(t, err)
	bIn, aOut, err := os.Pipe()
	check(t, err)
	a.Stdin, a.Stdout, b.Stdin, b.Stdout = aIn, aOut, bIn, bOut
	for _, c := range []*exec.Cmd{a, b} {
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		check(t, c.Start())
		t.Cleanup(func() {
			for _, pid := range treeOf(c.Process.Pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // none ends by itself
			}
			_ = c.Wait()
		})
	}
	l = [2]Lanes{{PID: a.Process.Pid, Unread: -1, Untaken: -1}, {PID: b.Process.Pid, Unread: -1, Untaken: -1}}
	return l, []*os.File{aIn, aOut, bIn, bOut}
}

func deadlock(t *testing.T, lanes ...Lanes) Finding {
	t.Helper()
	return until(t, "deadlock", func() (Finding, bool) {
		s, err := Take(lanes...)
		check(t, err)
		all := Explain(s)
		return all[0], all[0].Kind == KindDeadlock
	})
}

func TestTwoThatWriteWithoutReading(t *testing.T) {
	l := crosswise(t, exec.Command("yes"), exec.Command("yes", "no"))
	f := deadlock(t, l[0], l[1])
	if f.Grade != Kernel || !strings.Contains(f.Why, "yes no (pid ") || strings.Count(f.Why, "to read") != 2 {
		t.Errorf("%v", f)
	}
	t.Log(f, f.Cure)
}

func TestTwoThatWaitForEachOthersFirstWord(t *testing.T) {
	exe := compile(t, "cc", "gcc", cPrompt)
	l := crosswise(t, exec.Command(exe), exec.Command("cat"))
	f := deadlock(t, l[0], l[1])
	if strings.Join(f.Steps, "; ") != f.Why || len(f.Steps) != 2 {
		t.Errorf("%q are not the steps of %q", f.Steps, f.Why)
	}
	if !strings.Contains(f.Why, `holds back 13 bytes ("Enter value: ")`) || !strings.Contains(f.Cure, "--unbuffered") {
		t.Errorf("%v; cure %q", f, f.Cure)
	}
	t.Log(f, f.Cure)
}

// One that can still go on breaks the circle.
// Of pipes with a name, too.
func TestADeadlockOverFifos(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		check(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
	}
	sh := exec.Command("sh", "-c", "cat <a >b & cat <>b >a & wait")
	sh.Dir, sh.SysProcAttr = dir, &syscall.SysProcAttr{Setsid: true}
	check(t, sh.Start())
	t.Cleanup(func() {
		for _, pid := range treeOf(sh.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // none ends by itself
		}
		_ = sh.Wait()
	})
	f := deadlock(t, Lanes{PID: sh.Process.Pid, Unread: -1, Untaken: -1})
	if len(f.Steps) != 2 || strings.Count(f.Why, "cat (pid ") != 4 || f.Grade != Kernel {
		t.Errorf("%v", f)
	}
	t.Log(f)
}

func TestNoDeadlockWhileOneCanGoOn(t *testing.T) {
	l := crosswise(t, exec.Command("cat"), exec.Command("sh", "-c", "cat & sleep 1000"))
	for range 50 {
		s, err := Take(l[0], l[1])
		check(t, err)
		for _, f := range Explain(s) {
			if f.Kind == KindDeadlock {
				t.Fatal(f)
			}
		}
	}
}

// Somebody outside who holds an end could break the circle: here this test.
func TestNoDeadlockWhileSomebodyElseHoldsAnEnd(t *testing.T) {
	l, ends := crosswiseHeld(t, exec.Command("cat"), exec.Command("cat"))
	for range 10 {
		s, err := Take(l[0], l[1])
		check(t, err)
		for _, f := range Explain(s) {
			if f.Kind == KindDeadlock {
				t.Fatal(f)
			}
		}
	}
	for _, f := range ends {
		check(t, f.Close())
	}
	t.Log(deadlock(t, l[0], l[1]))
}

// Linked through us: each one's output is read by a reader that feeds the other.
func TestDeadlockThroughARelayOfOurs(t *testing.T) {
	a, b := onPipes(t, "yes"), onPipes(t, "yes", "no")
	lanes := func() [2]Lanes {
		la, lb := a.lanes(), b.lanes()
		since := time.Now().Add(-1500 * time.Millisecond)
		la.Readers = []Reader{{Name: "link to no", Policy: "block", Blocked: true, Since: since, Feeds: lb.PID}}
		lb.Readers = []Reader{{Name: "link to yes", Policy: "block", Blocked: true, Since: since, Feeds: la.PID}}
		return [2]Lanes{la, lb}
	}
	l := lanes()
	f := deadlock(t, l[0], l[1])
	t.Log(f)
	s, err := Take(l[0])
	check(t, err)
	one := Explain(s)[0]
	if one.Kind != KindBlocked || !strings.Contains(one.Why, "blocked by reader link to no since 1.5") {
		t.Errorf("%v", one)
	}
}

// What one look shows of two that talk all the time may look like a deadlock: two looks know better.
func TestNoDeadlockInADialog(t *testing.T) {
	const answer = `while read -r line; do echo "$line"; done`
	l := crosswise(t, exec.Command("sh", "-c", "echo ball; "+answer), exec.Command("sh", "-c", answer))
	before, err := Take(l[0], l[1])
	check(t, err)
	for range 200 {
		now, err := Take(l[0], l[1])
		check(t, err)
		if f, ok := Deadlock(before, now); ok {
			t.Fatal(f)
		}
		before = now
	}
}

func TestTwoLooksAtADeadlock(t *testing.T) {
	l := crosswise(t, exec.Command("python3", "-E", "-c", "import sys; print('ball'); sys.stdin.readline()"), exec.Command("cat"))
	deadlock(t, l[0], l[1])
	before, err := Take(l[0], l[1])
	check(t, err)
	now, err := Take(l[0], l[1])
	check(t, err)
	f, ok := Deadlock(before, now)
	if !ok || !strings.Contains(f.Why, "may hold back what it wrote") || !strings.Contains(f.Cure, "python -u") {
		t.Errorf("%v %v; cure %q", ok, f, f.Cure)
	}
	t.Log(f, f.Cure)
	// Who has written since is not stuck, whatever it looks like now.
	for i := range before.Processes {
		before.Processes[i].Written++
	}
	if f, ok := Deadlock(before, now); ok {
		t.Error(f)
	}
}
