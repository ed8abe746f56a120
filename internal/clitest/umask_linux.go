package clitest

import (
	"fmt"
	"os"

	"github.com/spawnx/spawnx/internal/lazy"
)

var umaskLine = lazy.Regexp(`(?m)^Umask:\s*([0-7]+)$`)

// ownUmask is our file mode mask, nil where it is not known. Who starts a contained program would have to read it each
// time, which costs a twentieth of what a small program does.
func ownUmask() *uint32 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	var mask uint32
	m := umaskLine.Get().FindSubmatch(status)
	if m == nil {
		return nil
	}
	if _, err := fmt.Sscanf(string(m[1]), "%o", &mask); err != nil {
		return nil
	}
	return &mask
}
