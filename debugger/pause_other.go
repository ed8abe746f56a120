//go:build !linux

package debugger

import "time"

// pause waits for as long as gdb needs for some tens of bytes of a text that it
// writes byte by byte.
func pause() { time.Sleep(50 * time.Microsecond) }
