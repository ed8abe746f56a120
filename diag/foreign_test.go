//go:build linux

package diag

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A program that somebody else started is explained as well as our own.
func TestAProcessThatWasNotStartedHere(t *testing.T) {
	tests := []struct {
		name  string
		start func(testing.TB) *rig
		kind  Kind
		line  string
	}{
		{"cat", command("coreutils", "cat"), KindInput, "waits for input: it reads its terminal (kernel)"},
		{"bash", command("bash", "bash", "--norc", "-i"), KindLineEditor, "in its line editor"},
		{"passwd", command("passwd", "passwd", "nobody"), KindPassword, "waits for a password: echo is off, it reads its terminal (kernel)"},
		{"on pipes", piped("coreutils", "cat"), KindInput, "it reads its input, which comes from "},
		{"held", pipedProgram(cPrompt), KindHeld, `"Enter value: "`},
		{"yes on pipes", piped("coreutils", "yes"), KindBlocked, "does not read"},
		{"sleep", command("coreutils", "sleep", "1000"), KindSleeps, "sleeps for 16m40s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := test.start(t)
			f := until(t, "finding", func() (Finding, bool) {
				s, err := TakePID(r.cmd.Process.Pid)
				check(t, err)
				for _, f := range Explain(s) {
					if f.Kind == test.kind && strings.Contains(f.String(), test.line) {
						return f, true
					}
				}
				return Explain(s)[0], false
			})
			t.Log(f)
		})
	}
}

func TestNoSuchProcess(t *testing.T) {
	const nobody = 1 << 30 // beyond the highest number of a process
	if _, err := TakePID(nobody); !errors.Is(err, ErrNone) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("TakePID: %v", err)
	}
	s, err := Take(Lanes{Name: "gone", PID: nobody})
	if !errors.Is(err, ErrNone) {
		t.Errorf("Take: %v", err)
	}
	if f := Explain(s); len(f) != 1 || f[0].Kind != KindEnded || f[0].String() != "gone (pid 1073741824) has ended (kernel)" {
		t.Errorf("%v", f)
	}
	if ev := Waiting(Lanes{PID: nobody}, nil, nothing); ev.Grade != Unknown || ev.Never {
		t.Errorf("%+v", ev)
	}
	if ev := Waiting(Lanes{}, nil, nothing); ev.Grade != Unknown || !ev.Never {
		t.Errorf("%+v", ev)
	}
}

func nothing() (bool, error) { return false, nil }

// A Snapshot is data: what JSON gives back is explained the same.
func TestSnapshotsAreData(t *testing.T) {
	r := onTerminal(t, "bash", "--norc", "-i")
	r.proved()
	r.send("sleep 1000 & cat\r")
	r.finding(KindInput, "cat")
	s, err := Take(r.lanes())
	check(t, err)
	b, err := json.Marshal(s)
	check(t, err)
	var back Snapshot
	check(t, json.Unmarshal(b, &back))
	if got, want := Explain(back), Explain(s); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// What an ordinary user may not look into is said to be unknown, and why; the
// terminal's mode speaks all the same.
func TestWhatMayNotBeLookedInto(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	t.Run("of another user", func(t *testing.T) {
		// The first process of a system may be at work for a moment; that can be seen.
		until(t, "it cannot be looked into", func() ([]Finding, bool) {
			s, err := TakePID(1)
			check(t, err)
			all := Explain(s)
			return nil, slices.ContainsFunc(all, func(f Finding) bool {
				return f.PID == 1 && f.Kind == KindUnknown && f.Why == "it belongs to user 0"
			})
		})
		if ev := Waiting(Lanes{PID: 1}, nil, nothing); ev.Proved() || !ev.Never && !strings.Contains(ev.Why, "runs") {
			t.Errorf("%+v", ev)
		}
	})
	t.Run("setuid", func(t *testing.T) {
		need(t, "su", "util-linux")
		r := onTerminal(t, "su", "root")
		f := r.finding(KindPassword, "su")
		if f.Grade != Termios || !strings.Contains(f.Why, "it belongs to user 0") {
			t.Errorf("%v", f)
		}
		ev := until(t, "evidence of a password", func() (Evidence, bool) { ev := r.waiting(); return ev, ev.Password })
		if ev.Grade != Termios || !ev.Never {
			t.Errorf("%+v", ev)
		}
		t.Log(f, "|", ev)
	})
	t.Run("our own", func(t *testing.T) {
		t.Log(onTerminal(t, "cat").proved())
		t.Log(onPipes(t, compile(t, "cc", "gcc", cPrompt)).finding(KindHeld, ""))
	})
}

// asNobody runs the calling test again as a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	dir, err := os.MkdirTemp("", "diag")
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // only tidiness
	check(t, os.Chmod(dir, 0o777))
	exe := filepath.Join(dir, "diag.test")
	check(t, copyFile(exe, os.Args[0]))
	cmd := exec.Command(exe, "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	check(t, err)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
