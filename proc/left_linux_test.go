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

// What a program that lived for long has left in its session is found by asking each process for its own; a group of its
// own, as a shell with job control makes, hides nobody.
func TestLeftByAProgramThatLivedForLong(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		left         bool
	}{
		{"nothing", "echo 0", false},
		{"in the session", "sleep 600 >/dev/null 2>&1 & echo $!", true},
		{"in a group of its own", "set -m; trap '' HUP; sleep 600 >/dev/null 2>&1 & echo $!", true},
	} {
		p := start(t, Spec{Args: []string{"bash", "-c", tt.script}, Stdio: Pipes})
		sleeper := number(t, lines(p)(t))
		if _, err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.started = p.started.Add(-time.Hour) // nobody else looks at it until end
		if got := newTree(p).leftNothing(); got == tt.left && *contain == "" {
			t.Errorf("%s: it says that nothing is left: %v", tt.name, got)
		}
		if got := !newTree(p).gone(); got != tt.left {
			t.Errorf("%s: left: %v", tt.name, got)
		}
		end(t, p)
		if tt.left && alive(sleeper) {
			t.Errorf("%s: it lives after Stop", tt.name)
		}
	}
}
