package scale

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
	}{{"", 1}, {"1", 1}, {"3", 3}, {"0.5", 0.5}, {"1e2", 100}} {
		if got, err := parse(tt.in); got != tt.want || err != nil {
			t.Errorf("parse(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{"0", "-1", "x", "inf", "nan", " 2", "2x"} {
		got, err := parse(in)
		if err == nil || !strings.Contains(err.Error(), Name) {
			t.Errorf("parse(%q): %v; want an error that names the variable", in, err)
		}
		if got != 1 {
			t.Errorf("parse(%q) = %v; want 1 beside the error", in, got)
		}
	}
}

func TestMultiply(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		f    float64
		want time.Duration
	}{
		{time.Second, 1, time.Second},
		{time.Second, 2.5, 2500 * time.Millisecond},
		{0, 3, 0},
		{-1, 3, -1},
		{1, 0.001, 1},
		{math.MaxInt64, 1, math.MaxInt64},
		{math.MaxInt64, 2, math.MaxInt64},
		{math.MaxInt64 / 2, 1e300, math.MaxInt64},
	} {
		if got := multiply(tt.d, tt.f); got != tt.want {
			t.Errorf("multiply(%v, %v) = %v; want %v", tt.d, tt.f, got, tt.want)
		}
	}
}

func TestTheVariableIsRead(t *testing.T) {
	t.Setenv(Name, "4") // before the first use in this process: the other tests use the pure functions
	if got := Duration(time.Second); got != 4*time.Second {
		t.Errorf("Duration(1s) = %v; want 4s", got)
	}
	if err := Check(); err != nil {
		t.Error(err)
	}
}
