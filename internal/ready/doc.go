// Package ready tells when descriptors can be read or written, on Linux: one epoll and one goroutine for all that the
// process's programs, terminals and pipes wait for.
//
// The runtime's poller does the same, at a price that shows in programs that live for a millisecond and where much is
// printed. It watches a descriptor from its opening to its closing and wakes a thread for each change, also when nobody
// waits: with every piece of output, and when a terminal is opened or hung up. And it needs a goroutine for each that waits.
package ready
