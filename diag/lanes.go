package diag

import "github.com/spawnx/spawnx/bridge"

// LanesOf returns the Lanes of a program from what its Bridge knows of itself.
// The terminal's mode is not among that: ModeKnown stays false.
func LanesOf(st bridge.Stats) Lanes {
	p := st.Peer
	l := Lanes{
		PID: p.PID, TTY: p.Terminal, NoEcho: p.NoEcho, Foreground: p.Foreground, Unread: p.Unread, Untaken: -1,
		InputPipe: p.InputPipe, OutputPipe: p.OutputPipe, ErrPipe: p.ErrPipe,
	}
	l.readers("output", st.Output)
	if st.Stderr != nil {
		l.readers("stderr", *st.Stderr)
	}
	return l
}

func (l *Lanes) readers(lane string, st bridge.LaneStats) {
	for _, r := range st.Readers {
		l.Readers = append(l.Readers, Reader{
			Name: r.Name, Lane: lane, Policy: r.Policy.String(),
			Blocked: r.Name == st.BlockedBy, Since: st.BlockedSince, Feeds: r.Feeds,
		})
	}
}
