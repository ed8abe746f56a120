//go:build linux

package screen_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/screen"
)

// vttest draws its pages, and tmux shows them as we do.
func TestVttest(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	spec := proc.Command("vttest")
	spec.Dir = t.TempDir()
	spec.Env = []string{"TERM=xterm-256color", "LC_ALL=C.UTF-8", "HOME=" + spec.Dir}
	c, err := expect.Spawn(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tp := &tape{Screen: screen.New(24, 80)}
	c = c.With(expect.Options{Screen: tp})
	const choose, push = expect.Text("Enter choice number"), expect.Text("Push <RETURN>")
	if _, err := c.Expect(ctx, choose); err != nil {
		t.Fatal(err)
	}
	for _, choice := range []string{"1", "2", "8"} { // cursor movements, screen features, insert and delete
		for line := choice; ; line = "" {
			tp.story = append(tp.story, scene{}) // look at each page
			if err := c.SendLine(line); err != nil {
				t.Fatal(err)
			}
			m, err := c.Expect(ctx, push, choose)
			if err != nil {
				t.Fatal(err)
			}
			if m.Pattern == choose {
				break
			}
		}
	}
	if err := c.SendLine("0"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	// Where tmux does what vttest calls wrong: a backspace from a waiting last column, and a line feed at the bottom
	// in origin mode. What the page should show instead is in the row of that number.
	known := map[int]map[int]string{
		3:  {3: "*+" + strings.Repeat(" ", 76) + "+*"},
		4:  {3: "I" + strings.Repeat(" ", 78) + "i", 20: "Z" + strings.Repeat(" ", 78) + "z"},
		5:  {3: "I" + strings.Repeat(" ", 78) + "i", 20: "Z" + strings.Repeat(" ", 78) + "z"},
		19: {24: "Origin mode test. This line should be at the bottom of the screen."},
	}
	for _, d := range differences(t, tp.story, 24, 80, 1) {
		rows, ok := known[d.look]
		if !ok {
			t.Errorf("look %d: %s", d.look, d.what)
		}
		for y, want := range rows {
			if d.ours[y-1] != want {
				t.Errorf("look %d, row %d: %q, not %q", d.look, y, d.ours[y-1], want)
			}
		}
	}
	if len(tp.story) < 30 {
		t.Errorf("only %d pages", len(tp.story))
	}
}
