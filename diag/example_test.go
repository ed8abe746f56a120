package diag_test

import (
	"fmt"

	"github.com/spawnx/spawnx/diag"
)

// A snapshot is data; what it means is found without looking again.
func ExampleExplain() {
	s := diag.Snapshot{
		Lanes: []diag.Lanes{{PID: 4711, TTY: "/dev/pts/7", ModeKnown: true, Canonical: true}},
		Processes: []diag.Process{{
			PID: 4711, Leader: 4711, Name: "ssh", Args: []string{"ssh", "core1"}, State: "S",
			Tasks: []diag.Task{{TID: 4711, Name: "ssh", State: "S", Wait: diag.Wait{
				Op: diag.Read, Call: "read", On: []diag.File{{FD: 4, Link: "/dev/pts/7", Read: true}}, Timeout: -1,
			}}},
		}},
	}
	for _, f := range diag.Explain(s) {
		fmt.Println(f)
	}
	// Output: ssh core1 (pid 4711) runs; waits for a password: echo is off, it reads its terminal (kernel)
}

// Waiting asks the caller's own ends between its two looks. Here there is no
// process, so nothing can be proved, however long one waits.
func ExampleWaiting() {
	taken := func() bool { return true }
	flush := func() (got bool, err error) { return false, nil }
	ev := diag.Waiting(diag.Lanes{}, taken, flush)
	fmt.Println(ev.Proved(), ev.Never)
	// Output: false true
}

func ExampleTakePID() {
	_, err := diag.TakePID(0)
	fmt.Println(err == diag.ErrNone)
	// Output: true
}
