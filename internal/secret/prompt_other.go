//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package secret

import "context"

// readTerminal fails: asking at a terminal is not available on this system.
func readTerminal(context.Context, string) ([]byte, error) { return nil, ErrNoTerminal }
