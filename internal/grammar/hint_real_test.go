//go:build unix

package grammar

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// What package expect really says is known here.
func TestHintsOfExpect(t *testing.T) {
	start := func(spec proc.Spec) *expect.Console {
		c, err := expect.Spawn(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	spawn := func(script string) *expect.Console { return start(proc.Command("sh", "-c", script)) }
	asked := spawn("stty -echo; printf 'Password: '; read x")
	for _, come := range []expect.Pattern{expect.Text("Password: "), expect.Waiting} {
		if _, err := asked.Expect(t.Context(), come); err != nil {
			t.Fatal(err)
		}
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	_, atPassword := asked.Expect(late, expect.Text("$ "))
	_, regexpForText := spawn("printf '[Y/n] 42'").Expect(t.Context(), expect.Regexp("[Y/n] 42"))
	_, textForRegexp := spawn("printf '[Y/n] 42'").Expect(t.Context(), expect.Text(`\d+$`))
	unproved := start(proc.Spec{Args: []string{"cat"}, Stdio: proc.Pipes}).SendSecret(t.Context(), func(context.Context) ([]byte, error) { return []byte("x"), nil })
	for _, tt := range []struct {
		err  error
		want string
	}{
		{spawn("read x").Send("\x03"), "sendkey ctrl-c"},
		{regexpForText, `"[Y/n] 42" is there as text: write '[Y/n] 42' without slashes`},
		{textForRegexp, `"\\d+$" matches as a regular expression: write '/\d+$/'`},
		{unproved, "sendsecret -unproved types it all the same"},
		{atPassword, "answer it: sendsecret env:NAME"},
	} {
		var e *expect.Error
		if !errors.As(tt.err, &e) {
			t.Errorf("no error of expect: %v", tt.err)
			continue
		}
		if got := Hint(e.Hint(), func(word string) string { return word }); got != tt.want {
			t.Errorf("got  %s\nwant %s\n%v", got, tt.want, e)
		}
	}
}
