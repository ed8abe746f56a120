package proc

import (
	"testing"
	"time"
)

// Left tells of what a program left in its session and, contained, wherever it went; and of nothing else.
func TestLeft(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		contained    bool
		want         bool
	}{
		{"nothing", "true", false, false},
		{"nothing, contained", "true", true, false},
		{"after a while", "sleep 0.1", false, false},
		{"after a while, contained", "sleep 0.1; setsid sleep 0.1", true, false},
		{"in the background", "sleep 1000 >/dev/null 2>&1 & exit", false, true},
		{"in the background, contained", "sleep 1000 >/dev/null 2>&1 & exit", true, true},
		{"in another session, contained", "setsid sleep 1000 >/dev/null 2>&1 & exit", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := Command("sh", "-c", tt.script)
			spec.Stdio, spec.Grace, spec.Contain = Pipes, -1, tt.contained
			p, err := Start(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Stdio().Close()
			if _, err := p.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := p.Left(); got != tt.want {
				t.Errorf("left: %v", got)
			}
			if _, err := p.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			for until := time.Now().Add(10 * time.Second); p.Left(); { // a zombie of the keeper's counts for a moment
				if time.Now().After(until) {
					t.Fatal("something is left behind a Stop")
				}
			}
		})
	}
}
