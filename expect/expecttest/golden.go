package expecttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/internal/golden"
)

// Screen waits until the screen is at rest and equals the file
// testdata/TestName/NAME.screen: its text, size and cursor. In the file "[..]"
// stands for any text in a row, and a line "..." for any number of rows.
//
// The file is written anew, or for the first time, when the test binary has an
// -update flag of its own and it is set, or with SPAWNX_UPDATE=1; rows whose
// masks still fit stay as they are.
func (c *Console) Screen(name string) {
	c.t.Helper()
	c.screen(name, false)
}

// StyledScreen is Screen for a file that also holds colours and attributes.
func (c *Console) StyledScreen(name string) {
	c.t.Helper()
	c.screen(name, true)
}

func (c *Console) screen(name string, styles bool) {
	c.t.Helper()
	if name == "" || strings.ContainsAny(name, `/\`) {
		c.t.Fatalf("screen: %q is no name of a screen", name)
	}
	path := filepath.Join("testdata", filepath.FromSlash(safe(c.t.Name())), name+".screen")
	file, err := os.ReadFile(path)
	switch {
	case updating():
		c.update(name, path, string(file), styles)
		return
	case errors.Is(err, fs.ErrNotExist):
		_ = c.rests(name) // so that the error shows what would be written; it matters more than why it never rested
		c.must(fmt.Errorf("screen %s: %s is not there\nhint: SPAWNX_UPDATE=1 go test -run '^%s$' writes it", name, path, c.t.Name()))
	case err != nil:
		c.must(fmt.Errorf("screen %s: %w", name, err))
	}
	if err := golden.Check(string(file)); err != nil {
		c.must(fmt.Errorf("screen %s: %s: %w", name, path, err))
	}
	var differs error
	err = c.settled("screen "+name, c.c, func() bool {
		differs = golden.Compare(string(file), c.watch.Screen(), styles)
		return differs == nil
	})
	if err != nil {
		c.must(&notShown{name, err, differs})
	}
}

// A notShown is the error of a wait for a screen: what differs stands for what
// was wanted and what the screen shows.
type notShown struct {
	name    string
	err     error
	differs error // nil: it never came to rest
}

func (e *notShown) Unwrap() error { return e.err }

func (e *notShown) Error() string {
	var b strings.Builder
	for i, line := range strings.Split(e.err.Error(), "\n") {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "screen %s: %s", e.name, strings.Replace(strings.TrimPrefix(line, "expect: "), "nothing matched in", "still differs after", 1))
			if e.differs != nil {
				b.WriteString("\n" + strings.TrimRight(e.differs.Error(), "\n"))
			}
		case !strings.HasPrefix(line, "  wanted ") && !strings.HasPrefix(line, "  screen ") && !strings.HasPrefix(line, "           |"):
			b.WriteString("\n" + line)
		}
	}
	return b.String()
}

// settled asks, each time when the screen has come to rest anew, whether it is
// as it should be.
func (c *Console) settled(op string, console *expect.Console, right func() bool) error {
	c.watch.Waits("the " + op)
	ctx, cancel := c.context(0)
	defer cancel()
	look := expect.On(expect.OnScreen(expect.Regexp("")), func(context.Context, *expect.Console, expect.Match) error {
		if right() {
			return expect.Done
		}
		return nil
	})
	_, err := console.Expect(ctx, look)
	return err
}

// A screen that is written down must not be one on the way to another: it rests
// for longer than one that is compared.
const updateSettle = 500 * time.Millisecond

// Programs hold an esc back, as it may begin another key: vim does so for a second.
const escSettle = 2 * time.Second

// rests waits until the screen is at rest for so long that it may be written down.
func (c *Console) rests(name string) error {
	settle := updateSettle
	if c.escaped {
		settle = escSettle
	}
	return c.settled("screen "+name, c.c.With(expect.Options{Settle: settle}), func() bool { return true })
}

// update writes the file.
func (c *Console) update(name, path, old string, styles bool) {
	c.t.Helper()
	c.must(c.rests(name))
	file := golden.Update(old, c.watch.Screen(), styles)
	if file == old {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		c.must(err)
	}
	c.must(os.WriteFile(path, []byte(file), 0o666))
	c.t.Logf("screen %s: %s is written", name, path)
}

// updating reports whether goldens are to be written.
func updating() bool { return flagSet("update") || os.Getenv("SPAWNX_UPDATE") == "1" }

func flagSet(name string) bool {
	f := flag.Lookup(name)
	return f != nil && f.Value.String() == "true"
}

// safe is a test's name as a path on every system.
func safe(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*\`, r) {
			return '_'
		}
		return r
	}, name)
}
