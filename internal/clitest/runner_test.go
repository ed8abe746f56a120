package clitest

import (
	"encoding/base64"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/internal/clitest/report"
)

// -u writes what came into the file, and nothing else of it changes: not a byte.
func TestUpdate(t *testing.T) {
	const before = `# a heading
exec printf 'a\nb\n'
cmp stdout   want  # blanks stay
spawn -size 4x20 sh -c 'printf "one 12\r\ntwo\r\nthree"; read x'
screen new
screen masked
screen equal
exec printf -- '-- x --\n'
cmp stdout quoted
-- other --
no line of this changes
-- want --
old
-- masked.screen --
|one [..]
|zwei
...
-- equal.screen --
4x20 cursor 3,6
|one [..]
...
-- quoted --
old
-- last --
no line end`
	const after = `# a heading
exec printf 'a\nb\n'
cmp stdout   want  # blanks stay
spawn -size 4x20 sh -c 'printf "one 12\r\ntwo\r\nthree"; read x'
screen new
screen masked
screen equal
exec printf -- '-- x --\n'
cmp stdout quoted
-- other --
no line of this changes
-- want --
a
b
-- masked.screen --
|one [..]
|two
...
-- equal.screen --
4x20 cursor 3,6
|one [..]
...
-- quoted --
>-- x --
-- last --
no line end
-- new.screen --
4x20 cursor 3,6
|one 12
|two
|three
`
	r, path := runScript(t, before, Options{Update: true})
	if r.Outcome != report.Passed {
		t.Fatalf("%s: %s", r.Outcome, r.Attempts[0].Error)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != after {
		t.Errorf("%v\n%s", err, strings.Join(diffLines(after, string(got)), "\n"))
	}
	if want := []string{"masked.screen", "new.screen", "quoted", "want"}; !slices.Equal(r.Updated, want) {
		t.Errorf("updated %q", r.Updated)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	for _, again := range []Options{{}, {Update: true}} { // but for what has to be unquoted now
		fixed := strings.Replace(after, "cmp stdout quoted", "unquote quoted\ncmp stdout quoted", 1)
		r, path := runScript(t, fixed, again)
		if got, _ := os.ReadFile(path); r.Outcome != report.Passed || len(r.Updated) > 0 || string(got) != fixed {
			t.Errorf("%+v: %s %q: %s", again, r.Outcome, r.Updated, r.Attempts[0].Error)
		}
	}
}

func TestUpdateRefuses(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{"exec printf a\ncmp stdout want\n-- want --\nb\n", "x.txtar:2: cmp: -u cannot write want: it does not end in a line end\nhint: an archive holds whole lines only"},
		{"spawn -size 2x9 echo a\nscreen x\nwait\nspawn -size 2x9 echo b\nscreen x\n", "x.txtar:5: screen: -u has written x.screen in this test already, and now the screen is another\nhint: give each screen a name of its own"},
	} {
		r, _ := runScript(t, tt.script, Options{Update: true})
		if r.Outcome != report.Failed || r.Attempts[0].Error != tt.want {
			t.Errorf("%s: %s", r.Outcome, r.Attempts[0].Error)
		}
	}
}

// holdsEsc waits for a while behind an esc, which may begin another key, before it shows what it is for.
const holdsEsc = `stty raw -echo; printf 'start'; dd bs=1 count=1 2>/dev/null >/dev/null; sleep 1.2; printf '\r\ntyped'; read x`

// A program may hold an esc back: -u does not write the screen before it acts on it.
func TestUpdateWaitsForEsc(t *testing.T) {
	r, path := runScript(t, "spawn -size 2x9 sh -c '"+strings.ReplaceAll(holdsEsc, "'", "''")+"'\nexpect start\nsendkey esc\nscreen x\n", Options{Update: true})
	if data, _ := os.ReadFile(path); r.Outcome != report.Passed || !strings.Contains(string(data), "|typed\n") {
		t.Errorf("%s\n%s", r.Attempts[0].Error, data)
	}
}

// A file that somebody changed meanwhile is not overwritten.
func TestUpdateLooksFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.txtar")
	script := "exec echo a\ncmp stdout want\nexec sh -c 'echo changed >" + path + "'\n-- want --\nb\n"
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runFile(t, path, Options{Update: true})
	got, _ := os.ReadFile(path)
	if r.Outcome != report.Failed || !strings.Contains(r.Attempts[0].Error, "changed while the test ran") || string(got) != "changed\n" {
		t.Errorf("%s: %s, %q", r.Outcome, r.Attempts[0].Error, got)
	}
}

// With retries, a pass after a failure is flaky, and what the failure left stays.
func TestFlaky(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	script := "exec sh -c 'echo x >>" + count + "; cat " + count + "'\nstdout 'x\nx\nx'\n"
	script = strings.ReplaceAll(script, "'x\nx\nx'", "'x\\nx\\nx'")
	r, _ := runScript(t, script, Options{Retries: 5})
	if r.Outcome != report.Flaky || len(r.Attempts) != 3 || r.Attempts[2].Error != "" {
		t.Fatalf("%s after %d attempts", r.Outcome, len(r.Attempts))
	}
	for _, a := range r.Attempts[:2] {
		if _, err := os.Stat(filepath.Join(a.Folder, "diagnosis.txt")); err != nil {
			t.Error(err)
		}
	}
	if r, _ := runScript(t, "exec false", Options{Retries: 2}); r.Outcome != report.Failed || len(r.Attempts) != 3 {
		t.Errorf("%s after %d attempts", r.Outcome, len(r.Attempts))
	}
	if r, _ := runScript(t, "no-command", Options{Retries: 2}); len(r.Attempts) != 1 {
		t.Errorf("a mistake in the file was tried %d times", len(r.Attempts))
	}
}

func TestRepeatAndOrder(t *testing.T) {
	tests := []*Test{parse("slow", []byte("exec sleep 0.05\n")), parse("fast", []byte("exec true\n"))}
	var got []string
	for _, r := range runAll(t, tests, Options{Repeat: 3, Jobs: 4}) {
		got = append(got, r.Title())
	}
	if want := []string{"slow (round 1)", "slow (round 2)", "slow (round 3)", "fast (round 1)", "fast (round 2)", "fast (round 3)"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestLastFailed(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir := t.TempDir()
	write := func(name, text string) *Test {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		test, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		return test
	}
	good, bad, other := write("good.txtar", "exec true\n"), write("a bad one.txtar", "exec false\n"), write("other.txtar", "exec false\n")
	check := func(want ...*Test) {
		t.Helper()
		failed := LastFailed()
		for _, test := range []*Test{good, bad, other} {
			if failed(test.path) != slices.Contains(want, test) {
				t.Errorf("%s: %v", test.Name, failed(test.path))
			}
		}
	}
	check()
	runAll(t, []*Test{good, bad, other}, Options{})
	check(bad, other)
	runAll(t, []*Test{good}, Options{}) // what was not run stays
	check(bad, other)
	runAll(t, []*Test{write("other.txtar", "exec true\n")}, Options{})
	check(bad)
	runAll(t, []*Test{write("a bad one.txtar", "exec true\n")}, Options{})
	check()
}

func TestShard(t *testing.T) {
	list := []int{0, 1, 2, 3, 4, 5, 6}
	for n := 1; n < 10; n++ {
		var all []int
		for i := 1; i <= n; i++ {
			part := Shard(list, i, n)
			if len(part) < len(list)/n || len(part) > len(list)/n+1 {
				t.Errorf("part %d of %d: %v", i, n, part)
			}
			all = append(all, part...)
		}
		if slices.Sort(all); !slices.Equal(all, list) {
			t.Errorf("%d parts make %v", n, all)
		}
	}
	for _, bad := range []string{"", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2"} {
		if _, _, err := ParseShard(bad); err == nil {
			t.Errorf("%q is a shard", bad)
		}
	}
}

func TestParseChunk(t *testing.T) {
	for _, bad := range []string{"", "0", "-1", "x", "random", "random:", "random:x", "random:-1"} {
		if _, err := ParseChunk(bad); err == nil {
			t.Errorf("%q is a chunk", bad)
		}
	}
	c, err := ParseChunk("random:5")
	if err != nil {
		t.Fatal(err)
	}
	a, b, other := c.cutter("x"), c.cutter("x"), c.cutter("y")
	same := 0
	for range 100 {
		n := a()
		if m := b(); n != m || n < 1 {
			t.Fatalf("%d and %d", n, m)
		}
		if other() == n {
			same++
		}
	}
	if same == 100 {
		t.Error("every test gets the same pieces")
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"b.txtar", "a.txtar", "sub/c.txtar", ".hidden/d.txtar", "node_modules/e.txtar", "x.txt", "empty/y"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		paths []string
		want  string
	}{
		{nil, "a.txtar b.txtar sub/c.txtar"},
		{[]string{"sub", "b.txtar", "./b.txtar", "x.txt", ".hidden"}, ".hidden/d.txtar b.txtar sub/c.txtar x.txt"},
	} {
		got, err := Find(tt.paths)
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%q: %q, %v", tt.paths, got, err)
		}
	}
	for path, want := range map[string]string{"nope": "nope is not there", "empty": "no tests (*.txtar) below empty"} {
		if _, err := Find([]string{path}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Read("nope.txtar"); err == nil || err.Error() != "nope.txtar is not there" {
		t.Error(err)
	}
}

// What a failure leaves: the folder has all, the secret stands nowhere, and the page shows it in a browser.
func TestWhatIsLeft(t *testing.T) {
	keep := filepath.Join(t.TempDir(), "kept")
	r, _ := runScript(t, `
# <b>two</b> programs
env PW=sesame-open
@srv spawn sh -c 'stty -echo; printf "Password: "; read x; stty echo; echo; echo "you said $x"; sleep 1000'
@srv expect 'Password: '
@srv sendsecret env:PW
@srv expect 'you said'
spawn -size 5x30 sh -c 'printf "\033[31mred <i>\033[m"; sleep 1000'
exec sh -c 'echo out; echo err >&2; echo data >file'
expect -timeout 100ms 'green'
wait
`, Options{Keep: keep})
	if r.Outcome != report.Failed {
		t.Fatal(r.Outcome)
	}
	a := r.Attempts[0]
	for _, name := range []string{"diagnosis.txt", "screen.txt", "screen.svg", "timeline.txt", "transcript.txt", "recording.cast", "srv.screen.txt", "srv.recording.cast",
		"stdout.txt", "stderr.txt", "script.txt", "work/file"} {
		data, err := os.ReadFile(filepath.Join(a.Folder, name))
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(string(data), "sesame") && name != "script.txt" { // where the script itself says it
			t.Errorf("%s shows the secret: %s", name, data)
		}
		if name == "srv.recording.cast" && !strings.Contains(string(data), "[secret]") {
			t.Errorf("%s: %s", name, data)
		}
	}
	screen, _ := os.ReadFile(filepath.Join(a.Folder, "screen.txt"))
	if want := "5x30 cursor 1,8\n|red <i>\n"; string(screen) != want {
		t.Errorf("screen %q", screen)
	}
	page := filepath.Join(keep, "index.html")
	checkPage(t, page, []string{"&lt;b&gt;two&lt;/b&gt; programs", "red &lt;i&gt;", "nothing matched in", "@srv", "expect -timeout 100ms 'green'", "sleeps"}, "sesame-open\"")
}

// checkPage opens a page in a real browser: what the browser makes of it holds the texts, and it complains of nothing.
func checkPage(t *testing.T, page string, want []string, not string) {
	t.Helper()
	profile := t.TempDir()
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + profile, "--enable-logging=stderr", "--v=0"}
	cmd := exec.CommandContext(t.Context(), "chromium", append(args, "--dump-dom", "file://"+page)...)
	cmd.WaitDelay = 10 * time.Second
	var dom, log strings.Builder
	cmd.Stdout, cmd.Stderr = &dom, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, log.String())
	}
	for _, text := range want {
		if !strings.Contains(dom.String(), text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	if strings.Contains(dom.String(), not) {
		t.Errorf("the page shows %q", not)
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("the browser says: %s", line)
		}
	}
	for _, m := range regexp.MustCompile(`base64,([^"]+)"`).FindAllStringSubmatch(dom.String(), -1) {
		svg, err := base64.StdEncoding.DecodeString(m[1])
		if err != nil || !strings.Contains(string(svg), "<svg") {
			t.Errorf("a picture is none: %v", err)
		}
	}
	if !strings.Contains(dom.String(), "</html>") {
		t.Error("the page is not whole")
	}
}

// Whatever a test does to its folders, the next one finds them as they were, however late it comes.
func TestPlacesAreClean(t *testing.T) {
	p := &place{root: filepath.Join(t.TempDir(), "place")}
	changes := map[string]func(){
		"nothing":      func() {},
		"a file":       func() { _ = os.WriteFile(filepath.Join(p.work, "x"), nil, 0o600) },
		"a folder":     func() { _ = os.MkdirAll(filepath.Join(p.home, "a", "b"), 0o700) },
		"beside":       func() { _ = os.Mkdir(filepath.Join(p.root, "x"), 0o700) },
		"a mode":       func() { _ = os.Chmod(p.tmp, 0o500) },
		"gone":         func() { _ = os.Remove(p.tmp) },
		"another file": func() { _ = os.WriteFile(filepath.Join(p.tmp, "x"), nil, 0o600) },
	}
	if runtime.GOOS == "linux" { // elsewhere the system's own time is not looked at
		changes["an old file"] = func() {
			_ = os.WriteFile(filepath.Join(p.tmp, "x"), nil, 0o600)
			for was, now := p.times.folders[2], p.times.folders[2]; now == was; { // the system's clock may stand for some milliseconds
				_ = os.Chtimes(p.tmp, was.modified, was.modified) // as archivers do
				info, err := os.Lstat(p.tmp)
				if err != nil {
					t.Fatal(err)
				}
				now = timesOf(info)
			}
		}
	}
	for name, change := range changes {
		for range 2 { // the second time the times are known
			if err := p.prepare(); err != nil {
				t.Fatal(err)
			}
			if err := p.clear(); err != nil || !p.times.same(p) {
				t.Fatalf("%s: %v; a clean place is not known as one", name, err)
			}
			change()
			if err := p.clear(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := p.prepare(); err != nil || !p.untouched() {
				t.Errorf("%s: %v; something is left", name, err)
			}
			for _, dir := range p.folders() {
				if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
					t.Errorf("%s: %v is left, %v", name, entries, err)
				}
			}
		}
	}
}

// What a run leaves that was killed is removed by a later one; what lives, is young or another's name stays.
func TestSweepRoots(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // nobody knows who lives
	}
	t.Setenv("TMPDIR", t.TempDir())
	old := time.Now().Add(-2 * longDead)
	roots := map[string]string{}
	for _, kind := range []string{"dead", "living", "young"} {
		root, err := newRoot()
		if err != nil {
			t.Fatal(err)
		}
		roots[kind] = root
		if err := os.MkdirAll(filepath.Join(root, "001", "work", "locked"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(root, "001", "work"), 0o500); err != nil {
			t.Fatal(err)
		}
	}
	roots["other"] = filepath.Join(os.Getenv("TMPDIR"), rootName+"notes")
	if err := os.Mkdir(roots["other"], 0o700); err != nil {
		t.Fatal(err)
	}
	release, ok := occupy(roots["living"])
	if !ok {
		t.Fatal("it is occupied")
	}
	for kind, root := range roots {
		if kind == "young" {
			continue
		}
		if err := os.Chtimes(root, old, old); err != nil {
			t.Fatal(err)
		}
	}
	sweepRoots()
	for kind, root := range roots {
		if _, err := os.Lstat(root); os.IsNotExist(err) != (kind == "dead") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	release()
	sweepRoots()
	if _, err := os.Lstat(roots["living"]); !os.IsNotExist(err) {
		t.Errorf("it has died: %v", err)
	}
	for _, root := range roots {
		_ = removeAll(root) // for the cleanup
	}
}

// Programs do not inherit that we ignore a signal, and afterwards we ignore it again.
func TestIgnoredSignals(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	r, _ := runScript(t, "exec sh -c 'kill -HUP $$; echo lives'\n", Options{})
	if r.Outcome != report.Failed || !strings.Contains(r.Attempts[0].Error, "hangup") {
		t.Errorf("%s: %s", r.Outcome, r.Attempts[0].Error)
	}
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("it is not ignored any more")
	}
}
