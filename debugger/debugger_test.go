//go:build linux

package debugger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	if program := os.Getenv(serveVariable); program != "" {
		if err := serveAlone(program); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
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

var heavy = flag.Bool("heavy", false, "the large versions of tests: 10,000 commands, 100 MB")

// compiled is a C program with its debug information.
func compiled(t testing.TB, text string) string {
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
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	doors := publish(t, d, "")
	each := 1000
	if *heavy {
		each = 10_000
	}
	var wg sync.WaitGroup
	for client := range 2 {
		conn := dial(t, doors, debugger.ChannelMI)
		wg.Go(func() {
			for i := range each {
				fmt.Fprintf(conn, "%d-data-evaluate-expression %d+%d\n", i, client*100000, i)
			}
		})
		wg.Go(func() {
			in := bufio.NewScanner(conn)
			next := 0
			for next < each && in.Scan() {
				if want := fmt.Sprintf(`%d^done,value="%d"`, next, client*100000+next); in.Text() == want {
					next++
				} else if strings.Contains(in.Text(), "^") {
					t.Errorf("client %d: got %q, want %q", client, in.Text(), want)
					return
				}
			}
			if next < each {
				t.Errorf("client %d: %d answers, then %v", client, next, in.Err())
			}
		})
	}
	wg.Wait()
}

// dial connects to a channel at its socket.
func dial(t *testing.T, doors debugger.Doors, channel string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", doors.Channels[channel])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
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
	says("10-gdb-exit") // what a front end says when it is closed
	hearsA("10^exit")
	if r := do(t, d, "print 6*7"); r.Text != "$1 = 42\n" {
		t.Errorf("gdb after a front end has left: %+v", r)
	}
}

// Front ends that do not read freeze nobody and cost a bounded memory, however much
// gdb says; when they read again, they are told what they have missed and go on.
func TestAStoppedFrontEnd(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	d := start(t, "gdb", proc.Command(compiled(t, "char large[1 << 20];\nint main(void) { return large[0]; }\n")))
	do(t, d, "-break-insert main")
	doors := publish(t, d, "")
	working := dial(t, doors, debugger.ChannelMI)
	in := bufio.NewReader(working)
	waits := func(until string) {
		t.Helper()
		for line := ""; !strings.HasPrefix(line, until); {
			var err error
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	fmt.Fprintln(working, "-exec-run")
	waits("*stopped")
	stopped, quiet := dial(t, doors, debugger.ChannelMI), dial(t, doors, debugger.ChannelEvents)
	fmt.Fprintf(working, "1-break-commands 1 \"echo %s\"\n", strings.Repeat("x", 64<<10))
	waits("1^done")
	rounds := 80 // each a notice of 64 KB for the others: more than what is kept for one that is slow
	if *heavy {
		rounds = 400
	}
	var used, most uint64
	for i := range rounds {
		fmt.Fprintf(working, "%d-break-%s 1\n", i, []string{"disable", "enable"}[i%2])
		waits(fmt.Sprintf("%d^done", i))
		if *heavy {
			fmt.Fprintln(working, "1000-data-read-memory-bytes large 131072")
			waits("1000^done")
		}
		if i == 0 || i%20 == 19 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			if i == 0 {
				used = m.HeapAlloc
			}
			most = max(most, m.HeapAlloc)
		}
	}
	t.Logf("%d KB more are in use at most", (most-used)>>10)
	if most-used > 3*8<<20 { // two outboxes of 4 MiB, rings
		t.Errorf("%d bytes are in use, %d at the start", most, used)
	}
	if r := do(t, d, "print 6*7"); !strings.HasSuffix(r.Text, "= 42\n") {
		t.Errorf("%+v", r)
	}
	fmt.Fprintln(stopped, "7-data-evaluate-expression 6*7")
	late := bufio.NewScanner(stopped)
	late.Buffer(nil, 1<<20)
	hear(t, late, `&"spawnx: `)
	hear(t, late, `7^done,value="42"`)
	fmt.Fprintln(quiet, `{"id":1,"do":"-data-evaluate-expression 6*7"}`)
	hear(t, bufio.NewScanner(quiet), `{"id":1,"ok":true`)
}

// An answer that is too long is an error for who waits for it, and nobody else.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	d := start(t, "gdb", proc.Command(compiled(t, "char large[9 << 20];\nint main(void) { return large[0]; }\n")))
	do(t, d, "-gdb-set max-value-size unlimited")
	do(t, d, "-break-insert main")
	events := listen(t, d)
	do(t, d, "-exec-run")
	events.until("stopped")
	r, err := d.Do(t.Context(), "-data-read-memory-bytes large 9437184")
	if err != nil || r.OK || !strings.Contains(r.Text, "a line of 1887") {
		t.Errorf("%.200v, %v", r, err)
	}
	if r := do(t, d, "-data-evaluate-expression sizeof(large)"); !strings.Contains(string(r.MI), "9437184") {
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
