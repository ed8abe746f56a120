//go:build !linux

package diag

import "runtime"

// A sight is what one look has seen: nothing, on this system.
type sight struct{}

// look can say no more than the terminal's mode.
func look(l Lanes) (sight, Evidence) {
	ev := Evidence{Never: true, PID: l.PID, Why: "what programs do cannot be seen on " + runtime.GOOS}
	if l.password() {
		ev.Grade, ev.Password, ev.Why = Termios, true, "echo is off"
	}
	return sight{}, ev
}

func (s sight) still() bool { return false }
