//go:build cgo

package proc

// hasC says that there may be C code in this process.
const hasC = true
