//go:build unix

package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
	"github.com/spawnx/spawnx/session"
)

func shell(script string) proc.Spec { return proc.Command("sh", "-c", script) }

func onPipes(script string) proc.Spec {
	spec := shell(script)
	spec.Stdio = proc.Pipes
	return spec
}

func attach(t *testing.T, d session.Dialer, addr string) (*expect.Console, *session.Client) {
	t.Helper()
	c := dial(t, d, addr)
	return expect.Attach(c.Bridge()), c
}

func see(t *testing.T, c *expect.Console, cases ...expect.Pattern) expect.Match {
	t.Helper()
	m, err := c.Expect(t.Context(), cases...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// One sits at the program, others look on; who takes the seat has it.
func TestOneDriverAndThoseWhoLookOn(t *testing.T) {
	inRuntimeDir(t)
	serve(t, "sh", bash(), session.Options{})
	a, first := attach(t, session.Dialer{Role: session.Driver, Who: "ann", Size: proc.Size{Rows: 30, Cols: 100}}, "sh")
	if first.Role() != session.Driver {
		t.Fatalf("the first one is %v", first.Role())
	}
	see(t, a, expect.Text("ready$ "))
	size := func(want string) {
		t.Helper()
		if out, err := a.Command(t.Context(), "stty size"); err != nil || !strings.Contains(out, want) {
			t.Errorf("%q, %v; want %s", out, err, want)
		}
	}
	size("30 100")
	b, second := attach(t, session.Dialer{Role: session.Driver, Size: proc.Size{Rows: 40, Cols: 50}}, "sh")
	if second.Role() != session.Observer {
		t.Fatalf("the second one is %v", second.Role())
	}
	size("30 100")

	// An observer sees all and does nothing.
	see(t, b, expect.Text("30 100"))
	if err := b.SendLine("echo intruder"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("an observer writes: %v", err)
	}
	for name, err := range map[string]error{
		"signal": second.Bridge().Signal(syscall.SIGTERM),
		"resize": second.Bridge().Resize(proc.Size{Rows: 3, Cols: 3}),
		"eof":    second.Bridge().SendEOF(time.Now().Add(10 * time.Second)),
		"place":  second.SetPlace(t.Context(), "x", 3),
		"stop":   func() error { _, err := second.Bridge().Stop(t.Context()); return err }(),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("an observer's %s: %v", name, err)
		}
	}
	size("30 100")
	if info, err := second.Info(t.Context()); err != nil || info.Driver != "client 1 (ann)" || info.Clients != 2 {
		t.Errorf("%+v, %v", info, err)
	}

	if err := second.TakeSeat(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first one is told", func() bool { return first.Role() == session.Observer })
	if second.Role() != session.Driver {
		t.Errorf("the second one is %v", second.Role())
	}
	if err := a.SendLine("echo no more"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("who lost the seat writes: %v", err)
	}
	if err := b.SendLine("echo it is $((40+2)); stty size"); err != nil {
		t.Error(err)
	}
	see(t, b, expect.Text("it is 42"))
	see(t, b, expect.Text("40 50"))

	// An owner does everything beside the driver.
	c, owner := attach(t, session.Dialer{}, "sh")
	see(t, c, expect.Text("it is 42"))
	if err := c.SendLine("echo owner $((1+1))"); err != nil {
		t.Error(err)
	}
	see(t, b, expect.Text("owner 2"))
	if owner.Role() != session.Owner {
		t.Errorf("the owner is %v", owner.Role())
	}

	// When the driver leaves, the seat is free.
	_ = second.Close()
	eventually(t, "nobody sits there", func() bool { info, err := owner.Info(t.Context()); return err == nil && info.Driver == "" })
	_, third := attach(t, session.Dialer{Role: session.Driver, From: session.Nothing}, "sh")
	if third.Role() != session.Driver {
		t.Errorf("the third one is %v", third.Role())
	}
	_, fourth := attach(t, session.Dialer{Role: session.Driver, Take: true, From: session.Nothing}, "sh")
	if fourth.Role() != session.Driver {
		t.Errorf("who takes the seat is %v", fourth.Role())
	}
	eventually(t, "the third one is told", func() bool { return third.Role() == session.Observer })
}

func TestWhereTheOutputBegins(t *testing.T) {
	inRuntimeDir(t)
	_, b := serve(t, "job", onPipes(`for i in 1 2 3 4 5; do echo line $i; done; while read x; do echo "$x"; done`), session.Options{})
	r := b.Output().Reader("test", bridge.Block)
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 35)); err != nil {
		t.Fatal(err)
	}
	owner := dial(t, session.Dialer{From: session.Nothing}, "job")
	if err := owner.SetPlace(t.Context(), "me", 14); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		from session.From
		want string
		at   int64
	}{
		"the zero From":           {session.From{}, "line 1\nline 2\nline 3\nline 4\nline 5\nnow\n", 0},
		"now":                     {session.FromNow, "now\n", 35},
		"an offset":               {session.FromOffset(23), "ne 4\nline 5\nnow\n", 23},
		"two lines":               {session.FromLines(2), "line 4\nline 5\nnow\n", 21},
		"no lines":                {session.FromLines(0), "now\n", 35},
		"more lines than are":     {session.FromLines(99), "line 1\nline 2\nline 3\nline 4\nline 5\nnow\n", 0},
		"a place":                 {session.FromPlace("me"), "line 3\nline 4\nline 5\nnow\n", 14},
		"a place that is none":    {session.FromPlace("you"), "line 1\nline 2\nline 3\nline 4\nline 5\nnow\n", 0},
		"a screen where is none":  {session.FromScreen, "line 1\nline 2\nline 3\nline 4\nline 5\nnow\n", 0},
		"nothing, but the status": {session.Nothing, "", 0},
	} {
		c := dial(t, session.Dialer{From: tt.from}, "job")
		if start, _ := c.Bridge().Output().Offsets(); start != tt.at {
			t.Errorf("%s: begins at %d, want %d", name, start, tt.at)
		}
		defer func() {
			r := c.Bridge().Output().Reader("test", bridge.Block)
			if got, err := io.ReadAll(r); string(got) != tt.want || err != nil {
				t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
			}
			if exit, err := c.Bridge().Wait(t.Context()); exit.Code != 0 || err != nil {
				t.Errorf("%s: %v, %v", name, exit, err)
			}
		}()
	}
	io.WriteString(owner.Bridge().Input(), "now\n")
	if err := owner.Bridge().SendEOF(time.Now().Add(30 * time.Second)); err != nil {
		t.Error(err)
	}
	if _, err := (session.Dialer{From: session.FromOffset(99)}).Dial(t.Context(), "job"); err == nil {
		t.Error("an offset beyond the output was accepted")
	}
}

// What is no longer kept is said to be lost, to the byte.
func TestAnOffsetThatIsNoLongerKept(t *testing.T) {
	inRuntimeDir(t)
	size := 3 << 20
	want := patternBytes(size)
	_, b := serve(t, "stream", streamSpec(size), session.Options{})
	if _, err := b.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	start, end := b.Output().Offsets()
	if start == 0 || end != int64(size) {
		t.Fatalf("kept is %d to %d", start, end)
	}
	g := readAll(t.Context(), dial(t, session.Dialer{From: session.FromOffset(7)}, "stream"), want[:], nil)
	if g.err != nil || !slices.Equal(g.lost, []bridge.LostError{{From: 7, To: start}}) {
		t.Errorf("%+v, want the gap from 7 to %d", g, start)
	}
}

// The status is kept until somebody collects it, and never blocks the name.
func TestFromTheNameToTheStatus(t *testing.T) {
	inRuntimeDir(t)
	ctx := t.Context()
	run := func(script string, linger time.Duration) (release func()) {
		t.Helper()
		name, err := session.Reserve("job")
		if err != nil {
			t.Fatal(err)
		}
		b, err := bridge.Start(ctx, onPipes(script))
		if err != nil {
			t.Fatal(err)
		}
		s, err := session.NewServer(b, session.Options{Name: name, Linger: linger})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Wait(ctx)
			if err := errors.Join(s.Close(), b.Close(), name.Release()); err != nil {
				t.Error(err)
			}
		}()
		return func() { <-done }
	}
	list := func(want ...string) {
		t.Helper()
		all, err := session.List(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range all {
			s := i.Name + " ended"
			if i.Running {
				s = fmt.Sprint(i.Name, " runs ", strings.Join(i.Args[:2], " "))
			} else {
				s += fmt.Sprint(" ", i.Exit.Code)
			}
			got = append(got, s)
		}
		if !slices.Equal(got, want) {
			t.Errorf("list: %q, want %q", got, want)
		}
	}
	list()

	release := run("read x; exit 3", -1)
	list("job runs sh -c")
	var taken *session.TakenError
	if _, err := session.Reserve("job"); !errors.As(err, &taken) || taken.PID != os.Getpid() {
		t.Errorf("a second server: %v", err)
	}
	c := dial(t, session.Dialer{}, "job")
	io.WriteString(c.Bridge().Input(), "go\n")
	_ = c.Close()
	release()
	list("job ended 3")
	_, err := session.Dial(ctx, "job")
	var not *session.NotRunningError
	if !errors.As(err, &not) || not.Exit == nil || not.Exit.Code != 3 || !strings.HasPrefix(err.Error(), "job has ended: exit status 3\n") {
		t.Errorf("dial after the end: %v", err)
	}
	exit, err := session.Collect(ctx, "job")
	if exit.Code != 3 || !errors.As(err, new(*proc.ExitError)) {
		t.Errorf("collected %v, %v", exit, err)
	}
	if _, err := session.Collect(ctx, "job"); !errors.As(err, &not) {
		t.Errorf("collected twice: %v", err)
	}
	list()

	// A kept status is no obstacle, and who waits before the end gets it.
	release = run("exit 4", -1)
	release()
	list("job ended 4")
	release = run("read x; kill -TERM $$", 0)
	list("job runs sh -c")
	var waiters sync.WaitGroup
	for range 3 {
		waiters.Go(func() {
			exit, err := session.Collect(ctx, "job")
			if exit.Signal != syscall.SIGTERM || err == nil {
				t.Errorf("collected %v, %v", exit, err)
			}
		})
	}
	eventually(t, "three wait", func() bool {
		all, err := session.List(ctx)
		return err == nil && len(all) == 1 && all[0].Clients >= 3
	})
	c = dial(t, session.Dialer{From: session.Nothing}, "job")
	io.WriteString(c.Bridge().Input(), "go\n")
	waiters.Wait()
	_ = c.Close()
	release()
	list()

	// The output of what has ended can still be read, until somebody else has
	// the name.
	old := run("echo last words; exit 5", time.Minute)
	eventually(t, "it has ended", func() bool {
		all, err := session.List(ctx)
		return err == nil && len(all) == 1 && !all[0].Running
	})
	con, client := attach(t, session.Dialer{}, "job")
	see(t, con, expect.Text("last words"))
	if exit, err := client.Bridge().Wait(ctx); exit.Code != 5 || err == nil {
		t.Errorf("%v, %v", exit, err)
	}
	release = run("read x; exit 6", -1)
	if exit, err := client.Collect(ctx); exit.Code != 5 || err == nil {
		t.Errorf("of the old one: %v, %v", exit, err)
	}
	_ = client.Close()
	old() // its end harms the next one in nothing
	list("job runs sh -c")
	next := dial(t, session.Dialer{}, "job")
	io.WriteString(next.Bridge().Input(), "go\n")
	if exit, _ := next.Bridge().Wait(ctx); exit.Code != 6 {
		t.Errorf("the next one: %v", exit)
	}
	_ = next.Close()
	release()
	list("job ended 6")
}

// At a logout the folder of the names vanishes, and at the next login there is
// another. The program stays where others look for it.
func TestTheFolderVanishes(t *testing.T) {
	t.Cleanup(session.SetLookAround(5 * time.Millisecond)) // after the server is gone
	dir := inRuntimeDir(t)
	login := filepath.Join(dir, "login")
	for _, name := range []string{"state", "login"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", login)
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	serve(t, "job", onPipes("read x; echo still here; read x; exit 3"), session.Options{})
	client := dial(t, session.Dialer{}, "job")
	found := func(where string) {
		t.Helper()
		eventually(t, "it is found "+where, func() bool {
			all, err := session.List(t.Context())
			return err == nil && len(all) == 1 && all[0].Running && all[0].PID != 0 && len(all[0].Doors) == 2 && strings.Contains(all[0].Doors[0], where)
		})
	}
	logout := func() { // at once: the server looks at it all the time
		if err := os.Rename(login, filepath.Join(t.TempDir(), "gone")); err != nil {
			t.Fatal(err)
		}
	}
	found(login)
	logout()
	found("state")
	con, _ := attach(t, session.Dialer{}, "job")
	io.WriteString(client.Bridge().Input(), "go on\n") // who is there notices nothing
	see(t, con, expect.Text("still here"))
	if err := os.Mkdir(login, 0o700); err != nil {
		t.Fatal(err)
	}
	found(login)
	if left, _ := filepath.Glob(filepath.Join(dir, "state", "spawnx", "run", "*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
	logout()
	io.WriteString(client.Bridge().Input(), "and end\n")
	eventually(t, "its status is found", func() bool {
		exit, _ := session.Collect(t.Context(), "job")
		return exit.Code == 3
	})
}

// However many ask at once over one connection, what they ask for is done, and
// once.
func TestManyAskAtOnce(t *testing.T) {
	dir := inRuntimeDir(t)
	far := newEchoing()
	defer far.near.Close()
	s, err := session.NewServer(far.bridge(), session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	addr, err := s.Listen("spawnx:" + filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, session.Dialer{From: session.Nothing}, addr)
	const each = 50
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range each {
				if err := c.Bridge().Signal(syscall.SIGHUP); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := far.signals.Load(); n != 8*each {
		t.Errorf("%d signals of %d", n, 8*each)
	}
}

func TestANameThatIsNotThere(t *testing.T) {
	inRuntimeDir(t)
	serve(t, "one", onPipes("cat"), session.Options{})
	serve(t, "two", onPipes("cat"), session.Options{})
	_, err := session.Dial(t.Context(), "three")
	if err == nil || err.Error() != "three is not running\n  running  one  two" {
		t.Errorf("%v", err)
	}
	for _, addr := range []string{"", "a/b", "a b", ".x", "x.", "unix:/tmp/x", "tcp:localhost:1", "http://x", "spawnx:"} {
		if _, err := session.Dial(t.Context(), addr); err == nil {
			t.Errorf("%q was dialled", addr)
		}
	}
}

// Signal, resize, stop, mode, the reason and the rest are those of the far
// program.
func TestTheFarProgram(t *testing.T) {
	inRuntimeDir(t)
	_, b := serve(t, "sh", bash(), session.Options{})
	con, c := attach(t, session.Dialer{}, "sh")
	see(t, con, expect.Text("ready$ "))
	far := c.Bridge()
	if far.Process() != nil {
		t.Error("it claims to be a process of ours")
	}
	if st := far.Stats().Peer; st.PID != b.Process().PID() || !st.Running || st.Terminal == "" {
		t.Errorf("%+v", st)
	}
	if mode, err := far.Mode(); err != nil || mode.EOF != 4 || mode.Intr != 3 {
		t.Errorf("mode %+v, %v", mode, err)
	}
	m := see(t, con, expect.Waiting)
	if !m.Evidence.Proved() || m.Evidence.PID != b.Process().PID() {
		t.Errorf("%v", m.Evidence)
	}
	why, err := c.Why(t.Context())
	if err != nil || len(why) == 0 || !strings.Contains(why[0].String(), "waits for input") {
		t.Errorf("why: %v, %v", why, err)
	}
	_, err = con.With(expect.Options{Timeout: 50 * time.Millisecond}).Expect(t.Context(), expect.Text("no such text"))
	if e := (*expect.Error)(nil); !errors.As(err, &e) || len(e.Findings) == 0 || e.Findings[0].PID != b.Process().PID() {
		t.Errorf("a timeout does not say what the far program does: %v", err)
	}
	if err := far.Resize(proc.Size{Rows: 33, Cols: 77}); err != nil {
		t.Error(err)
	}
	if out, err := con.Command(t.Context(), "stty size"); err != nil || !strings.Contains(out, "33 77") {
		t.Errorf("%q, %v", out, err)
	}
	eventually(t, "the client is told the size", func() bool { return c.Size() == proc.Size{Rows: 33, Cols: 77} })
	if out, err := con.Command(t.Context(), "trap 'echo us''r' USR1"); err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if err := far.Signal(syscall.SIGUSR1); err != nil {
		t.Error(err)
	}
	if err := con.SendLine(""); err != nil { // readline runs traps when it returns
		t.Error(err)
	}
	see(t, con, expect.Text("usr"))
	exit, err := far.Stop(t.Context())
	if there, _ := b.Wait(t.Context()); err != nil || exit != there {
		t.Errorf("stopped: %v, %v; it is %v", exit, err, there)
	}
	if err := far.Signal(syscall.SIGUSR1); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal after the end: %v", err)
	}
	if got, _ := far.Wait(t.Context()); got != exit {
		t.Errorf("%v; stop said %v", got, exit)
	}
}

// A password is typed over a session under the same proof as elsewhere.
func TestASecretOverASession(t *testing.T) {
	inRuntimeDir(t)
	serve(t, "login", shell(`printf 'Password: '; stty -echo; read p; stty echo; echo; [ "$p" = tiger ] && echo welcome`), session.Options{})
	con, _ := attach(t, session.Dialer{}, "login")
	see(t, con, expect.On(expect.Text("Password: "), expect.Password(func(context.Context) ([]byte, error) { return []byte("tiger"), nil })), expect.Text("welcome"))
}

// A send that the program does not take ends at its deadline, says exactly
// what was accepted, and nothing of the rest comes later.
func TestAWriteThatCannotProceed(t *testing.T) {
	dir := inRuntimeDir(t)
	spec := onPipes(`until [ -e go ]; do sleep 0.02; done; wc -c`)
	spec.Dir = dir
	serve(t, "stuck", spec, session.Options{})
	con, c := attach(t, session.Dialer{}, "stuck")
	n, err := c.Bridge().Input().WriteContext(t.Context(), make([]byte, 1<<20), time.Now().Add(300*time.Millisecond))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n >= 1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if more, err := c.Bridge().Input().WriteContext(ctx, []byte("more"), time.Time{}); more != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d bytes, %v", more, err)
	}
	// Meanwhile nothing else waits.
	if _, err := c.Why(t.Context()); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := c.Bridge().Input().Write([]byte("and more")); k != 8 || err != nil {
		t.Errorf("%d bytes, %v", k, err)
	}
	if err := con.SendEOF(); err != nil {
		t.Error(err)
	}
	if m := see(t, con, expect.Regexp(`(\d+)\n`)); m.Groups[1] != fmt.Sprint(n+8) {
		t.Errorf("the program got %s bytes of %d", m.Groups[1], n+8)
	}
	if k, err := c.Bridge().Input().Write([]byte("too late")); k != 0 || !errors.Is(err, bridge.ErrNoInput) {
		t.Errorf("after the end of the input: %d bytes, %v", k, err)
	}
}

// Questions to the terminal are answered once: beside the program while nobody
// sits there, else by the driver's terminal. They are never replayed.
func TestQuestionsAreAnsweredOnce(t *testing.T) {
	inRuntimeDir(t)
	ask := shell(`stty raw -echo; while :; do printf '\033[6n'; IFS= read -r -d R a; printf '<%s>' "$a" | tr '\033' E; IFS= read -r -d . next || exit; done`)
	ask.Args[0] = "bash"
	serve(t, "ask", ask, session.Options{})
	con, client := attach(t, session.Dialer{}, "ask")
	see(t, con, expect.Text("<E[1;1>")) // by the server
	driver := dial(t, session.Dialer{Role: session.Driver, Terminal: true}, "ask")
	r := driver.Bridge().Output().Reader("person", bridge.Block)
	defer r.Close()
	head := make([]byte, len("\x00\x00\x00\x00<E[1;1>"))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != "\x00\x00\x00\x00<E[1;1>" {
		t.Fatalf("the driver sees %q, %v", head, err)
	}
	if err := con.Send("."); err != nil {
		t.Fatal(err)
	}
	live := make([]byte, 4)
	if _, err := io.ReadFull(r, live); err != nil || string(live) != "\x1b[6n" {
		t.Fatalf("the driver sees %q, %v", live, err)
	}
	io.WriteString(driver.Bridge().Input(), "\x1b[7;7R") // its terminal
	see(t, con, expect.Text("<E[7;7>"))
	_ = driver.Close()
	eventually(t, "nobody sits there", func() bool {
		info, err := client.Info(t.Context())
		return err == nil && info.Driver == ""
	})
	if err := con.Send("."); err != nil {
		t.Fatal(err)
	}
	m := see(t, con, expect.Regexp(`<E\[(\d+;\d+)>`))
	if m.Groups[1] == "7;7" {
		t.Errorf("after the driver has left: %q", m.Text)
	}
}

// shown collects what a person's terminal is sent, and knows what it shows.
type shown struct {
	mu sync.Mutex
	s  *screen.Screen
	b  bytes.Buffer
}

func (s *shown) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Write(p)
	return s.s.Write(p)
}

func (s *shown) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.s.Text()
}

// Who joins sees the screen as it is, without the history that made it.
func TestWhoJoinsSeesTheScreen(t *testing.T) {
	spec := proc.Command("vim", "-u", "NONE", "-n", "-N", "--cmd", "set nomore", "notes")
	spec.Dir = inRuntimeDir(t)
	serve(t, "vi", spec, session.Options{})
	con, c := attach(t, session.Dialer{}, "vi")
	see(t, con, expect.Idle(200*time.Millisecond))
	if err := con.Send("ihello world\rsecond line"); err != nil {
		t.Fatal(err)
	}
	if err := con.SendKey("esc"); err != nil {
		t.Fatal(err)
	}
	shows := func(want string) func() bool {
		return func() bool {
			p, err := c.Repaint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s := screen.New(p.Size.Rows, p.Size.Cols)
			s.Write(p.Bytes)
			return strings.HasPrefix(s.Text(), want)
		}
	}
	eventually(t, "the server's screen shows it", shows("hello world\nsecond line\n~"))

	person := dial(t, session.Dialer{Role: session.Driver, From: session.FromScreen, Terminal: true, Size: proc.Size{Rows: 12, Cols: 60}}, "vi")
	typed, keyboard := io.Pipe()
	terminal := &shown{s: screen.New(12, 60)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the person sees\n%s", terminal.text())
		}
	})
	joined := make(chan error, 1)
	go func() {
		joined <- person.Join(t.Context(), bridge.Seat{
			In: typed, Terminal: true, Out: terminal,
			Typed: func(p []byte) ([]byte, bool) {
				pass, _, leave := bytes.Cut(p, []byte{0x1c})
				return pass, leave
			},
		})
	}()
	eventually(t, "the person sees it", func() bool {
		text := terminal.text()
		return strings.HasPrefix(text, "hello world\nsecond line\n~") && strings.Count(text, "\n~") == 9
	})
	io.WriteString(keyboard, "othird\x1b")
	eventually(t, "the person sees what was typed", func() bool { return strings.HasPrefix(terminal.text(), "hello world\nsecond line\nthird\n~") })
	io.WriteString(keyboard, "\x1c")
	if err := <-joined; err != bridge.ErrLeft {
		t.Errorf("the person left: %v", err)
	}
	keyboard.Close()
	eventually(t, "the program goes on", shows("hello world\nsecond line\nthird\n~"))
}

// Channels of one name are found beside each other.
func TestChannels(t *testing.T) {
	dir := inRuntimeDir(t)
	name, err := session.Reserve("prog")
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"console", "tty"} {
		b, err := bridge.Start(t.Context(), onPipes("echo I am "+channel+"; read x"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := session.NewServer(b, session.Options{Name: name, Channel: channel})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		defer s.Close()
	}
	for _, channel := range []string{"console", "tty"} {
		con, c := attach(t, session.Dialer{}, "prog."+channel)
		see(t, con, expect.Text("I am "+channel))
		if info, err := c.Info(t.Context()); err != nil || info.Name != "prog" || info.Channel != channel ||
			!slices.Contains(info.Doors, "unix:"+filepath.Join(dir, "spawnx", "prog", channel+".sock")) {
			t.Errorf("%+v, %v", info, err)
		}
	}
	if _, err := session.NewServer(nil, session.Options{Name: name, Channel: "a/b"}); err == nil {
		t.Error("a bad channel")
	}
	if err := name.Ended(proc.Exit{Code: 9}); err != nil {
		t.Error(err)
	}
	if err := name.Release(); err != nil {
		t.Error(err)
	}
}
