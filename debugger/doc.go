// Package debugger runs command-line debuggers for front ends. It keeps apart
// what belongs apart: the console at which a person types, the terminal of the
// debugged program, and the events that a program reads; and any number of
// front ends may come, leave and come again while the debugger runs.
//
//	d, err := debugger.Start(ctx, "gdb", proc.Command("./prog"))
//	defer d.Close()
//	reply, err := d.Do(ctx, "break main")
//	for e, err := range d.Events(ctx) { ... }      // the present state first
//
// What is known of a debugger is data: a Profile. gdb is spoken to through its
// machine interface, which front ends may share too (ServeMI); of the others the
// console is read, as a person would.
package debugger
