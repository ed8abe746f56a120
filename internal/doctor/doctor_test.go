package doctor

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/proc"
)

func TestMain(m *testing.M) {
	proc.MaybeShim()
	os.Exit(m.Run())
}

// full is a machine that has all.
var full = Facts{
	System: "linux", Kernel: "6.12", Containment: proc.ByCgroup, Pidfd: true, PidfdGroup: true, Proc: true, Calls: true,
	Limits: true, Files: 1024, TerminalsMost: 4096, OurIn: true, OurOut: true, Folder: "/run/user/7/spawnx", Peers: true,
}

func TestJudge(t *testing.T) {
	with := func(change func(*Facts)) Facts { f := full; change(&f); return f }
	for _, tt := range []struct {
		name  string
		facts Facts
		what  string
		want  State
		text  string
	}{
		{"all", full, "containment", OK, "cgroup.kill"},
		{"all", full, "signals", OK, "never to a stranger"},
		{"all", full, "diagnosis", OK, "own programs"},
		{"root", with(func(f *Facts) { f.Root = true }), "diagnosis", OK, "is proved"},
		{"no cgroup", with(func(f *Facts) { f.Containment = proc.ByKeeper }), "containment", Limited, "forks faster"},
		{"no keeper", with(func(f *Facts) { f.Containment, f.ContainmentErr = 0, errors.New("no such thing") }), "containment", Missing, "none (no such thing)"},
		{"Linux 5.10", with(func(f *Facts) { f.PidfdGroup = false }), "signals", Limited, "6.9"},
		{"Linux 4.19", with(func(f *Facts) { f.Pidfd, f.PidfdGroup = false, false }), "signals", Limited, "by number"},
		{"hidepid", with(func(f *Facts) { f.Hidden = true }), "/proc", Limited, "hidepid"},
		{"no /proc", with(func(f *Facts) { f.Proc = false }), "/proc", Missing, "process group"},
		{"Yama 1", with(func(f *Facts) { f.Yama = 1 }), "diagnosis", Limited, "started below"},
		{"Yama 1, root", with(func(f *Facts) { f.Yama, f.Root = 1, true }), "diagnosis", OK, ""},
		{"Yama 2", with(func(f *Facts) { f.Yama = 2 }), "diagnosis", Missing, "only root"},
		{"Yama 2, root", with(func(f *Facts) { f.Yama, f.Root = 2, true }), "diagnosis", OK, ""},
		{"Yama 3, root", with(func(f *Facts) { f.Yama, f.Root = 3, true }), "diagnosis", Missing, "nobody"},
		{"no syscall files", with(func(f *Facts) { f.Calls = false }), "diagnosis", Missing, "/proc/PID/syscall"},
		{"no limits", with(func(f *Facts) { f.Limits = false }), "limits", Missing, "refused"},
		{"always", full, "confinement", Missing, "landlock"},
		{"terminals", full, "terminals", OK, "0 of 4096"},
		{"few terminals", with(func(f *Facts) { f.TerminalsUsed = 4090 }), "terminals", Limited, "4090 of 4096"},
		{"no terminals", with(func(f *Facts) { f.Terminal = errors.New("/dev/ptmx is missing") }), "terminals", Missing, "pipes only"},
		{"in a pipe", with(func(f *Facts) { f.OurIn = false }), "our terminal", Limited, "stdin"},
		{"into a pipe", with(func(f *Facts) { f.OurOut = false }), "our terminal", Limited, "stdout"},
		{"tiocsti", with(func(f *Facts) { f.TypesForOthers = true }), "typing for others", Limited, "legacy_tiocsti"},
		{"no folder", with(func(f *Facts) { f.FolderErr = errors.New("/run is not writable") }), "folder", Missing, "no named programs"},
		{"folder", full, "folder", OK, "/run/user/7"},
		{"peers", full, "peers", OK, "only this user"},
		{"no peers", with(func(f *Facts) { f.Peers = false }), "peers", Limited, "only the folder"},
		{"links", with(func(f *Facts) { f.LinksAreFollowed = true }), "links", Limited, "protected_symlinks"},
		{"descriptors", with(func(f *Facts) { f.Files = 64 }), "descriptors", Limited, "16 programs"},
		{"processes", with(func(f *Facts) { f.Pids = 50 }), "processes", Limited, "thread"},
		{"nothing", Facts{System: "plan9"}, "system", Limited, "plan9"},
	} {
		lines := Judge(tt.facts)
		i := slices.IndexFunc(lines, func(l Line) bool { return l.What == tt.what })
		if i < 0 {
			t.Errorf("%s: nothing is said of %s", tt.name, tt.what)
			continue
		}
		if l := lines[i]; l.State != tt.want || !strings.Contains(l.Text, tt.text) {
			t.Errorf("%s: %+v; want %s and %q", tt.name, l, tt.want, tt.text)
		}
	}
	for _, l := range Judge(Facts{}) {
		if l.Text == "" || strings.Contains(l.Text, "\n") || strings.HasSuffix(l.Text, ".") || strings.Contains(l.Text, "%!") {
			t.Errorf("%+v", l)
		}
	}
}

func TestLook(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	f := Look(t.Context(), os.Stdin, os.Stdout)
	if f.System != runtime.GOOS || f.Terminal != nil || f.FolderErr != nil {
		t.Errorf("%+v", f)
	}
	if runtime.GOOS == "linux" && (f.Kernel == "" || !f.Proc || !f.Limits || f.Files == 0 || f.Containment == proc.NotContained) {
		t.Errorf("%+v", f)
	}
}
