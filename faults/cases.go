//go:build linux

package main

import (
	"cmp"
	"slices"
)

// cases are all, in the order of their names.
var cases = func() []fault {
	all := slices.Concat(byteCases, statusCases, orphanCases, hygieneCases, doorCases, webCases)
	slices.SortFunc(all, func(a, b fault) int { return cmp.Compare(a.ID, b.ID) })
	return all
}()
