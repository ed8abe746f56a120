// Package scale stretches waiting times on slow machines. SPAWNX_TIMEOUT_SCALE is a positive number by which a
// duration is multiplied where it becomes a deadline: 3 waits three times as long, 0.5 half as long. What describes a
// wait, as proc.Spec.Grace does, keeps the number that the user wrote.
package scale

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"time"
)

// Name is the environment variable, read once, at the first use.
const Name = "SPAWNX_TIMEOUT_SCALE"

var factor = sync.OnceValues(func() (float64, error) { return parse(os.Getenv(Name)) })

// Duration returns d, scaled. Zero and negative durations, which mean something of their own, stay as they are, and a
// product that is too long is the longest duration. While Check returns an error, nothing is scaled.
func Duration(d time.Duration) time.Duration {
	f, _ := factor() // a bad value is told once, by who calls Check
	return multiply(d, f)
}

// Check returns an error if the variable is set to something that is no positive number.
func Check() error {
	_, err := factor()
	return err
}

// parse returns the factor that s stands for, and 1 beside an error.
func parse(s string) (float64, error) {
	if s == "" {
		return 1, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0) || math.IsInf(f, 0) {
		return 1, fmt.Errorf("%s=%q is not a positive number", Name, s)
	}
	return f, nil
}

func multiply(d time.Duration, f float64) time.Duration {
	if d <= 0 || f == 1 {
		return d
	}
	product := float64(d) * f
	if product >= math.MaxInt64 {
		return math.MaxInt64
	}
	// A wait that was asked for never becomes none.
	return max(time.Duration(product), 1)
}
