package screen

// Settled reports whether what is shown is meant to be seen: not in the middle of a synchronized update (mode 2026), of
// a control sequence or of a character. It is a function of the bytes alone. A program that dies in the middle of an
// update leaves a screen that is never settled; how long to wait for it is for the caller to say.
func (s *Screen) Settled() bool {
	return s.state == ground && s.utf8Need == 0 && !s.modes.on(syncUpdate)
}
