//go:build linux

package debugger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

func TestMain(m *testing.M) {
	proc.MaybeShim()
	os.Setenv("DEBUGINFOD_URLS", "")
	os.Setenv("LC_ALL", "C.UTF-8")
	os.Exit(m.Run())
}

const askingC = `#include <stdio.h>
#include <unistd.h>
int count, go_on = 1;
int main(void) {
	char name[100];
	printf("name? ");
	fflush(stdout);
	if (!fgets(name, 100, stdin)) return 1;
	printf("hello %s", name);
	count = 7;
	count++;
	while (name[0] == 'l' && go_on) usleep(1000);
	return 3;
}
`

// compiled is a C program with its debug information.
func compiled(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prog.c")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "cc", "-g", "-O0", "-o", filepath.Join(dir, "prog"), file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "prog")
}

func start(t *testing.T, profile string, program proc.Spec) *debugger.Debugger {
	t.Helper()
	d, err := debugger.Start(t.Context(), profile, program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// do gives a command that must succeed.
func do(t *testing.T, d *debugger.Debugger, command string) debugger.Reply {
	t.Helper()
	r, err := d.Do(t.Context(), command)
	if err != nil || !r.OK {
		t.Fatalf("%s: %+v, %v; %s", command, r, err, console(d))
	}
	return r
}

func console(d *debugger.Debugger) string {
	r := d.Console().Output().Reader("test", 1)
	defer r.Close()
	from, to := d.Console().Output().Offsets()
	a, b := r.View(max(from, to-3000), to)
	return fmt.Sprintf("the console shows %q", string(a)+string(b))
}

// A listener waits for events.
type listener struct {
	t    *testing.T
	d    *debugger.Debugger
	next func() (debugger.Event, error, bool)
}

func listen(t *testing.T, d *debugger.Debugger) *listener {
	events := make(chan debugger.Event, 100)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // then a test says what it has seen
	var wg sync.WaitGroup
	ready := make(chan struct{})
	wg.Go(func() {
		defer close(events)
		first := true
		for e, err := range d.Events(ctx) {
			if first {
				close(ready)
				first = false
			}
			if err != nil {
				return
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	})
	<-ready
	t.Cleanup(func() { cancel(); wg.Wait() })
	return &listener{t, d, func() (debugger.Event, error, bool) { e, ok := <-events; return e, nil, ok }}
}

// until waits for an event of this kind.
func (l *listener) until(kind string) debugger.Event {
	l.t.Helper()
	var seen []string
	for {
		e, _, ok := l.next()
		if !ok {
			l.t.Fatalf("no %s; seen %q; %s", kind, seen, console(l.d))
		}
		if e.Kind == kind {
			return e
		}
		seen = append(seen, fmt.Sprintf("%s %s", e.Kind, e.Text))
	}
}

func TestGDB(t *testing.T) {
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	if s := d.State(); s.Phase != debugger.Prompt || s.Debugger != "gdb" || len(s.Breakpoints) != 0 {
		t.Fatalf("at the start: %+v", s)
	}
	events := listen(t, d)
	if e := events.until("state"); e.State.Phase != debugger.Prompt {
		t.Errorf("first %+v", e.State)
	}
	if r := do(t, d, "break prog.c:10"); !strings.HasPrefix(r.Text, "Breakpoint 1 at ") {
		t.Errorf("break: %+v", r)
	}
	if e := events.until("breakpoint"); e.Breakpoint.ID != "1" || e.Breakpoint.Line != 10 || !e.Breakpoint.Enabled {
		t.Errorf("%+v", e.Breakpoint)
	}
	do(t, d, "run")
	events.until("running")
	program := expect.Attach(d.TTY())
	defer program.Close()
	if _, err := program.Expect(t.Context(), expect.Text("name? ")); err != nil {
		t.Fatal(err)
	}
	if err := program.SendLine("loop"); err != nil {
		t.Fatal(err)
	}
	stop := events.until("stopped")
	if stop.Reason != "breakpoint" || stop.File != "prog.c" && !strings.HasSuffix(stop.File, "/prog.c") || stop.Line != 10 || stop.Thread != 1 || stop.Func != "main" {
		t.Errorf("%+v", stop)
	}
	if _, err := program.Expect(t.Context(), expect.Text("hello loop")); err != nil {
		t.Fatal(err)
	}
	do(t, d, "next")
	if e := events.until("stopped"); e.Reason != "step" || e.Line != 11 {
		t.Errorf("%+v", e)
	}
	if r := do(t, d, "print count"); r.Text != "$1 = 7\n" {
		t.Errorf("%+v", r)
	}
	if r := do(t, d, "-data-evaluate-expression count+1"); string(r.MI) != `{"class":"done","results":{"value":"8"}}` {
		t.Errorf("%s", r.MI)
	}
	if r, err := d.Do(t.Context(), "nonsense"); err != nil || r.OK || !strings.Contains(r.Text, "Undefined command") {
		t.Errorf("%+v, %v", r, err)
	}
	do(t, d, "continue") // into the endless loop
	events.until("running")
	if err := d.Interrupt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := events.until("stopped"); e.Reason != "signal" || e.Text != "SIGINT" {
		t.Errorf("%+v", e)
	}
	do(t, d, "set var go_on=0")
	do(t, d, "continue")
	if e := events.until("exited"); e.Status == nil || *e.Status != 3 {
		t.Errorf("%+v", e)
	}
	var busy *debugger.BusyError
	if err := d.Interrupt(t.Context()); !errors.As(err, &busy) {
		t.Errorf("interrupt of what has ended: %v", err)
	}
}

// What a person does at the console is an event too; what a front end lets run,
// ^C at the console interrupts.
func TestGDBAtTheConsole(t *testing.T) {
	d := start(t, "gdb", proc.Command(compiled(t, "int main(void) {\n\tvolatile int i = 0;\n\tfor (;;)\n\t\ti++;\n}\n")))
	events := listen(t, d)
	person := expect.Attach(d.Console())
	defer person.Close()
	if _, err := person.Expect(t.Context(), expect.Text("(gdb) ")); err != nil {
		t.Fatal(err)
	}
	types := func(s string) {
		t.Helper()
		if _, err := io.WriteString(d.Console().Input(), s); err != nil {
			t.Fatal(err)
		}
	}
	types("break main\r")
	if e := events.until("breakpoint"); e.Breakpoint.Func != "main" {
		t.Errorf("%+v", e.Breakpoint)
	}
	types("run\r")
	if e := events.until("stopped"); e.Reason != "breakpoint" {
		t.Errorf("%+v", e)
	}
	types("continue\r")
	events.until("running")
	types("\x03")
	if e := events.until("stopped"); e.Text != "SIGINT" {
		t.Errorf("%+v", e)
	}
	do(t, d, "-exec-continue")
	events.until("running")
	types("\x03")
	if e := events.until("stopped"); e.Text != "SIGINT" {
		t.Errorf("%+v", e)
	}
	types("delete\r")
	if e := events.until("question"); e.Text == "" { // asked at the console
		t.Errorf("%+v", e)
	}
	types("y\r")
	if e := events.until("breakpoint"); !e.Deleted {
		t.Errorf("%+v", e)
	}
}

// Two front ends share the machine interface as if each were alone.
func TestManyFrontEnds(t *testing.T) {
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	const each = 1000
	var wg sync.WaitGroup
	for client := range 2 {
		ours, theirs := net.Pipe()
		wg.Go(func() {
			if err := d.ServeMI(t.Context(), theirs); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("serve: %v", err)
			}
		})
		wg.Go(func() {
			defer ours.Close()
			go func() {
				for i := range each {
					fmt.Fprintf(ours, "%d-data-evaluate-expression %d+%d\n", i, client*100000, i)
				}
			}()
			in := bufio.NewScanner(ours)
			for next := 0; next < each && in.Scan(); {
				if want := fmt.Sprintf(`%d^done,value="%d"`, next, client*100000+next); in.Text() == want {
					next++
				} else if strings.Contains(in.Text(), "^") {
					t.Errorf("client %d: got %q, want %q", client, in.Text(), want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// What one front end does to a breakpoint the others hear, though gdb does not
// tell them; and events are the same for all.
func TestWithheldNotices(t *testing.T) {
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	connect := func() (net.Conn, func(string) string) {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { ours.Close() })
		go func() { _ = d.ServeMI(t.Context(), theirs) }()
		lines := bufio.NewScanner(ours)
		return ours, func(prefix string) string {
			t.Helper()
			for lines.Scan() {
				if strings.HasPrefix(lines.Text(), prefix) {
					return lines.Text()
				}
			}
			t.Fatalf("no %s: %v", prefix, lines.Err())
			return ""
		}
	}
	a, hearsA := connect()
	_, hearsB := connect()
	hearsB("(gdb)")
	events := listen(t, d)
	says := func(line string) { t.Helper(); fmt.Fprintln(a, line) }
	hearsA("(gdb)")
	says("5-break-insert main")
	hearsA(`5^done,bkpt={number="1"`)
	hearsB(`=breakpoint-created,bkpt={number="1",type="breakpoint"`)
	if e := events.until("breakpoint"); e.Breakpoint.ID != "1" {
		t.Errorf("%+v", e.Breakpoint)
	}
	says("6-break-disable 1")
	hearsA("6^done")
	if got := hearsB("=breakpoint-modified"); !strings.Contains(got, `enabled="n"`) {
		t.Error(got)
	}
	if e := events.until("breakpoint"); e.Breakpoint.Enabled {
		t.Errorf("%+v", e.Breakpoint)
	}
	says("7-break-delete 1")
	hearsA("7^done")
	hearsB(`=breakpoint-deleted,id="1"`)
	if e := events.until("breakpoint"); !e.Deleted || len(d.State().Breakpoints) != 0 {
		t.Errorf("%+v", e)
	}
	says("8commands 1")
	if got := hearsA("8^error"); !strings.Contains(got, "-break-commands") {
		t.Error(got)
	}
	says("9-list-features")
	hearsA("9^done")
}

// A front end that does not read freezes nobody, and costs a bounded memory.
func TestAStoppedFrontEnd(t *testing.T) {
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	_, theirs := net.Pipe() // nobody reads the other side
	go func() { _ = d.ServeMI(t.Context(), theirs) }()
	_, watcher := net.Pipe()
	go func() { _ = d.ServeEvents(t.Context(), watcher, false) }()
	for i := range 10 {
		do(t, d, fmt.Sprintf("python print('x' * 50000, %d)", i))
	}
	if r := do(t, d, "print 6*7"); !strings.HasSuffix(r.Text, "= 42\n") {
		t.Errorf("%+v", r)
	}
}

func TestServeEvents(t *testing.T) {
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() { _ = d.ServeEvents(t.Context(), theirs, true) }()
	lines := bufio.NewScanner(ours)
	var lineup []map[string]any
	answer := func(id string) map[string]any {
		t.Helper()
		for {
			for _, m := range lineup {
				if fmt.Sprint(m["id"]) == id {
					return m
				}
			}
			if !lines.Scan() {
				t.Fatalf("no answer to %s", id)
			}
			var m map[string]any
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				t.Fatalf("%s: %v", lines.Text(), err)
			}
			if _, ok := m["ok"]; ok {
				lineup = append(lineup, m)
			}
		}
	}
	go fmt.Fprintln(ours, `{"id":1,"do":"break main"}
{"id":"x","interrupt":true}
nonsense
{"id":3}`)
	if m := answer("1"); m["ok"] != true || !strings.HasPrefix(m["text"].(string), "Breakpoint 1") {
		t.Errorf("%v", m)
	}
	if m := answer("<nil>"); m["ok"] != false || !strings.Contains(m["text"].(string), "no request") {
		t.Errorf("%v", m)
	}
	if m := answer("3"); m["ok"] != false {
		t.Errorf("%v", m)
	}
}
