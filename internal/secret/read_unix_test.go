//go:build unix

package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// cancelled returns a context that ends at some time soon: before, while or
// after something begins to wait for it.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	return ctx
}

func TestReadNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, cancelled(t), "file:"+path); !errors.Is(err, context.Canceled) {
		t.Errorf("without a writer: %q, %v", got, err)
	}
	w := exec.Command("sh", "-c", `printf 'hun'; printf 'ter2\n'`)
	w.Stdout = nil
	w.Args[2] = fmt.Sprintf("{ %s; } >%s", w.Args[2], path)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, t.Context(), "file:"+path); got != "hunter2" || err != nil {
		t.Errorf("with a writer: %q, %v", got, err)
	}
	if err := w.Wait(); err != nil {
		t.Error(err)
	}
}

func TestReadDirectory(t *testing.T) {
	if got, err := read(t, t.Context(), "file:"+t.TempDir()); !errors.Is(err, unix.EISDIR) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestReadDescriptor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ref := fmt.Sprintf("fd:%d", r.Fd())
	if got, err := read(t, cancelled(t), ref); !errors.Is(err, context.Canceled) {
		t.Errorf("nothing written: %q, %v", got, err)
	}
	if _, err := w.WriteString("hunter2\r\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got, err := read(t, t.Context(), ref); got != "hunter2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := read(t, t.Context(), ref); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("for the second time: %q, %v", got, err)
	}
	if _, err := r.Stat(); err != nil {
		t.Errorf("our descriptor was closed: %v", err)
	}
	if got, err := read(t, t.Context(), "fd:1000000"); !errors.Is(err, unix.EBADF) && !errors.Is(err, unix.EINVAL) {
		t.Errorf("a descriptor that is not open: %q, %v", got, err)
	}
}

func TestReadCommand(t *testing.T) {
	for ref, want := range map[string]string{
		"cmd:echo hunter2":                           "hunter2",
		`cmd:printf 'hunter2\r\n'`:                   "hunter2",
		`cmd:printf '%s|' "a  b" c\ d ''`:            "a  b|c d||",
		"cmd:sh -c 'echo a; echo b; echo noise >&2'": "a\nb",
	} {
		if got, err := read(t, t.Context(), ref); got != want || err != nil {
			t.Errorf("%s gives %q, %v, want %q", ref, got, err, want)
		}
	}
	for ref, want := range map[string]string{
		"cmd:true":  "it is empty",
		"cmd:false": "exit status 1",
		`cmd:sh -c 'echo hunter2; echo " no key\33[31m" >&2; exit 3'`: `exit status 3: "no key\x1b[31m"`,
		"cmd:sh -c 'kill -9 $$'":     "signal: killed",
		"cmd:no-such-command-here x": `exec: "no-such-command-here": executable file not found in $PATH`,
		"cmd:cat /dev/zero":          "it is longer than 64 KiB",
	} {
		want := fmt.Sprintf("secret %q: %s", ref, want)
		if got, err := read(t, t.Context(), ref); err == nil || err.Error() != want {
			t.Errorf("%s gives %q, %v, want %s", ref, got, err, want)
		}
	}
	if got, err := read(t, cancelled(t), "cmd:cat /dev/zero"); !errors.Is(err, context.Canceled) && !errors.Is(err, errTooLong) {
		t.Errorf("given up: %q, %v", got, err)
	}
	if got, err := read(t, cancelled(t), "cmd:sleep 1000"); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %q, %v", got, err)
	}
}

func TestReadCommandShowsTheEndOfItsErrors(t *testing.T) {
	_, err := read(t, t.Context(), `cmd:sh -c 'i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done >&2; exit 1'`)
	if err == nil || !strings.HasSuffix(err.Error(), `line 499"`) || len(err.Error()) > 2000 {
		t.Errorf("the error is %v", err)
	}
}

// A daemon that a password manager starts may keep its output open for ever.
func TestReadCommandThatLeavesSomethingBehind(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	// It ends with the test, which holds the other end.
	hold, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	got, err := read(t, t.Context(), fmt.Sprintf(`cmd:sh -c 'echo hunter2; cat <%s &'`, path))
	if got != "hunter2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
