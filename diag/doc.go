// Package diag says why a program does not go on: what every process and thread
// of its tree waits for, who holds it up, what it holds back, and how well that is
// known.
//
// It looks from outside, through /proc and plain data about our own ends. It
// holds no descriptor of the program, so it can neither write to it nor stop it.
// [Waiting] is the hot question of a dialog, some microseconds: does the program wait
// for input, and was everything it wrote read? [Take] makes a [Snapshot], data that
// can be stored; [Explain] turns it into findings.
//
// On systems without Linux's /proc only the terminal's mode speaks.
package diag
