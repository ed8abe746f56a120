package expect_test

import (
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// An appScreen is a Renderer of a program that has asked for application cursor keys.
type appScreen struct{ expect.Renderer }

func (appScreen) Write(p []byte) (int, error) { return len(p), nil }
func (appScreen) Answers() []byte             { return nil }
func (appScreen) Resize(rows, cols int)       {}
func (appScreen) AppCursor() bool             { return true }

func TestCursorKeysAreThoseThatTheScreenSays(t *testing.T) {
	c, err := expect.Spawn(t.Context(), proc.Command("sh", "-c", "stty raw -echo; echo ready; head -c 6 | od -An -tx1; cat >/dev/null"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Expect(t.Context(), expect.Text("ready")); err != nil {
		t.Fatal(err)
	}
	if err := c.SendKey("up"); err != nil { // no screen: as a terminal starts
		t.Fatal(err)
	}
	if err := c.With(expect.Options{Screen: appScreen{}}).SendKey("up"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Expect(t.Context(), expect.Text("1b 5b 41 1b 4f 41")); err != nil {
		t.Fatal(err)
	}
}
