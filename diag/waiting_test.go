//go:build linux

package diag

import (
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/spawnx/spawnx/internal/procfs"
)

// treeOf returns a leader, all below it and those that were below it.
func treeOf(pid int) []int { return append(procfs.Descendants(pid), strays.of(pid)...) }

// After a stop a poll goes on as another system call (restart_syscall), which
// says no more what it waits for.
func TestProofAfterAStop(t *testing.T) {
	for _, start := range []func(testing.TB) *rig{
		command("coreutils", "cat"), command("bash", "bash", "--norc", "-i"), command("gdb", "gdb", "-q", "-nx"),
		compiled("cc", "gcc", cPpoll), py("import select; p=select.poll(); p.register(0,1); p.poll()"),
	} {
		r := start(t)
		want := r.proved()
		pid := r.cmd.Process.Pid
		check(t, syscall.Kill(pid, syscall.SIGSTOP))
		r.finding(KindStopped, "")
		for range 50 {
			if ev := r.waiting(); ev.Proved() {
				t.Fatalf("stopped, but %v", ev)
			}
		}
		check(t, syscall.Kill(pid, syscall.SIGCONT))
		got := r.proved()
		t.Log(got.Call)
		got.Call = want.Call
		if got != want {
			t.Errorf("%+v, before %+v", got, want)
		}
	}
}

// A process that lost its parent is below the leader no more, but still counts.
func TestOrphansCount(t *testing.T) {
	r := onTerminal(t, "sh", "-c", "(sh -c 'while :; do :; done' &); read x")
	until(t, "the orphan computes", func() ([]Finding, bool) {
		s, err := Take(r.lanes())
		check(t, err)
		all := Explain(s)
		orphan, _ := s.process(all[len(all)-1].PID)
		return all, len(s.Processes) == 2 && all[0].Kind == KindInput && all[1].Kind == KindComputes && orphan.Parent != r.cmd.Process.Pid
	})
	for range 200 {
		if ev := r.waiting(); ev.Proved() {
			t.Fatal(ev)
		}
	}
}

// What the caller sees at its own ends counts as much as what the kernel shows.
func TestProofNeedsBothEnds(t *testing.T) {
	r := onTerminal(t, "cat")
	r.proved()
	yes, no := func() bool { return true }, func() bool { return false }
	tests := []struct {
		name  string
		taken func() bool
		flush func() (bool, error)
		want  Grade
	}{
		{"all", yes, nothing, Kernel},
		{"not asked", nil, nothing, Kernel},
		{"input waits", no, nothing, Unknown},
		{"output came", yes, func() (bool, error) { return true, nil }, Unknown},
		{"error", yes, func() (bool, error) { return false, io.EOF }, Unknown},
		{"it moved", yes, func() (bool, error) {
			r.send("x\n")
			until(t, "the echo", func() (bool, bool) { got, err := r.flush(); check(t, err); return got, got })
			r.proved()
			return false, nil
		}, Unknown},
	}
	for _, test := range tests {
		if ev := Waiting(r.lanes(), test.taken, test.flush); ev.Grade != test.want || ev.Never || ev.Why == "" {
			t.Errorf("%s: %+v, want %v", test.name, ev, test.want)
		}
	}
}

// ctrl-s stops the output although it is read.
func TestOutputStoppedByAKey(t *testing.T) {
	r := onTerminal(t, "yes")
	r.send("\x13")
	f := until(t, "the key is named", func() (Finding, bool) {
		_, err := r.flush()
		check(t, err)
		s, err := Take(r.lanes())
		check(t, err)
		f := Explain(s)[0]
		return f, f.Kind == KindBlocked && strings.Contains(f.Why, "ctrl-s") && f.Cure == "press ctrl-q"
	})
	t.Log(f)
	if ev := r.waiting(); ev.Proved() {
		t.Error(ev)
	}
}

// Where we started the terminal without echo, echo that is off proves no password.
func TestNoEchoOfOursIsNoPassword(t *testing.T) {
	r := onTerminal(t, "sh", "-c", "stty -echo; read x")
	if ev := r.proved(); !ev.Password {
		t.Error(ev)
	}
	l := r.lanes()
	l.NoEcho = true
	if ev := Waiting(l, r.taken, r.flush); !ev.Proved() || ev.Password {
		t.Error(ev)
	}
	s, err := Take(l)
	check(t, err)
	if f := Explain(s)[0]; f.Kind != KindInput {
		t.Error(f)
	}
}

func BenchmarkWaiting(b *testing.B) {
	for name, args := range map[string][]string{"cat": {"cat"}, "bash": {"bash", "--norc", "-i"}} {
		b.Run(name, func(b *testing.B) {
			r := onTerminal(b, args...)
			r.proved()
			l := r.lanes()
			b.ReportAllocs()
			for b.Loop() {
				if !Waiting(l, r.taken, r.flush).Proved() {
					b.Fatal("not proved")
				}
			}
		})
	}
}

func BenchmarkTake(b *testing.B) {
	r := onTerminal(b, "bash", "--norc", "-i")
	r.proved()
	for b.Loop() {
		if _, err := Take(r.lanes()); err != nil {
			b.Fatal(err)
		}
	}
}
