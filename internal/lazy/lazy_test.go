package lazy_test

import (
	"testing"

	"github.com/spawnx/spawnx/internal/lazy"
)

func TestRegexpIsMadeOnce(t *testing.T) {
	digits := lazy.Regexp(`\d+`)
	if got := digits().FindString("a12b"); got != "12" {
		t.Errorf("%q", got)
	}
	if first := digits(); first != digits() {
		t.Error("it is made anew")
	}
	bad := lazy.Regexp(`(`)
	defer func() {
		if recover() == nil {
			t.Error("a bad one does not panic")
		}
	}()
	bad()
}
