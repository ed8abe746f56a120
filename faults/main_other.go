//go:build !linux

// Faults needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "faults: these cases need Linux")
	os.Exit(1)
}
