package ptyio

// A Borrowed is the person's own terminal in raw mode: every key comes at once
// and as it is, and nothing is shown but what we write. Whoever borrowed it
// gives it back with Restore. Its methods may be called concurrently.
type Borrowed struct {
	tty   terminalFile
	saved []byte
}

// Saved returns the settings that Restore gives back, for a helper process:
// see RestoreSaved.
func (b *Borrowed) Saved() []byte { return b.saved }
