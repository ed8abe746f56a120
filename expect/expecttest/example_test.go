package expecttest_test

import (
	"testing"

	"github.com/spawnx/spawnx/expect"
	"github.com/spawnx/spawnx/expect/expecttest"
	"github.com/spawnx/spawnx/proc"
)

func Example() {
	_ = func(t *testing.T) { // TestWizard
		c := expecttest.Spawn(t, proc.Command("./wizard"))
		c.Expect(expect.Text("Project name: "))
		c.SendLine("demo")
		c.SendKey("down", "enter")
		c.Screen("summary") // as testdata/TestWizard/summary.screen
		c.Wait(0)
	}
}
