//go:build linux

package web_test

import (
	"context"
	"flag"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/internal/web"
	"github.com/spawnx/spawnx/proc"
	"github.com/spawnx/spawnx/session"
)

var shots = flag.String("shots", "", "keep the browser's screenshots in this `FOLDER`")

// The page as npm builds it, in Chromium, beside a gdb that runs already: see
// ui/test/page.js.
func TestThePageInABrowser(t *testing.T) {
	ui, built := build(t)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	prog := filepath.Join(t.TempDir(), "prog")
	run(t, "", "cc", "-g", "-O0", "-o", prog, filepath.Join(ui, "test", "prog.c"))
	debug(t, "prog", "gdb", prog)
	script := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(script, []byte("n = 6\nn *= 7\nprint(n)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	debug(t, "script", "pdb", script)
	share(t, "noise", "sh", "-c", `trap 'echo "that was all"' INT; printf 'ready? '; read x; yes; exec cat`)

	drives, watches := browse(t, built, true), browse(t, built, false)
	folder := *shots
	if folder == "" {
		folder = t.TempDir()
	}
	run(t, ui, "node", "test/page.js", drives.URL+"/#right", watches.URL+"/#right", folder)
}

// debug runs a debugger under a name.
func debug(t *testing.T, as, profile, program string) {
	t.Helper()
	name, err := session.Reserve(as)
	if err != nil {
		t.Fatal(err)
	}
	d, err := debugger.Start(t.Context(), profile, proc.Command(program))
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Publish(name, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); d.Close(); name.Release() })
}

// build builds the page outside the tree.
func build(t *testing.T) (ui string, files fs.FS) {
	t.Helper()
	ui = t.TempDir()
	for _, part := range []string{"src", "test"} {
		if err := os.CopyFS(filepath.Join(ui, part), os.DirFS(filepath.Join("ui", part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"package.json", "package-lock.json", "build.js"} {
		data, err := os.ReadFile(filepath.Join("ui", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(ui, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, ui, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	run(t, ui, "node", "build.js", "dist")
	return ui, os.DirFS(filepath.Join(ui, "dist"))
}

func browse(t *testing.T, files fs.FS, drive bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	h := web.NewHandler(web.Options{Token: "right", Hosts: web.Hosts(server.Listener.Addr()), Drive: drive, Name: "prog", Files: files})
	server.Config.Handler = h
	server.Start()
	t.Cleanup(func() { h.Close(); server.Close() })
	return server
}

// run runs a program of the build or the test, whose temporary files go with the test.
func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	temp, err := os.MkdirTemp("", "w") // a short name: Chromium has a socket there, whose path may have 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(temp); err != nil {
			t.Error(err)
		}
	})
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	t.Logf("%v\n%s", args, out)
}
