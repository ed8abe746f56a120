package clitest

import (
	"strings"
	"testing"

	"github.com/spawnx/spawnx/internal/dialog"
)

// What is waited for is written so that the test waits for just that, whatever it begins with.
func TestARecordedTextIsReadAsItIs(t *testing.T) {
	for text, want := range map[string]string{
		"Name? ": `expect 'Name? '`, "it's": `expect 'it''s'`, "/x/": `expect '\/x/'`, "<eof>": `expect '\<eof>'`,
		"-- INSERT --": `expect -- '-- INSERT --'`, "-x": `expect -- -x`,
	} {
		steps := []dialog.Step{{Kind: dialog.Resized, Rows: 5, Cols: 40}, {Wait: dialog.Pattern{Text: text}, Text: "y"}}
		got := string(FromRecord(dialog.Session{Args: []string{"cat"}, Dialog: dialog.Dialog{Steps: steps}}))
		if !strings.Contains(got, "resize 5x40\n"+want+"\n") {
			t.Errorf("%q: no line %s in\n%s", text, want, got)
		}
	}
}
