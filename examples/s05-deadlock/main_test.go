//go:build linux

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spawnx/spawnx/diag"
)

const dialog = "Parent got: [Child got: [Hello 1 from parent]]\nParent got: [Child got: [Hello 2 from parent]]\n"

// As they are, both wait, and the explanation names both, and the bytes.
func TestDeadlock(t *testing.T) {
	var told bytes.Buffer
	err := cure{}.talk(t.Context(), ".", &told)
	f, ok := isDeadlock(err)
	if !ok || told.Len() > 0 {
		t.Fatalf("%v, told %q", err, told.String())
	}
	why := regexp.MustCompile(`^gawk -v flush=0 -f ask\.awk \(pid (\d+)\) waits for gawk -v flush=0 -f answer\.awk \(pid (\d+)\) to write ` +
		`and holds back 20 bytes \("Hello 1 from parent\\n"\); gawk -v flush=0 -f answer\.awk \(pid (\d+)\) waits for gawk .* ask\.awk \(pid (\d+)\) to write$`)
	m := why.FindStringSubmatch(f.Why)
	if m == nil || m[1] != m[4] || m[2] != m[3] || f.Grade != diag.Kernel {
		t.Errorf("the explanation: %v", f)
	}
	if !strings.Contains(f.Cure, "pty-stdout") || !strings.Contains(f.Cure, "fflush()") {
		t.Errorf("the cure: %s", f.Cure)
	}
}

func TestThreeCures(t *testing.T) {
	for _, c := range []cure{{name: "flushed", flush: true}, {name: "unbuffered", unbuffered: true}, {name: "terminal", terminal: true}} {
		var told bytes.Buffer
		if err := c.talk(t.Context(), ".", &told); err != nil || told.String() != dialog {
			t.Errorf("%s: %v, told %q", c.name, err, told.String())
		}
	}
}

// The same on the command line: explained while it hangs, and cured by flags.
func TestOnTheCommandLine(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "spawnx")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "github.com/spawnx/spawnx/cmd/spawnx").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	link := func(flags ...string) *exec.Cmd {
		return exec.Command(bin, append(append([]string{"link"}, flags...), "gawk -f ask.awk", "gawk -f answer.awk")...)
	}
	for _, flags := range [][]string{nil, {"--tee", os.DevNull}} { // joined directly, and past spawnx
		cmd := link(flags...)
		errs, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var told []string
		for lines := bufio.NewScanner(errs); len(told) < 4 && lines.Scan(); {
			told = append(told, lines.Text())
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was interrupted
		all := strings.Join(told, "\n")
		for _, want := range []string{"spawnx: link: gawk -f ", " wait for each other\n", `holds back 20 bytes ("Hello 1 from parent\n")`, "\nhint: let gawk -f ask.awk "} {
			if !strings.Contains(all, want) {
				t.Errorf("%v: told %q, want %q in it", flags, all, want)
			}
		}
	}
	for _, flags := range [][]string{{"--unbuffered"}, {"--stdio", "pty-stdout"}, {"--stdio", "pty"}} {
		cmd := link(flags...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		err := cmd.Run()
		if got := strings.ReplaceAll(errs.String(), "gawk#1: ", ""); err != nil || got != dialog {
			t.Errorf("%v: %v, told %q", flags, err, got)
		}
	}
}
