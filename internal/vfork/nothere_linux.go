//go:build !amd64 && !arm64

package vfork

const (
	// Here says that there is a vfork for this processor.
	Here = false

	prlimit64 = 0
)

func start(*Child) { panic("there is no vfork for this processor") }

func do(*Call) int { return -1 }
