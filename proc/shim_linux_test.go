package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/internal/shim"
	"github.com/spawnx/spawnx/ptyio"
)

func TestUmaskLimitsAndPrivileges(t *testing.T) {
	umask := uint32(0o027)
	for _, tt := range []struct {
		name, script, want string
		spec               Spec
	}{
		{"umask", "umask", "0027\n", Spec{Umask: &umask}},
		{"no new privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n", Spec{NoNewPrivs: true}},
		{"processor time", "ulimit -St; ulimit -Ht", "2\n3\n", Spec{Limits: Limits{CPU: 1001 * time.Millisecond}}},
		{"address space", "ulimit -Sv; ulimit -Hv", "65536\n65536\n", Spec{Limits: Limits{AddressSpace: 64 << 20}}},
		{"file size", "ulimit -f", "16\n", Spec{Limits: Limits{FileSize: 8192}}}, // in blocks of 512
		{"core", "ulimit -c", "0\n", Spec{Limits: Limits{Core: -1}}},
		{"files", "ulimit -Sn; ulimit -Hn", "77\n77\n", Spec{Limits: Limits{Files: 77}}},
		{"processes", "grep 'Max processes' /proc/self/limits | tr -s ' '", "Max processes 7777 7777 processes \n", Spec{Limits: Limits{Processes: 7777}}},
		{"all", "umask; ulimit -n; ulimit -v; grep NoNewPrivs /proc/self/status", "0027\n77\n65536\nNoNewPrivs:\t1\n",
			Spec{Umask: &umask, NoNewPrivs: true, Limits: Limits{Files: 77, AddressSpace: 64 << 20}}},
		{"none", "umask; grep NoNewPrivs /proc/self/status", mustOutput(t, sh(Pipes, "umask; grep NoNewPrivs /proc/self/status")), Spec{}},
	} {
		for _, kind := range []Stdio{Pipes, PTY} {
			s := tt.spec
			s.Args, s.Stdio = sh(kind, tt.script).Args, kind
			if got := mustOutput(t, s); got != tt.want {
				t.Errorf("%s, %v: %q; want %q", tt.name, kind, got, tt.want)
			}
		}
	}
}

// The shim is invisible: same words, environment, folder, descriptors, signals, session, terminal, number.
func TestTheShimChangesNothingElse(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	script := `echo "$0|$1|$2"; env -u _ -u SHLVL; pwd; ls /proc/self/fd; tty | tr -d 0-9; ps -o sid= -o pgid= -o tpgid= -p $$ | sed "s/$$/self/g" | tr -d ' '
		grep '^Sig[BIC]' /proc/self/status; ulimit -n; echo $$ >&3`
	s := Spec{Args: []string{"sh", "-c", script, "zero", "o ne", "\xfftwo"}, Dir: "/tmp", Env: []string{"A=\xff", "B=", "GODEBUG=x", "PATH=" + defaultPath}}
	direct := mustOutput(t, s, w)
	umask := uint32(0o022)
	s.Umask = &umask
	if got := mustOutput(t, s, w); got != direct {
		t.Errorf("with the shim %q\nwithout      %q", got, direct)
	}
	if !strings.Contains(direct, "zero|o ne|\xfftwo\n") {
		t.Errorf("the words are not in %q", direct)
	}
	p := start(t, s, w)
	buf := make([]byte, 100)
	for range 2 {
		if _, err := p.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	n, err := r.Read(buf)
	if pids := strings.Fields(string(buf[:n])); err != nil || pids[len(pids)-1] != fmt.Sprint(p.PID()) {
		t.Errorf("PID %d; the programs said %q, %v", p.PID(), buf[:n], err)
	}
}

func TestStartErrorsThroughTheShim(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "typo", "#!/no/such\n", 0o755)
	write(t, dir, "binary", "\x00\x01", 0o755)
	umask := uint32(0o022)
	huge := Limits{Files: 1 << 30} // more than fs.nr_open allows
	tooLarge := uint32(0o1000)
	before := openDescriptors(t)
	for _, tt := range []struct {
		spec  Spec
		stage string
		is    error
	}{
		{Spec{Args: []string{"no-such-program"}, Umask: &umask}, "lookup", os.ErrNotExist},
		{Spec{Args: []string{dir + "/typo"}, Umask: &umask}, "interpreter", os.ErrNotExist},
		{Spec{Args: []string{dir + "/binary"}, Umask: &umask}, "exec", syscall.ENOEXEC},
		{Spec{Args: []string{"true", strings.Repeat("x", 1<<17)}, Umask: &umask}, "exec", syscall.E2BIG},
		{Spec{Args: []string{"true"}, Limits: huge}, "limits", syscall.EPERM},
		{Spec{Args: []string{"true"}, Umask: &tooLarge}, "limits", nil},
		{Spec{Args: []string{"true"}, Umask: &umask, Credential: &Credential{UID: 1<<32 - 1}}, "permission", syscall.EINVAL},
		{Spec{Args: []string{"true"}, Umask: &umask, Dir: "/no/such"}, "dir", os.ErrNotExist},
	} {
		p, err := Start(t.Context(), tt.spec)
		var se *StartError
		if err == nil {
			end(t, p)
		}
		if tt.spec.Limits == huge && !strings.HasPrefix(err.Error(), "start true: limit files 1073741824: operation not permitted\nhint: it is above") {
			t.Error(err)
		}
		if !errors.As(err, &se) || se.Stage != tt.stage || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%.60q: %v; want stage %s, %v", tt.spec.Args, err, tt.stage, tt.is)
		}
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	for _, task := range readTasks() {
		if task.parent == os.Getpid() && task.pid != keeperPID() {
			t.Errorf("a child is left: %+v", task)
		}
	}
}

func TestWithoutMaybeShimLimitsAreRefused(t *testing.T) {
	out := mustOutput(t, Spec{Args: host(t, "no-shim"), Env: hostEnv(), Stdio: Pipes})
	want := strings.Repeat("start true: limits, umask and no_new_privs: main does not call proc.MaybeShim first\n", 8) +
		"start true: containment: main does not call proc.MaybeShim first\n" +
		"guarding the terminal: main does not call proc.MaybeShim first\nready: false\n"
	if out != want {
		t.Errorf("got  %q\nwant %q", out, want)
	}
}

// A shell leads the session, as a person's does, and outlives the borrower.
func TestTheTerminalOfAKilledBorrowerIsGivenBack(t *testing.T) {
	s := Spec{Args: append([]string{"sh", "-c", `"$@"; echo over; read x`, "sh"}, host(t, "borrow")...), Env: hostEnv()}
	p := start(t, s)
	terminal := p.Stdio().Terminal
	before, err := terminal.Mode()
	if err != nil {
		t.Fatal(err)
	}
	line := lines(p)
	text := line(t)
	pid := number(t, strings.TrimPrefix(text, "borrowed "))
	if raw, err := terminal.Mode(); err != nil || raw.Canonical || raw.Echo || raw.Signals {
		t.Fatalf("while it is borrowed: %+v, %v", raw, err)
	}
	guard := childrenOf(pid)
	if len(guard) != 1 {
		t.Fatalf("the borrower has the children %v; want the guard", guard)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the terminal is as before", func() bool {
		now, err := terminal.Mode()
		if err != nil {
			t.Fatal(err)
		}
		return now == before
	})
	eventually(t, "the guard is gone", func() bool { return !alive(guard[0]) })
}

func childrenOf(pid int) (pids []int) {
	for _, task := range readTasks() {
		if task.parent == pid && !task.zombie {
			pids = append(pids, task.pid)
		}
	}
	return pids
}

func TestAGuardThatIsReleasedIsGone(t *testing.T) {
	out := mustOutput(t, Spec{Args: append([]string{"sh", "-c", `"$@"; :`, "sh"}, host(t, "borrow-release")...), Env: hostEnv()})
	if want := "left: \"\" <nil>\n"; out != want {
		t.Errorf("%q; want %q", out, want)
	}
}

func TestAGuardOfNoTerminalIsAnError(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	if _, err := ptyio.Borrow(r); err == nil {
		t.Error("a pipe was borrowed as a terminal")
	}
}

func TestLimitsOfNothing(t *testing.T) {
	limits, err := limitsOf(Limits{})
	if len(limits) != 0 || err != nil {
		t.Errorf("%v, %v", limits, err)
	}
	limits, err = limitsOf(Limits{CPU: 1, Core: -5})
	if err != nil || len(limits) != 2 {
		t.Fatalf("%v, %v", limits, err)
	}
	if i := slices.IndexFunc(limits, func(l shim.Limit) bool { return l.Name == "CPU" }); limits[i].Soft != 1 {
		t.Errorf("1 ns of CPU time is %d s; want 1", limits[i].Soft)
	}
	if _, err := limitsOf(Limits{CPU: 1<<63 - 1}); err == nil {
		t.Error("292 years of CPU time are accepted")
	}
	if bytes.Contains([]byte(fmt.Sprint(limits)), []byte("18446744073709551615")) {
		t.Errorf("negative limits became huge: %v", limits)
	}
}
