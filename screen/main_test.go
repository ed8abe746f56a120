//go:build linux

package screen_test

import (
	"flag"
	"os"
	"testing"
)

var heavy = flag.Bool("heavy", false, "record and compare more")

func TestMain(m *testing.M) {
	if dir := os.Getenv("SCREEN_TEST_FEED"); dir != "" {
		feeder(dir)
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}
