package session

import "fmt"

// A Role says what a client may do.
type Role int

const (
	Owner    Role = iota // all, without sitting in the driver's seat
	Driver               // sits at the program: one at most
	Observer             // reads and asks
)

var roleNames = [...]string{Owner: "owner", Driver: "driver", Observer: "observer"}

func (r Role) String() string {
	if r < 0 || int(r) >= len(roleNames) {
		return fmt.Sprintf("Role(%d)", int(r))
	}
	return roleNames[r]
}

// parseRole reads a role; "" is an owner.
func parseRole(s string) (Role, error) {
	for r, name := range roleNames {
		if s == name || s == "" {
			return Role(r), nil
		}
	}
	return 0, fmt.Errorf("no such role: %q", s)
}

// A seat is the driver's: who sits there, by number; 0 is nobody.
type seat int

// admit says what a client becomes that asks for a role, and who is sitting
// then.
func (s seat) admit(id int, asked Role, take bool) (Role, seat) {
	switch {
	case asked != Driver:
		return asked, s
	case s == 0 || take:
		return Driver, seat(id)
	}
	return Observer, s
}

// leave is the seat without this client.
func (s seat) leave(id int) seat {
	if s == seat(id) {
		return 0
	}
	return s
}

// role is what a client is that asked for a role, by who sits there now.
func (s seat) role(id int, asked Role) Role {
	switch {
	case s == seat(id):
		return Driver
	case asked == Driver:
		return Observer
	}
	return asked
}
