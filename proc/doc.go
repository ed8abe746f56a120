// Package proc starts a program and looks after it and its process tree: it says why a start failed, sees the end,
// and ends what is left.
//
//	p, err := proc.Start(ctx, proc.Command("sort", "-n"))
//	// write to p.Stdio().In, read p.Stdio().Out, close them
//	exit, err := p.Wait(ctx)
//
// A Spec is plain data that says what to start, a Process is the handle of what runs, an Exit is plain data that says
// how it ended. The bytes are not this package's: it opens the streams and hands them over.
//
// What a child inherits: descriptors 0, 1, 2 and the given files, an empty signal mask, default dispositions. For that
// the first Start marks every descriptor from 3 up of this process close-on-exec, once (Linux): those that its
// launcher left open would otherwise leak into every child. While a child is forked, signals that this process ignores
// or blocks are received by a handler instead, then ignored or blocked again.
package proc
