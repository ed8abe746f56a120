package lazy_test

import (
	"testing"

	"github.com/spawnx/spawnx/internal/lazy"
)

func TestRegexpIsMadeOnce(t *testing.T) {
	const digits lazy.Regexp = `\d+`
	if got := digits.Get().FindString("a12b"); got != "12" {
		t.Errorf("%q", got)
	}
	if first := digits.Get(); first != digits.Get() {
		t.Error("it is made anew")
	}
	const bad lazy.Regexp = `(`
	defer func() {
		if recover() == nil {
			t.Error("a bad one does not panic")
		}
	}()
	bad.Get()
}
