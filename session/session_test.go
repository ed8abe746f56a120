//go:build unix

package session_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// inRuntimeDir makes a folder as the system gives it to a user. Its path is
// short, as that of a socket must be.
func inRuntimeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("XDG_STATE_HOME", dir)
	return dir
}

// serve starts a program and serves it under a name.
func serve(t *testing.T, name string, spec proc.Spec, o session.Options) (*session.Server, *bridge.Bridge) {
	t.Helper()
	n, err := session.Reserve(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bridge.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	o.Name = n
	s, err := session.NewServer(b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), b.Close(), n.Release()); err != nil {
			t.Error(err)
		}
	})
	return s, b
}

func dial(t *testing.T, d session.Dialer, addr string) *session.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := d.Dial(ctx, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func bash() proc.Spec {
	spec := proc.Command("bash", "--norc", "--noprofile", "-i")
	spec.Env = append(os.Environ(), "PS1=ready$ ", "HISTFILE=", "TERM=xterm")
	return spec
}

// A program that another process serves is driven as one of our own.
func TestExpectDrivesAServedShell(t *testing.T) {
	inRuntimeDir(t)
	serve(t, "sh", bash(), session.Options{})
	ctx := t.Context()
	client := dial(t, session.Dialer{}, "sh")
	c := expect.Attach(client.Bridge())
	if _, err := c.Expect(ctx, expect.Text("ready$ ")); err != nil {
		t.Fatal(err)
	}
	if err := c.SendLine("echo $((6*7))"); err != nil {
		t.Fatal(err)
	}
	m, err := c.Expect(ctx, expect.Regexp(`(\d+)\n`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Groups[1] != "42" {
		t.Errorf("groups %q", m.Groups)
	}
	m, err = c.Expect(ctx, expect.Waiting)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Evidence.Proved() {
		t.Errorf("evidence %v", m.Evidence)
	}
	out, err := c.Command(ctx, "echo hello; echo again")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "hello\nagain") {
		t.Errorf("answer %q", out)
	}
	if err := c.SendLine("exit 3"); err != nil {
		t.Fatal(err)
	}
	exit, err := c.Wait(ctx)
	var status *proc.ExitError
	if !errors.As(err, &status) || exit.Code != 3 {
		t.Errorf("exit %v, %v", exit, err)
	}
}
