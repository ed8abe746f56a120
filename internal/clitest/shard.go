package clitest

// Shard returns the i-th of n parts of a list, counted from 1. The parts are disjoint, differ in length by
// at most one, and together are the whole: machines that see the same list need not talk to each other.
// Neighbours, which often take as long as each other, go to different parts.
func Shard[T any](list []T, i, n int) (part []T) {
	for k := i - 1; k < len(list); k += n {
		part = append(part, list[k])
	}
	return part
}
