package session

import "time"

// SetHelloTime changes how long a connection may take to say hello, for the
// Servers that are made until back is called.
func SetHelloTime(d time.Duration) (back func()) {
	old := helloTime
	helloTime = d
	return func() { helloTime = old }
}

// SetLookAround changes how often the Servers that are made until back is
// called look whether they can be found.
func SetLookAround(d time.Duration) (back func()) {
	old := lookAround
	lookAround = d
	return func() { lookAround = old }
}

// SetLeaveTime changes for how long Servers wait for clients that have
// everything, until back is called.
func SetLeaveTime(d time.Duration) (back func()) {
	old := leaveTime
	leaveTime = d
	return func() { leaveTime = old }
}
