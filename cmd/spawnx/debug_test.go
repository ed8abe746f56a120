//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A debugger runs in the background; a front end and a person come later, see the same, and leave.
func TestDebug(t *testing.T) {
	folder(t)
	program := filepath.Join(t.TempDir(), "prog.py")
	if err := os.WriteFile(program, []byte("name = input('name? ')\nprint('hello', name)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := spawnxRun(t, nil, "debug", "-d", "--json", "pdb", program)
	var doors debugger.Doors
	if err := json.Unmarshal([]byte(r.out), &doors); err != nil || r.status != 0 || doors.Name != "prog" {
		t.Fatalf("%v: %+v", err, r)
	}
	t.Cleanup(func() { spawnxRun(t, nil, "stop", "prog") })
	var listed debugger.Doors
	if err := json.Unmarshal([]byte(spawnxRun(t, nil, "list", "--json").out), &listed); err != nil || listed.Channels["tty"] != doors.Channels["tty"] || listed.PTS != doors.PTS {
		t.Errorf("%v: listed %+v, told %+v", err, listed, doors)
	}
	if got := spawnxRun(t, nil, "attach", "prog.mi"); got.status != 1 || !strings.Contains(got.err, "attach prog.mi: prog has no channel mi\nhint: ") {
		t.Errorf("%+v", got)
	}
	events, err := net.Dial("unix", doors.Channels["events"])
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	_ = events.SetReadDeadline(time.Now().Add(2 * time.Minute)) // a socket takes one
	lines := bufio.NewScanner(events)
	var heard []string
	says := func(part string) {
		t.Helper()
		for lines.Scan() {
			heard = append(heard, lines.Text())
			if strings.Contains(lines.Text(), part) {
				return
			}
		}
		t.Fatalf("no %s, but %q", part, heard)
	}
	fmt.Fprintln(events, `{"id":1,"do":"break 2"}`)
	says(`{"id":1,"ok":true,"text":"Breakpoint 1 at`)

	console := person(t, proc.Command("spawnx", "attach", "prog"))
	sees(t, console, expect.Text("(Pdb) "))
	tty := person(t, proc.Command("spawnx", "attach", "prog.tty"))
	types(t, console, "continue")
	sees(t, tty, expect.Text("name? "))
	types(t, tty, "Ada")
	sees(t, console, expect.Text("prog.py(2)"))
	says(`"kind":"stopped"`) // before, it would take no command
	fmt.Fprintln(events, `{"id":2,"do":"p name"}`)
	says(`{"id":2,"ok":true,"text":"'Ada'\n"`)
	if got := spawnxRun(t, nil, "stop", "prog"); got.status != 0 {
		t.Errorf("stop: %+v", got)
	}
	if got := spawnxRun(t, nil, "wait", "prog"); got.err != "" {
		t.Errorf("wait: %+v", got)
	}
}

func TestDebugWrongUsage(t *testing.T) {
	folder(t)
	for _, tt := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, 125, "debug: a PROFILE is wanted\nhint: spawnx debug gdb ./prog"},
		{[]string{"softice"}, 125, "debug: unknown profile \"softice\"\nhint: there are bashdb, dlv, gdb"},
		{[]string{"gdb", "./a b"}, 125, "debug: the program's name cannot be a NAME\nhint: choose one with --name"},
		{[]string{"-d", "gdb", "./nosuch"}, 127, "start ./nosuch: file does not exist"},
		{[]string{"-d", "lldb", "./nosuch"}, 127, "start ./nosuch: file does not exist"},
		{[]string{"--join", "pdb"}, 125, "pdb cannot be joined"},
		{[]string{"-d", "pdb", "/no/such.py"}, 1, "start pdb: the debugger has ended before it took commands: \"Error: /no/such.py does not exist"},
	} {
		got := spawnxRun(t, nil, append([]string{"debug"}, tt.args...)...)
		if got.status != tt.status || !strings.HasPrefix(got.err, "spawnx: "+tt.says) {
			t.Errorf("%q: %+v", tt.args, got)
		}
	}
}
