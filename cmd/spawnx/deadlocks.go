package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spawnx/spawnx/bridge"
	"github.com/spawnx/spawnx/diag"
)

// How often linked programs are looked at: a look costs some milliseconds, and a deadlock is to be told within
// a second. The second look, which proves it, comes soon.
const (
	lookEvery = 500 * time.Millisecond
	lookAgain = 100 * time.Millisecond
)

// A deadlocks tells when programs that are linked wait for each other.
type deadlocks struct {
	say *label

	mu   sync.Mutex
	ends []*bridge.Bridge // nil: nothing runs yet
}

func newDeadlocks(w *labels) *deadlocks { return &deadlocks{say: w.label("")} }

// over says which ends are linked, from now on.
func (d *deadlocks) over(ends []*bridge.Bridge) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ends = ends
}

// watch looks until ctx ends. A deadlock is told once; it may be broken from outside, and another follow.
func (d *deadlocks) watch(ctx context.Context) {
	var before diag.Snapshot
	told := ""
	for pause := lookEvery; ; {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		now, ok := d.look()
		if !ok {
			continue
		}
		found, stands := diag.Deadlock(before, now)
		_, suspected := diag.Deadlock(now, now)
		before, pause = now, lookEvery
		switch {
		case !suspected:
			told = ""
		case !stands:
			pause = lookAgain
		case told != found.Who:
			told = found.Who
			_, _ = io.WriteString(d.say, explainDeadlock(found)) // to who does not read stderr, nothing can be said
		}
	}
}

// look looks at all programs at once; false when there are none.
func (d *deadlocks) look() (s diag.Snapshot, ok bool) {
	d.mu.Lock()
	ends := d.ends
	d.mu.Unlock()
	var lanes []diag.Lanes
	for _, b := range ends {
		if st := b.Stats(); st.Peer.PID != 0 && st.Peer.Running {
			lanes = append(lanes, diag.LanesOf(st))
		}
	}
	if len(lanes) == 0 {
		return s, false
	}
	s, _ = diag.Take(lanes...) // what cannot be seen is said in it
	return s, true
}

// explain says what the programs do, one line each behind the one to which it is added.
func (d *deadlocks) explain() string {
	s, ok := d.look()
	if !ok {
		return ""
	}
	if f, stands := diag.Deadlock(s, s); stands {
		return "\n  " + strings.Join(f.Steps, "\n  ") + "\nhint: " + f.Cure
	}
	var b strings.Builder
	for _, f := range diag.Explain(s) {
		fmt.Fprintf(&b, "\n  program  %s", f)
	}
	return b.String()
}

// explainDeadlock is what is printed about programs that wait for each other.
func explainDeadlock(f diag.Finding) string {
	text := "spawnx: link: " + f.Who + " " + f.What + "\n  " + strings.Join(f.Steps, "\n  ") + "\n"
	if f.Cure != "" {
		text += "hint: " + f.Cure + "\n"
	}
	return text
}
