package proc

import (
	"runtime"
	"testing"
)

// Many programs need one goroutine, and the end of each is told.
func TestManyProgramsAreWaitedForByOneGoroutine(t *testing.T) {
	const n = 100
	before := runtime.NumGoroutine()
	var all [n]*Process
	for i := range all {
		p, err := Start(t.Context(), Spec{Args: []string{"cat"}, Stdio: Pipes})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Stdio().Close()
		all[i] = p
	}
	if now := runtime.NumGoroutine(); now > before+n/2 && *contain == "" {
		t.Errorf("%d goroutines, %d before", now, before)
	}
	for i := range all { // one after the other, the last ones first
		p := all[n-1-i]
		if err := p.Stdio().In.Close(); err != nil {
			t.Fatal(err)
		}
		if e, err := p.Wait(t.Context()); err != nil || e.Code != 0 {
			t.Fatalf("program %d: %+v, %v", n-1-i, e, err)
		}
	}
}
