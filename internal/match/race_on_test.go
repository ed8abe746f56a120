//go:build race

package match

// slow is by how much less is tried at random under the race detector, which
// makes all that takes so much longer.
const slow = 10
