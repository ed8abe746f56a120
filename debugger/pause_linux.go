package debugger

import "syscall"

// pause waits for as long as gdb needs for some tens of bytes of a text that it
// writes byte by byte. (time.Sleep may take a millisecond.)
func pause() {
	t := syscall.NsecToTimespec(50_000)
	_ = syscall.Nanosleep(&t, nil) // however long it was
}
