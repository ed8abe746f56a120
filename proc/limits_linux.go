package proc

import (
	"fmt"
	"math"
	"time"

	"github.com/spawnx/spawnx/internal/shim"
	"golang.org/x/sys/unix"
)

// canExec: helpers of this system can become another program with other limits.
const canExec = true

// limitsOf returns the limits that are asked for. Soft and hard limit are the same, so that the program cannot raise
// them again.
func limitsOf(l Limits) (limits []shim.Limit, err error) {
	add := func(name string, resource int, n int64) {
		if n != 0 {
			n := uint64(max(n, 0))
			limits = append(limits, shim.Limit{Name: name, Resource: resource, Soft: n, Hard: n})
		}
	}
	switch {
	case l.CPU > math.MaxInt64-time.Second:
		return nil, fmt.Errorf("a CPU time of %v is too long", l.CPU)
	case l.CPU != 0:
		// The kernel counts whole seconds, and kills at the hard limit.
		seconds := uint64(max(l.CPU+time.Second-1, 0) / time.Second)
		limits = append(limits, shim.Limit{Name: "CPU", Resource: unix.RLIMIT_CPU, Soft: seconds, Hard: seconds + 1})
	}
	add("address space", unix.RLIMIT_AS, l.AddressSpace)
	add("file size", unix.RLIMIT_FSIZE, l.FileSize)
	add("core", unix.RLIMIT_CORE, l.Core)
	add("files", unix.RLIMIT_NOFILE, int64(l.Files))
	add("processes", unix.RLIMIT_NPROC, int64(l.Processes))
	return limits, nil
}
