// Package escape knows where the escape sequences of a terminal's output begin
// and end, and what is left when they are taken out. What a sequence means is
// the business of package screen.
//
// Three things stand on that: [Filter] gives the plain text of an output with
// the way back to raw offsets, [Queries] finds the questions that programs put
// to their terminal, and [Visible], [Quote] and [Tail] make bytes of programs
// harmless for people to look at.
//
// All of it is pure: no I/O, no clock, no goroutine. Results depend on the
// bytes alone, never on how they were cut into reads.
package escape
