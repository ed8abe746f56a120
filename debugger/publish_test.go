//go:build linux

package debugger_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/bridge/fifo"
	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// publish serves a debugger under a name in a runtime folder of the test's own.
func publish(t *testing.T, d *debugger.Debugger, fifos string) debugger.Doors {
	t.Helper()
	name, err := session.Reserve("prog")
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Publish(name, fifos)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		dir := name.Dir()
		if err := name.Release(); err != nil {
			t.Errorf("release: %v", err)
		}
		if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
	return p.Doors()
}

// hear reads lines until one begins with the prefix.
func hear(t *testing.T, in *bufio.Scanner, prefix string) string {
	t.Helper()
	for in.Scan() {
		if strings.HasPrefix(in.Text(), prefix) {
			return in.Text()
		}
	}
	t.Fatalf("no %s: %v", prefix, in.Err())
	return ""
}

// A front end that was started later, by itself, finds the debugger by its name
// or sockets, leaves, and another comes; a person sits at the console meanwhile.
func TestPublish(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	doors := publish(t, d, "")
	if len(doors.Channels) != 4 || !strings.HasPrefix(doors.PTS, "/dev/pts/") || doors.PID != d.Console().Stats().Peer.PID {
		t.Fatalf("%+v", doors)
	}
	dial := func(channel string) (net.Conn, *bufio.Scanner) {
		t.Helper()
		conn := dial(t, doors, channel)
		return conn, bufio.NewScanner(conn)
	}
	first, hears := dial("events")
	hear(t, hears, `{"seq":`)
	fmt.Fprintln(first, `{"id":1,"do":"break main"}`)
	hear(t, hears, `{"id":1,"ok":true,"text":"Breakpoint 1 at`)
	first.Close()

	_, later := dial("events")
	if got := hear(t, later, `{"seq":`); !strings.Contains(got, `"kind":"state"`) || !strings.Contains(got, `"breakpoints":[{"id":"1"`) {
		t.Errorf("who comes later is told %s", got)
	}
	gui, answers := dial("mi")
	fmt.Fprintln(gui, "77-break-list")
	hear(t, answers, "77^done,BreakpointTable")

	for _, name := range []string{"prog", "prog.console"} {
		c, err := session.Dial(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		person := expect.Attach(c.Bridge())
		if _, err := person.Expect(t.Context(), expect.Text("(gdb) ")); err != nil {
			t.Fatal(err)
		}
		if err := person.SendLine("info breakpoints"); err != nil {
			t.Fatal(err)
		}
		if _, err := person.Expect(t.Context(), expect.Text("breakpoint     keep y")); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := session.Dial(t.Context(), "prog.tty"); err != nil {
		t.Error(err)
	}
}

func TestPublishFifos(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	d := start(t, "pdb", proc.Command(prog(t, "prog.py", "n = 7\nprint(n)\n")))
	dir := filepath.Join(t.TempDir(), "fifos")
	publish(t, d, dir)
	for range 2 { // leaves, and comes again
		pair, err := fifo.Dial(t.Context(), dir, fifo.PairOptions{Prefix: "events."})
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(pair.Out)
		fmt.Fprintln(pair.In, `{"id":1,"do":"p 6*7"}`)
		hear(t, lines, `{"id":1,"ok":true,"text":"42\n"}`)
		if err := pair.Close(); err != nil {
			t.Error(err)
		}
	}
}

func prog(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
