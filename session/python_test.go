//go:build unix

package session_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

// python runs examples/client.py, which knows the protocol from its paper
// alone.
func python(t *testing.T, addr, input string, env ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command("python3", filepath.Join("..", "examples", "client.py"), addr)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestThePaperSufficesForAClient(t *testing.T) {
	inRuntimeDir(t)
	spec := proc.Command("sh", "-c", `while read line; do echo "got $line"; echo "err $line" >&2; done; exit 7`)
	spec.Stdio = proc.Pipes
	serve(t, "job", spec, session.Options{})
	out, errs, status := python(t, "job", "one\ntwo\n")
	if out != "got one\ngot two\n" || errs != "err one\nerr two\n" || status != 7 {
		t.Errorf("stdout %q, stderr %q, status %d", out, errs, status)
	}
}

// Megabytes in both directions, over TLS.
func TestThePaperSufficesForMuch(t *testing.T) {
	inRuntimeDir(t)
	token := session.NewToken()
	spec := proc.Command("cat")
	spec.Stdio = proc.Pipes
	s, _ := serve(t, "cat", spec, session.Options{Token: token})
	addr, err := s.Listen("spawnx:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	input := strings.Repeat("0123456789abcdef\n", 60_000)
	out, errs, status := python(t, addr, input, "SPAWNX_TOKEN="+string(token), "SPAWNX_FINGERPRINT="+s.Fingerprint())
	if out != input || errs != "" || status != 0 {
		t.Errorf("%d bytes came back of %d, stderr %q, status %d", len(out), len(input), errs, status)
	}
	for _, env := range [][]string{
		{"SPAWNX_TOKEN=" + string(token), "SPAWNX_FINGERPRINT=" + strings.Repeat("0", 64)},
		{"SPAWNX_TOKEN=wrong", "SPAWNX_FINGERPRINT=" + s.Fingerprint()},
	} {
		if out, errs, status := python(t, addr, "", env...); status != 1 || out != "" {
			t.Errorf("%s: let in: %q %q %d", env, out, errs, status)
		}
	}
}
