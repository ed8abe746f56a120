//go:build !race

package match

const slow = 1
