package bridge

import (
	"fmt"

	"github.com/spawnx/spawnx/proc"
)

// An edge is one way of a Link: what the end from writes, the end to reads.
type edge struct {
	from, to int
	// direct: one pipe joins both programs, and the kernel moves the bytes.
	// Otherwise they are relayed: they come past us.
	direct bool
}

// plan says which edges a Link has, and which of them need a relay: those that
// somebody watches, and those of which not both sides are a program's pipe from
// the start to the end of the Link. A direct pipe can never be watched later.
func plan(o LinkOptions, ends []End) ([]edge, error) {
	if len(ends) < 2 {
		return nil, fmt.Errorf("a link needs two ends or more, not %d", len(ends))
	}
	for i, end := range ends {
		if (end.Spec == nil) == (end.Bridge == nil) {
			return nil, fmt.Errorf("end %d of the link: exactly one of Spec and Bridge is wanted", i+1)
		}
		if end.EOF < Close || end.EOF > SendKey {
			return nil, fmt.Errorf("end %d of the link: there is no such EOF policy: %d", i+1, end.EOF)
		}
	}
	var edges []edge
	for i := range ends {
		to := (i + 1) % len(ends)
		if to == 0 && o.Chain {
			break
		}
		watched := o.Tee != nil || o.Watch != nil
		edges = append(edges, edge{i, to, !watched && ends[i].EOF == Close && writesPipe(ends[i]) && readsPipe(ends[to])})
	}
	return edges, nil
}

// writesPipe reports whether an end is a program that writes to one and the
// same pipe as long as it runs.
func writesPipe(e End) bool {
	return e.Spec != nil && e.Spec.Stdio == proc.Pipes && e.Spec.Restart.When == proc.Never
}

func readsPipe(e End) bool {
	return e.Spec != nil && (e.Spec.Stdio == proc.Pipes || e.Spec.Stdio == proc.PTYStdout) && e.Spec.Restart.When == proc.Never
}
