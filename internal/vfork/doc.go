// Package vfork starts programs as vfork(2) does, on Linux: the child borrows our memory and makes the system calls that
// it was given, the last of which executes its program.
//
// What syscall.ForkExec does besides shows where many programs are started: it sets each of 55 signals anew in the child
// and makes a pipe to learn of an error. And it leaves signals ignored that are ignored here, which to change for the
// moment of a fork means to stop two threads.
//
// The package imports nothing. So it is initialised before package syscall raises the limit of open files, which a
// program is not to inherit: packages are initialised in the order of their paths, behind what they import
// (https://go.dev/ref/spec#Program_initialization).
package vfork
