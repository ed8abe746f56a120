//go:build unix

package script_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/script"
)

func TestMain(m *testing.M) {
	proc.MaybeShim()
	os.Exit(m.Run())
}

// A result is what a script left.
type result struct {
	out, log string
	status   int
	err      error
}

// run runs the lines of a script called t.star.
func run(t *testing.T, src string, args ...string) result {
	t.Helper()
	return runWith(t, t.Context(), script.Options{Args: args, Env: os.Environ()}, src)
}

func runWith(t *testing.T, ctx context.Context, o script.Options, src string) result {
	t.Helper()
	var out, log bytes.Buffer
	if o.Stdout == nil {
		o.Stdout = &out
	}
	o.Stderr = &log
	p, err := script.Load("t.star", []byte(strings.TrimPrefix(src, "\n")))
	if err != nil {
		return result{status: 125, err: err}
	}
	status, err := p.Run(ctx, o)
	return result{out.String(), log.String(), status, err}
}

// says runs a script that must end well and print this.
func says(t *testing.T, src, want string) {
	t.Helper()
	r := run(t, src)
	if r.err != nil || r.status != 0 {
		t.Fatalf("status %d, error %v\noutput %q", r.status, r.err, r.out)
	}
	if r.out != want {
		t.Errorf("prints %q\nwant   %q", r.out, want)
	}
}

// ends runs a script that must end with this status and an error that says all of these.
func ends(t *testing.T, src string, status int, parts ...string) error {
	t.Helper()
	r := run(t, src)
	if r.err == nil || r.status != status {
		t.Fatalf("status %d, error %v, want status %d and an error", r.status, r.err, status)
	}
	var e *script.Error
	if !errors.As(r.err, &e) {
		t.Errorf("the error is a %T", r.err)
	}
	for _, part := range parts {
		if !strings.Contains(r.err.Error(), part) {
			t.Errorf("the error says\n%v\nbut not %q", r.err, part)
		}
	}
	return r.err
}

func TestDialog(t *testing.T) {
	says(t, `
p = spawn(["sh", "-c", "printf 'Name? '; read n; printf 'Sure? [Y/n] '; read a; echo hello $n $a"])
m = p.expect("Name? ")
p.sendline("Ada")
m = p.expect("never", "[Y/n] ")
print(m.index, m.text, repr(m.before))
p.sendline("y")
print(p.expect(EOF).before.strip())
print(p.wait().status)
`, "1 [Y/n]  \"Sure? \"\nhello Ada y\n0\n")
}
