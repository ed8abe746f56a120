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

// Without a screen the output says what the keys are, also what nobody has read yet.
func TestCursorKeysAreThoseThatTheOutputAsksFor(t *testing.T) {
	const program = `stty raw -echo; printf 'one\033[?1h'; head -c 3 | od -An -tx1; printf '\033[?1l'; echo two; head -c 3 | od -An -tx1; cat >/dev/null`
	c, err := expect.Spawn(t.Context(), proc.Command("sh", "-c", program))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, step := range []struct{ before, answer string }{{"one", "1b 4f 42"}, {"two", "1b 5b 42"}} {
		if _, err := c.Expect(t.Context(), expect.Text(step.before)); err != nil {
			t.Fatal(err)
		}
		if step.before == "one" {
			if _, err := c.Expect(t.Context(), expect.Waiting); err != nil { // it has asked
				t.Fatal(err)
			}
		}
		if err := c.SendKey("down"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Expect(t.Context(), expect.Text(step.answer)); err != nil {
			t.Fatal(err)
		}
	}
}
