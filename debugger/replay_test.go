//go:build linux

package debugger_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/spawnx/spawnx/debugger"
	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/proc"
)

// A session is written down, and played without gdb: a front end that asks the
// same sees the same.
func TestReplay(t *testing.T) {
	session := func(d *debugger.Debugger) (seen []string) {
		events := listen(t, d)
		seen = append(seen, do(t, d, "break main").Text)
		do(t, d, "run")
		stop := events.until("stopped")
		seen = append(seen, stop.Reason, stop.Func)
		seen = append(seen, string(do(t, d, "-data-evaluate-expression 6*7").MI))
		do(t, d, "continue")
		program := expect.Attach(d.TTY())
		defer program.Close()
		if _, err := program.Expect(t.Context(), expect.Text("name? ")); err != nil {
			t.Fatal(err)
		}
		if err := program.SendLine("Ada"); err != nil {
			t.Fatal(err)
		}
		if e := events.until("exited"); e.Status == nil || *e.Status != 3 {
			t.Errorf("%+v", e)
		}
		return seen
	}
	d := start(t, "gdb", proc.Command(compiled(t, askingC)))
	var recording lockedBuffer
	stop, err := d.Record(&recording)
	if err != nil {
		t.Fatal(err)
	}
	want := session(d)
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	again, err := debugger.Replay(t.Context(), strings.NewReader(recording.String()))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if r, err := again.Do(t.Context(), "-exec-next"); err != nil || r.OK || !strings.Contains(r.Text, "comes next in the recording") {
		t.Errorf("another command: %+v, %v", r, err)
	}
	if got := session(again); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("replayed %q\nrecorded %q", got, want)
	}
	if r, err := again.Do(t.Context(), "-exec-next"); err != nil || r.OK || r.Text != "the recording is over" {
		t.Errorf("behind the end: %+v, %v", r, err)
	}
	if _, err := debugger.Replay(t.Context(), strings.NewReader("nonsense\n")); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Error(err)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
