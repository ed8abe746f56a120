//go:build linux

package web_test

import (
	"context"
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

// The page as npm builds it, in Chromium, beside a gdb that runs already: see
// ui/test/page.js.
func TestThePageInABrowser(t *testing.T) {
	ui, built := build(t)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	prog := filepath.Join(ui, "test", "prog")
	run(t, "", "cc", "-g", "-O0", "-o", prog, filepath.Join(ui, "test", "prog.c"))
	debug(t, "prog", "gdb", prog)
	script := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(script, []byte("n = 6\nn *= 7\nprint(n)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	debug(t, "script", "pdb", script)
	others(t, prog)
	share(t, "noise", "sh", "-c", `trap 'echo "that was all"' INT; printf 'ready? '; read x; yes; exec cat`)

	drives, watches, plain := browse(t, built, true), browse(t, built, false), browse(t, os.DirFS("plain"), true)
	run(t, ui, "node", "test/page.js", drives.URL+"/#right", watches.URL+"/#right", plain.URL+"/#right",
		t.ArtifactDir()) // go test -artifacts keeps the screenshots
}

// others runs each of the other debuggers under its name.
func others(t *testing.T, prog string) {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{
		"prog.pl":   "our $n = 6;\n$n *= 7;\nprint \"$n\\n\";\n",
		"prog.js":   "let n = 6;\nn *= 7;\nconsole.log(n);\n",
		"prog.go":   "package main\n\nfunc main() {\n\tn := 42\n\tprintln(n)\n}\n",
		"Prog.java": "public class Prog {\n\tpublic static void main(String[] a) {\n\t\tint n = 6;\n\t\tn *= 7;\n\t\tSystem.out.println(n);\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "go", "build", "-gcflags", "-N -l", "-o", "prog", "prog.go")
	run(t, dir, "javac", "-g", "Prog.java")
	debugIn(t, dir, "perl", "perl", "prog.pl")
	debugIn(t, dir, "node", "node", "prog.js")
	debugIn(t, dir, "lldb", "lldb", prog)
	debugIn(t, dir, "dlv", "dlv", "./prog")
	debugIn(t, dir, "jdb", "jdb", "Prog")
}

// debug runs a debugger under a name.
func debug(t *testing.T, as, profile, program string) {
	t.Helper()
	debugIn(t, "", as, profile, program)
}

func debugIn(t *testing.T, dir, as, profile, program string) {
	t.Helper()
	name, err := session.Reserve(as)
	if err != nil {
		t.Fatal(err)
	}
	d, err := debugger.Start(t.Context(), profile, proc.Spec{Args: []string{program}, Dir: dir})
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
