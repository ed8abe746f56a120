//go:build linux

package debugger_test

import (
	"testing"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A gdb that somebody has started, and has worked with, is served: its past is in
// the state, and its end is ours.
func TestJoin(t *testing.T) {
	c, err := expect.Spawn(t.Context(), proc.Command("gdb", "-q", "-nx", compiled(t, askingC)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c = c.With(expect.Options{Prompt: expect.Text("(gdb) ")})
	if _, err := c.Expect(t.Context(), expect.Text("(gdb) ")); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"break main", "run"} {
		if _, err := c.Command(t.Context(), line); err != nil {
			t.Fatal(err)
		}
	}
	d, line, err := debugger.Join("gdb")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	events := listen(t, d)
	if e := events.until("state"); e.State.Phase != debugger.Starting {
		t.Errorf("%+v", e.State)
	}
	if _, err := c.Command(t.Context(), line); err != nil {
		t.Fatal(err)
	}
	if e := events.until("breakpoint"); e.Breakpoint.ID != "1" || e.Breakpoint.Func != "main" {
		t.Errorf("%+v", e.Breakpoint)
	}
	if e := events.until("stopped"); e.Func != "main" || e.Line == 0 {
		t.Errorf("%+v", e)
	}
	if r := do(t, d, "print 6*7"); r.Text != "$1 = 42\n" {
		t.Errorf("%+v", r)
	}
	if err := c.SendLine("kill"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Expect(t.Context(), expect.On(expect.Text("(y or n) "), expect.Line("y")), expect.Text("killed]")); err != nil {
		t.Fatal(err)
	}
	if err := c.SendLine("quit"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.Ended():
	case <-t.Context().Done():
		t.Error("its end was not seen")
	}
	if _, _, err := debugger.Join("pdb"); err == nil {
		t.Error("pdb was joined")
	}
}
