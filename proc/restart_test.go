package proc

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestWhenToRestart(t *testing.T) {
	ok, failed, killed := Exit{}, Exit{Code: 1}, Exit{Code: -1, Signal: syscall.SIGKILL}
	unknown := Exit{Code: -1}
	for _, tt := range []struct {
		when When
		e    Exit
		want bool
	}{
		{Never, ok, false}, {Never, failed, false}, {Never, killed, false}, {Never, unknown, false},
		{OnFailure, ok, false}, {OnFailure, failed, true}, {OnFailure, killed, true}, {OnFailure, unknown, true},
		{Always, ok, true}, {Always, failed, true}, {Always, killed, true}, {Always, unknown, true},
	} {
		st, delay, again := Restart{When: tt.when}.Next(RestartState{}, tt.e, time.Second)
		if again != tt.want {
			t.Errorf("%v after %v: %v; want %v", tt.when, tt.e, again, tt.want)
		}
		if n := map[bool]int{true: 1}[tt.want]; st.Restarts != n {
			t.Errorf("%v after %v: %d restarts; want %d", tt.when, tt.e, st.Restarts, n)
		}
		if !again && delay != 0 {
			t.Errorf("%v after %v: a delay of %v before nothing", tt.when, tt.e, delay)
		}
	}
}

func TestRestartDelays(t *testing.T) {
	const s, m = time.Second, time.Minute
	patient := func(r Restart) Restart { r.When, r.Tries = Always, -1; return r }
	for _, tt := range []struct {
		name  string
		r     Restart
		ran   []time.Duration
		want  []time.Duration // -1: given up
		count int
	}{
		{"doubles", patient(Restart{}), make([]time.Duration, 8), []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, m, m}, 8},
		{"doubles from Delay to MaxDelay", patient(Restart{Delay: 3 * s, MaxDelay: 10 * s}), make([]time.Duration, 4),
			[]time.Duration{3 * s, 6 * s, 10 * s, 10 * s}, 4},
		{"a MaxDelay below Delay is Delay", patient(Restart{Delay: 3 * s, MaxDelay: s}), make([]time.Duration, 2), []time.Duration{3 * s, 3 * s}, 2},
		{"a long run pays all back", patient(Restart{}), []time.Duration{0, 0, 0, time.Hour, 0}, []time.Duration{s, 2 * s, 4 * s, s, 2 * s}, 5},
		{"a run pays the last delays back", patient(Restart{}), []time.Duration{0, 0, 0, 4 * s, 3 * s}, []time.Duration{s, 2 * s, 4 * s, 4 * s, 8 * s}, 5},
		{"a first run pays nothing", patient(Restart{}), []time.Duration{time.Hour, time.Hour}, []time.Duration{s, s}, 2},
		{"after many at MaxDelay it shrinks at once", patient(Restart{MaxDelay: 4 * s}), append(make([]time.Duration, 100), 6*s),
			append([]time.Duration{s, 2 * s}, append(slices.Repeat([]time.Duration{4 * s}, 98), 2*s)...), 101},
		{"gives up after 5 in a minute", Restart{When: Always}, make([]time.Duration, 6), []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, -1}, 5},
		{"gives up after Tries", Restart{When: Always, Tries: 2}, make([]time.Duration, 3), []time.Duration{s, 2 * s, -1}, 2},
		{"restarts longer ago than Within do not count", Restart{When: Always, Tries: 2, Within: 10 * s, Delay: s, MaxDelay: s},
			[]time.Duration{0, 11 * s, 0, 0}, []time.Duration{s, s, s, -1}, 3},
		{"a clock that went back counts as no time", Restart{When: Always, Tries: 1}, []time.Duration{-time.Hour, -time.Hour}, []time.Duration{s, -1}, 1},
		{"no overflow", patient(Restart{Delay: 1 << 61, MaxDelay: 1<<63 - 1}), make([]time.Duration, 4),
			[]time.Duration{1 << 61, 1 << 62, 1<<63 - 1, 1<<63 - 1}, 4},
	} {
		var st RestartState
		for i, ran := range tt.ran {
			before := st
			next, delay, again := tt.r.Next(st, Exit{Code: 1}, ran)
			if !again {
				delay = -1
			}
			if delay != tt.want[i] {
				t.Errorf("%s: number %d after %v: %v; want %v", tt.name, i, ran, delay, tt.want[i])
			}
			// The same question has the same answer: the state that was given is as it was.
			if _, twice, _ := tt.r.Next(before, Exit{Code: 1}, ran); again && twice != delay {
				t.Errorf("%s: number %d asked twice: %v, then %v", tt.name, i, delay, twice)
			}
			st = next
		}
		if st.Restarts != tt.count {
			t.Errorf("%s: %d restarts; want %d", tt.name, st.Restarts, tt.count)
		}
	}
}

func TestParseWhen(t *testing.T) {
	for _, w := range []When{Never, OnFailure, Always} {
		if got, err := ParseWhen(w.String()); got != w || err != nil {
			t.Errorf("%v: %v, %v", w, got, err)
		}
	}
	if _, err := ParseWhen("sometimes"); err == nil {
		t.Error("sometimes: no error")
	}
	if got := When(7).String(); got != "When(7)" {
		t.Error(got)
	}
}
